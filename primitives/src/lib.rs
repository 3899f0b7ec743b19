//! The Keyshare protocol, once: what `docs/protocol.md` says in words stands here as code, and
//! every other crate takes it from here.
//!
//! | module | what it holds |
//! |---|---|
//! | [`types`] | accounts, generations, key commitments, servers |
//! | [`constraints`] | what a key may be used for, and what the chain demands of it |
//! | [`messages`] | every byte layout that is hashed, signed or authenticated, with its domain tag |
//! | [`endpoint`] | which URLs a server may publish |
//! | [`elements`] | group elements: decoding, verifying shares |
//! | [`membership`] | seats in subgroups, and what confirmations count for them |
//! | [`record`] | what the chain keeps of an account |
//! | [`proof`] | custody proofs: what the chain and any observer check |
//! | [`share`] | the secret side: checking a share, proving custody with it |
//! | [`api`] | the runtime API and what it answers |
//! | [`storage`] | where a reader finds the storage items the protocol names |
//! | [`offchain`] | what a node leaves for its off-chain worker |
//! | `seal` (std) | HPKE envelopes |
//! | `split` (std) | the dealer: a private key into shares and commitments |
//! | `wire` (std) | the JSON-RPC shapes and the error table |
//! | [`development`] | the well-known keys of the development network |

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate alloc;

pub mod api;
pub mod constraints;
pub mod development;
pub mod elements;
pub mod endpoint;
pub mod membership;
pub mod messages;
pub mod offchain;
pub mod proof;
pub mod record;
#[cfg(feature = "std")]
pub mod seal;
pub mod share;
#[cfg(feature = "std")]
pub mod split;
pub mod storage;
pub mod types;
#[cfg(feature = "std")]
pub mod wire;

pub use constraints::Constraints;
pub use types::*;

/// How many blocks a replaced encryption key is kept: an hour.
pub const KEY_GRACE_PERIOD: BlockNumber = 1_800;

/// Version of the protocol. A client compares it with `KeyshareApi::parameters` before it signs
/// anything: bytes that are hashed or signed change only together with this number.
pub const PROTOCOL_VERSION: u32 = 2;
