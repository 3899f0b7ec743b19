//! Bytes as extrinsics, calls and protocol types: reading never panics, and what is read has one encoding.

use codec::{Decode, DecodeLimit, Encode, MaxEncodedLen};
use frame_support::{dispatch::GetDispatchInfo, MAX_EXTRINSIC_DEPTH};
use keyshare_primitives::{
	api::{AccountInfo, OperatorInfo, Parameters, SubgroupInfo, ValidatorInfo},
	constraints::CheckedConstraints,
	elements::encryption_key_is_usable,
	endpoint::endpoint_is_well_formed,
	membership::{Change, Masks, Seat, Silences, Syncing},
	offchain::Queue,
	record::AccountRecord,
	AccountId, BlockNumber, Confirmation, Constraints, CustodyProof, Element, KeyCommitments,
	KeyScheme, ServerInfo,
};
use keyshare_runtime::{
	accounts::ProxyType, Runtime, RuntimeCall, SessionKeys, UncheckedExtrinsic,
};
use pallet_registration::ConstraintsEntry;
use pallet_subgroups::{OperatorOfT, PublishedServerOf};
use std::{any::type_name, panic::resume_unwind, thread};

/// Calls are read to a depth of 256. With a sanitizer that takes more stack than a thread has by default.
const STACK: usize = 64 * 1024 * 1024;

/// Whether the bytes, all of them, are an extrinsic without its length, a call, or a value of a protocol type.
pub fn check(bytes: &[u8]) -> bool {
	let check = || [extrinsic(bytes), call(bytes), protocol_type(bytes)].contains(&true);
	thread::scope(|scope| {
		let checking = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, check);
		match checking.expect("there is room for a thread").join() {
			Ok(all) => all,
			Err(panic) => resume_unwind(panic),
		}
	})
}

/// As the chain reads what is submitted or stands in a block. There, a length in front that is not that of the
/// bytes after it is refused by the node, for which extrinsics are byte strings.
fn extrinsic(bytes: &[u8]) -> bool {
	let encoded = bytes.encode();
	let input = &mut encoded.as_slice();
	let read = UncheckedExtrinsic::decode_all_with_depth_limit(MAX_EXTRINSIC_DEPTH, input);
	let Ok(extrinsic) = read else { return false };
	assert!(extrinsic.encode() == encoded, "an extrinsic is written otherwise than it is read");
	let _ = extrinsic.get_dispatch_info();
	true
}

fn call(bytes: &[u8]) -> bool {
	let Some((call, all)) = read::<RuntimeCall>(bytes) else { return false };
	let _ = call.get_dispatch_info();
	all
}

/// Every type that is sent, stored, answered or queued; those not named here are parts of these.
fn protocol_type(bytes: &[u8]) -> bool {
	let stored_or_sent = [
		bounded::<AccountRecord<BlockNumber>>(bytes),
		bounded::<Confirmation>(bytes),
		bounded::<CustodyProof>(bytes),
		bounded::<Element>(bytes),
		bounded::<KeyCommitments>(bytes),
		bounded::<KeyScheme>(bytes),
		bounded::<Masks>(bytes),
		bounded::<OperatorOfT<Runtime>>(bytes),
		bounded::<ProxyType>(bytes),
		bounded::<PublishedServerOf<Runtime>>(bytes),
		bounded::<Seat>(bytes),
		bounded::<Syncing>(bytes),
	];
	let without_bounds = [
		reads_all::<AccountInfo>(bytes),
		reads_all::<ConstraintsEntry>(bytes),
		reads_all::<Parameters>(bytes),
		reads_all::<Queue>(bytes),
		reads_all::<SessionKeys>(bytes),
		reads_all::<ValidatorInfo>(bytes),
		reads_all::<Vec<(AccountId, Change)>>(bytes),
		reads_all::<Vec<OperatorInfo>>(bytes),
		reads_all::<Vec<SubgroupInfo>>(bytes),
	];
	let looked_into = [constraints(bytes), server(bytes), silences(bytes)];
	[stored_or_sent.as_slice(), &without_bounds, &looked_into].concat().contains(&true)
}

/// Reads a value from the front of the bytes, as deeply as the chain does, and writes it: as it was, for what is
/// signed or hashed must not have a second form. Gives the value, and whether that was all of the bytes.
fn read<T: Decode + Encode>(bytes: &[u8]) -> Option<(T, bool)> {
	let mut rest = bytes;
	let value = T::decode_with_depth_limit(MAX_EXTRINSIC_DEPTH, &mut rest).ok()?;
	let same = bytes.strip_suffix(rest).is_some_and(|front| value.encode() == front);
	assert!(same, "{} is written otherwise than it is read", type_name::<T>());
	Some((value, rest.is_empty()))
}

fn reads_all<T: Decode + Encode>(bytes: &[u8]) -> bool {
	read::<T>(bytes).is_some_and(|(_, all)| all)
}

/// A value that can be read is never longer than its type declares, and storage counts on.
fn bounded<T: Decode + Encode + MaxEncodedLen>(bytes: &[u8]) -> bool {
	let Some((value, all)) = read::<T>(bytes) else { return false };
	let fits = value.encoded_size() <= T::max_encoded_len();
	assert!(fits, "{} is longer than its longest", type_name::<T>());
	all
}

/// Constraints come without bounds: what the chain lets through has them.
fn constraints(bytes: &[u8]) -> bool {
	let Some((constraints, all)) = read::<Constraints>(bytes) else { return false };
	for scheme in [KeyScheme::Ed25519, KeyScheme::Secp256k1] {
		if let Ok(checked) = constraints.clone().check(scheme) {
			let fit = checked.encoded_size() <= CheckedConstraints::max_encoded_len();
			assert!(fit, "constraints that the chain accepts fit into its storage");
		}
	}
	all
}

fn server(bytes: &[u8]) -> bool {
	if let Some((server, _)) = read::<ServerInfo>(bytes) {
		let _ = endpoint_is_well_formed(&server.endpoint);
		let _ = encryption_key_is_usable(&server.encryption_key);
	}
	bounded::<ServerInfo>(bytes)
}

/// A map, which is read in whatever order its entries stand; nobody signs or sends it.
fn silences(bytes: &[u8]) -> bool {
	let mut rest = bytes;
	let Ok(silences) = Silences::decode(&mut rest) else { return false };
	let again = Silences::decode(&mut silences.encode().as_slice());
	assert!(again.is_ok_and(|again| again == silences), "silences are read again as others");
	assert!(silences.encoded_size() <= Silences::max_encoded_len(), "silences are too long");
	rest.is_empty()
}
