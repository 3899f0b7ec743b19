//! Rules, fees and messages put together: from options or a file, checked as the chain checks them and
//! for what nobody could use.

use crate::{
	quoted,
	recipient::BitcoinNetwork,
	text::{parse_fee, parse_rule, show_fee, show_network, show_rule, TextError},
};
use keyshare_primitives::{
	constraints::{
		ConstraintsError, ConstraintsV2, Messages, Network, Rule, RuleId, MAX_FEES, MAX_RULES,
	},
	Constraints, KeyScheme,
};
use serde::{
	de::{Error as _, MapAccess, Visitor},
	Deserialize, Deserializer, Serialize,
};
use std::fmt;

/// Constraints as text: the file of constraints, and what is shown of them.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct ConstraintsText {
	/// The rules.
	pub rules: Vec<String>,
	/// The fees.
	pub fees: Vec<String>,
	/// The messages.
	pub messages: MessagesText,
}

/// [`Messages`] as text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
// Read from a string: a variant alone would be taken as an object with its name too.
#[serde(rename_all = "lowercase", try_from = "String")]
pub enum MessagesText {
	/// None.
	#[default]
	Never,
	/// Those that cannot be taken for a transaction.
	Prefixed,
	/// Any.
	Any,
}

impl TryFrom<String> for MessagesText {
	type Error = &'static str;

	fn try_from(text: String) -> std::result::Result<Self, Self::Error> {
		match text.as_str() {
			"never" => Ok(Self::Never),
			"prefixed" => Ok(Self::Prefixed),
			"any" => Ok(Self::Any),
			_ => Err("`messages` is \"never\", \"prefixed\" or \"any\""),
		}
	}
}

impl From<MessagesText> for Messages {
	fn from(text: MessagesText) -> Self {
		match text {
			MessagesText::Never => Self::Never,
			MessagesText::Prefixed => Self::Prefixed,
			MessagesText::Any => Self::Any,
		}
	}
}

impl From<Messages> for MessagesText {
	fn from(messages: Messages) -> Self {
		match messages {
			Messages::Never => Self::Never,
			Messages::Prefixed => Self::Prefixed,
			Messages::Any => Self::Any,
		}
	}
}

/// What is wrong with constraints.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConstraintsInputError {
	/// Bytes that are not UTF-8.
	#[error("the constraints are no text in UTF-8: save the file in that encoding")]
	NotUtf8,
	/// Not JSON, or JSON of another shape.
	#[error("the constraints are no JSON of the expected shape: {message} (line {line}, column {column})")]
	Json {
		/// What is wrong.
		message: String,
		/// The line, from 1.
		line: usize,
		/// The column, from 1.
		column: usize,
	},
	/// A rule cannot be read.
	#[error("rules[{index}]: {error}")]
	Rule {
		/// Which, from 0.
		index: usize,
		/// Why.
		error: TextError,
	},
	/// A fee cannot be read.
	#[error("fees[{index}]: {error}")]
	Fee {
		/// Which, from 0.
		index: usize,
		/// Why.
		error: TextError,
	},
	/// Two rules have one id.
	#[error("rules[{index}]: the id {id} is there already: give each rule its own")]
	RepeatedId {
		/// Which is the second, from 0.
		index: usize,
		/// The id.
		id: RuleId,
	},
	/// A network has two fees.
	#[error("fees[{index}]: {network} has a fee already: leave one of them out")]
	RepeatedFee {
		/// Which is the second, from 0.
		index: usize,
		/// The network.
		network: String,
	},
	/// The chain would refuse them.
	#[error("{}", refused(*.error, *.scheme))]
	Refused {
		/// Why.
		error: ConstraintsError,
		/// The key's scheme.
		scheme: KeyScheme,
	},
	/// Rules that nobody could use.
	#[error("{}", missing_fee(.networks))]
	MissingFee {
		/// The networks that have rules and no fee.
		networks: Vec<String>,
	},
}

fn missing_fee(networks: &[String]) -> String {
	let fees: Vec<_> = networks.iter().map(|network| format!("{network}=…")).collect();
	format!(
		"there are rules for {}, and no largest fee: nothing would be signed there. Add the fee {}",
		networks.join(", "),
		fees.join(", ")
	)
}

fn refused(error: ConstraintsError, scheme: KeyScheme) -> String {
	use ConstraintsError as E;
	match error {
		E::TooManyRules => format!("there are too many rules: at most {MAX_RULES} are allowed"),
		E::TooManyFees => format!("there are too many fees: at most {MAX_FEES} are allowed"),
		E::ReservedClause => "there is a clause, and none exists yet".into(),
		E::InvalidChainId => "an EVM chain's id is never 0".into(),
		E::InvalidScript => "no address stands for a Bitcoin script: only P2PKH, P2SH and witness \
			programs can be recipients"
			.into(),
		E::SchemeMismatch => match scheme {
			KeyScheme::Ed25519 => {
				"an Ed25519 key is used on Solana: leave out rules and fees of EVM chains and Bitcoin"
			}
			KeyScheme::Secp256k1 => {
				"a secp256k1 key is used on EVM chains and Bitcoin: leave out rules and fees of Solana"
			}
		}
		.into(),
		E::RulesOutOfOrder => "the rules' ids do not ascend".into(),
		E::FeesOutOfOrder => "the fees' networks do not ascend".into(),
		E::RepeatedRule => {
			"two rules differ only in id or amount: leave one of them out".into()
		}
	}
}

