//! Random calls out of the runtime's own type information: every call of every pallet, in whatever form it
//! can be decoded, with accounts and hashes that mean something to the chain.

use crate::*;
use codec::{Compact, Decode, Encode};
use rand::{rngs::StdRng, seq::SliceRandom, Rng, RngCore};
use scale_info::{
	form::PortableForm, Field, MetaType, PortableRegistry, Registry, TypeDef, TypeDefPrimitive,
};

/// What root breaks by design, and what its own pallets' documentation warns of: the code, raw storage,
/// what is held for others, more of the token than there can be (next to 2^128 nothing can be given back),
/// migrations and finality by force, the keys of the last validators, and root's own key. The random caller
/// has root, and does not do that.
const BREAKS_THE_CHAIN: [(&str, &[&str]); 7] = [
	(
		"System",
		&["set_code", "set_code_without_checks", "set_storage", "kill_storage", "kill_prefix"],
	),
	("Balances", &["force_unreserve", "force_set_balance", "force_adjust_total_issuance"]),
	("MultiBlockMigrations", &["force_set_cursor", "force_set_active_cursor"]),
	("Grandpa", &["note_stalled"]),
	("Session", &["purge_keys"]),
	("Sudo", &["set_key", "remove_key"]),
	("Timestamp", &["set"]),
];

/// How deep calls are in calls.
const MOST_CALLS: u32 = 3;

/// Makes calls.
pub struct Calls {
	types: PortableRegistry,
	call: u32,
	/// Whom calls speak of.
	pub accounts: Vec<AccountId>,
	/// What they may mean by a hash.
	pub hashes: Vec<Hash>,
	/// Commitments to keys, in SCALE.
	pub keys: Vec<Vec<u8>>,
}

impl Calls {
	pub fn new(accounts: Vec<AccountId>, keys: Vec<Vec<u8>>) -> Self {
		let mut registry = Registry::new();
		let call = registry.register_type(&MetaType::new::<RuntimeCall>()).id;
		Self { types: registry.into(), call, accounts, hashes: Vec::new(), keys }
	}

	/// The next call.
	pub fn next(&self, rng: &mut StdRng) -> RuntimeCall {
		loop {
			let mut bytes = Vec::new();
			self.call(rng, 1, &mut bytes);
			// A list can be longer than its bound lets it be.
			if let Ok(call) = RuntimeCall::decode(&mut &bytes[..]) {
				return call;
			}
		}
	}

