//! The library under the `keyshare` tool: everything a user does with a Keyshare chain and its
//! servers, without a terminal.
//!
//! | module | what it holds |
//! |---|---|
//! | [`chain`] | a node of a chain whose versions fit: reads through the runtime API |
//! | [`follow`] | an account's state from block to block, and what of it is final |
//! | [`payload`] | a call of any pallet: encoded, in words |
//! | [`call`] | the calls a user makes, and when each is done |
//! | [`validator`] | what is done for a validator: its server, session keys, its operator |
//! | [`operator`] | admitting and dismissing operators, and what these say of their validators |
//! | [`submit`] | signing, or leaving the signature to a wallet, and waiting for inclusion |
//! | [`account`] | the account that signs, and addresses |
//! | [`keyfile`] | the private key that is registered: reading, generating |
//! | [`secret`] | what looks like a secret, and is never repeated |
//! | [`dealing`] | a key split for one attempt, and checked against the chain |
//! | [`servers`] | JSON-RPC to the share listeners, with retries |
//! | [`deliver`] | sending every share and following the attempt until it is registered |
//! | [`verify`] | what anybody can check about a registration, with fresh proofs |
//! | [`progress`] | the events of all that, as they happen |
//! | [`error`] | one error, with what to do and an exit code |
//!
//! Nothing here writes to the terminal, and no secret is in any error, event or `Debug`.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod account;
pub mod call;
pub mod chain;
mod connection;
pub mod dealing;
pub mod deliver;
pub mod error;
pub mod follow;
pub mod keyfile;
pub mod operator;
pub mod payload;
pub mod progress;
pub mod secret;
pub mod servers;
pub mod submit;
pub mod validator;
pub mod verify;

pub use error::{Error, Result};
