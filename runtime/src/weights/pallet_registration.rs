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
	fn register(a: u32, ) -> Weight {
		Weight::from_parts(120_000_000, 57262)
			.saturating_add(Weight::from_parts(15_186, 0).saturating_mul(a.into()))
			.saturating_add(T::DbWeight::get().reads(6))
			.saturating_add(T::DbWeight::get().writes(5))
	}
	/// `t` was measured from 1 to 16.
	fn read_ed25519(t: u32, ) -> Weight {
		Weight::from_parts(5_000_000, 0)
			.saturating_add(Weight::from_parts(150_000_000, 0).saturating_mul(t.into()))
	}
	/// `t` was measured from 1 to 16.
	fn share_ed25519(t: u32, ) -> Weight {
		Weight::from_parts(50_000_000, 0)
			.saturating_add(Weight::from_parts(20_000_000, 0).saturating_mul(t.into()))
	}
	/// `t` was measured from 1 to 16.
	fn read_secp256k1(t: u32, ) -> Weight {
		Weight::from_parts(5_000_000, 0)
			.saturating_add(Weight::from_parts(30_000_000, 0).saturating_mul(t.into()))
	}
	/// `t` was measured from 1 to 16.
	fn share_secp256k1(t: u32, ) -> Weight {
		Weight::from_parts(50_000_000, 0)
			.saturating_add(Weight::from_parts(10_000_000, 0).saturating_mul(t.into()))
	}
	/// `c` was measured from 1 to 64.
	fn authorize_confirm(c: u32, ) -> Weight {
		// Fastest run: 158_627_000 ps.
		Weight::from_parts(24_097_773, 3514)
			.saturating_add(Weight::from_parts(55_117_947, 0).saturating_mul(c.into()))
			.saturating_add(T::DbWeight::get().reads(2))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(c.into())))
			.saturating_add(Weight::from_parts(0, 3624).saturating_mul(c.into()))
	}
	/// `c` was measured from 1 to 64.
	fn confirm(c: u32, ) -> Weight {
		Weight::from_parts(20_000_000, 57262)
			.saturating_add(Weight::from_parts(15_000_000, 0).saturating_mul(c.into()))
			.saturating_add(T::DbWeight::get().reads(2))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(c.into())))
			.saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(c.into())))
	}
	/// `n` was measured from 2 to 16.
	fn complete(n: u32, ) -> Weight {
		Weight::from_parts(50_000_000, 57262)
			.saturating_add(Weight::from_parts(1_000_000, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().writes(4))
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
	fn swap_key() -> Weight {
		Weight::from_parts(120_000_000, 57262)
			.saturating_add(T::DbWeight::get().reads(6))
			.saturating_add(T::DbWeight::get().writes(4))
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
