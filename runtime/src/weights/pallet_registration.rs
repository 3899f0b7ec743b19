//! Weights of `pallet_registration`, measured by `scripts/weights` on 2026-11-26 (AMD EPYC; 10 steps,
//! 5 repeats, wasm). Do not edit: change the benchmark and measure again.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_imports, unused_variables)]

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Measured weights over the database of `T`.
pub struct WeightInfo<T>(PhantomData<T>);

impl<T: frame_system::Config> pallet_registration::WeightInfo for WeightInfo<T> {
	/// `a` was measured from 0 to 512.
	/// `n` was measured from 2 to 16.
	fn register(a: u32, n: u32, ) -> Weight {
		// Fastest run: 142_082_000 ps.
		Weight::from_parts(122_234_945, 6007)
			.saturating_add(Weight::from_parts(68_839, 0).saturating_mul(a.into()))
			.saturating_add(Weight::from_parts(3_669_600, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(6))
			.saturating_add(T::DbWeight::get().writes(5))
	}
	/// `t` was measured from 0 to 16.
	fn read_ed25519(t: u32, ) -> Weight {
		// Fastest run: 160_000 ps.
		Weight::from_parts(191_000, 0)
			.saturating_add(Weight::from_parts(148_893_760, 0).saturating_mul(t.into()))
	}
	/// `t` was measured from 1 to 16.
	fn share_ed25519(t: u32, ) -> Weight {
		// Fastest run: 12_980_000 ps.
		Weight::from_parts(7_392_072, 0)
			.saturating_add(Weight::from_parts(5_773_014, 0).saturating_mul(t.into()))
	}
	/// `t` was measured from 0 to 16.
	fn read_secp256k1(t: u32, ) -> Weight {
		// Fastest run: 160_000 ps.
		Weight::from_parts(264_049, 0)
			.saturating_add(Weight::from_parts(9_795_157, 0).saturating_mul(t.into()))
	}
	/// `t` was measured from 1 to 16.
	fn share_secp256k1(t: u32, ) -> Weight {
		// Fastest run: 17_166_000 ps.
		Weight::from_parts(10_629_706, 0)
			.saturating_add(Weight::from_parts(6_822_687, 0).saturating_mul(t.into()))
	}
	/// `n` was measured from 2 to 16.
	fn account_record(n: u32, ) -> Weight {
		// Fastest run: 9_314_000 ps.
		Weight::from_parts(9_366_011, 1486)
			.saturating_add(Weight::from_parts(1_069_714, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(1))
	}
	/// `c` was measured from 0 to 64.
	fn authorize_confirm(c: u32, ) -> Weight {
		// Fastest run: 113_349_000 ps.
		Weight::from_parts(207_425_200, 3682)
			.saturating_add(Weight::from_parts(51_240_633, 0).saturating_mul(c.into()))
			.saturating_add(T::DbWeight::get().reads(4))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(c.into())))
			.saturating_add(Weight::from_parts(0, 5017).saturating_mul(c.into()))
	}
	/// `c` was measured from 0 to 64.
	fn confirm(c: u32, ) -> Weight {
		// Fastest run: 70_926_000 ps.
		Weight::from_parts(103_069_096, 3682)
			.saturating_add(Weight::from_parts(14_692_432, 0).saturating_mul(c.into()))
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(c.into())))
			.saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(c.into())))
			.saturating_add(Weight::from_parts(0, 5017).saturating_mul(c.into()))
	}
	/// `n` was measured from 2 to 16.
	fn complete(n: u32, ) -> Weight {
		// Fastest run: 32_748_000 ps.
		Weight::from_parts(40_488_367, 16867)
			.saturating_add(Weight::from_parts(2_232_747, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	/// `n` was measured from 2 to 16.
	fn complete_swap(n: u32, ) -> Weight {
		// Fastest run: 74_541_000 ps.
		Weight::from_parts(85_066_237, 16867)
			.saturating_add(Weight::from_parts(2_902_109, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(4))
			.saturating_add(T::DbWeight::get().writes(4))
	}
	fn cancel() -> Weight {
		// Fastest run: 99_769_000 ps.
		Weight::from_parts(125_728_000, 6007)
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().writes(5))
	}
	fn expire() -> Weight {
		// Fastest run: 129_403_000 ps.
		Weight::from_parts(194_580_000, 6007)
			.saturating_add(T::DbWeight::get().reads(5))
			.saturating_add(T::DbWeight::get().writes(5))
	}
	/// `n` was measured from 2 to 16.
	fn swap_key(n: u32, ) -> Weight {
		// Fastest run: 133_219_000 ps.
		Weight::from_parts(218_006_074, 16867)
			.saturating_add(Weight::from_parts(3_760_043, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(7))
			.saturating_add(T::DbWeight::get().writes(4))
	}
	/// `a` was measured from 0 to 512.
	fn update_constraints(a: u32, ) -> Weight {
		// Fastest run: 114_250_000 ps.
		Weight::from_parts(159_921_261, 16867)
			.saturating_add(Weight::from_parts(4_260, 0).saturating_mul(a.into()))
			.saturating_add(T::DbWeight::get().reads(5))
			.saturating_add(T::DbWeight::get().writes(3))
	}
	fn change_constraint_account() -> Weight {
		// Fastest run: 55_092_000 ps.
		Weight::from_parts(67_601_000, 16867)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	fn deregister() -> Weight {
		// Fastest run: 108_522_000 ps.
		Weight::from_parts(124_546_000, 6007)
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().writes(5))
	}
	fn expiry_step() -> Weight {
		// Fastest run: 4_116_000 ps.
		Weight::from_parts(4_787_000, 3682)
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	fn migrate_constraints() -> Weight {
		Weight::from_parts(100_000_000, 16867)
			.saturating_add(T::DbWeight::get().reads(5))
			.saturating_add(T::DbWeight::get().writes(4))
	}
	fn renew_attempt() -> Weight {
		Weight::from_parts(100_000_000, 16867)
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().writes(4))
	}
}
