//! The private key that is registered: where it comes from, and the file it is kept in.
//!
//! A key file holds one line: 64 hex digits, optionally after `0x`, optionally after the scheme
//! and a colon, as in `ed25519:9d61…`, so that the scheme travels with the key. Or it is one that
//! `solana-keygen` wrote. What else people keep keys in is recognised, and refused with advice.
//! Every buffer that held a key is wiped, and no error quotes one.

use keyshare_primitives::{split::PrivateKey, KeyScheme};
use std::{
	fs::{File, OpenOptions},
	io::{self, Read, Write},
	path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// A key file is one short line; what is longer is something else.
const LONGEST_INPUT: usize = 4_096;

/// Why a private key cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
	/// The file cannot be read.
	#[error("cannot read {path}: {source}")]
	Read {
		/// The file, or `standard input`.
		path: PathBuf,
		/// What the system says.
		source: io::Error,
	},
	/// There is no such file.
	#[error(
		"there is no key file {path}: `keyshare key generate --scheme ed25519 {path}`, or with \
		 --scheme secp256k1, makes one with a new key"
	)]
	Missing {
		/// The file.
		path: PathBuf,
	},
	/// The file cannot be written.
	#[error("cannot write {path}: {source}")]
	Write {
		/// The file.
		path: PathBuf,
		/// What the system says.
		source: io::Error,
	},
	/// The file is there already.
	#[error("{path} is there already, and a key file is never overwritten: name another file")]
	Exists {
		/// The file.
		path: PathBuf,
	},
	/// More than a key.
	#[error("the input is longer than any key: it must be one line with 64 hex digits")]
	TooLong,
	/// Not a key.
	#[error(
		"the input is no private key: it must be one line with 64 hex digits and without spaces, \
		 optionally after `ed25519:` or `secp256k1:`, and after `0x`"
	)]
	NotAKey,
	/// A form that people keep keys in, and that is not read.
	#[error("the input {what}: {advice}")]
	OtherForm {
		/// What the input is, beginning with a verb.
		what: &'static str,
		/// What to do about it.
		advice: &'static str,
	},
	/// A file like one of `solana-keygen`, in which the two halves do not belong together.
	#[error(
		"the 64 numbers are no key pair: the last 32 are not the public key of the first 32, which \
		 is what solana-keygen writes"
	)]
	WrongPublicKey,
	/// An unknown scheme before the colon.
	#[error("the key's scheme is unknown: `ed25519:` and `secp256k1:` are known")]
	UnknownScheme,
	/// No scheme anywhere.
	#[error(
		"the key does not say its scheme: add --scheme ed25519 (for Solana) or --scheme secp256k1 \
		 (for EVM chains and Bitcoin)"
	)]
	NoScheme,
	/// Two schemes.
	#[error("the key says it is {}, but --scheme says {}", name(*.file), name(*.option))]
	SchemeConflict {
		/// What the key says.
		file: KeyScheme,
		/// What the option says.
		option: KeyScheme,
	},
	/// Well-formed bytes outside the scheme's range.
	#[error("the bytes are no {} private key: zero, or not below the group order", name(*.0))]
	Invalid(KeyScheme),
}

/// A key as it was read.
pub struct KeyInput {
	/// The key.
	pub key: PrivateKey,
	/// What the user should know about the place it was read from.
	pub warning: Option<String>,
}

/// The scheme's name, as it is written in a key file and on the command line.
pub fn name(scheme: KeyScheme) -> &'static str {
	match scheme {
		KeyScheme::Ed25519 => "ed25519",
		KeyScheme::Secp256k1 => "secp256k1",
	}
}

/// Reads the key in the file at `path`. `scheme` is needed where the file does not say it, and
/// must not contradict it where it does.
pub fn read(path: &Path, scheme: Option<KeyScheme>) -> Result<KeyInput, KeyFileError> {
	let (text, warning) = read_file(path, "key").map_err(|error| match error {
		KeyFileError::Read { path, source } if source.kind() == io::ErrorKind::NotFound => {
			KeyFileError::Missing { path }
		}
		other => other,
	})?;
	Ok(KeyInput { key: parse(&text, scheme)?, warning })
}

