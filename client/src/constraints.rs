//! Constraints as a user writes them: flags or JSON in, JSON and words out.
//!
//! The JSON form, in which an architecture that is absent or `null` is switched off:
//!
//! ```json
//! {
//!   "evmAcl": { "kind": "allow", "addresses": ["0x…40 hex digits"], "allowNullRecipient": false },
//!   "btcAcl": { "kind": "deny", "addresses": ["64 hex digits"] }
//! }
//! ```

use keyshare_primitives::{Acl, AclKind, Constraints};
use serde::{Deserialize, Serialize};
use sp_crypto_hashing::keccak_256;
use std::collections::BTreeSet;

/// What is wrong with constraints.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConstraintsInputError {
	/// Not an EVM address.
	#[error("`{0}` is no EVM address: it must be 0x and 40 hex digits")]
	NotEvm(String),
	/// A mixed-case EVM address with a wrong checksum.
	#[error(
		"`{given}` has a wrong checksum (EIP-55): is it mistyped? In lower case it is not checked"
	)]
	Checksum {
		/// The address as it was given.
		given: String,
	},
	/// Not a Bitcoin target.
	#[error(
		"`{0}` is no Bitcoin recipient: it must be the 64 hex digits of a script hash or of a \
		 taproot output key, not an address like bc1…"
	)]
	NotBtc(String),
	/// The same address twice.
	#[error("`{0}` is listed twice")]
	Duplicate(String),
	/// A list that is too long for the chain.
	#[error("{given} {architecture} addresses are too many: this chain allows {max} in a list")]
	TooMany {
		/// `EVM` or `Bitcoin`.
		architecture: &'static str,
		/// How many there are.
		given: usize,
		/// How many there may be.
		max: u32,
	},
	/// A flag that changes nothing.
	#[error("--{architecture}-null-recipient needs a list: --{architecture}-allow or --{architecture}-deny")]
	NullRecipientAlone {
		/// `evm` or `btc`.
		architecture: &'static str,
	},
	/// JSON of another shape.
	#[error("the constraints are no JSON of the expected shape: {0}")]
	Json(String),
}

type Result<T> = std::result::Result<T, ConstraintsInputError>;

/// One list as flags give it: at most one of `allow` and `deny` has entries.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ListInput {
	/// The only recipients allowed.
	pub allow: Vec<String>,
	/// The recipients denied.
	pub deny: Vec<String>,
	/// Whether a transaction without a recipient is allowed.
	pub null_recipient: bool,
}

/// Constraints from the two lists' flags.
pub fn from_lists(evm: &ListInput, btc: &ListInput) -> Result<Constraints> {
	Ok(Constraints {
		evm_acl: list("evm", evm)?.map(|acl| read_list(acl, parse_evm)).transpose()?,
		btc_acl: list("btc", btc)?.map(|acl| read_list(acl, parse_btc)).transpose()?,
	})
}

/// Constraints from JSON: see the module's documentation.
pub fn from_json(json: &str) -> Result<Constraints> {
	let wrong = |error: serde_json::Error| ConstraintsInputError::Json(error.to_string());
	// An object by all means: serde reads an array as the fields in order, and `[]` as none.
	let object: serde_json::Map<_, _> = serde_json::from_str(json).map_err(wrong)?;
	let read: ConstraintsJson = serde_json::from_value(object.into()).map_err(wrong)?;
	Ok(Constraints {
		evm_acl: read.evm_acl.map(|acl| read_list(acl, parse_evm)).transpose()?,
		btc_acl: read.btc_acl.map(|acl| read_list(acl, parse_btc)).transpose()?,
	})
}

/// Checks that no list is longer than the chain allows.
pub fn check_length(constraints: &Constraints, max: u32) -> Result<()> {
	let lengths = [
		("EVM", constraints.evm_acl.as_ref().map_or(0, |acl| acl.addresses.len())),
		("Bitcoin", constraints.btc_acl.as_ref().map_or(0, |acl| acl.addresses.len())),
	];
	match lengths.into_iter().find(|(_, given)| *given as u64 > u64::from(max)) {
		Some((architecture, given)) => {
			Err(ConstraintsInputError::TooMany { architecture, given, max })
		}
		None => Ok(()),
	}
}

/// The JSON form of constraints, which [`from_json`] reads back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConstraintsJson {
	/// Recipients on EVM chains; absent or null when they are switched off.
	#[serde(default)]
	pub evm_acl: Option<AclJson>,
	/// Recipients on Bitcoin; absent or null when it is switched off.
	#[serde(default)]
	pub btc_acl: Option<AclJson>,
}

/// One list in JSON.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AclJson {
	/// `allow` or `deny`.
	pub kind: AclKind,
	/// `0x` and 40 (EVM) or 64 (Bitcoin) hex digits.
	pub addresses: Vec<String>,
	/// Whether a transaction without a recipient is allowed; false when absent.
	#[serde(default)]
	pub allow_null_recipient: bool,
}

