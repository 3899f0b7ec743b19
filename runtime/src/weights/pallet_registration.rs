//! Weights of `pallet_registration`, measured by `scripts/weights` on 2026-11-26 (AMD EPYC; 10 steps,
//! 4 repeats, wasm). Do not edit: change the benchmark and measure again.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_imports, unused_variables)]

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Measured weights over the database of `T`.
pub struct WeightInfo<T>(PhantomData<T>);

impl<T: frame_system::Config> pallet_registration::WeightInfo for WeightInfo<T> {
	/// `a` was measured from 0 to 512.
	fn register(a: u32, ) -> Weight {
		// Fastest run: 249_257_000 ps.
		Weight::from_parts(399_398_279, 6007)
			.saturating_add(Weight::from_parts(27_063, 0).saturating_mul(a.into()))
			.saturating_add(T::DbWeight::get().reads(6))
			.saturating_add(T::DbWeight::get().writes(5))
	}
	/// `t` was measured from 1 to 16.
	fn read_ed25519(t: u32, ) -> Weight {
		// Fastest run: 227_516_000 ps.
		Weight::from_parts(281_217_000, 0)
			.saturating_add(Weight::from_parts(290_412_912, 0).saturating_mul(t.into()))
	}
	/// `t` was measured from 1 to 16.
	fn share_ed25519(t: u32, ) -> Weight {
		// Fastest run: 16_621_000 ps.
		Weight::from_parts(11_607_675, 0)
			.saturating_add(Weight::from_parts(9_017_186, 0).saturating_mul(t.into()))
	}
	/// `t` was measured from 1 to 16.
	fn read_secp256k1(t: u32, ) -> Weight {
		// Fastest run: 12_343_000 ps.
		Weight::from_parts(300_395, 0)
			.saturating_add(Weight::from_parts(13_782_246, 0).saturating_mul(t.into()))
	}
	/// `t` was measured from 1 to 16.
	fn share_secp256k1(t: u32, ) -> Weight {
		// Fastest run: 21_510_000 ps.
		Weight::from_parts(16_940_790, 0)
			.saturating_add(Weight::from_parts(11_737_576, 0).saturating_mul(t.into()))
	}
	/// `c` was measured from 1 to 64.
	fn authorize_confirm(c: u32, ) -> Weight {
		// Fastest run: 244_588_000 ps.
		Weight::from_parts(245_069_000, 3682)
			.saturating_add(Weight::from_parts(91_586_415, 0).saturating_mul(c.into()))
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(c.into())))
			.saturating_add(Weight::from_parts(0, 5017).saturating_mul(c.into()))
	}
	/// `c` was measured from 1 to 64.
	fn confirm(c: u32, ) -> Weight {
		// Fastest run: 143_439_000 ps.
		Weight::from_parts(81_077_729, 3682)
			.saturating_add(Weight::from_parts(41_762_688, 0).saturating_mul(c.into()))
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(c.into())))
			.saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(c.into())))
			.saturating_add(Weight::from_parts(0, 5017).saturating_mul(c.into()))
	}
	/// `n` was measured from 2 to 16.
	fn complete(n: u32, ) -> Weight {
		// Fastest run: 164_078_000 ps.
		Weight::from_parts(237_449_040, 16867)
			.saturating_add(Weight::from_parts(622_565, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(4))
			.saturating_add(T::DbWeight::get().writes(4))
	}
	fn cancel() -> Weight {
		// Fastest run: 160_060_000 ps.
		Weight::from_parts(228_128_000, 6007)
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().writes(5))
	}
	fn expire() -> Weight {
		// Fastest run: 195_546_000 ps.
		Weight::from_parts(313_297_000, 6007)
			.saturating_add(T::DbWeight::get().reads(5))
			.saturating_add(T::DbWeight::get().writes(5))
	}
	fn swap_key() -> Weight {
		// Fastest run: 261_570_000 ps.
		Weight::from_parts(434_675_000, 16867)
			.saturating_add(T::DbWeight::get().reads(7))
			.saturating_add(T::DbWeight::get().writes(4))
	}
	/// `a` was measured from 0 to 512.
	fn update_constraints(a: u32, ) -> Weight {
		// Fastest run: 188_394_000 ps.
		Weight::from_parts(280_232_265, 16867)
			.saturating_add(Weight::from_parts(80_180, 0).saturating_mul(a.into()))
			.saturating_add(T::DbWeight::get().reads(5))
			.saturating_add(T::DbWeight::get().writes(3))
	}
	fn change_constraint_account() -> Weight {
		// Fastest run: 87_504_000 ps.
		Weight::from_parts(133_421_000, 16867)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	fn deregister() -> Weight {
		// Fastest run: 157_725_000 ps.
		Weight::from_parts(247_945_000, 6007)
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().writes(5))
	}
	fn expiry_step() -> Weight {
		// Fastest run: 6_332_000 ps.
		Weight::from_parts(10_921_000, 3682)
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().writes(1))
	}
}
