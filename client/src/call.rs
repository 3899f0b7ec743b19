//! The calls a user makes of pallet `Registration`: their encoding, in words, and when the chain
//! shows that each is done.

use crate::{
	error::{Refusal, LOOK, RESUME},
	keyfile,
	payload::Payload,
};
use codec::Encode;
use keyshare_constraints::{addresses, in_words, BitcoinNetwork};
use keyshare_primitives::{
	api::{AccountInfo, RegistrationInfo},
	storage::REGISTRATION,
	wire::to_hex,
	AccountId, Constraints, KeyCommitments, KeyScheme,
};

/// A call a user makes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Call {
	/// Begins a registration.
	Register {
		/// Who may change the constraints.
		constraint_account: AccountId,
		/// The constraints.
		constraints: Constraints,
		/// How addresses in them are shown.
		bitcoin: BitcoinNetwork,
		/// The commitments to the key's shares.
		key: KeyCommitments,
	},
	/// Gives up the attempt under way.
	Cancel,
	/// Begins to replace the key in force.
	SwapKey {
		/// The commitments to the new key's shares.
		key: KeyCommitments,
		/// How the key's Bitcoin addresses are shown.
		bitcoin: BitcoinNetwork,
	},
	/// Replaces a user's constraints.
	UpdateConstraints {
		/// The user.
		account: AccountId,
		/// The new constraints.
		constraints: Constraints,
		/// The scheme of the user's key.
		scheme: KeyScheme,
		/// How addresses in the constraints are shown.
		bitcoin: BitcoinNetwork,
	},
	/// Replaces a user's constraint-modification account.
	ChangeConstraintAccount {
		/// The user.
		account: AccountId,
		/// The new constraint-modification account.
		new: AccountId,
	},
	/// Removes the key in force and everything held for it.
	Deregister,
}

impl Call {
	/// The user whose state the call changes, when `signer` signs it.
	pub fn subject<'a>(&'a self, signer: &'a AccountId) -> &'a AccountId {
		match self {
			Self::UpdateConstraints { account, .. }
			| Self::ChangeConstraintAccount { account, .. } => account,
			_ => signer,
		}
	}

	/// Whether an attempt that was to be given up became the key in force instead.
	pub fn came_too_late(&self, before: &AccountInfo, info: &AccountInfo) -> bool {
		let id = |registration: &Option<RegistrationInfo>| {
			registration.as_ref().map(|registration| registration.key.id)
		};
		let attempt = id(&before.registering);
		matches!(self, Self::Cancel) && attempt.is_some() && attempt == id(&info.registered)
	}

	/// Whether it begins an attempt, which is over when its key is registered and not before.
	pub fn begins_an_attempt(&self) -> bool {
		matches!(self, Self::Register { .. } | Self::SwapKey { .. })
	}

	/// Whether the subject's state shows that the call has been made.
	pub fn is_done(&self, info: &AccountInfo) -> bool {
		match self {
			Self::Register { key, .. } | Self::SwapKey { key, .. } => {
				[&info.registering, &info.registered]
					.into_iter()
					.flatten()
					.any(|registration| registration.key.commitments == *key)
			}
			Self::Cancel => info.registering.is_none(),
			Self::UpdateConstraints { constraints: wanted, .. } => {
				info.constraints.as_ref().is_some_and(|(_, constraints)| constraints == wanted)
			}
			Self::ChangeConstraintAccount { new, .. } => {
				info.constraints.as_ref().is_some_and(|(account, _)| account == new)
			}
			Self::Deregister => info.registered.is_none(),
		}
	}

	/// What the chain would refuse the call for, as far as the subject's state shows it: so that
	/// nobody pays a fee, or opens a wallet, for nothing.
	pub fn check(&self, signer: &AccountId, info: &AccountInfo) -> Result<(), Refusal> {
		let has_key = info.registered.is_some();
		let has_attempt = info.registering.is_some();
		let refuse = |name, description: &str| Err(Refusal::registration(name, description));
		match self {
			Self::Register { .. } if has_key => {
				refuse("AlreadyRegistered", "the account has a key in force")
			}
			Self::Register { .. } | Self::SwapKey { .. } if has_attempt => {
				refuse("AlreadyRegistering", "the account has an attempt under way")
			}
			Self::SwapKey { .. } | Self::Deregister if !has_key => {
				refuse("NotRegistered", "the account has no key in force")
			}
			Self::SwapKey { key, .. } if info.scheme() != Some(key.scheme()) => refuse(
				"SchemeChanged",
				"a swap keeps the key's scheme, since the constraints are for that one: deregister, \
				 and register the other key anew",
			),
			Self::Cancel if !has_attempt => {
				refuse("NotRegistering", "the account has no attempt under way")
			}
			Self::UpdateConstraints { .. } | Self::ChangeConstraintAccount { .. } => {
				match &info.constraints {
					None => refuse(
						"NoConstraints",
						"the account has no constraints: it is neither registered nor registering",
					),
					Some((account, _)) if account != signer => refuse(
						"NotConstraintAccount",
						&format!("only {account} may change these constraints"),
					),
					Some(_) => Ok(()),
				}
			}
			_ => Ok(()),
		}
	}
}

