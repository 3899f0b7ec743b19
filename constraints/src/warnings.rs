//! What opens more than it says: shown before anybody signs it.

use keyshare_primitives::{
	constraints::{
		Amount, BitcoinAllow, ConstraintsV2, EvmAllow, Messages, Rule, RuleId, SolanaAllow,
		TokenRecipient, Who,
	},
	Constraints, KeyScheme,
};
use std::fmt;

/// A warning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Warning {
	/// A rule without a recipient.
	AnyoneMayBePaid,
	/// A rule without an amount.
	NoLargestAmount,
	/// An approval.
	SpenderMayPayAnyone,
	/// A call of a contract.
	LiftsRulesOfContract,
	/// Data or memos.
	DataChoosesRecipient,
	/// A call of a Solana program.
	MayTakeEverything,
	/// Any message, with a key of this scheme.
	AnyMessage(KeyScheme),
}

impl fmt::Display for Warning {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		f.write_str(match self {
			Self::AnyoneMayBePaid => "anyone may be paid",
			Self::NoLargestAmount => "any amount may be paid",
			Self::SpenderMayPayAnyone => {
				"the spender, and whoever can make it act, may pay anyone, even after this rule is gone"
			}
			Self::LiftsRulesOfContract => {
				"lifts the rules for whatever this contract can take; if it is a token, the rules of that \
				 token too"
			}
			Self::DataChoosesRecipient => {
				"whoever asks chooses what a shared deposit address does with the money"
			}
			Self::MayTakeEverything => "may take everything this key has on Solana",
			Self::AnyMessage(KeyScheme::Ed25519) => {
				"any message may be signed, which lifts every rule: a transaction is bytes too"
			}
			Self::AnyMessage(KeyScheme::Secp256k1) => {
				"any message may be signed, and some services take a message for an order to pay"
			}
		})
	}
}

/// The warnings of constraints for a key of this scheme, each with its rule if it is about one.
pub fn warnings(constraints: &Constraints, scheme: KeyScheme) -> Vec<(Option<RuleId>, Warning)> {
	let Constraints::V2(ConstraintsV2 { rules, messages, .. }) = constraints;
	let of_rules =
		rules.iter().flat_map(|(id, rule)| of_rule(rule).into_iter().map(|one| (Some(*id), one)));
	let of_messages = (*messages == Messages::Any).then_some((None, Warning::AnyMessage(scheme)));
	of_rules.chain(of_messages).collect()
}

fn of_rule(rule: &Rule) -> Vec<Warning> {
	fn limits(is_anyone: bool, is_any: bool) -> Vec<Warning> {
		let anyone = is_anyone.then_some(Warning::AnyoneMayBePaid);
		anyone.into_iter().chain(is_any.then_some(Warning::NoLargestAmount)).collect()
	}
	match rule {
		Rule::Evm { allow, .. } => match allow {
			EvmAllow::Pay { to, largest } | EvmAllow::Token { to, largest, .. } => {
				limits(*to == Who::Anyone, *largest == Amount::Any)
			}
			EvmAllow::Approve { largest, .. } => {
				[vec![Warning::SpenderMayPayAnyone], limits(false, *largest == Amount::Any)]
					.concat()
			}
			EvmAllow::Call { .. } => vec![Warning::LiftsRulesOfContract],
		},
		Rule::Bitcoin { allow: BitcoinAllow::Pay { to, largest } } => {
			limits(*to == Who::Anyone, *largest == Amount::Any)
		}
		Rule::Bitcoin { allow: BitcoinAllow::Data } | Rule::Solana { allow: SolanaAllow::Memo } => {
			vec![Warning::DataChoosesRecipient]
		}
		Rule::Solana { allow } => match allow {
			SolanaAllow::Pay { to, largest } => limits(*to == Who::Anyone, *largest == Amount::Any),
			SolanaAllow::Token { to, largest, .. } => {
				limits(*to == TokenRecipient::Anyone, *largest == Amount::Any)
			}
			SolanaAllow::Call { .. } => vec![Warning::MayTakeEverything],
			SolanaAllow::Memo => vec![Warning::DataChoosesRecipient],
		},
	}
}
