//! What people keep keys in besides key files, told by its looks alone, and what to do with it. It
//! is still somebody's secret: it is never quoted.

use super::KeyFileError;
use crate::secret::is_base58;

/// What is said of bytes that are no text.
pub(super) const BINARY: (&str, &str) =
	("is no text in UTF-8", "of 32 bytes as they are, `xxd -p -c 32 FILE` makes 64 hex digits");

const BASE58: &str =
	"under \"Key files\" the README has the command that makes 64 hex digits of it";
const ONE_OF_MANY: &str = "many keys are made of it: have your wallet show the private key of the \
                           one account, and write its 64 hex digits";
const NO_PUBLIC_KEY: &str = "give the private key, as 64 hex digits";
/// Expanded Ed25519 keys have 64 bytes as well, and their first half is no seed.
const PAIR: &str = "only if these are an Ed25519 seed and then its public key, write the first 64 \
                    alone; `keyshare key inspect` must then show the last 64 as the public key";

/// Says what `text` is instead of a key.
pub(super) fn refuse(text: &str) -> KeyFileError {
	let mut forms = files(text).into_iter().chain(digits(text)).chain(encodings(text)).chain([
		(
			!text.is_ascii(),
			"has characters that belong to no key, some of which may be invisible",
			"write the line anew",
		),
		(text.lines().count() > 1, "has several lines", "write the 64 hex digits on one"),
	]);
	match forms.find(|(is_this, ..)| *is_this) {
		Some((_, what, advice)) => KeyFileError::OtherForm { what, advice },
		None => KeyFileError::NotAKey,
	}
}

/// Whether it is this form, what it is, and what to do.
type Form = (bool, &'static str, &'static str);

/// Forms that hold more than a key.
fn files(text: &str) -> [Form; 12] {
	let is_phrase = matches!(text.split_whitespace().count(), 12 | 15 | 18 | 21 | 24)
		&& text.chars().all(|c| c.is_alphabetic() || c.is_whitespace());
	// Beside xprv there are yprv, zprv, tprv and others, by the kind of address and the network.
	let is_extended =
		text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.get(1..4) == Some("prv");
	let is_setting = text.split_once('=').is_some_and(|(name, value)| {
		let name = name.strip_prefix("export ").unwrap_or(name).trim();
		!name.is_empty()
			&& name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
			&& !matches!(value, "" | "=")
	});
	[
		(text.chars().any(|c| c.is_control() && !c.is_whitespace()), BINARY.0, BINARY.1),
		(
			text.contains("-----BEGIN OPENSSH PRIVATE KEY"),
			"is a key of SSH, which this tool does not take",
			"give a key that signs transactions, as 64 hex digits",
		),
		(
			text.starts_with("ssh-")
				|| (text.contains("PUBLIC KEY-----") && !text.contains("PRIVATE KEY-----")),
			"is a public key, and not the private one",
			NO_PUBLIC_KEY,
		),
		(
			text.contains("-----BEGIN"),
			"is a PEM file",
			"only if `openssl pkey -noout -text -in FILE` says ED25519 or secp256k1, write the 64 hex \
			 digits that it shows after `priv:`, on one line and without the colons; compare the public \
			 key with `keyshare key inspect`. Others are no keys of these schemes",
		),
		(
			text.starts_with('{') && text.contains("\"ciphertext\""),
			"is an encrypted keystore, as Ethereum wallets write it",
			"decrypt it with its password, in your wallet or with `cast wallet decrypt-keystore`, and \
			 write the 64 hex digits that you get",
		),
		(
			text.starts_with('{') && text.contains("\"encoded\""),
			"is an account that a Polkadot wallet has exported, which signs and cannot be registered",
			"give another key here, and the account's secret phrase with --account-file",
		),
		(text.starts_with('{'), "is JSON", "write the private key in it alone, as 64 hex digits"),
		(is_phrase, "is a secret phrase", ONE_OF_MANY),
		(is_extended, "is an extended key", ONE_OF_MANY),
		(
			is_setting,
			"is a line of settings, as in an .env file",
			"write only what stands after the `=`, without quotes",
		),
		(text.starts_with(['"', '\'']), "is in quotes", "leave them out"),
		(
			text.contains('('),
			"is an output descriptor of Bitcoin",
			"write the private key in it alone, as 64 hex digits",
		),
	]
}

/// The scheme, or the name that another program uses for one, and what stands after it.
fn scheme_and_value(text: &str) -> (&str, &str) {
	text.split_once(':').map_or(("", text), |(scheme, value)| (scheme.trim(), value.trim()))
}

