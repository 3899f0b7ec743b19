//! What the calls weigh. The measured weights are the runtime's, in `runtime/src/weights`.

use frame_support::weights::Weight;

/// What the calls weigh. `e` counts rules and fees, `t` commitments, `c` confirmations, `n`
/// subgroups.
pub trait WeightInfo {
	/// Beginning a registration, its verifying shares apart.
	fn register(e: u32, n: u32) -> Weight;
	/// Reading the commitments to an Ed25519 key.
	fn read_ed25519(t: u32) -> Weight;
	/// Computing one subgroup's verifying share of it.
	fn share_ed25519(t: u32) -> Weight;
	/// Reading the commitments to a secp256k1 key.
	fn read_secp256k1(t: u32) -> Weight;
	/// Computing one subgroup's verifying share of it.
	fn share_secp256k1(t: u32) -> Weight;
	/// Decoding an account's record, counting a confirmation in it and encoding it.
	fn account_record(n: u32) -> Weight;
	/// Checking an extrinsic of confirmations before it is admitted, with records of two subgroups.
	fn authorize_confirm(c: u32) -> Weight;
	/// Recording confirmations, none of which completes its attempt, with records of two subgroups.
	fn confirm(c: u32) -> Weight;
	/// Completing a first attempt.
	fn complete(n: u32) -> Weight;
	/// Completing an attempt in place of a key in force.
	fn complete_swap(n: u32) -> Weight;
	/// Giving up an attempt.
	fn cancel() -> Weight;
	/// Removing an attempt past its time.
	fn expire() -> Weight;
	/// Beginning a swap, its verifying shares apart.
	fn swap_key(n: u32) -> Weight;
	/// Replacing constraints.
	fn update_constraints(e: u32) -> Weight;
	/// Handing over the constraints.
	fn change_constraint_account() -> Weight;
	/// Leaving, with a swap under way.
	fn deregister() -> Weight;
	/// Looking into one block of the expiry queue.
	fn expiry_step() -> Weight;
	/// Changing an account's constraints of storage version 2.
	fn migrate_constraints() -> Weight;
	/// Giving an attempt its time anew.
	fn renew_attempt() -> Weight;
}

/// For tests: as the runtime's, without a database.
impl WeightInfo for () {
	fn register(_: u32, _: u32) -> Weight {
		Weight::from_parts(1_000_000, 0)
	}
	fn read_ed25519(t: u32) -> Weight {
		Weight::from_parts(1_000, 0).saturating_mul(t.into())
	}
	fn share_ed25519(t: u32) -> Weight {
		Weight::from_parts(1_000, 0).saturating_mul(t.into())
	}
	fn read_secp256k1(t: u32) -> Weight {
		Weight::from_parts(1_000, 0).saturating_mul(t.into())
	}
	fn share_secp256k1(t: u32) -> Weight {
		Weight::from_parts(1_000, 0).saturating_mul(t.into())
	}
	fn account_record(n: u32) -> Weight {
		Weight::from_parts(10, 0).saturating_mul(n.into())
	}
	fn authorize_confirm(c: u32) -> Weight {
		Weight::from_parts(1_000, 0).saturating_mul(c.into())
	}
	fn confirm(c: u32) -> Weight {
		Weight::from_parts(1_000, 0).saturating_mul(c.into())
	}
	fn complete(n: u32) -> Weight {
		Weight::from_parts(1_000, 0).saturating_mul(n.into())
	}
	fn complete_swap(n: u32) -> Weight {
		Weight::from_parts(2_000, 0).saturating_mul(n.into())
	}
	fn cancel() -> Weight {
		Weight::from_parts(1_000, 0)
	}
	fn expire() -> Weight {
		Weight::from_parts(1_000, 0)
	}
	fn swap_key(_: u32) -> Weight {
		Weight::from_parts(1_000_000, 0)
	}
	fn update_constraints(_: u32) -> Weight {
		Weight::from_parts(1_000, 0)
	}
	fn change_constraint_account() -> Weight {
		Weight::from_parts(1_000, 0)
	}
	fn deregister() -> Weight {
		Weight::from_parts(1_000, 0)
	}
	fn expiry_step() -> Weight {
		Weight::from_parts(1_000, 0)
	}
	fn migrate_constraints() -> Weight {
		Weight::from_parts(1_000, 0)
	}
	fn renew_attempt() -> Weight {
		Weight::from_parts(1_000, 0)
	}
}
