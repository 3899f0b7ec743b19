//! The private key that is registered: where it comes from, and the file it is kept in.
//!
//! A key file holds one line: 64 hex digits, optionally after `0x`, optionally after the scheme
//! and a colon, as in `ed25519:9d61…`, so that the scheme travels with the key. Every buffer that
//! held a key is wiped, and no error quotes one.

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
		"the input is no private key: it must be one line with 64 hex digits, optionally after \
		 `ed25519:` or `secp256k1:`"
	)]
	NotAKey,
	/// An unknown scheme before the colon.
	#[error("the key's scheme is unknown: `ed25519:` and `secp256k1:` are known")]
	UnknownScheme,
	/// No scheme anywhere.
	#[error("the key does not say its scheme: add --scheme ed25519 or --scheme secp256k1")]
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
	let fail = |source| KeyFileError::Read { path: path.to_owned(), source };
	let file = File::open(path).map_err(fail)?;
	let warning = exposed(&file).map_err(fail)?.then(|| {
		format!(
			"{} can be read by other users of this machine: `chmod 600` it, and think about \
			 whether the key is still yours alone",
			path.display()
		)
	});
	let text = read_text(file).map_err(|error| error.at(path))?;
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

/// One secret line of a file that holds an account's secret.
pub fn file_text(path: &Path) -> Result<Zeroizing<String>, KeyFileError> {
	let file =
		File::open(path).map_err(|source| KeyFileError::Read { path: path.to_owned(), source })?;
	read_text(file).map_err(|error| error.at(path))
}

/// Reads a key from text: see the module's documentation.
pub fn parse(text: &str, scheme: Option<KeyScheme>) -> Result<PrivateKey, KeyFileError> {
	let text = text.trim();
	let (said, digits) = match text.split_once(':') {
		Some((before, digits)) => (Some(parse_scheme(before)?), digits),
		None => (None, text),
	};
	let scheme = match (said, scheme) {
		(Some(file), Some(option)) if file != option => {
			return Err(KeyFileError::SchemeConflict { file, option })
		}
		(said, option) => said.or(option).ok_or(KeyFileError::NoScheme)?,
	};
	let mut bytes = Zeroizing::new([0; 32]);
	hex::decode_to_slice(digits.strip_prefix("0x").unwrap_or(digits), bytes.as_mut())
		.map_err(|_| KeyFileError::NotAKey)?;
	PrivateKey::new(scheme, *bytes).map_err(|_| KeyFileError::Invalid(scheme))
}

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
	NotText,
}

impl TextError {
	fn at(self, path: &Path) -> KeyFileError {
		match self {
			Self::Io(source) => KeyFileError::Read { path: path.to_owned(), source },
			Self::TooLong => KeyFileError::TooLong,
			Self::NotText => KeyFileError::NotAKey,
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
	let text = std::str::from_utf8(&buffer[..length]).map_err(|_| TextError::NotText)?;
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
		let cases: [(String, Option<KeyScheme>, Check); 8] = [
			(SEED.into(), None, |e| matches!(e, E::NoScheme)),
			(format!("secp256k1:{SEED}"), ED, |e| matches!(e, E::SchemeConflict { .. })),
			(format!("rsa:{SEED}"), ED, |e| matches!(e, E::UnknownScheme)),
			(SEED[2..].into(), ED, |e| matches!(e, E::NotAKey)),
			(format!("{SEED}00"), ED, |e| matches!(e, E::NotAKey)),
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
	}

	#[test]
	fn a_long_file_is_no_key() {
		let folder = tempfile::tempdir().expect("a temporary folder");
		let path = folder.path().join("long");
		std::fs::write(&path, "0".repeat(LONGEST_INPUT + 1)).expect("written");
		assert!(matches!(read(&path, ED).err(), Some(KeyFileError::TooLong)));
		let missing = read(&folder.path().join("none"), ED).err();
		assert!(matches!(missing, Some(KeyFileError::Read { .. })));
	}
}
