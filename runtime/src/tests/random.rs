//! Random extrinsics over the whole runtime, in whole blocks, across sessions, operators and upgrades: no
//! call brings a block down, and after each block everything that our pallets store fits together.
//!
//! `KEYSHARE_RANDOM_CALLS` and `KEYSHARE_RANDOM_SEED` say how many calls, and which; what long runs came to
//! stands in `docs/random.md`. Built with the feature `try-runtime`, as `scripts/soak runtime` does,
//! every other pallet's storage is checked as well.

mod calls;

use super::{
	blocks::{apply, begin_block, end_block, signed},
	migrations::{is_upgraded, put_lists},
	preset_ext_with,
};
use crate::*;
use calls::Calls;
use codec::{Decode, Encode};
use frame_support::{
	migrations::MultiStepMigrator,
	traits::{fungible::Mutate, GetCallMetadata, GetStorageVersion},
};
use frame_system::offchain::CreateAuthorizedTransaction;
use keyshare_primitives::{
	constraints::ConstraintsV2,
	messages,
	split::{PrivateKey, SplitKey},
	storage, Confirmation, Constraints, EncryptionKey, Endpoint, KeyScheme, ServerInfo,
};
use rand::{rngs::StdRng, seq::SliceRandom, Rng, SeedableRng};
use sp_core::{proof_of_possession::ProofOfPossessionGenerator, sr25519, Pair};
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};
use sp_runtime::traits::Hash as _;
use std::collections::BTreeMap;

/// Enough to reach everything that is asserted to be reached.
const CALLS: u64 = 15_000;

/// Who signs, and whom calls speak of: all are well known, and rich.
const PEOPLE: [&str; 12] = [
	"Alice",
	"Bob",
	"Charlie",
	"Dave",
	"Eve",
	"Ferdie",
	"Alice//stash",
	"Bob//stash",
	"Charlie//stash",
	"Dave//stash",
	"Eve//stash",
	"Ferdie//stash",
];

/// Validators that the genesis has keys of; the first three are there from the beginning.
const VALIDATORS: usize = 6;

fn number(variable: &str, otherwise: u64) -> u64 {
	std::env::var(variable).map_or(otherwise, |text| text.parse().expect("a number"))
}

/// What was tried, by call: how often it was in a block, and how often it did what it says.
#[derive(Default)]
struct Tally(BTreeMap<(&'static str, &'static str), (u64, u64)>);

impl Tally {
	fn done(&self, pallet: &str, call: &str) -> u64 {
		let of_call = self.0.iter().find(|((p, c), _)| *p == pallet && *c == call);
		of_call.map_or(0, |(_, (_, done))| *done)
	}
}

/// The chain and everybody on it.
struct World {
	rng: StdRng,
	calls: Calls,
	people: Vec<sr25519::Pair>,
	keys: Vec<SplitKey>,
	tally: Tally,
}

impl World {
	fn new(seed: u64) -> Self {
		let mut rng = StdRng::seed_from_u64(seed);
		let pair = |name: &&str| sr25519::Pair::from_string(&format!("//{name}"), None);
		let people: Vec<_> =
			PEOPLE.iter().map(pair).map(|pair| pair.expect("a valid URI")).collect();
		let keys: Vec<_> = (0..64)
			.map(|number| {
				let schemes = [KeyScheme::Ed25519, KeyScheme::Secp256k1];
				let key = PrivateKey::generate(schemes[number % 2], &mut rng);
				key.split(2 + (number as u8 / 2) % 2, 3, &mut rng).expect("valid")
			})
			.collect();
		let accounts = people.iter().map(|pair| pair.public().into()).collect();
		let commitments = keys.iter().map(|key| key.commitments.encode()).collect();
		let calls = Calls::new(accounts, commitments);
		Self { rng, calls, people, keys, tally: Tally::default() }
	}

	fn account(&mut self) -> AccountId {
		self.calls.accounts.choose(&mut self.rng).expect("there are some").clone()
	}

