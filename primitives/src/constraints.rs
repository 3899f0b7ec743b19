//! Constraints: what a key may be used for (protocol §2).
//!
//! A list of what is allowed, and nothing else is. How people write it, as text and in files, is the
//! crate `keyshare-constraints`; here are the types that go over the wire and into storage, and what
//! the chain demands of them.

use crate::KeyScheme;
use alloc::{collections::BTreeSet, vec::Vec};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::ConstU32;
use sp_runtime::BoundedVec;

/// The most rules.
pub const MAX_RULES: u32 = 256;

/// The most networks with a largest fee.
pub const MAX_FEES: u32 = 16;

/// The most clauses.
pub const MAX_CLAUSES: u32 = 64;

/// The longest `scriptPubKey` that a rule can name: a witness program of 40 bytes.
pub const MAX_SCRIPT_LENGTH: u32 = 42;

/// A rule's number, by which clauses and answers name it; its owner chooses it.
pub type RuleId = u16;

/// An EVM chain's id, not 0 (EIP-155).
pub type ChainId = u64;

/// An account or contract on an EVM chain.
pub type EvmAddress = [u8; 20];

/// An account on Solana.
pub type SolanaAddress = [u8; 32];

/// What a Bitcoin output is paid to: the script that an address stands for.
pub type ScriptPubKey = BoundedVec<u8, ConstU32<MAX_SCRIPT_LENGTH>>;

/// Derives what every type of the constraints has.
macro_rules! constraint_type {
	($(#[$meta:meta])* pub $($item:tt)*) => {
		$(#[$meta])*
		#[derive(
			Clone,
			PartialEq,
			Eq,
			PartialOrd,
			Ord,
			Debug,
			Encode,
			Decode,
			DecodeWithMemTracking,
			MaxEncodedLen,
			TypeInfo,
		)]
		pub $($item)*
	};
}

constraint_type! {
	/// Where a rule or a fee counts.
	#[derive(Copy)]
	pub enum Network {
		/// An EVM chain.
		Evm(ChainId),
		/// Bitcoin, all of its networks.
		Bitcoin,
		/// Solana, all of its clusters.
		Solana,
	}
}

impl Network {
	/// The scheme of the keys that are used there.
	pub fn scheme(&self) -> KeyScheme {
		match self {
			Self::Evm(_) | Self::Bitcoin => KeyScheme::Secp256k1,
			Self::Solana => KeyScheme::Ed25519,
		}
	}
}

constraint_type! {
	/// A recipient.
	#[derive(Copy)]
	pub enum Who<Address> {
		/// This one.
		Only(Address),
		/// Any.
		Anyone,
	}
}

constraint_type! {
	/// The largest amount, in the asset's smallest unit.
	#[derive(Copy)]
	pub enum Amount<Number> {
		/// At most so much.
		UpTo(Number),
		/// Any amount.
		Any,
	}
}

constraint_type! {
	/// A function of a contract.
	#[derive(Copy)]
	pub enum Selector {
		/// The one with this selector: the first four bytes of the calldata.
		Only([u8; 4]),
		/// Any, and none.
		Any,
	}
}

constraint_type! {
	/// What is allowed on an EVM chain.
	#[derive(Copy)]
	pub enum EvmAllow {
		/// To pay the chain's own coin.
		Pay {
			/// The recipient.
			to: Who<EvmAddress>,
			/// The most, in wei.
			largest: Amount<u128>,
		},
		/// To pay a token: ERC-20's `transfer`.
		Token {
			/// The token's contract.
			token: EvmAddress,
			/// The recipient.
			to: Who<EvmAddress>,
			/// The most, in the token's smallest unit.
			largest: Amount<u128>,
		},
		/// To let a spender take a token: ERC-20's `approve`.
		Approve {
			/// The token's contract.
			token: EvmAddress,
			/// The spender.
			spender: EvmAddress,
			/// The most, in the token's smallest unit.
			largest: Amount<u128>,
		},
		/// To call a contract, with any arguments.
		Call {
			/// The contract.
			to: EvmAddress,
			/// The function.
			selector: Selector,
			/// The most of the chain's own coin that goes with it, in wei.
			largest: u128,
		},
	}
}

