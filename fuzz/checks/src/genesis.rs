//! Bytes as the JSON of a genesis: it is refused, in words that are known, or makes a chain whose state holds.
//!
//! A genesis that cannot be is refused by a panic, as in all of FRAME. The node gets that as a failed call of the
//! runtime, and makes no chain. Here a panic counts as a refusal only if its place and words are among those
//! listed; every other one is a fault.

use keyshare_primitives::{membership::SubgroupMembership, MAX_SUBGROUPS};
use keyshare_runtime::{Block, Runtime, RuntimeGenesisConfig, Subgroups};
use pallet_registration::{Accounts, ConstraintsOf, Expiries};
use serde_json::Value;
use sp_genesis_builder::runtime_decl_for_genesis_builder::GenesisBuilder;
use std::{
	cell::{Cell, RefCell},
	panic::{self, AssertUnwindSafe, PanicHookInfo},
	sync::{LazyLock, Once},
};

/// Where a genesis is refused, and how the words begin.
const REFUSALS: [(&str, &str); 14] = [
	("pallets/subgroups/src/genesis.rs", "genesis: "),
	("/pallet-aura-", "Authorities are already initialized!"),
	("/pallet-aura-", "Initial authority set must be less than"),
	("/pallet-balances-", "the balance of any account should always be at least"),
	("/pallet-balances-", "duplicate balances in genesis"),
	("/pallet-balances-", "num_accounts must be greater than zero"),
	("/pallet-balances-", "Invalid derivation"),
	("/pallet-balances-", "Failed to parse derivation string"),
	// All balances together; only where overflows are looked for, and nobody has so much.
	("/pallet-balances-", "attempt to add with overflow"),
	("/pallet-collective-", "assertion `left == right` failed: Members cannot contain duplicate"),
	("/pallet-collective-", "Members length cannot exceed MaxMembers"),
	("/pallet-grandpa-", "Authorities are already initialized!"),
	("/pallet-grandpa-", "Grandpa: `Config::MaxAuthorities` is smaller"),
	("/pallet-session-", "genesis config must not contain duplicates"),
];

/// A genesis may ask for accounts whose keys are derived, up to four billion; whoever asks waits for them.
const MOST_DERIVED: u32 = 4;

/// What a patch is laid over: the runtime's default, without a preset.
static DEFAULT: LazyLock<Value> = LazyLock::new(|| {
	let json = <Runtime as GenesisBuilder<Block>>::get_preset(&None).expect("there is a default");
	serde_json::from_slice(&json).expect("the runtime writes JSON")
});

/// Whether a chain begins with these bytes, as the whole of a genesis or as a patch of the default, which
/// presets and chain specifications are.
pub fn check(bytes: &[u8]) -> bool {
	let as_whole = builds(bytes.to_vec());
	let Ok(patch) = serde_json::from_slice(bytes) else { return as_whole };
	let mut patched = DEFAULT.clone();
	merge(&mut patched, patch);
	builds(patched.to_string().into_bytes()) || as_whole
}

/// As chain specifications merge: objects key by key, and anything else is replaced.
fn merge(into: &mut Value, patch: Value) {
	match (into, patch) {
		(Value::Object(into), Value::Object(patch)) => {
			for (key, value) in patch {
				merge(into.entry(key).or_insert(Value::Null), value);
			}
		}
		(into, patch) => *into = patch,
	}
}

/// Whether the runtime builds a state from this JSON; then it holds.
fn builds(json: Vec<u8>) -> bool {
	let config = serde_json::from_slice::<RuntimeGenesisConfig>(&json).ok();
	let derived = config.and_then(|config| config.balances.dev_accounts);
	if derived.is_some_and(|(count, ..)| count > MOST_DERIVED) {
		return false;
	}
	let mut state = sp_io::TestExternalities::default();
	let build = || state.execute_with(|| <Runtime as GenesisBuilder<Block>>::build_state(json));
	match catch(build) {
		Ok(Ok(())) => {
			state.execute_with(holds);
			true
		}
		Ok(Err(_)) => false,
		Err(Panic { file, words }) => {
			let mut refusals = REFUSALS.iter();
			let is_refusal = refusals
				.any(|(place, beginning)| file.contains(place) && words.starts_with(beginning));
			assert!(is_refusal, "a genesis panics in {file}: {words}");
			false
		}
	}
}

/// What holds of a chain before its first block.
fn holds() {
	assert_eq!(Subgroups::check_state(), Ok(()));
	let (threshold, subgroups) = (Subgroups::threshold(), Subgroups::count());
	let is_there = (2..=subgroups).contains(&threshold) && u32::from(subgroups) <= MAX_SUBGROUPS;
	assert!(is_there || subgroups == 0, "{threshold} of {subgroups} is a threshold");
	let registered = Accounts::<Runtime>::iter_keys().next().is_some()
		|| ConstraintsOf::<Runtime>::iter_keys().next().is_some()
		|| Expiries::<Runtime>::iter_keys().next().is_some();
	assert!(!registered, "nobody has a key before the first block");
}

/// A panic, by the file that it is in and its words.
struct Panic {
	file: String,
	words: String,
}

impl Panic {
	fn of(info: &PanicHookInfo<'_>) -> Self {
		let file = info.location().map(|location| location.file().to_owned());
		let words = info.payload_as_str().map(str::to_owned);
		Self { file: file.unwrap_or_default(), words: words.unwrap_or_default() }
	}
}

thread_local! {
	/// Whether a panic of this thread is caught.
	static CATCHING: Cell<bool> = const { Cell::new(false) };
	/// The last one that was.
	static CAUGHT: RefCell<Option<Panic>> = const { RefCell::new(None) };
}

/// Runs what may panic. Such a panic neither is printed nor reaches the fuzzer, whose hook ends the process
/// before anybody can catch anything.
fn catch<R>(may_panic: impl FnOnce() -> R) -> Result<R, Panic> {
	static HOOK: Once = Once::new();
	HOOK.call_once(|| {
		let before = panic::take_hook();
		panic::set_hook(Box::new(move |info| match CATCHING.get() {
			true => CAUGHT.set(Some(Panic::of(info))),
			false => before(info),
		}));
	});
	CATCHING.set(true);
	let result = panic::catch_unwind(AssertUnwindSafe(may_panic));
	CATCHING.set(false);
	result.map_err(|_| CAUGHT.take().expect("the hook came before"))
}
