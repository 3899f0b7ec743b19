//! Weights of the calls; see `scripts/weights`.

use frame_support::{traits::Get, weights::Weight};

/// What the calls weigh. `a` counts addresses in both lists, `c` confirmations.
pub trait WeightInfo {
	/// Beginning a registration.
	fn register(a: u32) -> Weight;
	/// Checking an extrinsic of confirmations before it is admitted.
	fn authorize_confirm(c: u32) -> Weight;
	/// Recording confirmations, each the one that completes its attempt.
	fn confirm(c: u32) -> Weight;
	/// Giving up an attempt.
	fn cancel() -> Weight;
	/// Removing an attempt past its time.
	fn expire() -> Weight;
	/// Beginning a swap.
	fn swap_key() -> Weight;
	/// Replacing constraints.
	fn update_constraints(a: u32) -> Weight;
	/// Handing over the constraints.
	fn change_constraint_account() -> Weight;
	/// Leaving, with a swap under way.
	fn deregister() -> Weight;
	/// Looking into one block of the expiry queue.
	fn expiry_step() -> Weight;
}

/// Weights measured on the reference machine with this runtime's database.
pub struct SubstrateWeight<T>(core::marker::PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn register(a: u32) -> Weight {
		Weight::from_parts(30_000_000_000, 10_000)
			.saturating_add(Weight::from_parts(100_000, 32).saturating_mul(a.into()))
			.saturating_add(T::DbWeight::get().reads_writes(24, 6))
	}
	fn authorize_confirm(c: u32) -> Weight {
		Weight::from_parts(100_000_000, 0)
			.saturating_add(Weight::from_parts(120_000_000, 4_000).saturating_mul(c.into()))
			.saturating_add(
				T::DbWeight::get().reads(u64::from(c).saturating_mul(3).saturating_add(2)),
			)
	}
	fn confirm(c: u32) -> Weight {
		let each = T::DbWeight::get().reads_writes(64, 22);
		Weight::from_parts(20_000_000, 0)
			.saturating_add(Weight::from_parts(150_000_000, 8_000).saturating_mul(c.into()))
			.saturating_add(each.saturating_mul(c.into()))
	}
	fn cancel() -> Weight {
		Weight::from_parts(60_000_000, 8_000).saturating_add(T::DbWeight::get().reads_writes(6, 21))
	}
	fn expire() -> Weight {
		Weight::from_parts(60_000_000, 8_000).saturating_add(T::DbWeight::get().reads_writes(6, 21))
	}
	fn swap_key() -> Weight {
		Weight::from_parts(30_000_000_000, 10_000)
			.saturating_add(T::DbWeight::get().reads_writes(24, 6))
	}
	fn update_constraints(a: u32) -> Weight {
		Weight::from_parts(60_000_000, 8_000)
			.saturating_add(Weight::from_parts(100_000, 32).saturating_mul(a.into()))
			.saturating_add(T::DbWeight::get().reads_writes(5, 3))
	}
	fn change_constraint_account() -> Weight {
		Weight::from_parts(30_000_000, 8_000).saturating_add(T::DbWeight::get().reads_writes(1, 1))
	}
	fn deregister() -> Weight {
		Weight::from_parts(80_000_000, 8_000).saturating_add(T::DbWeight::get().reads_writes(7, 38))
	}
	fn expiry_step() -> Weight {
		Weight::from_parts(5_000_000, 4_000).saturating_add(T::DbWeight::get().reads_writes(2, 1))
	}
}

/// For tests: as the runtime's, without a database.
impl WeightInfo for () {
	fn register(_: u32) -> Weight {
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
	fn swap_key() -> Weight {
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
