//! A rule and a fee as a line of text: protocol §2, *Constraints as text*.

use crate::{
	quoted,
	recipient::{
		parse_bitcoin, parse_evm, parse_solana, show_bitcoin, show_evm, show_solana,
		BitcoinNetwork, RecipientError,
	},
};
use keyshare_primitives::constraints::{
	Amount, BitcoinAllow, ChainId, EvmAllow, Network, Rule, RuleId, Selector, SolanaAllow,
	TokenRecipient, Who,
};
use std::{fmt::Display, str::FromStr};

/// Why a rule or a fee cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
	/// Words that are missing, too many, or in other places.
	#[error("`{given}` is not of the form `{form}`")]
	Malformed {
		/// What was given.
		given: String,
		/// The form or forms that it could have had.
		form: &'static str,
	},
	/// No number before the colon.
	#[error("`{0}` is no rule's id: a rule begins with a number from 0 to 65535 and a colon")]
	InvalidId(String),
	/// Not a network.
	#[error(
		"`{0}` is no network: there are evm:<chain id>, such as evm:1 for Ethereum, bitcoin and solana"
	)]
	InvalidNetwork(String),
	/// Not an amount.
	#[error("`{given}` is no amount: it must be {wanted}, in the asset's smallest unit")]
	InvalidAmount {
		/// What was given.
		given: String,
		/// What it must be.
		wanted: String,
	},
	/// Not a selector.
	#[error("`{0}` is no function's selector: it must be 0x and 8 hex digits, or `any`")]
	InvalidSelector(String),
	/// Not a recipient.
	#[error(transparent)]
	Recipient(#[from] RecipientError),
}

type Result<T> = std::result::Result<T, TextError>;

const EVM_FORMS: &str =
	"<id>: evm:<chain> pay to <address | anyone> up to <integer | any>`, `… token \
	<contract> to <address | anyone> up to <integer | any>`, `… approve <contract> to <address> up to \
	<integer | any>` or `… call <selector | any> to <address> up to <integer>";
const BITCOIN_FORMS: &str =
	"<id>: bitcoin pay to <address | anyone> up to <integer | any>` or `<id>: bitcoin data";
const SOLANA_FORMS: &str =
	"<id>: solana pay to <address | anyone> up to <integer | any>`, `… token \
	<mint> to <wallet address | account address | anyone> up to <integer | any>`, `… memo` or `… call \
	<program>";
const ANY_FORM: &str = "<id>: <network> <pay, token, approve, call, data or memo> …";
const FEE_FORM: &str = "<network>=<integer>";

/// Reads a rule. Bitcoin addresses are those of `bitcoin`.
pub fn parse_rule(text: &str, bitcoin: BitcoinNetwork) -> Result<(RuleId, Rule)> {
	let malformed = |form| TextError::Malformed { given: quoted(text), form };
	let words: Vec<_> = text.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
	let [id, rest @ ..] = words.as_slice() else { return Err(malformed(ANY_FORM)) };
	let number = id.strip_suffix(':').and_then(integer);
	let id = number.ok_or_else(|| TextError::InvalidId(quoted(id)))?;
	let [network, rest @ ..] = rest else { return Err(malformed(ANY_FORM)) };
	let rule = match parse_network(network)? {
		Network::Evm(chain) => {
			let allow = parse_evm_allow(rest, chain)?.ok_or_else(|| malformed(EVM_FORMS))?;
			Rule::Evm { chain, allow }
		}
		Network::Bitcoin => {
			let allow =
				parse_bitcoin_allow(rest, bitcoin)?.ok_or_else(|| malformed(BITCOIN_FORMS))?;
			Rule::Bitcoin { allow }
		}
		Network::Solana => {
			let allow = parse_solana_allow(rest)?.ok_or_else(|| malformed(SOLANA_FORMS))?;
			Rule::Solana { allow }
		}
	};
	Ok((id, rule))
}

