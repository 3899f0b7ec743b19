//! Weights of `pallet_subgroups`, measured by `scripts/weights` on 2026-11-26 (AMD EPYC; 10 steps,
//! 4 repeats, wasm). Do not edit: change the benchmark and measure again.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_imports, unused_variables)]

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Measured weights over the database of `T`.
pub struct WeightInfo<T>(PhantomData<T>);

impl<T: frame_system::Config> pallet_subgroups::WeightInfo for WeightInfo<T> {
	fn publish_server() -> Weight {
		// Fastest run: 747_812_000 ps.
		Weight::from_parts(1_233_382_000, 35791)
			.saturating_add(T::DbWeight::get().reads(10))
			.saturating_add(T::DbWeight::get().writes(11))
	}
	fn withdraw_server() -> Weight {
		// Fastest run: 32_831_000 ps.
		Weight::from_parts(56_185_000, 3890)
			.saturating_add(T::DbWeight::get().reads(4))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	fn authorize_declare_ready() -> Weight {
		// Fastest run: 95_579_000 ps.
		Weight::from_parts(147_076_000, 3890)
			.saturating_add(T::DbWeight::get().reads(4))
	}
	fn declare_ready() -> Weight {
		// Fastest run: 56_436_000 ps.
		Weight::from_parts(88_626_000, 3890)
			.saturating_add(T::DbWeight::get().reads(5))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	fn readmit() -> Weight {
		// Fastest run: 16_330_000 ps.
		Weight::from_parts(29_967_000, 3517)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// `o` was measured from 0 to 255.
	fn admit(o: u32, ) -> Weight {
		// Fastest run: 43_301_000 ps.
		Weight::from_parts(42_468_487, 10242)
			.saturating_add(Weight::from_parts(10_616_414, 0).saturating_mul(o.into()))
			.saturating_add(T::DbWeight::get().reads(6))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(o.into())))
			.saturating_add(T::DbWeight::get().writes(3))
			.saturating_add(Weight::from_parts(0, 4626).saturating_mul(o.into()))
	}
	fn dismiss() -> Weight {
		// Fastest run: 27_722_000 ps.
		Weight::from_parts(46_387_000, 5616)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	fn assign() -> Weight {
		// Fastest run: 30_668_000 ps.
		Weight::from_parts(54_843_000, 5616)
			.saturating_add(T::DbWeight::get().reads(2))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	fn unassign() -> Weight {
		// Fastest run: 27_932_000 ps.
		Weight::from_parts(49_183_000, 5616)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	fn accept() -> Weight {
		// Fastest run: 58_260_000 ps.
		Weight::from_parts(88_365_000, 10242)
			.saturating_add(T::DbWeight::get().reads(4))
			.saturating_add(T::DbWeight::get().writes(3))
	}
	fn leave() -> Weight {
		// Fastest run: 38_793_000 ps.
		Weight::from_parts(68_238_000, 5616)
			.saturating_add(T::DbWeight::get().reads(2))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	fn back() -> Weight {
		// Fastest run: 48_952_000 ps.
		Weight::from_parts(85_621_000, 5616)
			.saturating_add(T::DbWeight::get().reads(5))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	/// `o` was measured from 0 to 256.
	/// `v` was measured from 0 to 128.
	fn plan(o: u32, v: u32, ) -> Weight {
		// Fastest run: 709_961_000 ps.
		Weight::from_parts(1_266_355_000, 59512)
			.saturating_add(Weight::from_parts(7_646_733, 0).saturating_mul(o.into()))
			.saturating_add(Weight::from_parts(25_148_442, 0).saturating_mul(v.into()))
			.saturating_add(T::DbWeight::get().reads(166))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(o.into())))
			.saturating_add(T::DbWeight::get().reads((4_u64).saturating_mul(v.into())))
			.saturating_add(Weight::from_parts(0, 4619).saturating_mul(o.into()))
			.saturating_add(Weight::from_parts(0, 2290).saturating_mul(v.into()))
	}
	/// `s` was measured from 1 to 16.
	fn hear(s: u32, ) -> Weight {
		// Fastest run: 564_629_000 ps.
		Weight::from_parts(796_452_736, 35791)
			.saturating_add(Weight::from_parts(54_529_479, 0).saturating_mul(s.into()))
			.saturating_add(T::DbWeight::get().reads(5))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(s.into())))
			.saturating_add(T::DbWeight::get().writes(3))
			.saturating_add(Weight::from_parts(0, 3517).saturating_mul(s.into()))
	}
	/// `v` was measured from 0 to 128.
	fn follow(v: u32, ) -> Weight {
		// Fastest run: 96_471_000 ps.
		Weight::from_parts(731_671_571, 70930)
			.saturating_add(Weight::from_parts(446_651_001, 0).saturating_mul(v.into()))
			.saturating_add(T::DbWeight::get().reads(39))
			.saturating_add(T::DbWeight::get().reads((4_u64).saturating_mul(v.into())))
			.saturating_add(T::DbWeight::get().writes(21))
			.saturating_add(T::DbWeight::get().writes((4_u64).saturating_mul(v.into())))
			.saturating_add(Weight::from_parts(0, 2900).saturating_mul(v.into()))
	}
}
