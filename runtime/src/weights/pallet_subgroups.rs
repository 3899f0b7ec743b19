//! Weights of `pallet_subgroups`, measured by `scripts/weights` on 2026-11-23 (AMD EPYC; 10 steps,
//! 5 repeats, wasm). Do not edit: change the benchmark and measure again.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_imports, unused_variables)]

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Measured weights over the database of `T`.
pub struct WeightInfo<T>(PhantomData<T>);

impl<T: frame_system::Config> pallet_subgroups::WeightInfo for WeightInfo<T> {
	fn publish_server() -> Weight {
		// Fastest run: 175_532_000 ps.
		Weight::from_parts(188_551_000, 3890)
			.saturating_add(T::DbWeight::get().reads(8))
			.saturating_add(T::DbWeight::get().writes(9))
	}
	fn withdraw_server() -> Weight {
		// Fastest run: 14_261_000 ps.
		Weight::from_parts(15_332_000, 3890)
			.saturating_add(T::DbWeight::get().reads(4))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	fn authorize_declare_ready() -> Weight {
		// Fastest run: 43_385_000 ps.
		Weight::from_parts(45_708_000, 3890)
			.saturating_add(T::DbWeight::get().reads(4))
	}
	fn declare_ready() -> Weight {
		// Fastest run: 13_981_000 ps.
		Weight::from_parts(15_753_000, 3890)
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	fn readmit() -> Weight {
		// Fastest run: 6_620_000 ps.
		Weight::from_parts(7_121_000, 3517)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// Estimated from the others, generously; to be measured.
	fn admit(o: u32, ) -> Weight {
		Weight::from_parts(80_000_000, 7_000)
			.saturating_add(Weight::from_parts(40_000_000, 4_000).saturating_mul(o.into()))
			.saturating_add(T::DbWeight::get().reads(6))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(o.into())))
			.saturating_add(T::DbWeight::get().writes(4))
	}
	/// Estimated from the others, generously; to be measured.
	fn dismiss() -> Weight {
		Weight::from_parts(80_000_000, 7_000)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// Estimated from the others, generously; to be measured.
	fn assign() -> Weight {
		Weight::from_parts(80_000_000, 7_000)
			.saturating_add(T::DbWeight::get().reads(2))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// Estimated from the others, generously; to be measured.
	fn unassign() -> Weight {
		Weight::from_parts(80_000_000, 7_000)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// Estimated from the others, generously; to be measured.
	fn accept() -> Weight {
		Weight::from_parts(80_000_000, 7_000)
			.saturating_add(T::DbWeight::get().reads(5))
			.saturating_add(T::DbWeight::get().writes(3))
	}
	/// Estimated from the others, generously; to be measured.
	fn leave() -> Weight {
		Weight::from_parts(80_000_000, 7_000)
			.saturating_add(T::DbWeight::get().reads(2))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// Estimated from the others, generously; to be measured.
	fn back() -> Weight {
		Weight::from_parts(80_000_000, 7_000)
			.saturating_add(T::DbWeight::get().reads(4))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	/// Estimated from what `v` alone cost before, generously; to be measured.
	fn plan(o: u32, v: u32, ) -> Weight {
		Weight::from_parts(28_292_000, 57262)
			.saturating_add(Weight::from_parts(60_000_000, 4_000).saturating_mul(o.into()))
			.saturating_add(Weight::from_parts(40_000_000, 2_900).saturating_mul(v.into()))
			.saturating_add(T::DbWeight::get().reads(24))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(o.into())))
			.saturating_add(T::DbWeight::get().reads((9_u64).saturating_mul(v.into())))
			.saturating_add(T::DbWeight::get().writes((2_u64).saturating_mul(v.into())))
	}
	/// `v` was measured from 0 to 512.
	fn follow(v: u32, ) -> Weight {
		// Fastest run: 45_959_000 ps.
		Weight::from_parts(46_930_000, 57262)
			.saturating_add(Weight::from_parts(41_845_739, 0).saturating_mul(v.into()))
			.saturating_add(T::DbWeight::get().reads(18))
			.saturating_add(T::DbWeight::get().reads((5_u64).saturating_mul(v.into())))
			.saturating_add(T::DbWeight::get().writes(11))
			.saturating_add(T::DbWeight::get().writes((7_u64).saturating_mul(v.into())))
			.saturating_add(Weight::from_parts(0, 5800).saturating_mul(v.into()))
	}
	/// `s` was measured from 1 to 16.
	fn hear(s: u32, ) -> Weight {
		Weight::from_parts(150_000_000, 0)
			.saturating_add(Weight::from_parts(10_000_000, 0).saturating_mul(s.into()))
			.saturating_add(T::DbWeight::get().reads(4))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(s.into())))
			.saturating_add(T::DbWeight::get().writes(3))
	}
}
