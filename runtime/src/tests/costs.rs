//! What things cost, as a page for people: `docs/costs.md` says what this computes, or the test fails.
//! `scripts/costs` writes it.

use super::{
	blocks::{begin_block, confirm, fill_a_block, signed, tip_that_ties, Filled, User},
	preset_ext,
};
use crate::{configs::*, *};
use codec::Encode;
use frame_support::{
	dispatch::{DispatchClass, GetDispatchInfo},
	weights::constants::ParityDbWeight as Database,
};
use keyshare_primitives::{Constraints, KeyScheme};
use pallet_registration::WeightInfo as _;
use pallet_subgroups::WeightInfo as _;
use sp_runtime::traits::Dispatchable;
use std::fmt::Write;

type Registering = weights::pallet_registration::WeightInfo<Runtime>;
type Members = weights::pallet_subgroups::WeightInfo<Runtime>;

/// What they were before, at commit 0b4305f: its measured weights over the same database, its deposits'
/// bytes, and its fee of one unit a byte.
mod before {
	pub const REGISTER: u64 = 4_071_361_000;
	pub const CONFIRM: u64 = 1_571_853_000;
	pub const CONFIRMATIONS_A_SECOND: u64 = 119;
	pub const BYTES: usize = 971;
	pub const LENGTH_FEE: u128 = 1;
}

#[test]
fn the_costs_page_says_what_things_cost() {
	let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/costs.md");
	let now = page();
	if std::env::var_os("KEYSHARE_WRITE_SNAPSHOT").is_some() {
		std::fs::write(path, &now).expect("the checkout can be written to");
	}
	let there = std::fs::read_to_string(path).unwrap_or_default();
	for (number, (there, now)) in (1..).zip(there.lines().zip(now.lines())) {
		assert_eq!(there, now, "line {number} of docs/costs.md: scripts/costs writes it anew");
	}
	assert_eq!(there.len(), now.len(), "docs/costs.md: scripts/costs writes it anew");
}

fn micros(weight: u64) -> String {
	format!("{} µs", weight.div_ceil(1_000_000))
}

fn key(units: Balance) -> String {
	let digits = format!("{:.6}", units as f64 / KEY as f64);
	format!("{digits} KEY")
}

/// What a registration weighs by itself, and what that and its length cost.
struct OfRegistering {
	weight: u64,
	declared: u64,
	length: usize,
	fee: Balance,
	confirmations: Balance,
	deposit: Balance,
}

fn registration(scheme: KeyScheme) -> OfRegistering {
	preset_ext(genesis::LOCAL_PRESET).execute_with(|| {
		begin_block(1);
		let user = User::new(1, scheme);
		let call = user.registering();
		let declared = call.get_dispatch_info().call_weight.ref_time();
		let extrinsic = signed(&user.pair, 0, 0, call.clone());
		let (length, info) = (extrinsic.encoded_size(), extrinsic.get_dispatch_info());
		let post = call.dispatch(RuntimeOrigin::signed(user.account.clone()));
		let weight = post.expect("it can be registered").actual_weight.expect("it is known");
		let fee = TransactionPayment::compute_actual_fee(
			length as u32,
			&info,
			&frame_support::dispatch::PostDispatchInfo {
				actual_weight: Some(weight.saturating_add(info.extension_weight)),
				pays_fee: Default::default(),
			},
			0,
		);
		let confirmations = Registration::confirmation_fee();
		let deposit = Registration::deposit(scheme, 2, Some(Constraints::default()));
		OfRegistering { weight: weight.ref_time(), declared, length, fee, confirmations, deposit }
	})
}

