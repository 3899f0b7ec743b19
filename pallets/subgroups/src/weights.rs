//! What the calls weigh. The measured weights are the runtime's, in `runtime/src/weights`.

use frame_support::weights::Weight;

/// What the calls weigh.
pub trait WeightInfo {
	/// Publishing a server.
	fn publish_server() -> Weight;
	/// Withdrawing one.
	fn withdraw_server() -> Weight;
	/// Checking a declaration of readiness before it is admitted.
	fn authorize_declare_ready() -> Weight;
	/// Recording it.
	fn declare_ready() -> Weight;
	/// Readmitting a validator.
	fn readmit() -> Weight;
	/// Planning a session out of `v` validators.
	fn plan(v: u32) -> Weight;
	/// A session's start in which `v` members leave and as many join.
	fn follow(v: u32) -> Weight;
}

/// For tests.
impl WeightInfo for () {
	fn publish_server() -> Weight {
		Weight::from_parts(400_000_000, 8_000)
	}

	fn withdraw_server() -> Weight {
		Weight::from_parts(100_000_000, 8_000)
	}

	fn authorize_declare_ready() -> Weight {
		Weight::from_parts(100_000_000, 4_000)
	}

	fn declare_ready() -> Weight {
		Weight::from_parts(50_000_000, 4_000)
	}

	fn readmit() -> Weight {
		Weight::from_parts(50_000_000, 4_000)
	}

	fn plan(v: u32) -> Weight {
		Weight::from_parts(10_000_000, 4_000).saturating_mul(u64::from(v) + 1)
	}

	fn follow(v: u32) -> Weight {
		Weight::from_parts(100_000_000, 8_000).saturating_mul(u64::from(v) + 1)
	}
}