/// Reads the key from standard input.
pub fn read_stdin(scheme: Option<KeyScheme>) -> Result<KeyInput, KeyFileError> {
	Ok(KeyInput { key: parse(&stdin_text()?, scheme)?, warning: None })
}

/// One secret line of standard input, for a key or an account.
pub fn stdin_text() -> Result<Zeroizing<String>, KeyFileError> {
	read_text(io::stdin().lock()).map_err(|error| error.at(Path::new("standard input")))
}

/// One secret line of a file that holds an account's secret, and what the user should know about
/// the file.
pub fn account_text(path: &Path) -> Result<(Zeroizing<String>, Option<String>), KeyFileError> {
	read_file(path, "account")
}

/// The text of a file that holds a secret, and a warning if others can read it.
fn read_file(
	path: &Path,
	secret: &str,
) -> Result<(Zeroizing<String>, Option<String>), KeyFileError> {
	let fail = |source| KeyFileError::Read { path: path.to_owned(), source };
	let file = File::open(path).map_err(fail)?;
	let warning = exposed(&file).map_err(fail)?.then(|| {
		format!(
			"{} can be read by other users of this machine: `chmod 600` it, and think about \
			 whether the {secret} is still yours alone",
			path.display()
		)
	});
	Ok((read_text(file).map_err(|error| error.at(path))?, warning))
}

/// Reads a key from text: see the module's documentation.
pub fn parse(text: &str, scheme: Option<KeyScheme>) -> Result<PrivateKey, KeyFileError> {
	// Some editors write a byte order mark.
	let text = text.trim_start_matches('\u{feff}').trim();
	if text.starts_with('[') {
		return parse_key_pair(text, scheme);
	}
	let (said, digits) = match text.split_once(':') {
		Some((before, digits)) => (Some(before), digits),
		None => (None, text),
	};
	let mut bytes = Zeroizing::new([0u8; 32]);
	hex::decode_to_slice(digits.strip_prefix("0x").unwrap_or(digits), bytes.as_mut())
		.map_err(|_| refuse(text))?;
	let scheme = agreed(said.map(parse_scheme).transpose()?, scheme)?;
	PrivateKey::new(scheme, *bytes).map_err(|_| KeyFileError::Invalid(scheme))
}

/// Reads what `solana-keygen` writes: a JSON array with the bytes of an Ed25519 seed, and then of
/// its public key. By hand, so that no copy of the seed is left behind.
fn parse_key_pair(text: &str, scheme: Option<KeyScheme>) -> Result<PrivateKey, KeyFileError> {
	let other = || KeyFileError::OtherForm {
		what: "is a list, and not the one of 64 numbers from 0 to 255 that solana-keygen writes",
		advice: "give its file as it is, or one line with 64 hex digits",
	};
	let inside = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
	let mut numbers = inside.ok_or_else(other)?.split(',');
	let mut bytes = Zeroizing::new([0u8; 64]);
	for byte in bytes.iter_mut() {
		let number = numbers.next().and_then(|number| number.trim().parse::<u8>().ok());
		*byte = number.ok_or_else(other)?;
	}
	if numbers.next().is_some() {
		return Err(other());
	}
	let scheme = agreed(Some(KeyScheme::Ed25519), scheme)?;
	let (first, last) = bytes.split_at(32);
	let mut seed = Zeroizing::new([0u8; 32]);
	seed.copy_from_slice(first);
	let key = PrivateKey::new(scheme, *seed).map_err(|_| KeyFileError::Invalid(scheme))?;
	let public = key.public_key();
	let public: &[u8] = public.as_ref();
	if public != last {
		return Err(KeyFileError::WrongPublicKey);
	}
	Ok(key)
}