impl Payload for Call {
	fn pallet(&self) -> &'static str {
		REGISTRATION
	}

	fn name(&self) -> &'static str {
		match self {
			Self::Register { .. } => "register",
			Self::Cancel => "cancel",
			Self::SwapKey { .. } => "swap_key",
			Self::UpdateConstraints { .. } => "update_constraints",
			Self::ChangeConstraintAccount { .. } => "change_constraint_account",
			Self::Deregister => "deregister",
		}
	}

	fn arguments(&self) -> Vec<u8> {
		match self {
			Self::Register { constraint_account, constraints, key, .. } => {
				(constraint_account, constraints, key).encode()
			}
			Self::SwapKey { key, .. } => key.encode(),
			Self::UpdateConstraints { account, constraints, .. } => (account, constraints).encode(),
			Self::ChangeConstraintAccount { account, new } => (account, new).encode(),
			Self::Cancel | Self::Deregister => Vec::new(),
		}
	}

	fn if_too_late(&self) -> &'static str {
		match self.begins_an_attempt() {
			true => RESUME,
			false => LOOK,
		}
	}

	fn in_words(&self) -> String {
		let name = self.name();
		let details = match self {
			Self::Register { constraint_account, constraints, key, bitcoin } => format!(
				"\n  who may change the constraints: {constraint_account}\n{}\n{}",
				indented(&in_words(constraints, key.scheme(), *bitcoin)),
				key_in_words(key, *bitcoin),
			),
			Self::SwapKey { key, bitcoin } => format!("\n{}", key_in_words(key, *bitcoin)),
			Self::UpdateConstraints { account, constraints, scheme, bitcoin } => format!(
				"\n  of: {account}\n{}",
				indented(&in_words(constraints, *scheme, *bitcoin))
			),
			Self::ChangeConstraintAccount { account, new } => {
				format!("\n  of: {account}\n  new constraint-modification account: {new}")
			}
			Self::Cancel => ": gives up the attempt under way".into(),
			Self::Deregister => ": removes the key in force; the servers erase its shares".into(),
		};
		format!("{REGISTRATION}.{name}{details}")
	}
}

/// The public key with the addresses that people know it by.
fn key_in_words(key: &KeyCommitments, bitcoin: BitcoinNetwork) -> String {
	let scheme = keyfile::name(key.scheme());
	let Some(public) = key.get(0) else { return String::new() };
	let addresses = addresses(&public, bitcoin);
	let addresses = addresses.iter().map(|(kind, address)| format!("\n    {kind}: {address}"));
	format!(
		"  key: {scheme} {}, made up by the shares of any {} subgroups{}",
		to_hex(public.as_ref()),
		key.len(),
		addresses.collect::<String>()
	)
}

