//! Vectors of constraints as people write them. The SDK's tests read the same files.

use codec::{Decode, Encode};
use keyshare_constraints::{
	addresses,
	recipient::{
		parse_bitcoin, parse_evm, parse_solana, show_bitcoin, show_evm, show_solana, BitcoinNetwork,
	},
	text::{parse_fee, parse_rule, show_fee, show_rule},
	warnings, ConstraintsInputError, ConstraintsText, TextError,
};
use keyshare_primitives::{
	constraints::{ConstraintsV2, Network, Rule, RuleId},
	Constraints, Element, KeyScheme,
};
use serde::{de::DeserializeOwned, Deserialize};
use std::{collections::BTreeMap, fmt::Debug, path::PathBuf};

fn read<T: DeserializeOwned>(name: &str) -> T {
	// A path known when compiling would be another checkout's: they share the build folder.
	let folder = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests");
	let path = PathBuf::from(folder).join("../primitives/vectors").join(name);
	let text = std::fs::read_to_string(path).expect("the vectors are there");
	serde_json::from_str(&text).expect("the vectors have this shape")
}

fn bytes(hex0x: &str) -> Vec<u8> {
	hex::decode(hex0x.trim_start_matches("0x")).expect("hex")
}

fn network(name: Option<&str>) -> BitcoinNetwork {
	match name {
		None | Some("mainnet") => BitcoinNetwork::Mainnet,
		Some("testnet") => BitcoinNetwork::Testnet,
		Some("regtest") => BitcoinNetwork::Regtest,
		Some(other) => panic!("{other}"),
	}
}

/// The name of an error or warning: its variant's.
fn name(of: &impl Debug) -> String {
	format!("{of:?}").chars().take_while(char::is_ascii_alphanumeric).collect()
}