/// Hex digits that are too few, too many or of something else.
fn digits(text: &str) -> [Form; 6] {
	let (_, value) = scheme_and_value(text);
	let prefixed = value.strip_prefix("0x").or(value.strip_prefix("0X"));
	let digits = prefixed.unwrap_or(value);
	let is_hex = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_hexdigit());
	let length = if is_hex { digits.len() } else { 0 };
	let is_compressed = length == 66 && (digits.starts_with("02") || digits.starts_with("03"));
	[
		(
			prefixed.is_some() && length == 40,
			"is an address of an EVM chain, and no key",
			NO_PUBLIC_KEY,
		),
		(
			(1..64).contains(&length),
			"has fewer than 64 hex digits",
			"copy them again, all of them; only if a program leaves out zeros at their beginning, put \
			 these back, and see with `keyshare key inspect` that the addresses are yours",
		),
		(
			length == 64 && value.starts_with("0X"),
			"has `0X` before its digits",
			"write `0x`, or nothing",
		),
		(
			is_compressed || (length == 130 && digits.starts_with("04")),
			"is a public key by its length and first digits, and not the private one",
			NO_PUBLIC_KEY,
		),
		(
			length == 66 && digits.starts_with("00"),
			"has a zero byte before its 64 hex digits",
			"remove the first two zeros, and see with `keyshare key inspect` that the addresses are yours",
		),
		(length == 128, "has 128 hex digits", PAIR),
	]
}

/// Base58 and Base64.
fn encodings(text: &str) -> [Form; 7] {
	let (scheme, value) = scheme_and_value(text);
	let length = if value.chars().all(is_base58) { value.len() } else { 0 };
	let (is_32, is_64) = ((40..=44).contains(&length), (80..=90).contains(&length));
	let (is_ed25519, is_secp256k1) = (scheme == "ed25519", scheme == "secp256k1");
	// `base64` breaks its lines.
	let is_break = |c: char| matches!(c, '\r' | '\n');
	let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
	let base64_length = match value.chars().all(|c| is_base64(c) || is_break(c)) {
		true => value.chars().filter(|c| !is_break(*c)).count(),
		false => 0,
	};
	[
		(
			(is_ed25519 && is_64) || (is_secp256k1 && is_32),
			"is a secret key of NEAR, in Base58",
			BASE58,
		),
		(
			(is_ed25519 && is_32) || (is_secp256k1 && is_64),
			"is Base58, as a public key of NEAR is",
			"the secret key stands after `private_key` in a file of NEAR",
		),
		(
			matches!(length, 51 | 52) && value.starts_with(['5', 'K', 'L', '9', 'c']),
			"is a key of Bitcoin in WIF",
			BASE58,
		),
		(is_64, "is a key in Base58, as Phantom and other wallets show it", BASE58),
		(
			matches!(length, 43 | 44),
			"is Base58, as an address of Solana is",
			"a private key is written as 64 hex digits",
		),
		(
			base64_length == 44 && value.ends_with('='),
			"is Base64 of 32 bytes",
			"`base64 -d FILE | xxd -p -c 64` shows them as 64 hex digits: see with `keyshare key inspect` \
			 that the addresses are yours",
		),
		(
			base64_length == 88 && value.ends_with("=="),
			"is Base64 of 64 bytes, which `base64 -d FILE | xxd -p -c 64` shows as 128 hex digits",
			PAIR,
		),
	]
}

#[cfg(test)]
mod tests {
	use super::super::{parse, read, KeyScheme};

	const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
	const NEAR: &str =
		"2AXDGYSE4f2sz7tvMMzyHvUfcoJmxudvdhBcmiUSo6iuCXagjUCKEQF21awZnUGxmwD4m9vGXuC3qieHXJQHAcT";
	const NEAR_SECP256K1: &str = "8qbHbw2BbbTHBW1sbeqakYXVKRQM8Ne7pLK7m6CVfeRt";

	/// What is said of `text`, in one line without any of it.
	fn refusal(text: &str) -> String {
		let schemes = [None, Some(KeyScheme::Ed25519), Some(KeyScheme::Secp256k1)];
		let said = schemes.map(|scheme| parse(text, scheme).err().expect("no key").to_string());
		assert!(said.iter().all(|error| *error == said[0]), "one answer: {said:?}");
		let [error, ..] = said;
		assert!(!error.contains('\n'), "one line: {error}");
		let quoted = text.chars().skip(4).take(12).collect::<String>();
		assert!(!error.contains(&quoted), "never quoted: {error}");
		error
	}

	fn all_say(cases: &[(&str, &str)]) {
		for (text, part) in cases {
			let error = refusal(text);
			assert!(error.contains(part), "{part} in {error}");
		}
	}