/// `None` where the words have none of the forms.
fn parse_evm_allow(words: &[&str], chain: ChainId) -> Result<Option<EvmAllow>> {
	let address = |text: &str| Ok(parse_evm(text, chain)?);
	Ok(Some(match words {
		["pay", "to", to, "up", "to", largest] => {
			EvmAllow::Pay { to: who(to, address)?, largest: amount(largest)? }
		}
		["token", token, "to", to, "up", "to", largest] => EvmAllow::Token {
			token: address(token)?,
			to: who(to, address)?,
			largest: amount(largest)?,
		},
		["approve", token, "to", spender, "up", "to", largest] => EvmAllow::Approve {
			token: address(token)?,
			spender: address(spender)?,
			largest: amount(largest)?,
		},
		["call", selector, "to", to, "up", "to", largest] => EvmAllow::Call {
			selector: parse_selector(selector)?,
			to: address(to)?,
			largest: number(largest)?,
		},
		_ => return Ok(None),
	}))
}

fn parse_bitcoin_allow(words: &[&str], network: BitcoinNetwork) -> Result<Option<BitcoinAllow>> {
	Ok(Some(match words {
		["pay", "to", to, "up", "to", largest] => BitcoinAllow::Pay {
			to: who(to, |text| Ok(parse_bitcoin(text, network)?))?,
			largest: amount(largest)?,
		},
		["data"] => BitcoinAllow::Data,
		_ => return Ok(None),
	}))
}

fn parse_solana_allow(words: &[&str]) -> Result<Option<SolanaAllow>> {
	let address = |text: &str| Ok(parse_solana(text)?);
	Ok(Some(match words {
		["pay", "to", to, "up", "to", largest] => {
			SolanaAllow::Pay { to: who(to, address)?, largest: amount(largest)? }
		}
		["token", mint, "to", recipient @ .., "up", "to", largest] => {
			// The form before what it holds, as everywhere.
			if !matches!(recipient, ["anyone"] | ["wallet" | "account", _]) {
				return Ok(None);
			}
			let mint = address(mint)?;
			let to = match recipient {
				["wallet", wallet] => TokenRecipient::Wallet(address(wallet)?),
				["account", account] => TokenRecipient::Account(address(account)?),
				_ => TokenRecipient::Anyone,
			};
			SolanaAllow::Token { mint, to, largest: amount(largest)? }
		}
		["memo"] => SolanaAllow::Memo,
		["call", program] => SolanaAllow::Call { program: address(program)? },
		_ => return Ok(None),
	}))
}

/// A rule as text, which [`parse_rule`] reads back.
pub fn show_rule((id, rule): &(RuleId, Rule), bitcoin: BitcoinNetwork) -> String {
	let network = show_network(&rule.network());
	let allow = match rule {
		Rule::Evm { allow, .. } => match allow {
			EvmAllow::Pay { to, largest } => {
				format!("pay to {} up to {}", show_who(to, show_evm), show_amount(largest))
			}
			EvmAllow::Token { token, to, largest } => format!(
				"token {} to {} up to {}",
				show_evm(token),
				show_who(to, show_evm),
				show_amount(largest)
			),
			EvmAllow::Approve { token, spender, largest } => format!(
				"approve {} to {} up to {}",
				show_evm(token),
				show_evm(spender),
				show_amount(largest)
			),
			EvmAllow::Call { to, selector, largest } => {
				format!("call {} to {} up to {largest}", show_selector(selector), show_evm(to))
			}
		},
		Rule::Bitcoin { allow: BitcoinAllow::Pay { to, largest } } => {
			let to = show_who(to, |script| show_bitcoin(script, bitcoin));
			format!("pay to {to} up to {}", show_amount(largest))
		}
		Rule::Bitcoin { allow: BitcoinAllow::Data } => "data".into(),
		Rule::Solana { allow } => match allow {
			SolanaAllow::Pay { to, largest } => {
				format!("pay to {} up to {}", show_who(to, show_solana), show_amount(largest))
			}
			SolanaAllow::Token { mint, to, largest } => {
				let to = match to {
					TokenRecipient::Wallet(wallet) => format!("wallet {}", show_solana(wallet)),
					TokenRecipient::Account(account) => format!("account {}", show_solana(account)),
					TokenRecipient::Anyone => "anyone".into(),
				};
				format!("token {} to {to} up to {}", show_solana(mint), show_amount(largest))
			}
			SolanaAllow::Memo => "memo".into(),
			SolanaAllow::Call { program } => format!("call {}", show_solana(program)),
		},
	};
	format!("{id}: {network} {allow}")
}

