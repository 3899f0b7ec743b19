//! Weights of `pallet_registration`: estimates on the safe side until `scripts/weights` has measured
//! them.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Estimated weights over the database of `T`.
pub struct WeightInfo<T>(PhantomData<T>);

impl<T: frame_system::Config> pallet_registration::WeightInfo for WeightInfo<T> {
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
