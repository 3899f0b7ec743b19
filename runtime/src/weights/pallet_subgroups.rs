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
		// Fastest run: 196_454_000 ps.
		Weight::from_parts(312_035_000, 3856)
			.saturating_add(T::DbWeight::get().reads(7))
			.saturating_add(T::DbWeight::get().writes(7))
	}

	fn withdraw_server() -> Weight {
		Weight::from_parts(100_000_000, 8_000).saturating_add(T::DbWeight::get().reads_writes(5, 4))
	}

	fn authorize_declare_ready() -> Weight {
		Weight::from_parts(100_000_000, 4_000).saturating_add(T::DbWeight::get().reads(4))
	}

	fn declare_ready() -> Weight {
		Weight::from_parts(50_000_000, 4_000).saturating_add(T::DbWeight::get().reads_writes(3, 1))
	}

	fn readmit() -> Weight {
		Weight::from_parts(50_000_000, 4_000).saturating_add(T::DbWeight::get().reads_writes(1, 1))
	}

	fn plan(v: u32) -> Weight {
		Weight::from_parts(10_000_000, 4_000)
			.saturating_add(T::DbWeight::get().reads(5))
			.saturating_mul(u64::from(v) + 1)
	}

	fn follow(v: u32) -> Weight {
		Weight::from_parts(100_000_000, 8_000)
			.saturating_add(T::DbWeight::get().reads_writes(6, 6))
			.saturating_mul(u64::from(v) + 1)
	}
}
