//! Constraints in words, for people who are about to sign them, or look at them.

use crate::{recipient::BitcoinNetwork, set::ConstraintsText, text::show_rule, warnings};
use keyshare_primitives::{
	constraints::{ConstraintsV2, Messages},
	Constraints, KeyScheme,
};

/// Each rule, fee and warning on a line of its own.
pub fn in_words(constraints: &Constraints, scheme: KeyScheme, bitcoin: BitcoinNetwork) -> String {
	let Constraints::V2(ConstraintsV2 { rules, messages, .. }) = constraints;
	let text = ConstraintsText::new(constraints, bitcoin);
	let fees = match text.fees.is_empty() {
		true => "none".into(),
		false => text.fees.join(", "),
	};
	if rules.is_empty() && *messages == Messages::Never {
		let fees = match text.fees.is_empty() {
			true => String::new(),
			false => format!("\nLargest fees: {fees}"),
		};
		return format!("nothing is allowed: the key is kept and never used{fees}");
	}
	let warnings = warnings(constraints, scheme);
	let of = |wanted| {
		let own = warnings.iter().filter(move |(rule, _)| *rule == wanted);
		own.map(|(_, warning)| format!("\n    Warning: {warning}")).collect::<String>()
	};
	let rules =
		rules.iter().map(|rule| format!("\n  {}{}", show_rule(rule, bitcoin), of(Some(rule.0))));
	let none = if text.rules.is_empty() { " none" } else { "" };
	let messages = match messages {
		Messages::Never => "never",
		Messages::Prefixed => "prefixed",
		Messages::Any => "any",
	};
	format!(
		"Rules:{none}{}\nLargest fees: {fees}\nMessages: {messages}{}",
		rules.collect::<String>(),
		of(None)
	)
}

#[cfg(test)]
mod tests {
	use super::*;

	fn words(rules: &[&str], fees: &[&str], messages: crate::set::MessagesText) -> String {
		let strings = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
		let text = ConstraintsText { rules: strings(rules), fees: strings(fees), messages };
		let read = text.read(KeyScheme::Ed25519, BitcoinNetwork::Mainnet).expect("valid");
		in_words(&read, KeyScheme::Ed25519, BitcoinNetwork::Mainnet)
	}

	#[test]
	fn rules_stand_with_their_warnings() {
		use crate::set::MessagesText::{Any, Never};
		assert!(words(&[], &[], Never).starts_with("nothing is allowed"));
		let shown =
			words(&["2: solana memo", "1: solana pay to anyone up to 7"], &["solana=9"], Any);
		assert_eq!(
			shown,
			"Rules:\n  1: solana pay to anyone up to 7\n    Warning: anyone may be paid\n  \
			 2: solana memo\n    Warning: whoever asks chooses what a shared deposit address does \
			 with the money\nLargest fees: solana=9\nMessages: any\n    Warning: any message may be \
			 signed, which lifts every rule: a transaction is bytes too"
		);
	}
}
