//! How the registration pallet sees the subgroups, so that it knows nothing of how membership
//! comes about.

use crate::{AccountId, SubgroupId};
use alloc::vec::Vec;

/// The signing subgroups as they are now.
pub trait SubgroupMembership {
	/// `n`.
	fn count() -> u8;
	/// `t`.
	fn threshold() -> u8;
	/// How many members a subgroup has.
	fn size(subgroup: SubgroupId) -> u32;
	/// The subgroup that a server account is a member of.
	fn member_of(server: &AccountId) -> Option<SubgroupId>;
	/// The server accounts of a subgroup's members, in the order in which they joined.
	fn members(subgroup: SubgroupId) -> Vec<AccountId>;

	/// Makes exactly these servers the members of the subgroups, by subgroup id.
	#[cfg(feature = "runtime-benchmarks")]
	fn set_members(subgroups: Vec<Vec<AccountId>>, threshold: u8);
}