constraint_type! {
	/// What is allowed on Bitcoin.
	pub enum BitcoinAllow {
		/// To pay.
		Pay {
			/// The recipient.
			to: Who<ScriptPubKey>,
			/// The most, in satoshi.
			largest: Amount<u64>,
		},
		/// Outputs of data, `OP_RETURN`, with a value of 0.
		Data,
	}
}

constraint_type! {
	/// Who receives a token on Solana.
	#[derive(Copy)]
	pub enum TokenRecipient {
		/// The associated token account of this wallet.
		Wallet(SolanaAddress),
		/// This token account.
		Account(SolanaAddress),
		/// Any.
		Anyone,
	}
}

constraint_type! {
	/// What is allowed on Solana.
	#[derive(Copy)]
	pub enum SolanaAllow {
		/// To pay lamports: the System program's `Transfer`.
		Pay {
			/// The recipient.
			to: Who<SolanaAddress>,
			/// The most, in lamports.
			largest: Amount<u64>,
		},
		/// To pay a token: `TransferChecked`.
		Token {
			/// The token's mint.
			mint: SolanaAddress,
			/// The recipient.
			to: TokenRecipient,
			/// The most, in the token's smallest unit.
			largest: Amount<u64>,
		},
		/// Memos.
		Memo,
		/// To call a program, with anything.
		Call {
			/// The program.
			program: SolanaAddress,
		},
	}
}

constraint_type! {
	/// One thing that is allowed.
	pub enum Rule {
		/// On an EVM chain.
		Evm {
			/// The chain's id.
			chain: ChainId,
			/// What.
			allow: EvmAllow,
		},
		/// On Bitcoin.
		Bitcoin {
			/// What.
			allow: BitcoinAllow,
		},
		/// On Solana.
		Solana {
			/// What.
			allow: SolanaAllow,
		},
	}
}

impl Rule {
	/// Where it counts.
	pub fn network(&self) -> Network {
		match self {
			Self::Evm { chain, .. } => Network::Evm(*chain),
			Self::Bitcoin { .. } => Network::Bitcoin,
			Self::Solana { .. } => Network::Solana,
		}
	}

	/// The rule with its amount left out: what two rules may not have in common.
	fn subject(&self) -> Self {
		let mut rule = self.clone();
		match &mut rule {
			Self::Evm { allow, .. } => match allow {
				EvmAllow::Pay { largest, .. }
				| EvmAllow::Token { largest, .. }
				| EvmAllow::Approve { largest, .. } => *largest = Amount::Any,
				EvmAllow::Call { largest, .. } => *largest = 0,
			},
			Self::Bitcoin { allow: BitcoinAllow::Pay { largest, .. } } => *largest = Amount::Any,
			Self::Solana {
				allow: SolanaAllow::Pay { largest, .. } | SolanaAllow::Token { largest, .. },
			} => *largest = Amount::Any,
			Self::Bitcoin { allow: BitcoinAllow::Data }
			| Self::Solana { allow: SolanaAllow::Memo | SolanaAllow::Call { .. } } => (),
		}
		rule
	}

	/// The Bitcoin script that it names.
	fn script(&self) -> Option<&ScriptPubKey> {
		match self {
			Self::Bitcoin { allow: BitcoinAllow::Pay { to: Who::Only(script), .. } } => {
				Some(script)
			}
			_ => None,
		}
	}
}

/// Whether a script is one that an address stands for: P2PKH, P2SH, or a witness program (BIP-141).
pub fn has_address(script: &[u8]) -> bool {
	match script {
		[0x76, 0xa9, 20, hash @ .., 0x88, 0xac] => hash.len() == 20,
		[0xa9, 20, hash @ .., 0x87] => hash.len() == 20,
		[0x00, length, program @ ..] => {
			matches!(length, 20 | 32) && program.len() == usize::from(*length)
		}
		[0x51..=0x60, length, program @ ..] => {
			matches!(length, 2..=40) && program.len() == usize::from(*length)
		}
		_ => false,
	}
}