/// The one scheme that the key says, the option says, or both say.
fn agreed(said: Option<KeyScheme>, option: Option<KeyScheme>) -> Result<KeyScheme, KeyFileError> {
	match (said, option) {
		(Some(file), Some(option)) if file != option => {
			Err(KeyFileError::SchemeConflict { file, option })
		}
		(said, option) => said.or(option).ok_or(KeyFileError::NoScheme),
	}
}

/// Says what `text` is instead of a key, told by its looks alone: it is still somebody's secret.
fn refuse(text: &str) -> KeyFileError {
	const BASE58: &str =
		"under \"Key files\" the README has the command that makes 64 hex digits of it";
	const ONE_OF_MANY: &str =
		"many keys are made of it: have your wallet show the private key of the \
		one account, and write its 64 hex digits";
	// What a scheme, or the name that another program uses for one, may stand before.
	let value = text.split_once(':').map_or(text, |(_, after)| after.trim());
	let length = value.len();
	let is_base58 = !value.is_empty()
		&& value.chars().all(|c| c.is_ascii_alphanumeric() && !matches!(c, '0' | 'O' | 'I' | 'l'));
	let is_base64 = value.ends_with('=')
		&& value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '='));
	let digits = value.strip_prefix("0x").unwrap_or(value);
	let is_hex = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_hexdigit());
	let is_phrase = matches!(text.split_whitespace().count(), 12 | 15 | 18 | 21 | 24)
		&& text.chars().all(|c| c.is_alphabetic() || c.is_whitespace());
	let is_setting = text.split_once('=').is_some_and(|(name, value)| {
		let name = name.strip_prefix("export ").unwrap_or(name).trim();
		!name.is_empty()
			&& name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
			&& !matches!(value, "" | "=")
	});
	let forms = [
		(text.chars().any(|c| c.is_control() && !c.is_whitespace()), BINARY.0, BINARY.1),
		(
			text.contains("-----BEGIN"),
			"is a PEM file",
			"`openssl pkey -noout -text -in FILE` shows its 64 hex digits after `priv:`; write these on \
			 one line, without the colons",
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
		(text.starts_with("xprv"), "is an extended key", ONE_OF_MANY),
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
		(
			is_hex && digits.len() < 64,
			"has fewer than 64 hex digits",
			"copy them again, all of them; only if a program leaves out zeros at their beginning, put \
			 these back, and see with `keyshare key inspect` that the addresses are yours",
		),
		(
			is_hex && digits.len() == 128,
			"has 128 hex digits",
			"if these are an Ed25519 seed and then its public key, write the first 64 alone",
		),
		(
			is_base58 && matches!(length, 51 | 52) && value.starts_with(['5', 'K', 'L', '9', 'c']),
			"is a key of Bitcoin in WIF",
			BASE58,
		),
		(
			is_base58 && (80..=90).contains(&length),
			"is a key in Base58, as Phantom and other wallets show it",
			BASE58,
		),
		(
			is_base58 && matches!(length, 43 | 44),
			"is Base58, as an address of Solana is",
			"a private key is written as 64 hex digits",
		),
		(
			is_base64 && matches!(length, 44 | 88),
			"is Base64",
			"`base64 -d FILE | xxd -p -c 64` shows it as hex digits; write the first 64",
		),
		(
			!text.is_ascii(),
			"has characters that belong to no key, some of which may be invisible",
			"write the line anew",
		),
		(text.lines().count() > 1, "has several lines", "write the 64 hex digits on one"),
	];
	match forms.into_iter().find(|(is_this, ..)| *is_this) {
		Some((_, what, advice)) => KeyFileError::OtherForm { what, advice },
		None => KeyFileError::NotAKey,
	}
}

/// What is said of bytes that are no text.
const BINARY: (&str, &str) =
	("is no text in UTF-8", "of 32 bytes as they are, `xxd -p -c 32 FILE` makes 64 hex digits");

