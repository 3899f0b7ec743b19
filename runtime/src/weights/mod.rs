//! What our pallets' calls weigh, measured by `scripts/weights`.

pub mod pallet_registration;
pub mod pallet_subgroups;