constraint_type! {
	/// Which messages may be signed.
	#[derive(Copy, Default)]
	pub enum Messages {
		/// None.
		#[default]
		Never,
		/// Those that cannot be taken for a transaction.
		Prefixed,
		/// Any; with an Ed25519 key, that lifts every rule.
		Any,
	}
}

constraint_type! {
	/// What binds rules together. There is none yet, and the chain refuses it.
	#[derive(Copy)]
	pub enum Clause {
		/// Keeps the place.
		Reserved,
	}
}

/// Constraints: with neither rules nor messages, a key is kept and never used.
///
/// As they arrive in a call, so without bounds: a list that is too long is a named error and not a
/// decoding failure. [`Constraints::check`] makes what can be stored.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum Constraints {
	/// Version 2. There is no other.
	#[codec(index = 2)]
	V2(ConstraintsV2),
}

/// Constraints of version 2.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct ConstraintsV2 {
	/// What is allowed, by strictly ascending id.
	pub rules: Vec<(RuleId, Rule)>,
	/// The largest fee on each network, strictly ascending; without an entry, nothing is signed there.
	/// In the network's smallest unit.
	pub fees: Vec<(Network, u128)>,
	/// Which messages may be signed.
	pub messages: Messages,
	/// None yet.
	pub clauses: Vec<Clause>,
}

impl Default for Constraints {
	fn default() -> Self {
		Self::V2(ConstraintsV2::default())
	}
}

/// Why constraints cannot be stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConstraintsError {
	/// More rules than [`MAX_RULES`].
	TooManyRules,
	/// More fees than [`MAX_FEES`].
	TooManyFees,
	/// A clause: there is none yet.
	ReservedClause,
	/// An EVM chain's id is 0.
	InvalidChainId,
	/// A Bitcoin script that no address stands for.
	InvalidScript,
	/// A rule or a fee for a network on which keys of this scheme are not used.
	SchemeMismatch,
	/// The rules' ids do not strictly ascend.
	RulesOutOfOrder,
	/// The fees' networks do not strictly ascend.
	FeesOutOfOrder,
	/// Two rules differ only in id or amount.
	RepeatedRule,
}

impl Constraints {
	/// Checks them for a key of this scheme.
	pub fn check(self, scheme: KeyScheme) -> Result<CheckedConstraints, ConstraintsError> {
		let Self::V2(ConstraintsV2 { rules, fees, clauses, .. }) = &self;
		if rules.len() > MAX_RULES as usize {
			return Err(ConstraintsError::TooManyRules);
		}
		if fees.len() > MAX_FEES as usize {
			return Err(ConstraintsError::TooManyFees);
		}
		if !clauses.is_empty() {
			return Err(ConstraintsError::ReservedClause);
		}
		let of_rules = rules.iter().map(|(_, rule)| rule.network());
		let mut networks = of_rules.chain(fees.iter().map(|(network, _)| *network));
		if networks.clone().any(|network| network == Network::Evm(0)) {
			return Err(ConstraintsError::InvalidChainId);
		}
		if !rules.iter().filter_map(|(_, rule)| rule.script()).all(|script| has_address(script)) {
			return Err(ConstraintsError::InvalidScript);
		}
		if networks.any(|network| network.scheme() != scheme) {
			return Err(ConstraintsError::SchemeMismatch);
		}
		if !rules.is_sorted_by(|(a, _), (b, _)| a < b) {
			return Err(ConstraintsError::RulesOutOfOrder);
		}
		if !fees.is_sorted_by(|(a, _), (b, _)| a < b) {
			return Err(ConstraintsError::FeesOutOfOrder);
		}
		let subjects: BTreeSet<_> = rules.iter().map(|(_, rule)| rule.subject()).collect();
		if subjects.len() != rules.len() {
			return Err(ConstraintsError::RepeatedRule);
		}
		Ok(CheckedConstraints(self))
	}

	/// How many rules, fees and clauses there are, for weights.
	pub fn entries(&self) -> u32 {
		let Self::V2(ConstraintsV2 { rules, fees, clauses, .. }) = self;
		let entries = rules.len().saturating_add(fees.len()).saturating_add(clauses.len());
		u32::try_from(entries).unwrap_or(u32::MAX)
	}
}

/// Constraints that the chain has checked, as they are stored; same encoding as [`Constraints`].
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct CheckedConstraints(Constraints);