/// Bytes of the chain's state that a registered key takes, keys of entries included.
fn bytes_of_a_user() -> usize {
	preset_ext(genesis::LOCAL_PRESET).execute_with(|| {
		let size = || {
			let (mut sum, mut key) = (0, Vec::new());
			while let Some(next) = sp_io::storage::next_key(&key) {
				sum += next.len() + sp_io::storage::get(&next).map_or(0, |value| value.len());
				key = next;
			}
			sum
		};
		begin_block(1);
		let user = User::new(1, KeyScheme::Ed25519);
		System::reset_events();
		let before = size();
		let call = user.registering();
		call.dispatch(RuntimeOrigin::signed(user.account.clone())).expect("it can be registered");
		for subgroup in 0..3 {
			let call = confirm(subgroup, std::slice::from_ref(&user)).function;
			call.dispatch(frame_system::RawOrigin::Authorized.into()).expect("it was checked");
		}
		// What is gone at the end of the block.
		System::reset_events();
		pallet_registration::ConfirmationWeight::<Runtime>::kill();
		size() - before
	})
}

fn page() -> String {
	let mut page = String::from(
		"# What things cost\n\n\
		 Written by `scripts/costs` from the runtime's measured weights (`runtime/src/weights/`), its prices \
		 and\nfilled blocks of real extrinsics. A test of the runtime holds this page to them. *Before* is \
		 commit\n0b4305f, the last one without operators.\n\n\
		 Weight is time on the reference machine with its database; a block of two seconds has 500 ms of it, \
		 375 of\nthem for ordinary transactions. Fees are those at the least multiplier, 1; a fifth of each \
		 is burnt, and the\nblock's author has the rest. `n` is the number of subgroups, `t` a key's \
		 threshold; examples have `n = 3`,\n`t = 2`, one member a subgroup, no rules in the \
		 constraints.\n",
	);
	registrations(&mut page);
	confirmations(&mut page);
	members(&mut page);
	rest(&mut page);
	page
}

fn heading(page: &mut String, title: &str, columns: &[&str]) {
	let _ = writeln!(page, "\n## {title}\n\n| {} |", columns.join(" | "));
	let _ = writeln!(page, "|{}", "---|".repeat(columns.len()));
}

fn row(page: &mut String, cells: &[String]) {
	let _ = writeln!(page, "| {} |", cells.join(" | "));
}

fn registrations(page: &mut String) {
	heading(page, "Registering a key", &["", "Ed25519", "secp256k1", "before"]);
	let of = [KeyScheme::Ed25519, KeyScheme::Secp256k1].map(registration);
	let mut line = |what: &str, value: fn(&OfRegistering) -> String, before: String| {
		row(page, &[what.into(), value(&of[0]), value(&of[1]), before]);
	};
	let none = || String::from("–");
	line("weight of `register`", |of| micros(of.weight), micros(before::REGISTER));
	line("declared, for 16 subgroups", |of| micros(of.declared), micros(before::REGISTER));
	line("length of the extrinsic", |of| format!("{} bytes", of.length), none());
	line("fee of the transaction", |of| key(of.fee), none());
	line("fee for the confirmations", |of| key(of.confirmations), "none".into());
	line("deposit", |of| key(of.deposit), none());
	let bytes = bytes_of_a_user();
	let _ = writeln!(
		page,
		"\nA registered Ed25519 key takes {bytes} bytes of the chain's state, keys of the entries included; \
		 before, {}.\nA byte of an extrinsic costs {} units (before, {}), so that a block full by its length \
		 costs what one full\nby its weight does.",
		before::BYTES,
		LengthFee::get(),
		before::LENGTH_FEE,
	);
}

