//! The subcommands that are this node's own; the others are the SDK's. They know the command line
//! only as what finds a chain's specification, [`sc_cli::SubstrateCli`].
//!
//! | module | what it holds |
//! |---|---|
//! | [`share_store`] | the share store backed up, restored, checked, under another password |
//! | [`server_keys`] | servers' keys made, renewed, shown; and where a command finds its node's things |

pub mod server_keys;
pub mod share_store;