impl CheckedConstraints {
	/// The constraints.
	pub fn into_inner(self) -> Constraints {
		self.0
	}
}

/// The lists have as many entries as [`Constraints::check`] lets through.
impl MaxEncodedLen for CheckedConstraints {
	fn max_encoded_len() -> usize {
		let version = 1usize;
		version
			.saturating_add(BoundedVec::<(RuleId, Rule), ConstU32<MAX_RULES>>::max_encoded_len())
			.saturating_add(BoundedVec::<(Network, u128), ConstU32<MAX_FEES>>::max_encoded_len())
			.saturating_add(Messages::max_encoded_len())
			.saturating_add(BoundedVec::<Clause, ConstU32<MAX_CLAUSES>>::max_encoded_len())
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use alloc::vec;
	use ConstraintsError as E;

	fn pay(to: u8, largest: u128) -> Rule {
		let to = Who::Only([to; 20]);
		Rule::Evm { chain: 1, allow: EvmAllow::Pay { to, largest: Amount::UpTo(largest) } }
	}

	fn with_rules(rules: Vec<(RuleId, Rule)>) -> Constraints {
		Constraints::V2(ConstraintsV2 { rules, ..Default::default() })
	}

	fn with_fees(fees: Vec<(Network, u128)>) -> Constraints {
		Constraints::V2(ConstraintsV2 { fees, ..Default::default() })
	}

	fn refusal(constraints: Constraints) -> Option<ConstraintsError> {
		constraints.check(KeyScheme::Secp256k1).err()
	}

	#[test]
	fn one_set_of_rules_has_one_encoding() {
		assert_eq!(refusal(with_rules(vec![(1, pay(1, 1)), (2, pay(2, 1))])), None);
		assert_eq!(
			refusal(with_rules(vec![(2, pay(1, 1)), (1, pay(2, 1))])),
			Some(E::RulesOutOfOrder)
		);
		assert_eq!(
			refusal(with_rules(vec![(1, pay(1, 1)), (1, pay(2, 1))])),
			Some(E::RulesOutOfOrder)
		);
		let fees = vec![(Network::Evm(1), 1), (Network::Evm(2), 1), (Network::Bitcoin, 1)];
		assert_eq!(refusal(with_fees(fees.clone())), None);
		let backwards = fees.into_iter().rev().collect();
		assert_eq!(refusal(with_fees(backwards)), Some(E::FeesOutOfOrder));
		let twice = vec![(Network::Bitcoin, 1), (Network::Bitcoin, 2)];
		assert_eq!(refusal(with_fees(twice)), Some(E::FeesOutOfOrder));
	}

	#[test]
	fn rules_that_differ_in_amount_alone_are_one() {
		let twice = with_rules(vec![(1, pay(1, 5)), (9, pay(1, 6))]);
		assert_eq!(refusal(twice), Some(E::RepeatedRule));
		let call = |largest| Rule::Evm {
			chain: 1,
			allow: EvmAllow::Call { to: [1; 20], selector: Selector::Any, largest },
		};
		assert_eq!(refusal(with_rules(vec![(1, call(0)), (2, call(1))])), Some(E::RepeatedRule));
		let data = Rule::Bitcoin { allow: BitcoinAllow::Data };
		let twice = with_rules(vec![(1, data.clone()), (2, data)]);
		assert_eq!(refusal(twice), Some(E::RepeatedRule));
	}

	#[test]
	fn rules_and_fees_are_of_the_keys_scheme() {
		let memo = with_rules(vec![(1, Rule::Solana { allow: SolanaAllow::Memo })]);
		assert_eq!(refusal(memo.clone()), Some(E::SchemeMismatch));
		assert!(memo.check(KeyScheme::Ed25519).is_ok());
		let fee = with_fees(vec![(Network::Solana, 5_000)]);
		assert_eq!(refusal(fee.clone()), Some(E::SchemeMismatch));
		assert!(fee.check(KeyScheme::Ed25519).is_ok());
	}

	#[test]
	fn lists_have_bounds_and_clauses_are_none() {
		let rules = |count: u16| {
			let rule = |id: u16| {
				let mut to = [0; 20];
				to[..2].copy_from_slice(&id.to_be_bytes());
				let allow = EvmAllow::Pay { to: Who::Only(to), largest: Amount::Any };
				(id, Rule::Evm { chain: 1, allow })
			};
			with_rules((0..count).map(rule).collect())
		};
		assert_eq!(refusal(rules(256)), None);
		assert_eq!(refusal(rules(257)), Some(E::TooManyRules));
		let fees = |count| with_fees((1..=count).map(|chain| (Network::Evm(chain), 1)).collect());
		assert_eq!(refusal(fees(16)), None);
		assert_eq!(refusal(fees(17)), Some(E::TooManyFees));
		let clauses = vec![Clause::Reserved];
		let reserved = Constraints::V2(ConstraintsV2 { clauses, ..Default::default() });
		assert_eq!(refusal(reserved), Some(E::ReservedClause));
	}

	#[test]
	fn no_chain_has_the_id_0() {
		let allow = EvmAllow::Pay { to: Who::Anyone, largest: Amount::Any };
		let rule = with_rules(vec![(1, Rule::Evm { chain: 0, allow })]);
		assert_eq!(refusal(rule), Some(E::InvalidChainId));
		assert_eq!(refusal(with_fees(vec![(Network::Evm(0), 1)])), Some(E::InvalidChainId));
	}

	#[test]
	fn a_script_that_no_address_stands_for_is_refused() {
		let rule = |script: &[u8]| {
			let to = Who::Only(BoundedVec::truncate_from(script.to_vec()));
			let allow = BitcoinAllow::Pay { to, largest: Amount::Any };
			refusal(with_rules(vec![(1, Rule::Bitcoin { allow })]))
		};
		let of = |head: &[u8], length: usize, tail: &[u8]| [head, &vec![7; length], tail].concat();
		for good in [
			of(&[0x76, 0xa9, 20], 20, &[0x88, 0xac]),
			of(&[0xa9, 20], 20, &[0x87]),
			of(&[0, 20], 20, &[]),
			of(&[0, 32], 32, &[]),
			of(&[0x51, 32], 32, &[]),
			of(&[0x60, 2], 2, &[]),
			of(&[0x51, 40], 40, &[]),
		] {
			assert_eq!(rule(&good), None, "{good:?}");
		}
		for bad in [
			vec![],
			vec![0x6a],
			of(&[0x76, 0xa9, 20], 19, &[0x88, 0xac]),
			of(&[0xa9, 20], 21, &[0x87]),
			of(&[0, 20], 32, &[]),
			of(&[0, 33], 33, &[]),
			of(&[0x51, 1], 1, &[]),
			of(&[0x50, 32], 32, &[]),
			of(&[0x61, 32], 32, &[]),
			of(&[0x51, 32], 31, &[]),
			of(&[33], 33, &[0xac]),
		] {
			assert_eq!(rule(&bad), Some(E::InvalidScript), "{bad:?}");
		}
	}

	#[test]
	fn the_outer_index_is_the_version() {
		let encoded = Constraints::default().encode();
		assert_eq!(encoded, [2, 0, 0, 0, 0]);
		for other in [0, 1, 3] {
			assert!(Constraints::decode(&mut [other, 0, 0, 0, 0].as_slice()).is_err());
		}
	}

	#[test]
	fn the_longest_constraints_fit_into_what_is_declared_and_fill_it() {
		let rules = (0..256)
			.map(|id| {
				let mut mint = [0; 32];
				mint[..2].copy_from_slice(&u16::to_be_bytes(id));
				let to = TokenRecipient::Wallet([1; 32]);
				let allow = SolanaAllow::Token { mint, to, largest: Amount::UpTo(1) };
				(id, Rule::Solana { allow })
			})
			.collect();
		let checked = with_rules(rules).check(KeyScheme::Ed25519).expect("valid");
		// What is left is the room for fees, and for clauses and the longer number of them.
		let left = 16 * (1 + 8 + 16) + (64 + 1);
		assert_eq!(checked.encode().len() + left, CheckedConstraints::max_encoded_len());
		assert_eq!(checked.encode(), checked.into_inner().encode());
	}
}