fn indented(text: &str) -> String {
	text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
	use super::*;
	use keyshare_primitives::{
		api::RegistrationStatus,
		constraints::{Amount, ConstraintsV2, Rule, SolanaAllow, Who},
		KeyRecord, RegistrationId,
	};

	const USER: AccountId = AccountId::new([1; 32]);
	const OTHER: AccountId = AccountId::new([2; 32]);

	fn key(byte: u8) -> KeyCommitments {
		KeyCommitments::Ed25519(vec![[byte; 32]; 2].try_into().expect("two"))
	}

	fn constraints() -> Constraints {
		let allow = SolanaAllow::Pay { to: Who::Only([0x33; 32]), largest: Amount::UpTo(7) };
		let rules = vec![(1, Rule::Solana { allow })];
		Constraints::V2(ConstraintsV2 { rules, ..Default::default() })
	}

	fn register() -> Call {
		Call::Register {
			constraint_account: OTHER,
			constraints: constraints(),
			key: key(0x44),
			bitcoin: BitcoinNetwork::Mainnet,
		}
	}

	fn update(account: AccountId) -> Call {
		let (scheme, bitcoin) = (KeyScheme::Ed25519, BitcoinNetwork::Mainnet);
		Call::UpdateConstraints { account, constraints: constraints(), scheme, bitcoin }
	}

	fn registration(commitments: KeyCommitments) -> Option<RegistrationInfo> {
		let key = KeyRecord {
			id: RegistrationId::zero(),
			generation: 1,
			verifying_shares: commitments.clone(),
			commitments,
		};
		Some(RegistrationInfo { key, status: RegistrationStatus::Registered, coverage: vec![] })
	}

	fn nothing() -> AccountInfo {
		AccountInfo { generation: 0, constraints: None, registered: None, registering: None }
	}

	#[test]
	fn arguments_are_in_the_pallets_order() {
		let pay = [&[2, 0, 0][..], &[0x33; 32], &[0, 7, 0, 0, 0, 0, 0, 0, 0]].concat();
		let constraints = [&[2, 4, 1, 0][..], &pay, &[0, 0, 0]].concat();
		let key = [&[0, 8][..], &[0x44; 64]].concat();
		assert_eq!(
			register().arguments(),
			[OTHER.as_ref(), constraints.as_slice(), key.as_slice()].concat()
		);
		assert_eq!(
			Call::SwapKey { key: self::key(0x44), bitcoin: BitcoinNetwork::Mainnet }.arguments(),
			key
		);
		let update = update(USER);
		assert_eq!(update.arguments(), [USER.as_ref(), constraints.as_slice()].concat());
		let change = Call::ChangeConstraintAccount { account: USER, new: OTHER };
		assert_eq!(change.arguments(), [[1; 32], [2; 32]].concat());
		assert!(Call::Cancel.arguments().is_empty());
		assert!(Call::Deregister.arguments().is_empty());
	}

	#[test]
	fn done_is_read_from_the_state() {
		let mut state = nothing();
		let swap = Call::SwapKey { key: key(5), bitcoin: BitcoinNetwork::Mainnet };
		assert!(!register().is_done(&state) && !swap.is_done(&state));
		assert!(Call::Cancel.is_done(&state) && Call::Deregister.is_done(&state));

		state.registering = registration(key(5));
		assert!(swap.is_done(&state) && !register().is_done(&state));
		assert!(!Call::Cancel.is_done(&state));
		state = AccountInfo { registered: state.registering.take(), ..nothing() };
		assert!(swap.is_done(&state) && !Call::Deregister.is_done(&state));

		let update = update(USER);
		let change = Call::ChangeConstraintAccount { account: USER, new: OTHER };
		assert!(!update.is_done(&state) && !change.is_done(&state));
		state.constraints = Some((OTHER, constraints()));
		assert!(update.is_done(&state) && change.is_done(&state));
		state.constraints = Some((USER, Constraints::default()));
		assert!(!update.is_done(&state) && !change.is_done(&state));
	}

	#[test]
	fn what_the_chain_would_refuse_is_seen_coming() {
		let name = |call: &Call, info: &AccountInfo| {
			call.check(&USER, info).err().and_then(|refusal| refusal.name)
		};
		let swap = Call::SwapKey { key: key(5), bitcoin: BitcoinNetwork::Mainnet };
		let update = update(OTHER);
		let none = nothing();
		assert_eq!(name(&register(), &none), None);
		assert_eq!(name(&swap, &none).as_deref(), Some("Registration::NotRegistered"));
		assert_eq!(name(&Call::Cancel, &none).as_deref(), Some("Registration::NotRegistering"));
		assert_eq!(name(&Call::Deregister, &none).as_deref(), Some("Registration::NotRegistered"));
		assert_eq!(name(&update, &none).as_deref(), Some("Registration::NoConstraints"));

		let attempt = AccountInfo { registering: registration(key(5)), ..nothing() };
		let already = Some("Registration::AlreadyRegistering");
		assert_eq!(name(&register(), &attempt).as_deref(), already);
		assert_eq!(name(&swap, &attempt).as_deref(), already);
		assert_eq!(name(&Call::Cancel, &attempt), None);
		// The last confirmation came before it.
		let registered = AccountInfo { registered: registration(key(5)), ..nothing() };
		assert!(Call::Cancel.came_too_late(&attempt, &registered));
		assert!(!Call::Cancel.came_too_late(&attempt, &none));

		let key = AccountInfo {
			registered: registration(key(5)),
			constraints: Some((OTHER, constraints())),
			..nothing()
		};
		assert_eq!(name(&register(), &key).as_deref(), Some("Registration::AlreadyRegistered"));
		assert_eq!(name(&swap, &key), None);
		assert_eq!(name(&Call::Deregister, &key), None);
		assert_eq!(name(&update, &key).as_deref(), Some("Registration::NotConstraintAccount"));
		assert_eq!(update.check(&OTHER, &key), Ok(()));
	}

	#[test]
	fn only_what_begins_an_attempt_is_resumed() {
		let swap = Call::SwapKey { key: key(5), bitcoin: BitcoinNetwork::Mainnet };
		let change = Call::ChangeConstraintAccount { account: USER, new: OTHER };
		assert!([register(), swap].iter().all(|call| call.if_too_late() == RESUME));
		let others = [Call::Cancel, Call::Deregister, update(USER), change];
		assert!(others.iter().all(|call| call.if_too_late() == LOOK));
	}

	#[test]
	fn words_name_everything_that_is_signed() {
		let words = register().in_words();
		for part in [
			"Registration.register",
			&OTHER.to_string(),
			"1: solana pay to 4Ss5JMkXAD9Z7cktFEdrqeMuT6jGMF1pVozTyPHZ6zT4 up to 7",
			&"44".repeat(32),
			"Messages: never",
		] {
			assert!(words.contains(part), "{part} in {words}");
		}
	}
}
