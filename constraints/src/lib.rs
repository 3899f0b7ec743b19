//! Constraints as people write them (protocol §2, *Constraints as text*): what tool and, later, servers
//! read and show. The types, and what the chain demands of them, are in
//! [`keyshare_primitives::constraints`].
//!
//! | module | what it holds |
//! |---|---|
//! | [`addresses`](mod@addresses) | the addresses that a public key is known by |
//! | [`recipient`] | addresses on EVM chains, Bitcoin and Solana |
//! | [`text`] | a rule and a fee as a line of text, in both directions |
//! | [`set`] | rules, fees and messages put together and checked, from options or a file |
//! | [`warnings`](mod@warnings) | what opens more than it says |
//! | [`words`] | all of it in words |

#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod addresses;
pub mod recipient;
pub mod set;
pub mod text;
pub mod warnings;
pub mod words;

pub use addresses::addresses;
pub use recipient::BitcoinNetwork;
pub use set::{ConstraintsInputError, ConstraintsText};
pub use text::TextError;
pub use warnings::{warnings, Warning};
pub use words::in_words;

/// What an error may repeat of the input: printable, and not too long.
pub(crate) fn quoted(text: &str) -> String {
	text.chars().filter(|c| !c.is_control()).take(80).collect()
}