/// Reads a fee: the network, and the most that is paid there for one transaction.
pub fn parse_fee(text: &str) -> Result<(Network, u128)> {
	let trimmed = text.trim_matches([' ', '\t']);
	let (network, largest) = trimmed
		.split_once('=')
		.ok_or_else(|| TextError::Malformed { given: quoted(text), form: FEE_FORM })?;
	Ok((parse_network(network)?, number(largest)?))
}

/// A fee as text, which [`parse_fee`] reads back.
pub fn show_fee((network, largest): &(Network, u128)) -> String {
	format!("{}={largest}", show_network(network))
}

fn parse_network(text: &str) -> Result<Network> {
	let chain = |id: &str| integer(id).filter(|chain| *chain != 0).map(Network::Evm);
	match (text, text.strip_prefix("evm:")) {
		("bitcoin", _) => Some(Network::Bitcoin),
		("solana", _) => Some(Network::Solana),
		(_, id) => id.and_then(chain),
	}
	.ok_or_else(|| TextError::InvalidNetwork(quoted(text)))
}

/// A network as text.
pub fn show_network(network: &Network) -> String {
	match network {
		Network::Evm(chain) => format!("evm:{chain}"),
		Network::Bitcoin => "bitcoin".into(),
		Network::Solana => "solana".into(),
	}
}

fn who<T>(text: &str, address: impl FnOnce(&str) -> Result<T>) -> Result<Who<T>> {
	match text {
		"anyone" => Ok(Who::Anyone),
		text => address(text).map(Who::Only),
	}
}

fn show_who<T>(who: &Who<T>, show: impl FnOnce(&T) -> String) -> String {
	match who {
		Who::Only(address) => show(address),
		Who::Anyone => "anyone".into(),
	}
}

/// Decimal digits, in one way: no sign, no leading zero.
fn integer<N: FromStr>(text: &str) -> Option<N> {
	let is_plain = text.bytes().all(|digit| digit.is_ascii_digit());
	let is_canonical = text == "0" || !text.starts_with('0');
	(is_plain && is_canonical).then(|| text.parse().ok()).flatten()
}

fn number<N: FromStr>(text: &str) -> Result<N> {
	integer(text).ok_or_else(|| invalid_amount::<N>(text, ""))
}

fn amount<N: FromStr>(text: &str) -> Result<Amount<N>> {
	match text {
		"any" => Ok(Amount::Any),
		text => {
			integer(text).map(Amount::UpTo).ok_or_else(|| invalid_amount::<N>(text, ", or `any`"))
		}
	}
}

fn invalid_amount<N>(text: &str, or_any: &str) -> TextError {
	let bits = size_of::<N>().saturating_mul(8);
	let wanted = format!("decimal digits without a leading zero, below 2^{bits}{or_any}");
	TextError::InvalidAmount { given: quoted(text), wanted }
}

fn show_amount<N: Display>(amount: &Amount<N>) -> String {
	match amount {
		Amount::UpTo(largest) => largest.to_string(),
		Amount::Any => "any".into(),
	}
}

fn parse_selector(text: &str) -> Result<Selector> {
	if text == "any" {
		return Ok(Selector::Any);
	}
	let mut selector = [0; 4];
	text.strip_prefix("0x")
		.and_then(|digits| hex::decode_to_slice(digits, &mut selector).ok())
		.ok_or_else(|| TextError::InvalidSelector(quoted(text)))?;
	Ok(Selector::Only(selector))
}

fn show_selector(selector: &Selector) -> String {
	match selector {
		Selector::Only(bytes) => format!("0x{}", hex::encode(bytes)),
		Selector::Any => "any".into(),
	}
}