type Result<T> = std::result::Result<T, ConstraintsInputError>;

impl ConstraintsText {
	/// Constraints as text.
	pub fn new(constraints: &Constraints, bitcoin: BitcoinNetwork) -> Self {
		let Constraints::V2(ConstraintsV2 { rules, fees, messages, .. }) = constraints;
		Self {
			rules: rules.iter().map(|rule| show_rule(rule, bitcoin)).collect(),
			fees: fees.iter().map(show_fee).collect(),
			messages: (*messages).into(),
		}
	}

	/// Reads a file of constraints.
	pub fn from_file(bytes: &[u8]) -> Result<Self> {
		let text = std::str::from_utf8(bytes).map_err(|_| ConstraintsInputError::NotUtf8)?;
		// Some editors write a byte order mark, which RFC 8259 lets a reader pass over.
		let text = text.strip_prefix('\u{feff}').unwrap_or(text);
		serde_json::from_str(text).map_err(|error| {
			let (line, column) = (error.line(), error.column());
			// The place is told apart.
			let message = error.to_string();
			let message = message.split(" at line ").next().unwrap_or(&message).to_owned();
			ConstraintsInputError::Json { message: quoted(&message), line, column }
		})
	}

	/// The constraints that the text stands for, checked for a key of `scheme`.
	pub fn read(&self, scheme: KeyScheme, bitcoin: BitcoinNetwork) -> Result<Constraints> {
		let mut rules = self.rules(bitcoin)?;
		let mut fees = self.fees()?;
		if let Some((index, (id, _))) = repeated(&rules) {
			return Err(ConstraintsInputError::RepeatedId { index, id: *id });
		}
		if let Some((index, (network, _))) = repeated(&fees) {
			let network = show_network(network);
			return Err(ConstraintsInputError::RepeatedFee { index, network });
		}
		rules.sort_unstable_by_key(|(id, _)| *id);
		fees.sort_unstable_by_key(|(network, _)| *network);
		let messages = self.messages.into();
		let version2 = ConstraintsV2 { rules, fees, messages, clauses: Vec::new() };
		let checked = Constraints::V2(version2)
			.check(scheme)
			.map_err(|error| ConstraintsInputError::Refused { error, scheme })?
			.into_inner();
		refuse_missing_fee(&checked)?;
		Ok(checked)
	}

	fn rules(&self, bitcoin: BitcoinNetwork) -> Result<Vec<(RuleId, Rule)>> {
		let read = |(index, text): (usize, &String)| {
			parse_rule(text, bitcoin).map_err(|error| ConstraintsInputError::Rule { index, error })
		};
		self.rules.iter().enumerate().map(read).collect()
	}

	fn fees(&self) -> Result<Vec<(Network, u128)>> {
		let read = |(index, text): (usize, &String)| {
			parse_fee(text).map_err(|error| ConstraintsInputError::Fee { index, error })
		};
		self.fees.iter().enumerate().map(read).collect()
	}
}

/// The first entry whose key an earlier one has.
fn repeated<K: PartialEq, V>(entries: &[(K, V)]) -> Option<(usize, &(K, V))> {
	let is_repeated = |(index, (key, _)): &(usize, &(K, V))| {
		entries.iter().take(*index).any(|(earlier, _)| earlier == key)
	};
	entries.iter().enumerate().find(is_repeated)
}

fn refuse_missing_fee(constraints: &Constraints) -> Result<()> {
	let Constraints::V2(ConstraintsV2 { rules, fees, .. }) = constraints;
	let has_fee = |wanted: &Network| fees.iter().any(|(network, _)| network == wanted);
	let mut missing: Vec<_> =
		rules.iter().map(|(_, rule)| rule.network()).filter(|network| !has_fee(network)).collect();
	missing.sort_unstable();
	missing.dedup();
	if missing.is_empty() {
		return Ok(());
	}
	let networks = missing.iter().map(show_network).collect();
	Err(ConstraintsInputError::MissingFee { networks })
}

const MEMBERS: &[&str] = &["rules", "fees", "messages"];

/// By hand, since what is derived takes an array for an object.
impl<'de> Deserialize<'de> for ConstraintsText {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
		deserializer.deserialize_map(Members)
	}
}

struct Members;

impl<'de> Visitor<'de> for Members {
	type Value = ConstraintsText;

	fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
		f.write_str("an object with rules, fees and messages")
	}

	fn visit_map<A: MapAccess<'de>>(
		self,
		mut map: A,
	) -> std::result::Result<Self::Value, A::Error> {
		let (mut rules, mut fees, mut messages) = (None, None, None);
		while let Some(name) = map.next_key::<String>()? {
			match name.as_str() {
				"rules" if rules.is_none() => rules = Some(map.next_value()?),
				"fees" if fees.is_none() => fees = Some(map.next_value()?),
				"messages" if messages.is_none() => messages = Some(map.next_value()?),
				"rules" | "fees" | "messages" => {
					return Err(A::Error::custom(format!("`{name}` is there twice")))
				}
				_ => return Err(A::Error::unknown_field(&quoted(&name), MEMBERS)),
			}
		}
		Ok(ConstraintsText {
			rules: rules.ok_or_else(|| A::Error::missing_field("rules"))?,
			fees: fees.ok_or_else(|| A::Error::missing_field("fees"))?,
			messages: messages.ok_or_else(|| A::Error::missing_field("messages"))?,
		})
	}
}