	/// A random value of a type of ours.
	pub fn value<T: Decode + scale_info::TypeInfo + 'static>(&self, rng: &mut StdRng) -> T {
		let path = T::type_info().path;
		let found = self.types.types.iter().find(|known| known.ty.path.segments == path.segments);
		let id = found.expect("a call has it").id;
		loop {
			let mut bytes = Vec::new();
			self.of_type(rng, id, MOST_CALLS, &mut bytes);
			if let Ok(value) = T::decode(&mut &bytes[..]) {
				return value;
			}
		}
	}

	fn call(&self, rng: &mut StdRng, depth: u32, out: &mut Vec<u8>) {
		let TypeDef::Variant(pallets) =
			&self.types.resolve(self.call).expect("registered").type_def
		else {
			panic!("calls are an enum of pallets")
		};
		let pallet = pallets.variants.choose(rng).expect("there are pallets");
		let of_pallet = pallet.fields[0].ty.id;
		let TypeDef::Variant(calls) = &self.types.resolve(of_pallet).expect("registered").type_def
		else {
			panic!("a pallet's calls are an enum")
		};
		let broken = BREAKS_THE_CHAIN.iter().find(|(name, _)| *name == pallet.name);
		let breaks = |name: &str| broken.is_some_and(|(_, calls)| calls.contains(&name));
		let allowed: Vec<_> = calls.variants.iter().filter(|call| !breaks(&call.name)).collect();
		let Some(call) = allowed.choose(rng) else { return self.call(rng, depth, out) };
		out.extend([pallet.index, call.index]);
		self.fields(rng, &call.fields, depth, out);
	}

	fn fields(
		&self,
		rng: &mut StdRng,
		fields: &[Field<PortableForm>],
		depth: u32,
		out: &mut Vec<u8>,
	) {
		for field in fields {
			self.of_type(rng, field.ty.id, depth, out);
		}
	}

	fn of_type(&self, rng: &mut StdRng, id: u32, depth: u32, out: &mut Vec<u8>) {
		if id == self.call {
			if depth >= MOST_CALLS {
				return RuntimeCall::System(frame_system::Call::remark { remark: vec![] })
					.encode_to(out);
			}
			return self.call(rng, depth + 1, out);
		}
		let ty = self.types.resolve(id).expect("registered");
		match ty.path.segments.last().map(String::as_str) {
			Some("AccountId32") if rng.gen_ratio(9, 10) => {
				return self.accounts.choose(rng).expect("there are some").encode_to(out);
			}
			Some("MultiAddress") => {
				let account = self.accounts.choose(rng).expect("there are some").clone();
				return Address::from(account).encode_to(out);
			}
			Some("H256") if !self.hashes.is_empty() && rng.gen_ratio(3, 4) => {
				return self.hashes.choose(rng).expect("there are some").encode_to(out);
			}
			Some("Elements") if rng.gen_ratio(3, 4) => {
				return out.extend(self.keys.choose(rng).expect("there are some"));
			}
			_ => (),
		}
		match &ty.type_def {
			TypeDef::Composite(composite) => self.fields(rng, &composite.fields, depth, out),
			TypeDef::Tuple(tuple) => {
				for field in &tuple.fields {
					self.of_type(rng, field.id, depth, out);
				}
			}
			TypeDef::Variant(variant) => {
				let Some(one) = variant.variants.choose(rng) else { return };
				out.push(one.index);
				self.fields(rng, &one.fields, depth, out);
			}
			TypeDef::Array(array) => {
				for _ in 0..array.len {
					self.of_type(rng, array.type_param.id, depth, out);
				}
			}
			TypeDef::Sequence(sequence) => {
				let length = length(rng);
				Compact(length).encode_to(out);
				for _ in 0..length {
					self.of_type(rng, sequence.type_param.id, depth, out);
				}
			}
			TypeDef::Compact(compact) => {
				let mut plain = Vec::new();
				self.of_type(rng, compact.type_param.id, depth, &mut plain);
				plain.resize(16, 0);
				let number = u128::from_le_bytes(plain.try_into().expect("resized"));
				Compact(number).encode_to(out);
			}
			TypeDef::Primitive(primitive) => self.primitive(rng, primitive, out),
			TypeDef::BitSequence(_) => Compact(0u32).encode_to(out),
		}
	}

	fn primitive(&self, rng: &mut StdRng, primitive: &TypeDefPrimitive, out: &mut Vec<u8>) {
		use TypeDefPrimitive as P;
		let size = match primitive {
			P::Bool => return out.push(rng.gen_range(0..2)),
			P::Str => return "a text".encode_to(out),
			P::U8 | P::I8 => 1,
			P::U16 | P::I16 => 2,
			P::Char | P::U32 | P::I32 => 4,
			P::U64 | P::I64 => 8,
			P::U128 | P::I128 => 16,
			P::U256 | P::I256 => 32,
		};
		let mut bytes = [0; 32];
		match rng.gen_range(0..8) {
			0 => (),
			1 => bytes = [0xff; 32],
			2 => rng.fill_bytes(&mut bytes),
			// Amounts that an account has.
			3 => bytes[..16].copy_from_slice(&(rng.gen_range(0..1_000) * KEY).to_le_bytes()),
			_ => bytes[0] = rng.gen_range(0..5),
		}
		out.extend_from_slice(&bytes[..size]);
	}
}

/// Mostly short, now and then beyond a bound.
fn length(rng: &mut StdRng) -> u32 {
	match rng.gen_range(0..40) {
		0 => rng.gen_range(0..300),
		1..=8 => rng.gen_range(0..40),
		_ => rng.gen_range(0..4),
	}
}
