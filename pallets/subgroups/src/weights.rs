//! Weights of the calls; see `scripts/weights`.

use frame_support::{traits::Get, weights::Weight};

/// What the calls weigh.
pub trait WeightInfo {
	/// Publishing a server.
	fn publish_server() -> Weight;
}

/// Weights measured on the reference machine with this runtime's database.
pub struct SubstrateWeight<T>(core::marker::PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn publish_server() -> Weight {
		Weight::from_parts(400_000_000, 8_000).saturating_add(T::DbWeight::get().reads_writes(8, 7))
	}
}

/// For tests.
impl WeightInfo for () {
	fn publish_server() -> Weight {
		Weight::from_parts(400_000_000, 8_000)
	}
}