	#[test]
	fn what_people_keep_keys_in_is_named_and_refused_with_advice() {
		let wif = "KwHcZJGj2U4H97CSjYERuQvU8RYMWUSUjUqt4C4DaYyLL6udseoj";
		let cases: Vec<(String, &str)> = vec![
			(wif.to_owned(), "WIF"),
			("5HqAsN8eAPtwrsLp4kKuKDfrCCT8pTcE5e7znamgZ559usgDtWE".into(), "WIF"),
			(format!("wpkh({wif})"), "descriptor"),
			(NEAR.into(), "Phantom"),
			("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIE".into(), "openssl pkey"),
			("{\"version\": 3, \"crypto\": {\"ciphertext\": \"00\"}}".into(), "keystore"),
			("{\"encoded\": \"00\", \"encoding\": {}}".into(), "Polkadot wallet"),
			("{\"private_key\": \"ed25519:x\"}".into(), "JSON"),
			(format!("{}about", "abandon ".repeat(11)), "secret phrase"),
			("xprv9s21ZrQH143K".into(), "extended key"),
			(format!("PRIVATE_KEY=0x{SEED}"), ".env"),
			(format!("export KEY=\"{SEED}\"\nOTHER=1"), ".env"),
			(format!("\"0x{SEED}\""), "quotes"),
			(SEED[3..].into(), "zeros"),
			(format!("{SEED}{SEED}"), "128 hex digits"),
			(format!("{}\n{}", &SEED[..32], &SEED[32..]), "several lines"),
			("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=".into(), "Base64"),
			(format!("\u{200b}ed25519:0x{SEED}"), "scheme is unknown"),
			(format!("ed25519:0x{SEED}\u{200b}"), "invisible"),
			((0u8..32).map(char::from).collect(), "xxd"),
		];
		for (text, part) in cases {
			all_say(&[(&text, part)]);
		}
		let folder = tempfile::tempdir().expect("a temporary folder");
		let path = folder.path().join("utf16.key");
		std::fs::write(&path, [&[0xff, 0xfe][..], b"e\0d\0"].concat()).expect("written");
		let error = read(&path, Some(KeyScheme::Ed25519)).err().expect("no key").to_string();
		assert!(error.contains("UTF-16"), "{error}");
	}

	#[test]
	fn of_pem_only_keys_of_the_two_schemes_are_said_to_be_usable() {
		all_say(&[
			("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1r", "key of SSH"),
			("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA", "is a public key"),
			("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 alice@example", "is a public key"),
			("-----BEGIN EC PRIVATE KEY-----\nMHQCAQEEIFdy2Ono", "says ED25519 or secp256k1"),
		]);
		assert!(!refusal("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1r").contains("openssl"));
	}

	#[test]
	fn half_of_64_bytes_is_taken_only_of_a_seed_and_its_public_key() {
		let base64 = format!("{}==", "AbCd+/12".repeat(11).split_at(86).0);
		let wrapped = format!("{}\r\n{}", &base64[..76], &base64[76..]);
		for text in [&base64, &wrapped, &format!("{SEED}{SEED}")] {
			let error = refusal(text);
			for part in ["only if", "seed and then its public key", "keyshare key inspect"] {
				assert!(error.contains(part), "{error}");
			}
		}
		let of_32 = refusal("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=");
		assert!(of_32.contains("inspect") && !of_32.contains("first 64"), "{of_32}");
		// Of 65 bytes, as a public key has, half is no key.
		assert!(!refusal(&format!("{}A=", &base64[..86])).contains("first 64"));
	}

	#[test]
	fn hex_digits_of_something_else_are_named_by_their_length_and_first_digits() {
		all_say(&[
			(&format!("0x{}", &SEED[..40]), "address of an EVM chain"),
			(&SEED[..40], "fewer than 64"),
			(&format!("02{SEED}"), "public key"),
			(&format!("0x03{SEED}"), "public key"),
			(&format!("04{SEED}{SEED}"), "public key"),
			(&format!("00{SEED}"), "remove the first two zeros"),
			(&format!("0X{SEED}"), "write `0x`"),
			(&format!("ed25519:0X{SEED}"), "write `0x`"),
		]);
	}

	#[test]
	fn extended_keys_of_every_kind_are_told() {
		for letter in ["x", "y", "z", "t", "u", "v", "Y", "Z"] {
			all_say(&[(&format!("{letter}prv9s21ZrQH143K"), "extended key")]);
		}
	}

	#[test]
	fn of_near_the_secret_key_is_told_from_the_public_one_by_scheme_and_length() {
		all_say(&[
			(&format!("ed25519:{NEAR}"), "secret key of NEAR"),
			(&format!("secp256k1:{NEAR_SECP256K1}"), "secret key of NEAR"),
			(&format!("ed25519:{NEAR_SECP256K1}"), "public key of NEAR"),
			(&format!("secp256k1:{NEAR}"), "public key of NEAR"),
			(&format!("ed25519:{NEAR}"), "README"),
			(&format!("secp256k1:{NEAR_SECP256K1}"), "README"),
		]);
	}
}