fn confirmations(page: &mut String) {
	heading(page, "Confirmations", &["", "now", "before"]);
	let most = 64;
	let (reads, writes) =
		(|count| Database::get().reads(count), |count| Database::get().writes(count));
	let longer = (Registering::account_record(3) - Registering::account_record(2)).ref_time();
	let check = Registering::authorize_confirm(64).ref_time() / most + longer;
	let record = (Registering::confirm(64) - reads(64)).ref_time() / most + longer;
	let complete = (Registering::complete(3) - writes(1)).ref_time();
	let declared = batch_declared() / most;
	let none = || String::from("–");
	row(page, &["checking one of a batch of 64".into(), micros(check), none()]);
	row(page, &["recording it".into(), micros(record), none()]);
	row(page, &["completing a first attempt, in addition".into(), micros(complete), none()]);
	let swap = (Registering::complete_swap(3) - writes(1)).ref_time();
	row(page, &["completing a swap, in addition".into(), micros(swap), none()]);
	row(
		page,
		&[
			"judging all 16 subgroups at its end".into(),
			micros(Members::hear(16).ref_time()),
			none(),
		],
	);
	row(page, &["declared for one".into(), micros(declared), micros(before::CONFIRM)]);
	let filled = [KeyScheme::Ed25519, KeyScheme::Secp256k1]
		.map(|scheme| preset_ext(genesis::LOCAL_PRESET).execute_with(|| fill_a_block(scheme)));
	let normal = RuntimeBlockWeights::get().get(DispatchClass::Normal).max_total;
	let normal = normal.expect("normal blocks have a limit").ref_time();
	let second = |each: u64| normal / each * 1_000 / SLOT_DURATION;
	for (name, Filled { each, in_a_block }) in ["Ed25519", "secp256k1"].iter().zip(&filled) {
		row(page, &[format!("{name}: mean over a life"), micros(*each), micros(before::CONFIRM)]);
		row(
			page,
			&[
				format!("{name}: a second, of what ordinary transactions may fill"),
				second(*each).to_string(),
				before::CONFIRMATIONS_A_SECOND.to_string(),
			],
		);
		row(
			page,
			&[
				format!("{name}: in a block, and a second, with their share of it"),
				format!("{in_a_block}, {}", *in_a_block as u64 * 1_000 / SLOT_DURATION),
				none(),
			],
		);
	}
	let share = ConfirmationShare::get();
	let tie = preset_ext(genesis::LOCAL_PRESET).execute_with(|| {
		begin_block(1);
		tip_that_ties() / KEY
	});
	let _ = writeln!(
		page,
		"\nConfirmations may fill {share:?} of what ordinary transactions may, and come before these: the \
		 tip of a\ntransfer that comes first all the same is {tie} KEY. Before, their priority was the number \
		 of entries.",
	);
}

/// What a full batch declares.
fn batch_declared() -> u64 {
	preset_ext(genesis::LOCAL_PRESET).execute_with(|| {
		begin_block(1);
		let users: Vec<_> = (0..64).map(|number| User::new(number, KeyScheme::Ed25519)).collect();
		let info = confirm(0, &users).get_dispatch_info();
		info.total_weight().ref_time()
	})
}

fn members(page: &mut String) {
	heading(page, "Operators, validators and servers", &["", "weight"]);
	for (what, weight) in [
		("`publish_server`", Members::publish_server()),
		("`withdraw_server`", Members::withdraw_server()),
		("`admit`, beside 255 others", Members::admit(255)),
		("`dismiss`", Members::dismiss()),
		("`assign`", Members::assign()),
		("`unassign`", Members::unassign()),
		("`accept`", Members::accept()),
		("`leave`", Members::leave()),
		("`back`", Members::back()),
		("`readmit`", Members::readmit()),
		("`declare_ready`, checked and recorded", {
			Members::authorize_declare_ready().saturating_add(Members::declare_ready())
		}),
		("planning a session: 256 operators, 128 validators", Members::plan(256, 128)),
		("beginning one: 128 changes of the members", Members::follow(128)),
	] {
		row(page, &[what.into(), micros(weight.ref_time())]);
	}
}

fn rest(page: &mut String) {
	heading(page, "Everything else", &["", "weight"]);
	for (what, weight) in [
		("`swap_key`, verifying shares apart", Registering::swap_key(3)),
		("`cancel`", Registering::cancel()),
		("`expire`", Registering::expire()),
		("`update_constraints`, of 256 rules", Registering::update_constraints(256)),
		("`change_constraint_account`", Registering::change_constraint_account()),
		("`deregister`", Registering::deregister()),
	] {
		row(page, &[what.into(), micros(weight.ref_time())]);
	}
	let _ = writeln!(
		page,
		"\nWeights of the pallets that are not ours (system, timestamp, balances, transaction payment, sudo, \
		 session,\nGRANDPA) and of the transaction extensions are stock: measured by their authors on their \
		 reference machine. All\nbut GRANDPA's count the reads and writes of our database, which is ParityDB.",
	);
}
