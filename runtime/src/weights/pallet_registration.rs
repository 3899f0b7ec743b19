//! Weights of `pallet_registration`, measured by `scripts/weights` on 2026-11-23 (AMD EPYC; 10 steps,
//! 5 repeats, wasm). Do not edit: change the benchmark and measure again.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_imports, unused_variables)]

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Measured weights over the database of `T`.
pub struct WeightInfo<T>(PhantomData<T>);

impl<T: frame_system::Config> pallet_registration::WeightInfo for WeightInfo<T> {
	/// `a` was measured from 0 to 512.
	/// `t` was measured from 2 to 16.
	fn register(a: u32, t: u32, ) -> Weight {
		// Fastest run: 3_500_865_000 ps.
		Weight::from_parts(200_451_799, 57262)
			.saturating_add(Weight::from_parts(1_689_454_540, 0).saturating_mul(t.into()))
			.saturating_add(T::DbWeight::get().reads(24))
			.saturating_add(T::DbWeight::get().writes(6))
	}
	/// `c` was measured from 1 to 64.
	fn authorize_confirm(c: u32, ) -> Weight {
		// Fastest run: 158_627_000 ps.
		Weight::from_parts(24_097_773, 3514)
			.saturating_add(Weight::from_parts(55_117_947, 0).saturating_mul(c.into()))
			.saturating_add(T::DbWeight::get().reads(2))
			.saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(c.into())))
			.saturating_add(Weight::from_parts(0, 3624).saturating_mul(c.into()))
	}
	/// `c` was measured from 1 to 64.
	fn confirm(c: u32, ) -> Weight {
		// Fastest run: 338_845_000 ps.
		Weight::from_parts(106_071_465, 57262)
			.saturating_add(Weight::from_parts(232_735_625, 0).saturating_mul(c.into()))
			.saturating_add(T::DbWeight::get().reads(33))
			.saturating_add(T::DbWeight::get().reads((21_u64).saturating_mul(c.into())))
			.saturating_add(T::DbWeight::get().writes((22_u64).saturating_mul(c.into())))
			.saturating_add(Weight::from_parts(0, 57040).saturating_mul(c.into()))
	}
	fn cancel() -> Weight {
		// Fastest run: 115_412_000 ps.
		Weight::from_parts(129_393_000, 4614)
			.saturating_add(T::DbWeight::get().reads(5))
			.saturating_add(T::DbWeight::get().writes(21))
	}
	fn expire() -> Weight {
		// Fastest run: 113_259_000 ps.
		Weight::from_parts(132_427_000, 4614)
			.saturating_add(T::DbWeight::get().reads(5))
			.saturating_add(T::DbWeight::get().writes(21))
	}
	/// `t` was measured from 2 to 16.
	fn swap_key(t: u32, ) -> Weight {
		// Fastest run: 3_724_898_000 ps.
		Weight::from_parts(108_020_861, 57262)
			.saturating_add(Weight::from_parts(1_857_377_009, 0).saturating_mul(t.into()))
			.saturating_add(T::DbWeight::get().reads(25))
			.saturating_add(T::DbWeight::get().writes(5))
	}
	/// `a` was measured from 0 to 512.
	fn update_constraints(a: u32, ) -> Weight {
		// Fastest run: 65_869_000 ps.
		Weight::from_parts(118_764_742, 16867)
			.saturating_add(Weight::from_parts(15_186, 0).saturating_mul(a.into()))
			.saturating_add(T::DbWeight::get().reads(6))
			.saturating_add(T::DbWeight::get().writes(3))
	}
	fn change_constraint_account() -> Weight {
		// Fastest run: 30_296_000 ps.
		Weight::from_parts(48_352_000, 16867)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	fn deregister() -> Weight {
		// Fastest run: 152_047_000 ps.
		Weight::from_parts(241_340_000, 4614)
			.saturating_add(T::DbWeight::get().reads(5))
			.saturating_add(T::DbWeight::get().writes(38))
	}
	fn expiry_step() -> Weight {
		// Fastest run: 2_844_000 ps.
		Weight::from_parts(4_136_000, 3533)
			.saturating_add(T::DbWeight::get().reads(2))
			.saturating_add(T::DbWeight::get().writes(1))
	}
}