impl From<&Constraints> for ConstraintsJson {
	fn from(constraints: &Constraints) -> Self {
		Self {
			evm_acl: constraints.evm_acl.as_ref().map(AclJson::from),
			btc_acl: constraints.btc_acl.as_ref().map(AclJson::from),
		}
	}
}

impl<const N: usize> From<&Acl<Vec<[u8; N]>>> for AclJson {
	fn from(acl: &Acl<Vec<[u8; N]>>) -> Self {
		Self {
			kind: acl.kind,
			addresses: acl.addresses.iter().map(|address| to_hex(address)).collect(),
			allow_null_recipient: acl.allow_null_recipient,
		}
	}
}

/// Constraints in words, one line an architecture.
pub fn in_words(constraints: &Constraints) -> String {
	format!(
		"EVM: {}\nBitcoin: {}",
		acl_in_words(&constraints.evm_acl),
		acl_in_words(&constraints.btc_acl)
	)
}

fn acl_in_words<const N: usize>(acl: &Option<Acl<Vec<[u8; N]>>>) -> String {
	let Some(acl) = acl else { return "switched off".into() };
	let addresses: Vec<_> = acl.addresses.iter().map(|address| to_hex(address)).collect();
	let null = if acl.allow_null_recipient { "allowed" } else { "not allowed" };
	let recipients = match (acl.kind, addresses.is_empty()) {
		(AclKind::Allow, true) => "no recipient is allowed".into(),
		(AclKind::Allow, false) => format!("only {} allowed", addresses.join(", ")),
		(AclKind::Deny, true) => "every recipient is allowed".into(),
		(AclKind::Deny, false) => format!("all but {} allowed", addresses.join(", ")),
	};
	format!("{recipients}; without a recipient: {null}")
}

fn list(architecture: &'static str, input: &ListInput) -> Result<Option<AclJson>> {
	let (kind, addresses) = match (input.allow.is_empty(), input.deny.is_empty()) {
		(true, true) if input.null_recipient => {
			return Err(ConstraintsInputError::NullRecipientAlone { architecture })
		}
		(true, true) => return Ok(None),
		(false, _) => (AclKind::Allow, input.allow.clone()),
		(true, false) => (AclKind::Deny, input.deny.clone()),
	};
	Ok(Some(AclJson { kind, addresses, allow_null_recipient: input.null_recipient }))
}

fn read_list<A: Ord + Copy>(json: AclJson, parse: fn(&str) -> Result<A>) -> Result<Acl<Vec<A>>> {
	let mut seen = BTreeSet::new();
	let mut addresses = Vec::with_capacity(json.addresses.len());
	for text in &json.addresses {
		let address = parse(text)?;
		if !seen.insert(address) {
			return Err(ConstraintsInputError::Duplicate(quoted(text)));
		}
		addresses.push(address);
	}
	Ok(Acl { kind: json.kind, addresses, allow_null_recipient: json.allow_null_recipient })
}

fn parse_evm(text: &str) -> Result<[u8; 20]> {
	let wrong = || ConstraintsInputError::NotEvm(quoted(text));
	let digits = text.strip_prefix("0x").ok_or_else(wrong)?;
	let mut address = [0; 20];
	hex::decode_to_slice(digits, &mut address).map_err(|_| wrong())?;
	let mixed = digits.contains(|c: char| c.is_ascii_lowercase())
		&& digits.contains(|c: char| c.is_ascii_uppercase());
	if mixed && digits != eip55(&address) {
		return Err(ConstraintsInputError::Checksum { given: quoted(text) });
	}
	Ok(address)
}

/// The digits of an address in the case that EIP-55 gives them: upper where the Keccak-256 of the
/// lower-case digits has a nibble of eight or more.
fn eip55(address: &[u8; 20]) -> String {
	let lower = hex::encode(address);
	let hash = keccak_256(lower.as_bytes());
	let nibbles = hash.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
	lower
		.chars()
		.zip(nibbles)
		.map(|(digit, nibble)| if nibble >= 8 { digit.to_ascii_uppercase() } else { digit })
		.collect()
}

fn parse_btc(text: &str) -> Result<[u8; 32]> {
	let mut address = [0; 32];
	hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), &mut address)
		.map_err(|_| ConstraintsInputError::NotBtc(quoted(text)))?;
	Ok(address)
}

fn to_hex(bytes: &[u8]) -> String {
	format!("0x{}", hex::encode(bytes))
}

