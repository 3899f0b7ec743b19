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
	/// Admitting an operator beside `o` others.
	fn admit(o: u32) -> Weight;
	/// Dismissing one.
	fn dismiss() -> Weight;
	/// Assigning a validator.
	fn assign() -> Weight;
	/// Taking that back.
	fn unassign() -> Weight;
	/// Accepting an operator, after leaving another.
	fn accept() -> Weight;
	/// Leaving an operator.
	fn leave() -> Weight;
	/// Calling an idle validator back.
	fn back() -> Weight;
	/// Planning a session with `o` operators and `v` validators of theirs that are looked at.
	fn plan(o: u32, v: u32) -> Weight;
	/// Taking note of what attempts that ended together tell: `h` times of a subgroup.
	fn hear(h: u32) -> Weight;
	/// A session's start with `v` changes of the members: one that leaves, or one that joins.
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

	fn admit(o: u32) -> Weight {
		Weight::from_parts(10_000_000, 4_000).saturating_mul(u64::from(o) + 1)
	}

	fn dismiss() -> Weight {
		Weight::from_parts(50_000_000, 4_000)
	}

	fn assign() -> Weight {
		Weight::from_parts(50_000_000, 4_000)
	}

	fn unassign() -> Weight {
		Weight::from_parts(50_000_000, 4_000)
	}

	fn accept() -> Weight {
		Weight::from_parts(50_000_000, 4_000)
	}

	fn leave() -> Weight {
		Weight::from_parts(50_000_000, 4_000)
	}

	fn back() -> Weight {
		Weight::from_parts(50_000_000, 4_000)
	}

	fn plan(o: u32, v: u32) -> Weight {
		Weight::from_parts(10_000_000, 4_000).saturating_mul(u64::from(o) + u64::from(v) + 1)
	}

	fn hear(h: u32) -> Weight {
		Weight::from_parts(1_000, 0).saturating_mul(u64::from(h) + 1)
	}

	fn follow(v: u32) -> Weight {
		Weight::from_parts(100_000_000, 8_000).saturating_mul(u64::from(v) + 1)
	}
}
