//! What the calls weigh. The measured weights are the runtime's, in `runtime/src/weights`.

use frame_support::weights::Weight;

/// What the calls weigh. `a` counts addresses in both lists, `t` commitments, `c` confirmations.
pub trait WeightInfo {
	/// Beginning a registration.
	fn register(a: u32, t: u32) -> Weight;
	/// Checking an extrinsic of confirmations before it is admitted.
	fn authorize_confirm(c: u32) -> Weight;
	/// Recording confirmations, each the one that completes its attempt.
	fn confirm(c: u32) -> Weight;
	/// Giving up an attempt.
	fn cancel() -> Weight;
	/// Removing an attempt past its time.
	fn expire() -> Weight;
	/// Beginning a swap.
	fn swap_key(t: u32) -> Weight;
	/// Replacing constraints.
	fn update_constraints(a: u32) -> Weight;
	/// Handing over the constraints.
	fn change_constraint_account() -> Weight;
	/// Leaving, with a swap under way.
	fn deregister() -> Weight;
	/// Looking into one block of the expiry queue.
	fn expiry_step() -> Weight;
}

/// For tests: as the runtime's, without a database.
impl WeightInfo for () {
	fn register(_: u32, _: u32) -> Weight {
		Weight::from_parts(1_000_000, 0)
	}
	fn authorize_confirm(c: u32) -> Weight {
		Weight::from_parts(1_000, 0).saturating_mul(c.into())
	}
	fn confirm(c: u32) -> Weight {
		Weight::from_parts(1_000, 0).saturating_mul(c.into())
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
}