/// A fresh key from the operating system's randomness.
pub fn generate(scheme: KeyScheme) -> PrivateKey {
	PrivateKey::generate(scheme, &mut rand::rngs::OsRng)
}

/// Writes `key` with its scheme to a new file that only its owner may read, and makes sure it is
/// on the disk. Never overwrites.
pub fn write_new(path: &Path, key: &PrivateKey) -> Result<(), KeyFileError> {
	let mut digits = Zeroizing::new([0; 64]);
	hex::encode_to_slice(key.expose_secret(), digits.as_mut())
		.expect("64 digits are two for each of 32 bytes; qed");
	let fail = |source: io::Error| match source.kind() {
		io::ErrorKind::AlreadyExists => KeyFileError::Exists { path: path.to_owned() },
		_ => KeyFileError::Write { path: path.to_owned(), source },
	};
	let mut options = OpenOptions::new();
	options.write(true).create_new(true);
	#[cfg(unix)]
	std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
	let mut file = options.open(path).map_err(fail)?;
	file.write_all(name(key.scheme()).as_bytes())
		.and_then(|()| file.write_all(b":"))
		.and_then(|()| file.write_all(digits.as_ref()))
		.and_then(|()| file.write_all(b"\n"))
		.and_then(|()| file.sync_all())
		.map_err(fail)
}

fn parse_scheme(text: &str) -> Result<KeyScheme, KeyFileError> {
	[KeyScheme::Ed25519, KeyScheme::Secp256k1]
		.into_iter()
		.find(|scheme| name(*scheme) == text.trim())
		.ok_or(KeyFileError::UnknownScheme)
}

enum TextError {
	Io(io::Error),
	TooLong,
	Utf16,
	NotText,
}

impl TextError {
	fn at(self, path: &Path) -> KeyFileError {
		match self {
			Self::Io(source) => KeyFileError::Read { path: path.to_owned(), source },
			Self::TooLong => KeyFileError::TooLong,
			Self::Utf16 => KeyFileError::OtherForm {
				what: "is text in UTF-16",
				advice: "save the file in UTF-8",
			},
			Self::NotText => KeyFileError::OtherForm { what: BINARY.0, advice: BINARY.1 },
		}
	}
}

/// Reads into one buffer of fixed size, so that no copy is left behind by growing it.
fn read_text(mut from: impl Read) -> Result<Zeroizing<String>, TextError> {
	let mut buffer = Zeroizing::new([0u8; LONGEST_INPUT]);
	let mut length = 0;
	loop {
		match from.read(&mut buffer[length..]) {
			Ok(0) if length == LONGEST_INPUT => return Err(TextError::TooLong),
			Ok(0) => break,
			Ok(read) => length += read,
			Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
			Err(error) => return Err(TextError::Io(error)),
		}
	}
	let bytes = &buffer[..length];
	let text = std::str::from_utf8(bytes).map_err(|_| match bytes {
		[0xff, 0xfe, ..] | [0xfe, 0xff, ..] => TextError::Utf16,
		_ => TextError::NotText,
	})?;
	Ok(Zeroizing::new(text.to_owned()))
}

