//! Weights of `pallet_subgroups`, measured by `scripts/weights` on 2026-11-26 (AMD EPYC; 10 steps,
//! 5 repeats, wasm). Do not edit: change the benchmark and measure again.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_imports, unused_variables)]

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Measured weights over the database of `T`.
pub struct WeightInfo<T>(PhantomData<T>);

impl<T: frame_system::Config> pallet_subgroups::WeightInfo for WeightInfo<T> {
	fn publish_server() -> Weight {
		// Fastest run: 514_016_000 ps.
		Weight::from_parts(560_625_000, 35791)
			.saturating_add(T::DbWeight::get().reads(10))
			.saturating_add(T::DbWeight::get().writes(11))
	}
	fn withdraw_server() -> Weight {
		// Fastest run: 20_291_000 ps.
		Weight::from_parts(22_032_000, 3890)
			.saturating_add(T::DbWeight::get().reads(4))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	fn authorize_declare_ready() -> Weight {
		// Fastest run: 59_508_000 ps.
		Weight::from_parts(65_408_000, 3890)
			.saturating_add(T::DbWeight::get().reads(4))
	}
	fn declare_ready() -> Weight {
		// Fastest run: 36_054_000 ps.
		Weight::from_parts(49_303_000, 3890)
			.saturating_add(T::DbWeight::get().reads(5))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	fn readmit() -> Weight {
		// Fastest run: 9_224_000 ps.
		Weight::from_parts(10_546_000, 3517)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// `o` was measured from 0 to 255.
	fn admit(o: u32, ) -> Weight {
		// Fastest run: 26_400_000 ps.
		Weight::from_parts(17_661_186, 10242)
			.saturating_add(Weight::from_parts(4_718_471, 0).saturating_mul(o.into()))
			.saturating_add(T::DbWeight::get().reads(6))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(o.into())))
			.saturating_add(T::DbWeight::get().writes(3))
			.saturating_add(Weight::from_parts(0, 4626).saturating_mul(o.into()))
	}
	fn dismiss() -> Weight {
		// Fastest run: 16_594_000 ps.
		Weight::from_parts(18_248_000, 5616)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	fn assign() -> Weight {
		// Fastest run: 18_698_000 ps.
		Weight::from_parts(20_480_000, 5616)
			.saturating_add(T::DbWeight::get().reads(2))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	fn unassign() -> Weight {
		// Fastest run: 16_545_000 ps.
		Weight::from_parts(18_197_000, 5616)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	fn accept() -> Weight {
		// Fastest run: 38_777_000 ps.
		Weight::from_parts(41_862_000, 10242)
			.saturating_add(T::DbWeight::get().reads(4))
			.saturating_add(T::DbWeight::get().writes(3))
	}
	fn leave() -> Weight {
		// Fastest run: 24_066_000 ps.
		Weight::from_parts(26_609_000, 5616)
			.saturating_add(T::DbWeight::get().reads(2))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	fn back() -> Weight {
		// Fastest run: 31_648_000 ps.
		Weight::from_parts(34_641_000, 5616)
			.saturating_add(T::DbWeight::get().reads(5))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	/// `o` was measured from 0 to 256.
	/// `v` was measured from 0 to 128.
	fn plan(o: u32, v: u32, ) -> Weight {
		// Fastest run: 534_366_000 ps.
		Weight::from_parts(548_718_000, 59512)
			.saturating_add(Weight::from_parts(3_951_082, 0).saturating_mul(o.into()))
			.saturating_add(Weight::from_parts(11_438_684, 0).saturating_mul(v.into()))
			.saturating_add(T::DbWeight::get().reads(166))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(o.into())))
			.saturating_add(T::DbWeight::get().reads((4_u64).saturating_mul(v.into())))
			.saturating_add(Weight::from_parts(0, 4619).saturating_mul(o.into()))
			.saturating_add(Weight::from_parts(0, 2288).saturating_mul(v.into()))
	}
	/// `h` was measured from 1 to 16.
	fn hear(h: u32, ) -> Weight {
		// Fastest run: 301_359_000 ps.
		Weight::from_parts(312_247_889, 35791)
			.saturating_add(Weight::from_parts(15_000_333, 0).saturating_mul(h.into()))
			.saturating_add(T::DbWeight::get().reads(5))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(h.into())))
			.saturating_add(T::DbWeight::get().writes(3))
			.saturating_add(Weight::from_parts(0, 3517).saturating_mul(h.into()))
	}
	/// `v` was measured from 0 to 128.
	fn follow(v: u32, ) -> Weight {
		// Fastest run: 67_661_000 ps.
		Weight::from_parts(386_369_170, 70930)
			.saturating_add(Weight::from_parts(203_701_431, 0).saturating_mul(v.into()))
			.saturating_add(T::DbWeight::get().reads(39))
			.saturating_add(T::DbWeight::get().reads((4_u64).saturating_mul(v.into())))
			.saturating_add(T::DbWeight::get().writes(21))
			.saturating_add(T::DbWeight::get().writes((4_u64).saturating_mul(v.into())))
			.saturating_add(Weight::from_parts(0, 2900).saturating_mul(v.into()))
	}
}