/// What an error may repeat of the input: printable, and not too long.
fn quoted(text: &str) -> String {
	text.chars().take(80).filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
	use super::*;
	use ConstraintsInputError as E;

	/// From EIP-55's own examples.
	const CHECKSUMMED: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";

	fn evm(allow: &[&str], deny: &[&str], null_recipient: bool) -> Result<Constraints> {
		let strings = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
		let evm = ListInput { allow: strings(allow), deny: strings(deny), null_recipient };
		from_lists(&evm, &ListInput::default())
	}

	#[test]
	fn flags_become_lists() {
		let address = [0x11; 20];
		let text = to_hex(&address);
		let allowed = evm(&[&text], &[], true).expect("valid").evm_acl;
		let expected =
			Acl { kind: AclKind::Allow, addresses: vec![address], allow_null_recipient: true };
		assert_eq!(allowed, Some(expected.clone()));
		let denied = evm(&[], &[&text], false).expect("valid").evm_acl;
		assert_eq!(
			denied,
			Some(Acl { kind: AclKind::Deny, allow_null_recipient: false, ..expected })
		);
		assert_eq!(evm(&[], &[], false), Ok(Constraints::default()));

		let btc = ListInput { deny: vec!["22".repeat(32)], ..Default::default() };
		let constraints = from_lists(&ListInput::default(), &btc).expect("valid");
		assert_eq!(constraints.btc_acl.map(|acl| acl.addresses), Some(vec![[0x22; 32]]));
		assert_eq!(constraints.evm_acl, None);
	}

	#[test]
	fn each_wrong_input_has_its_own_error() {
		for bad in ["", "0x", "5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", "0x11", "vitalik.eth"] {
			assert_eq!(evm(&[bad], &[], false), Err(E::NotEvm(bad.into())));
		}
		let btc = |text: &str| {
			let list = ListInput { allow: vec![text.into()], ..Default::default() };
			from_lists(&ListInput::default(), &list)
		};
		for bad in ["bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", "0x11", &"2".repeat(63)] {
			assert_eq!(btc(bad), Err(E::NotBtc(bad.into())));
		}
		let twice = to_hex(&[0x11; 20]);
		assert_eq!(evm(&[&twice, &twice], &[], false), Err(E::Duplicate(twice.clone())));
		// The same address in another case is the same address.
		let (lower, upper) =
			("0x".to_owned() + &"ab".repeat(20), "0x".to_owned() + &"AB".repeat(20));
		assert_eq!(evm(&[&lower, &upper], &[], false), Err(E::Duplicate(upper)));
		assert_eq!(evm(&[], &[], true), Err(E::NullRecipientAlone { architecture: "evm" }));
	}

	#[test]
	fn a_mixed_case_address_carries_a_checksum() {
		assert!(evm(&[CHECKSUMMED], &[], false).is_ok());
		assert!(evm(&[&CHECKSUMMED.to_lowercase()], &[], false).is_ok());
		let mistyped = CHECKSUMMED.replace("5aA", "5Aa");
		assert_eq!(evm(&[&mistyped], &[], false), Err(E::Checksum { given: mistyped.clone() }));
	}

	#[test]
	fn json_is_read_back_as_written() {
		let constraints = Constraints {
			evm_acl: Some(Acl {
				kind: AclKind::Deny,
				addresses: vec![[1; 20], [2; 20]],
				allow_null_recipient: true,
			}),
			btc_acl: Some(Acl {
				kind: AclKind::Allow,
				addresses: vec![],
				allow_null_recipient: false,
			}),
		};
		let json = serde_json::to_string(&ConstraintsJson::from(&constraints)).expect("plain data");
		assert_eq!(from_json(&json), Ok(constraints));
		assert_eq!(from_json("{}"), Ok(Constraints::default()));
		let short = r#"{"btcAcl":{"kind":"deny","addresses":[]},"evmAcl":null}"#;
		let btc = from_json(short).expect("valid").btc_acl.expect("there");
		assert_eq!((btc.kind, btc.allow_null_recipient), (AclKind::Deny, false));
	}

	#[test]
	fn json_of_another_shape_is_refused() {
		for bad in [
			"",
			"[]",
			r#"{"evm":null}"#,
			r#"{"evmAcl":{"addresses":[]}}"#,
			r#"{"evmAcl":{"kind":"permit","addresses":[]}}"#,
			r#"{"evmAcl":{"kind":"allow","addresses":[],"extra":1}}"#,
		] {
			assert!(matches!(from_json(bad), Err(E::Json(_))), "{bad}");
		}
		let bad = r#"{"evmAcl":{"kind":"allow","addresses":["0x1"]}}"#;
		assert_eq!(from_json(bad), Err(E::NotEvm("0x1".into())));
	}

	#[test]
	fn lists_are_measured_against_the_chain() {
		let two = evm(&[&to_hex(&[1; 20]), &to_hex(&[2; 20])], &[], false).expect("valid");
		assert_eq!(check_length(&two, 2), Ok(()));
		assert_eq!(
			check_length(&two, 1),
			Err(E::TooMany { architecture: "EVM", given: 2, max: 1 })
		);
	}

	#[test]
	fn words_say_what_is_switched_off() {
		let words = in_words(&Constraints::default());
		assert_eq!(words, "EVM: switched off\nBitcoin: switched off");
		let one = evm(&[CHECKSUMMED], &[], true).expect("valid");
		let words = in_words(&one);
		assert!(words.contains(&CHECKSUMMED.to_lowercase()), "{words}");
		assert!(words.contains("without a recipient: allowed"), "{words}");
	}
}