	/// A signed call, most of the time one that can succeed.
	fn next(&mut self) -> UncheckedExtrinsic {
		let who = self.rng.gen_range(0..self.people.len());
		let (who, call) = match self.rng.gen_range(0..20) {
			0 | 1 => (who, self.key(who)),
			2..=4 => {
				if let Some(confirmation) = self.confirm() {
					return confirmation;
				}
				(who, self.calls.next(&mut self.rng))
			}
			5 => {
				let validator = self.rng.gen_range(0..VALIDATORS);
				(validator, self.publish(validator))
			}
			6 => {
				if let Some(ready) = self.declare_ready() {
					return ready;
				}
				(who, self.calls.next(&mut self.rng))
			}
			7 => {
				let validator = self.rng.gen_range(0..VALIDATORS);
				(validator, self.set_keys(validator))
			}
			8 => (0, self.by_root()),
			9 | 10 => self.of_operators(),
			11 => (who, self.constraints()),
			12 => (self.rng.gen_range(0..3), self.of_council()),
			_ => (who, self.calls.next(&mut self.rng)),
		};
		// What is proposed or named is voted on and carried out by its hash.
		self.calls.hashes.push(BlakeTwo256::hash_of(&call));
		if self.calls.hashes.len() > 32 {
			self.calls.hashes.remove(0);
		}
		let nonce = System::account_nonce(AccountId::from(self.people[who].public()));
		signed(&self.people[who], nonce, 0, call)
	}

	/// What somebody would do next with a key.
	fn key(&mut self, who: usize) -> RuntimeCall {
		use pallet_registration::Call;
		let account = AccountId::from(self.people[who].public());
		let record = pallet_registration::Accounts::<Runtime>::get(&account);
		let key = self.keys.choose(&mut self.rng).expect("there are some").commitments.clone();
		let call = match (record.registering, record.registered) {
			(Some(_), _) if self.rng.gen_ratio(1, 8) => Call::cancel {},
			(None, Some(_)) if self.rng.gen_ratio(1, 3) => Call::deregister {},
			(None, Some(_)) => Call::swap_key { key },
			_ => {
				let constraints = match self.rng.gen() {
					true => Constraints::default(),
					false => self.calls.value(&mut self.rng),
				};
				Call::register { constraint_account: self.account(), constraints, key }
			}
		};
		RuntimeCall::Registration(call)
	}

	/// A real confirmation by some member of some attempt, or of a key if there is none.
	fn confirm(&mut self) -> Option<UncheckedExtrinsic> {
		type Accounts = pallet_registration::Accounts<Runtime>;
		let attempts: Vec<_> =
			Accounts::iter().filter(|(_, record)| record.registering.is_some()).collect();
		let account = match attempts.choose(&mut self.rng) {
			Some((account, _)) => account.clone(),
			None => self.account(),
		};
		let record = pallet_registration::Accounts::<Runtime>::get(&account);
		let key = record.registering.map(|attempt| attempt.key);
		let key = key.or(record.registered.map(|registered| registered.key))?;
		let server = self.people.choose(&mut self.rng)?.clone();
		let seat = pallet_subgroups::MemberOf::<Runtime>::get(AccountId::from(server.public()))?;
		let of_key = |split: &&SplitKey| split.commitments == key.commitments;
		let share = self.keys.iter().find(of_key)?.shares[usize::from(seat.subgroup)].clone();
		let share = share.verify(key.verifying_share(seat.subgroup)?).ok()?;
		let (server_account, genesis) = (AccountId::from(server.public()), System::block_hash(0));
		let proof = share.prove(&messages::custody_message(&key.id, &server_account));
		let entries = vec![Confirmation { account, generation: key.generation, proof }];
		let message = messages::confirm_message(&genesis, &server_account, &entries);
		type Call = pallet_registration::Call<Runtime>;
		let call = Call::confirm {
			server: server_account,
			confirmations: entries.try_into().expect("one"),
			signature: server.sign(&message),
		};
		Some(<Runtime as CreateAuthorizedTransaction<Call>>::create_authorized_transaction(
			call.into(),
		))
	}