#[cfg(unix)]
fn exposed(file: &File) -> io::Result<bool> {
	use std::os::unix::fs::PermissionsExt;
	Ok(file.metadata()?.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn exposed(_: &File) -> io::Result<bool> {
	Ok(false)
}

#[cfg(test)]
mod tests {
	use super::*;

	const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
	const ED: Option<KeyScheme> = Some(KeyScheme::Ed25519);
	const SECP: Option<KeyScheme> = Some(KeyScheme::Secp256k1);

	#[test]
	fn a_key_is_hex_with_an_optional_prefix_and_scheme() {
		let expected = parse(SEED, ED).ok().map(|key| *key.expose_secret());
		assert!(expected.is_some());
		for (text, option) in [
			(format!("{SEED}\n"), ED),
			(format!("0x{SEED}"), ED),
			(format!("ed25519:{SEED}\n"), None),
			(format!("ed25519:0x{SEED}"), ED),
			(format!("\u{feff}ed25519:{SEED}\r\n"), None),
		] {
			let key = parse(&text, option).ok();
			assert_eq!(key.as_ref().map(|key| *key.expose_secret()), expected, "{text}");
			assert_eq!(key.map(|key| key.scheme()), ED, "{text}");
		}
	}

	#[test]
	fn each_wrong_key_has_its_own_error() {
		use KeyFileError as E;
		let zero = "00".repeat(32);
		type Check = fn(&KeyFileError) -> bool;
		let cases: [(String, Option<KeyScheme>, Check); 9] = [
			(SEED.into(), None, |e| matches!(e, E::NoScheme)),
			(format!("secp256k1:{SEED}"), ED, |e| matches!(e, E::SchemeConflict { .. })),
			(format!("rsa:{SEED}"), ED, |e| matches!(e, E::UnknownScheme)),
			(SEED[2..].into(), ED, |e| matches!(e, E::OtherForm { .. })),
			(format!("{SEED}00"), ED, |e| matches!(e, E::NotAKey)),
			(format!("ed25519: {SEED}"), ED, |e| matches!(e, E::NotAKey)),
			(format!("zz{}", &SEED[2..]), ED, |e| matches!(e, E::NotAKey)),
			(String::new(), ED, |e| matches!(e, E::NotAKey)),
			(zero, SECP, |e| matches!(e, E::Invalid(KeyScheme::Secp256k1))),
		];
		for (text, scheme, check) in cases {
			let error = parse(&text, scheme).err().expect("wrong");
			assert!(check(&error), "{text}: {error}");
			assert!(!error.to_string().contains(&SEED[2..20]), "never quoted: {error}");
		}
	}

	/// The file of solana-keygen with the seed [1; 32].
	const SOLANA: &str =
		"[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,138,136,227,\
		221,116,9,241,149,253,82,219,45,60,186,93,114,202,103,9,191,29,148,18,27,243,116,136,1,180,15,\
		111,92]";

	#[test]
	fn a_file_of_solana_keygen_is_an_ed25519_key() {
		for (text, scheme) in [(SOLANA.to_owned(), None), (SOLANA.replace(',', ", \n"), ED)] {
			let key = parse(&text, scheme).unwrap_or_else(|error| panic!("{text}: {error}"));
			assert_eq!((key.scheme(), key.expose_secret()), (KeyScheme::Ed25519, &[1; 32]));
		}
		let error = |text: &str, scheme| parse(text, scheme).err().expect("wrong");
		assert!(matches!(error(SOLANA, SECP), KeyFileError::SchemeConflict { .. }));
		let other_half = SOLANA.replace("111,92]", "111,93]");
		assert!(matches!(error(&other_half, None), KeyFileError::WrongPublicKey));
		let other_seed = SOLANA.replacen("[1,", "[2,", 1);
		assert!(matches!(error(&other_seed, None), KeyFileError::WrongPublicKey));
		for wrong in [
			SOLANA.replace("[1,", "["),
			SOLANA.replace("[1,", "[1,1,"),
			SOLANA.replace("[1,", "[256,"),
			SOLANA.replace("[1,", "[-1,"),
			SOLANA.replace(']', ""),
			SOLANA.replace(']', ",]"),
			"[]".into(),
		] {
			let error = error(&wrong, None);
			assert!(error.to_string().contains("solana-keygen"), "{wrong}: {error}");
		}
	}

	#[test]
	fn what_people_keep_keys_in_is_named_and_refused_with_advice() {
		let wif = "KwHcZJGj2U4H97CSjYERuQvU8RYMWUSUjUqt4C4DaYyLL6udseoj";
		let near = "2AXDGYSE4f2sz7tvMMzyHvUfcoJmxudvdhBcmiUSo6iuCXagjUCKEQF21awZnUGxmwD4m9vGXuC3qieHXJQHAcT";
		let cases: Vec<(String, &str)> = vec![
			(wif.to_owned(), "WIF"),
			("5HqAsN8eAPtwrsLp4kKuKDfrCCT8pTcE5e7znamgZ559usgDtWE".into(), "WIF"),
			(format!("wpkh({wif})"), "descriptor"),
			(near.into(), "Phantom"),
			(format!("ed25519:{near}"), "Phantom"),
			("secp256k1:8qbHbw2BbbTHBW1sbeqakYXVKRQM8Ne7pLK7m6CVfeRt".into(), "Base58"),
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
			for scheme in [None, ED, SECP] {
				let error = parse(&text, scheme).err().expect("no key").to_string();
				assert!(error.contains(part), "{part} in {error}");
				assert!(!error.contains('\n'), "one line: {error}");
				let quoted = text.chars().skip(4).take(12).collect::<String>();
				assert!(!error.contains(&quoted), "never quoted: {error}");
			}
		}
		let folder = tempfile::tempdir().expect("a temporary folder");
		let path = folder.path().join("utf16.key");
		std::fs::write(&path, [&[0xff, 0xfe][..], b"e\0d\0"].concat()).expect("written");
		let error = read(&path, ED).err().expect("no key").to_string();
		assert!(error.contains("UTF-16"), "{error}");
	}

	#[test]
	fn a_generated_file_is_read_back_and_never_overwritten() {
		let folder = tempfile::tempdir().expect("a temporary folder");
		let path = folder.path().join("user.key");
		let key = generate(KeyScheme::Secp256k1);
		write_new(&path, &key).expect("new");
		let read_back = read(&path, None).expect("written just now");
		assert_eq!(read_back.key.expose_secret(), key.expose_secret());
		assert_eq!(read_back.key.scheme(), KeyScheme::Secp256k1);
		assert_eq!(read_back.warning, None);
		let again = write_new(&path, &generate(KeyScheme::Ed25519)).err();
		assert!(matches!(again, Some(KeyFileError::Exists { .. })));
		let kept = read(&path, None).expect("still there");
		assert_eq!(kept.key.expose_secret(), key.expose_secret());
	}

	#[cfg(unix)]
	#[test]
	fn a_file_that_others_can_read_is_warned_about() {
		use std::os::unix::fs::PermissionsExt;
		let folder = tempfile::tempdir().expect("a temporary folder");
		let path = folder.path().join("user.key");
		write_new(&path, &generate(KeyScheme::Ed25519)).expect("new");
		let mode = std::fs::metadata(&path).expect("there").permissions().mode();
		assert_eq!(mode & 0o777, 0o600);
		std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).expect("ours");
		let warning = read(&path, None).expect("readable").warning;
		assert!(warning.is_some_and(|warning| warning.contains("chmod 600")));
		// An account's as well.
		let (_, warning) = account_text(&path).expect("readable");
		assert!(warning.is_some_and(|warning| warning.contains("the account is still yours")));
		std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).expect("ours");
		assert_eq!(account_text(&path).expect("readable").1, None);
	}

	#[test]
	fn a_long_file_is_no_key() {
		let folder = tempfile::tempdir().expect("a temporary folder");
		let path = folder.path().join("long");
		std::fs::write(&path, "0".repeat(LONGEST_INPUT + 1)).expect("written");
		assert!(matches!(read(&path, ED).err(), Some(KeyFileError::TooLong)));
	}

	#[test]
	fn a_key_file_that_is_not_there_says_how_to_make_one() {
		let folder = tempfile::tempdir().expect("a temporary folder");
		let missing = read(&folder.path().join("none"), ED).err().expect("not there");
		assert!(matches!(missing, KeyFileError::Missing { .. }), "{missing}");
		assert!(missing.to_string().contains("keyshare key generate"), "{missing}");
		let unreadable = read(folder.path(), ED).err();
		assert!(matches!(unreadable, Some(KeyFileError::Read { .. })));
	}
}
