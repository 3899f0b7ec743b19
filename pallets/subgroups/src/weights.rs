//! What the calls weigh. The measured weights are the runtime's, in `runtime/src/weights`.

use frame_support::weights::Weight;

/// What the calls weigh.
pub trait WeightInfo {
	/// Publishing a server.
	fn publish_server() -> Weight;
}

/// For tests.
impl WeightInfo for () {
	fn publish_server() -> Weight {
		Weight::from_parts(400_000_000, 8_000)
	}
}