	/// A validator's server is its stash's account, as on the development network.
	fn publish(&mut self, validator: usize) -> RuntimeCall {
		let whose = if self.rng.gen_ratio(15, 16) { validator } else { self.rng.gen_range(0..6) };
		let server = &self.people[whose + VALIDATORS];
		let mut key: [u8; 32] = self.rng.gen();
		// Below 2^255 - 19, as it must be.
		key[31] &= 0x3f;
		let info = ServerInfo {
			account: server.public().into(),
			encryption_key: EncryptionKey::X25519(key),
			endpoint: Endpoint::truncate_from(b"http://127.0.0.1:9955".to_vec()),
		};
		let validator = AccountId::from(self.people[validator].public());
		let message = messages::server_message(&System::block_hash(0), &validator, &info);
		let proof = server.sign(&message);
		RuntimeCall::Subgroups(pallet_subgroups::Call::publish_server { server: info, proof })
	}

	fn declare_ready(&mut self) -> Option<UncheckedExtrinsic> {
		let server = self.people.choose(&mut self.rng)?.clone();
		let account = AccountId::from(server.public());
		let validator = pallet_subgroups::ServerAccounts::<Runtime>::get(&account)?;
		let joined = pallet_subgroups::Joining::<Runtime>::get(validator)?.since;
		let message = messages::ready_message(&System::block_hash(0), &account, joined);
		type Call = pallet_subgroups::Call<Runtime>;
		let call =
			Call::declare_ready { server: account, joined, signature: server.sign(&message) };
		Some(<Runtime as CreateAuthorizedTransaction<Call>>::create_authorized_transaction(
			call.into(),
		))
	}

	fn set_keys(&mut self, validator: usize) -> RuntimeCall {
		let account = AccountId::from(self.people[validator].public()).encode();
		let (aura, grandpa) = SESSION_KEYS[self.rng.gen_range(0..VALIDATORS)];
		let keys = SessionKeys { aura: aura.public().into(), grandpa: grandpa.public().into() };
		let proof = (
			aura.pair().generate_proof_of_possession(&account),
			grandpa.pair().generate_proof_of_possession(&account),
		);
		RuntimeCall::Session(pallet_session::Call::set_keys { keys, proof: proof.encode() })
	}

	/// Root does something random, or admits somebody.
	fn by_root(&mut self) -> RuntimeCall {
		let call = match self.rng.gen_range(0..3) {
			0 => {
				// One is of one subgroup for ever, and has a name of its own.
				let number = self.rng.gen_range(0..self.people.len());
				let operator = self.people[number].public().into();
				let name = format!("operator {number}").into_bytes().try_into().expect("short");
				let subgroup = match self.rng.gen_ratio(7, 8) {
					true => number as u8 % 3,
					false => self.rng.gen_range(0..4),
				};
				let seats = self.rng.gen_range(0..5);
				let admit = pallet_subgroups::Call::admit { operator, name, subgroup, seats };
				RuntimeCall::Subgroups(admit)
			}
			1 => {
				let validator = self.account();
				RuntimeCall::Subgroups(pallet_subgroups::Call::readmit { validator })
			}
			_ => self.calls.next(&mut self.rng),
		};
		RuntimeCall::Sudo(pallet_sudo::Call::sudo { call: Box::new(call) })
	}

	/// An operator assigns a validator, calls it back, or the validator accepts; most of the time such as
	/// belong together: who signs, and what.
	fn of_operators(&mut self) -> (usize, RuntimeCall) {
		use pallet_subgroups::Call;
		let (operator, validator) = (self.rng.gen_range(0..12), self.rng.gen_range(0..VALIDATORS));
		let account = |number: usize| AccountId::from(self.people[number].public());
		let of_operator = pallet_subgroups::Operators::<Runtime>::get(account(operator));
		let is_assigned =
			of_operator.is_some_and(|operator| operator.assigned.contains(&account(validator)));
		let (signer, call) = match self.rng.gen_range(0..5) {
			0 => (operator, Call::back { validator: account(validator) }),
			_ if is_assigned => (validator, Call::accept { operator: account(operator) }),
			_ => (operator, Call::assign { validator: account(validator) }),
		};
		(signer, RuntimeCall::Subgroups(call))
	}