fn name_of_text(error: &TextError) -> String {
	match error {
		TextError::Recipient(error) => name(error),
		error => name(error),
	}
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RecipientCase {
	kind: String,
	chain: Option<u64>,
	bitcoin_network: Option<String>,
	name: String,
	address: String,
	bytes: Option<String>,
	shown: Option<String>,
	error: Option<String>,
}

#[test]
fn recipients_are_read_and_shown_alike() {
	let cases: Vec<RecipientCase> = read("recipients.json");
	for case in &cases {
		let (bitcoin, text) = (network(case.bitcoin_network.as_deref()), case.address.as_str());
		let outcome = match case.kind.as_str() {
			"evm" => parse_evm(text, case.chain.expect("a chain"))
				.map(|address| (address.to_vec(), show_evm(&address))),
			"bitcoin" => parse_bitcoin(text, bitcoin)
				.map(|script| (script.to_vec(), show_bitcoin(&script, bitcoin))),
			"solana" => parse_solana(text).map(|address| (address.to_vec(), show_solana(&address))),
			other => panic!("{other}"),
		};
		let expected = match &case.error {
			Some(error) => Err(error.clone()),
			None => Ok((
				bytes(case.bytes.as_deref().expect("bytes")),
				case.shown.clone().expect("shown"),
			)),
		};
		assert_eq!(outcome.map_err(|error| name(&error)), expected, "{}: {text}", case.name);
	}
	assert!(cases.iter().any(|case| case.error.is_some()));
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TextCase {
	name: Option<String>,
	text: String,
	scheme: Option<KeyScheme>,
	bitcoin_network: Option<String>,
	encoded: Option<String>,
	shown: Option<String>,
	warnings: Option<Vec<String>>,
	error: Option<String>,
}

#[derive(Deserialize)]
struct TextCases {
	rules: Vec<TextCase>,
	fees: Vec<TextCase>,
}

fn check_text<T: Encode + Decode>(
	case: &TextCase,
	parsed: Result<T, TextError>,
	show: impl Fn(&T) -> String,
) {
	let outcome = parsed.map(|value| value.encode()).map_err(|error| name_of_text(&error));
	let expected = match (&case.encoded, &case.error) {
		(Some(encoded), None) => Ok(bytes(encoded)),
		(None, Some(error)) => Err(error.clone()),
		_ => panic!("{}: either of both", case.text),
	};
	assert_eq!(outcome, expected, "{:?}: {}", case.name, case.text);
	if let Ok(encoded) = expected {
		let value = T::decode(&mut encoded.as_slice()).expect("an encoding");
		assert_eq!(&show(&value), case.shown.as_ref().unwrap_or(&case.text));
	}
}

#[test]
fn rules_and_fees_are_read_and_shown_alike() {
	let TextCases { rules, fees } = read("rules.json");
	for case in &rules {
		let bitcoin = network(case.bitcoin_network.as_deref());
		let show = |rule: &(RuleId, Rule)| show_rule(rule, bitcoin);
		let parsed = parse_rule(&case.text, bitcoin);
		if let Ok((id, rule)) = &parsed {
			let scheme = case.scheme.expect("a scheme");
			assert_eq!(rule.network().scheme(), scheme, "{}", case.text);
			let version2 = ConstraintsV2 { rules: vec![(*id, rule.clone())], ..Default::default() };
			let warned = warnings(&Constraints::V2(version2), scheme);
			let names: Vec<_> = warned.iter().map(|(_, warning)| name(warning)).collect();
			assert_eq!(Some(&names), case.warnings.as_ref(), "{}", case.text);
			assert!(warned.iter().all(|(of, _)| *of == Some(*id)));
		}
		check_text(case, parsed, show);
	}
	for case in &fees {
		let show = |fee: &(Network, u128)| show_fee(fee);
		check_text(case, parse_fee(&case.text), show);
	}
	for cases in [rules, fees] {
		assert!(cases.iter().any(|case| case.error.is_some()));
		assert!(cases.iter().any(|case| case.error.is_none()));
	}
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileCase {
	name: String,
	scheme: KeyScheme,
	text: Option<String>,
	bytes: Option<String>,
	encoded: Option<String>,
	error: Option<String>,
	line: Option<usize>,
	place: Option<String>,
}

#[test]
fn files_of_constraints_are_read_alike() {
	let cases: Vec<FileCase> = read("constraint-files.json");
	for case in &cases {
		let bytes_of_file = match (&case.text, &case.bytes) {
			(Some(text), None) => text.clone().into_bytes(),
			(None, Some(hex)) => bytes(hex),
			_ => panic!("{}: either of both", case.name),
		};
		let read = ConstraintsText::from_file(&bytes_of_file)
			.and_then(|text| text.read(case.scheme, BitcoinNetwork::Mainnet));
		match (read, &case.encoded) {
			(Ok(constraints), Some(encoded)) => {
				assert_eq!(constraints.encode(), bytes(encoded), "{}", case.name);
				let shown = ConstraintsText::new(&constraints, BitcoinNetwork::Mainnet);
				let json = serde_json::to_vec(&shown).expect("plain data");
				let again = ConstraintsText::from_file(&json).expect("what was shown");
				let again = again.read(case.scheme, BitcoinNetwork::Mainnet);
				assert_eq!(again, Ok(constraints), "{}", case.name);
			}
			(Err(error), None) => {
				assert_eq!(Some(told(&error)), case.error, "{}: {error}", case.name);
				if let (ConstraintsInputError::Json { line, .. }, Some(_)) = (&error, case.line) {
					assert_eq!(Some(*line), case.line, "{}: {error}", case.name);
				}
				if let Some(place) = &case.place {
					assert!(error.to_string().starts_with(place), "{}: {error}", case.name);
				}
			}
			(read, _) => panic!("{}: {read:?}", case.name),
		}
	}
	let places = cases.iter().filter(|case| case.line.is_some() || case.place.is_some());
	assert!(places.count() > 20 && cases.iter().any(|case| case.encoded.is_some()));
}

fn told(error: &ConstraintsInputError) -> String {
	match error {
		ConstraintsInputError::Rule { error, .. } | ConstraintsInputError::Fee { error, .. } => {
			name_of_text(error)
		}
		ConstraintsInputError::Refused { error, .. } => name(error),
		error => name(error),
	}
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RefusalCase {
	name: String,
	scheme: KeyScheme,
	encoded: String,
	error: Option<String>,
}

#[test]
fn what_the_chain_refuses_is_refused_alike() {
	let cases: Vec<RefusalCase> = read("refusals.json");
	for case in &cases {
		let encoded = bytes(&case.encoded);
		let constraints = Constraints::decode(&mut encoded.as_slice()).expect(&case.name);
		let refusal = constraints.check(case.scheme).err().map(|error| name(&error));
		assert_eq!(refusal, case.error, "{}", case.name);
	}
	assert!(cases.iter().any(|case| case.error.is_some()));
	assert!(cases.iter().any(|case| case.error.is_none()));
}

#[test]
fn what_is_missing_is_named() {
	let rules = ["1: evm:137 pay to anyone up to 1", "2: bitcoin data"].map(String::from).to_vec();
	let text = ConstraintsText { rules, ..Default::default() };
	let error = text.read(KeyScheme::Secp256k1, BitcoinNetwork::Mainnet).expect_err("no fees");
	let message = error.to_string();
	assert!(message.contains("evm:137=…, bitcoin=…"), "{message}");
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AddressCase {
	name: String,
	scheme: KeyScheme,
	public_key: String,
	addresses: BTreeMap<String, String>,
}

#[test]
fn a_public_key_has_the_same_addresses_everywhere() {
	let cases: Vec<AddressCase> = read("addresses.json");
	for case in &cases {
		let key = bytes(&case.public_key);
		let key = match case.scheme {
			KeyScheme::Ed25519 => Element::Ed25519(key.try_into().expect("32 bytes")),
			KeyScheme::Secp256k1 => Element::Secp256k1(key.try_into().expect("33 bytes")),
		};
		let shown = addresses(&key, BitcoinNetwork::Mainnet).into_iter().map(|(kind, address)| {
			let kind = match kind {
				"Solana" => "solana",
				"EVM" => "evm",
				"Bitcoin P2TR" => "p2tr",
				"Bitcoin P2WPKH" => "p2wpkh",
				other => panic!("{other}"),
			};
			(kind.to_owned(), address)
		});
		assert_eq!(shown.collect::<BTreeMap<_, _>>(), case.addresses, "{}", case.name);
	}
	assert!(cases.len() > 5);
	let none = addresses(&Element::Secp256k1([5; 33]), BitcoinNetwork::Mainnet);
	assert!(none.is_empty(), "no public key");
}
