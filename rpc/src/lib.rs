//! The share intake of a Keyshare node: it takes sealed shares over JSON-RPC, checks them against
//! what the chain promises, keeps them encrypted and durable, and sees to it that the chain
//! learns of them. Protocol §5 and §6.
//!
//! | module | what it holds |
//! |---|---|
//! | [`api`] | the `keyshare_*` methods: how parameters are read, the one conversion to RPC errors |
//! | [`intake`] | what a request goes through, in the protocol's order, cheapest check first: shares from clients, custody, shares for other servers |
//! | [`caller`] | who asks, and how much each may ask of what costs something |
//! | `pool` | the threads that do the work, behind a bounded queue for each kind of it |
//! | [`keys`] | the servers this node hosts and what they open envelopes with |
//! | [`chain`] | the one trait through which chain state is read |
//! | `seats` | where servers are members in one block, and whose confirmations count there |
//! | [`store`] | the durable encrypted store; it is also the queue of confirmations |
//! | [`confirm`] | from the store to the off-chain worker, until the chain shows each one |
//! | [`sync`] | what a server should hold and does not: the scan, and the fetch from other servers of its subgroup |
//! | [`housekeeping`] | what is done at every finalized block |
//! | `mend` | shares that are damaged in the store |
//! | [`retire`] | encryption keys whose time is over |
//! | [`metrics`] | what Prometheus is told |
//! | [`health`] | whether the node serves its users now |
//! | [`watch`] | tells Prometheus and the log of it |
//! | [`listener`] | the share port: these methods and nothing else, shared out by address |
//!
//! A share passes through as `SealedShare` → `Share` → `VerifiedShare` (types of
//! `keyshare-primitives`); only the last can be stored or sign anything.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod api;
pub mod caller;
pub mod chain;
pub mod confirm;
pub mod health;
pub mod housekeeping;
pub mod intake;
pub mod keys;
pub mod listener;
mod mend;
pub mod metrics;
mod pool;
pub mod retire;
mod seats;
pub mod store;
pub mod sync;
pub mod watch;

/// Target of everything this crate logs.
pub const LOG_TARGET: &str = "keyshare";