	/// Other constraints for somebody, such as the key's scheme admits most of the time.
	fn constraints(&mut self) -> RuntimeCall {
		let account = self.account();
		let constraints = match self.rng.gen() {
			true => Constraints::V2(ConstraintsV2 {
				messages: self.calls.value(&mut self.rng),
				..Default::default()
			}),
			false => self.calls.value(&mut self.rng),
		};
		let call = pallet_registration::Call::update_constraints { account, constraints };
		RuntimeCall::Registration(call)
	}

	/// A member of the council proposes to name a call that was made before, votes for what is there, or
	/// closes it.
	fn of_council(&mut self) -> RuntimeCall {
		type Council = governance::CouncilInstance;
		use pallet_collective::{Call, Proposals, Voting};
		let open = Proposals::<Runtime, Council>::get();
		let Some(proposal) = open.choose(&mut self.rng).copied() else {
			let call_hash = self.calls.hashes.choose(&mut self.rng).copied().unwrap_or_default();
			let name = RuntimeCall::Whitelist(pallet_whitelist::Call::whitelist_call { call_hash });
			let length_bound = name.encoded_size() as u32;
			let proposal = Box::new(name);
			return RuntimeCall::Council(Call::propose { threshold: 2, proposal, length_bound });
		};
		let index = Voting::<Runtime, Council>::get(proposal).map_or(0, |votes| {
			let (index, _): (u32, u32) =
				Decode::decode(&mut &votes.encode()[..]).expect("its front");
			index
		});
		RuntimeCall::Council(match self.rng.gen_range(0..3) {
			0 => Call::close {
				proposal_hash: proposal,
				index,
				proposal_weight_bound: migrations::MigrationWeight::get(),
				length_bound: 1_000,
			},
			_ => Call::vote { proposal, index, approve: true },
		})
	}

	/// One block of random calls; gives how many there were.
	fn block(&mut self, number: BlockNumber, most: u64) -> u64 {
		begin_block(number);
		let mut calls = 0;
		while !MultiBlockMigrations::ongoing() && calls < most {
			let extrinsic = self.next();
			let name = extrinsic.function.get_call_metadata();
			calls += 1;
			match apply(extrinsic) {
				Ok(result) => {
					let (tried, done) =
						self.tally.0.entry((name.pallet_name, name.function_name)).or_default();
					*tried += 1;
					*done += u64::from(result.is_ok());
				}
				Err(error) if error.exhausted_resources() => break,
				Err(_) => (),
			}
		}
		end_block();
		calls
	}
}

/// What the validators sign blocks and votes with, in the genesis and afterwards.
const SESSION_KEYS: [(Sr25519Keyring, Ed25519Keyring); VALIDATORS] = [
	(Sr25519Keyring::Alice, Ed25519Keyring::Alice),
	(Sr25519Keyring::Bob, Ed25519Keyring::Bob),
	(Sr25519Keyring::Charlie, Ed25519Keyring::Charlie),
	(Sr25519Keyring::Dave, Ed25519Keyring::Dave),
	(Sr25519Keyring::Eve, Ed25519Keyring::Eve),
	(Sr25519Keyring::Ferdie, Ed25519Keyring::Ferdie),
];

/// The preset, with the session keys of those who may join.
fn genesis() -> sp_io::TestExternalities {
	preset_ext_with(genesis::LOCAL_PRESET, |config| {
		for (aura, grandpa) in &SESSION_KEYS[3..] {
			let keys = SessionKeys { aura: aura.public().into(), grandpa: grandpa.public().into() };
			config.session.keys.push((aura.to_account_id(), aura.to_account_id(), keys));
		}
	})
}

