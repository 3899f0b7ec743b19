//! Weights of `pallet_subgroups`: estimates on the safe side until `scripts/weights` has measured
//! them.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Estimated weights over the database of `T`.
pub struct WeightInfo<T>(PhantomData<T>);

impl<T: frame_system::Config> pallet_subgroups::WeightInfo for WeightInfo<T> {
	fn publish_server() -> Weight {
		Weight::from_parts(400_000_000, 8_000).saturating_add(T::DbWeight::get().reads_writes(8, 7))
	}
}