/// What must hold after each block.
fn check(number: BlockNumber) {
	if MultiBlockMigrations::ongoing() {
		return;
	}
	assert_eq!(Subgroups::check_state(), Ok(()), "after block {number}");
	assert_eq!(Registration::check_state(), Ok(()), "after block {number}");
	assert_eq!(Registration::on_chain_storage_version(), storage::REGISTRATION_VERSION);
	assert!(!SafeMode::is_entered() && !pallet_registration::PausedSince::<Runtime>::exists());
	for account in pallet_registration::Accounts::<Runtime>::iter_keys() {
		// What can be decoded is there: the rest is passed over when entries are gone through.
		let is_constrained = pallet_registration::ConstraintsOf::<Runtime>::contains_key(&account);
		let constraints = pallet_registration::ConstraintsOf::<Runtime>::get(&account);
		assert_eq!(is_constrained, constraints.is_some(), "after block {number}");
		// At the same prices what is held is what is due.
		let (held, due) = Registration::deposit_of(&account);
		assert_eq!(held, due, "{account}, after block {number}");
	}
	#[cfg(feature = "try-runtime")]
	{
		use frame_support::traits::{TryState, TryStateSelect};
		let all =
			<AllPalletsWithSystem as TryState<BlockNumber>>::try_state(number, TryStateSelect::All);
		assert_eq!(all, Ok(()), "after block {number}");
	}
}

/// An upgrade from storage version 2, with what that had.
fn upgrade() {
	for account in pallet_registration::ConstraintsOf::<Runtime>::iter_keys().collect::<Vec<_>>() {
		put_lists(&account);
	}
	let of_before = pallet_migrations::Historic::<Runtime>::clear(u32::MAX, None);
	assert!(of_before.maybe_cursor.is_none());
	is_upgraded();
}

#[test]
fn random_calls_over_sessions_operators_and_upgrades_leave_everything_in_order() {
	let (wanted, seed) =
		(number("KEYSHARE_RANDOM_CALLS", CALLS), number("KEYSHARE_RANDOM_SEED", 1));
	let began = std::time::Instant::now();
	let (mut chain, mut world) = (genesis(), World::new(seed));
	let (mut calls, mut number, mut upgrades, mut changes) = (0, 0, 0, 0);
	let mut members = None;
	let mut quarters = Vec::new();
	while calls < wanted {
		number += 1;
		chain.execute_with(|| {
			let most = world.rng.gen_range(1..120);
			calls += world.block(number, most);
			check(number);
			let now = pallet_subgroups::Masks::<Runtime>::get().last_change;
			changes += u32::from(members.replace(now).is_some_and(|before| before != now));
			if number % 60 == 0 {
				upgrades += 1;
				upgrade();
			}
			if number % 50 == 0 {
				// Random people burn what they have, and lose it.
				for account in &world.calls.accounts {
					Balances::set_balance(account, 1_000_000 * KEY);
				}
			}
		});
		// Each block's root is computed from all that has changed since.
		chain.commit_all().expect("no transaction is open");
		if calls * 4 / wanted > quarters.len() as u64 {
			let done = |call| world.tally.done("Registration", call);
			quarters.push([done("register"), done("confirm"), done("swap_key"), changes.into()]);
		}
		if number % 5_000 == 0 {
			println!("{calls} of {wanted} calls, block {number}, {} s", began.elapsed().as_secs());
		}
	}
	let sessions = chain.execute_with(Session::current_index);
	println!(
		"{calls} calls, seed {seed}, in {number} blocks, {sessions} sessions, {upgrades} upgrades, \
		 {changes} changes of members, {} s",
		began.elapsed().as_secs()
	);
	let tally = &world.tally;
	for ((pallet, call), (tried, done)) in &tally.0 {
		println!("{pallet}.{call}: {done} of {tried}");
	}
	for (pallet, call) in [
		("Registration", "register"),
		("Registration", "confirm"),
		("Registration", "cancel"),
		("Registration", "update_constraints"),
		("Subgroups", "publish_server"),
		("Subgroups", "assign"),
		("Subgroups", "accept"),
		("Sudo", "sudo"),
		("Utility", "batch"),
		("Council", "propose"),
		("Council", "close"),
	] {
		assert!(tally.done(pallet, call) > 0, "{pallet}.{call} was never carried out");
	}
	// Nor does everything come to a stop, as where nobody is a member any more.
	let goes_on = |two: &[[u64; 4]]| two[0].iter().zip(&two[1]).all(|(before, now)| before < now);
	assert!(upgrades > 2 && quarters.windows(2).all(goes_on), "{upgrades}, {quarters:?}");
}
