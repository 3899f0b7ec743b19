//! The private key that is registered: where it comes from, and the file it is kept in.
//!
//! A key file holds one line: 64 hex digits, optionally after `0x`, optionally after the scheme
//! and a colon, as in `ed25519:9d61…`, so that the scheme travels with the key. Or it is one that
//! `solana-keygen` wrote. What else people keep keys in is recognised in `refusals`, and refused
//! with advice. Every buffer that held a key is wiped, and no error quotes one.

mod refusals;

use crate::secret::Misplaced;
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
	/// A secret in place of a file: it is not quoted.
	#[error(transparent)]
	Misplaced(#[from] Misplaced),
	/// What was read cannot be used.
	#[error("cannot read the {secret} in {path}: {error}")]
	Content {
		/// What it was read as: a key or an account.
		secret: &'static str,
		/// The file, or `standard input`.
		path: PathBuf,
		/// What is wrong with it.
		error: Box<Self>,
	},
	/// Not a key.
	#[error(
		"the input is no private key: it must be one line with 64 hex digits and without spaces, \
		 optionally after `ed25519:` or `secp256k1:`, and after `0x`"
	)]
	NotAKey,
	/// A form that is not read.
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

/// The secrets that are read here, as they are called.
#[derive(Clone, Copy)]
enum Secret {
	Key,
	Account,
}

impl Secret {
	fn name(self) -> &'static str {
		match self {
			Self::Key => "key",
			Self::Account => "account",
		}
	}

	/// Says where the secret with this error is.
	fn at(self, path: &Path, error: KeyFileError) -> KeyFileError {
		let error = Box::new(error);
		KeyFileError::Content { secret: self.name(), path: path.to_owned(), error }
	}
}

/// How errors call it.
const STANDARD_INPUT: &str = "standard input";

/// Reads the key in the file at `path`. `scheme` is needed where the file does not say it, and
/// must not contradict it where it does.
pub fn read(path: &Path, scheme: Option<KeyScheme>) -> Result<KeyInput, KeyFileError> {
	let (text, warning) = read_file(path, Secret::Key).map_err(|error| match error {
		KeyFileError::Read { path, source } if source.kind() == io::ErrorKind::NotFound => {
			KeyFileError::Missing { path }
		}
		other => other,
	})?;
	let key = parse(&text, scheme).map_err(|error| Secret::Key.at(path, error))?;
	Ok(KeyInput { key, warning })
}

/// Reads the key from standard input.
pub fn read_stdin(scheme: Option<KeyScheme>) -> Result<KeyInput, KeyFileError> {
	let text = stdin_text(Secret::Key)?;
	let path = Path::new(STANDARD_INPUT);
	let key = parse(&text, scheme).map_err(|error| Secret::Key.at(path, error))?;
	Ok(KeyInput { key, warning: None })
}

/// One secret line of a file that holds an account's secret, and what the user should know about
/// the file.
pub fn account_text(path: &Path) -> Result<(Zeroizing<String>, Option<String>), KeyFileError> {
	read_file(path, Secret::Account)
}

/// The same from standard input.
pub fn account_stdin() -> Result<Zeroizing<String>, KeyFileError> {
	stdin_text(Secret::Account)
}

fn stdin_text(secret: Secret) -> Result<Zeroizing<String>, KeyFileError> {
	let text = stdin().map_err(TextError::Io).and_then(read_text);
	text.map_err(|error| error.at(Path::new(STANDARD_INPUT), secret))
}

/// Standard input without the buffer of the standard library, which would keep a copy of the
/// secret until the tool ends.
#[cfg(unix)]
fn stdin() -> io::Result<impl Read> {
	use std::os::fd::AsFd;
	Ok(File::from(io::stdin().as_fd().try_clone_to_owned()?))
}

#[cfg(not(unix))]
fn stdin() -> io::Result<impl Read> {
	Ok(io::stdin().lock())
}

/// Refuses a secret in place of a file: what is there is a file, whatever its name.
pub fn require_no_secret(path: &Path) -> Result<(), KeyFileError> {
	if !path.exists() {
		Misplaced::FILE.check(&path.to_string_lossy())?;
	}
	Ok(())
}

/// Refuses a path at which [`write_new`] makes no file.
pub fn require_new(path: &Path) -> Result<(), KeyFileError> {
	if path.exists() {
		return Err(KeyFileError::Exists { path: path.to_owned() });
	}
	require_no_secret(path)
}

/// The text of a file that holds a secret, and a warning if others can read it.
fn read_file(
	path: &Path,
	secret: Secret,
) -> Result<(Zeroizing<String>, Option<String>), KeyFileError> {
	require_no_secret(path)?;
	let fail = |source| KeyFileError::Read { path: path.to_owned(), source };
	let file = File::open(path).map_err(fail)?;
	let warning = exposed(&file).map_err(fail)?.then(|| {
		format!(
			"{} can be read by other users of this machine: `chmod 600` it, and think about \
			 whether the {} is still yours alone",
			path.display(),
			secret.name()
		)
	});
	Ok((read_text(file).map_err(|error| error.at(path, secret))?, warning))
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
		.map_err(|_| refusals::refuse(text))?;
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

/// A fresh key from the operating system's randomness.
pub fn generate(scheme: KeyScheme) -> PrivateKey {
	PrivateKey::generate(scheme, &mut rand::rngs::OsRng)
}

/// Writes `key` with its scheme to a new file that only its owner may read, and makes sure it is
/// on the disk. Never overwrites, and leaves no file behind that is not whole.
pub fn write_new(path: &Path, key: &PrivateKey) -> Result<(), KeyFileError> {
	require_new(path)?;
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
	let written = file
		.write_all(name(key.scheme()).as_bytes())
		.and_then(|()| file.write_all(b":"))
		.and_then(|()| file.write_all(digits.as_ref()))
		.and_then(|()| file.write_all(b"\n"))
		.and_then(|()| file.sync_all())
		.and_then(|()| sync_folder(path));
	drop(file);
	written.map_err(|error| {
		// It is of no use, and in the way of another attempt. What failed is said in any case.
		let _ = std::fs::remove_file(path);
		fail(error)
	})
}

/// Makes sure that the name of the file at `path` is on the disk, which is its folder's content.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
	use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
	let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
	match File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all()) {
		// A folder that may be written and not read, or a file system that cannot do this.
		Err(error) if matches!(error.kind(), InvalidInput | PermissionDenied | Unsupported) => {
			Ok(())
		}
		other => other,
	}
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
	Ok(())
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
	fn at(self, path: &Path, secret: Secret) -> KeyFileError {
		const ACCOUNT: &str =
			"an account's secret is one line with a mnemonic or a 0x seed, and an optional path";
		let (what, advice) = match (self, secret) {
			(Self::Io(source), _) => return KeyFileError::Read { path: path.to_owned(), source },
			(Self::TooLong, Secret::Key) => {
				("is longer than any key", "it must be one line with 64 hex digits")
			}
			(Self::TooLong, Secret::Account) => ("is longer than any account's secret", ACCOUNT),
			(Self::Utf16, _) => ("is text in UTF-16", "save it in UTF-8"),
			(Self::NotText, Secret::Key) => refusals::BINARY,
			(Self::NotText, Secret::Account) => (refusals::BINARY.0, ACCOUNT),
		};
		secret.at(path, KeyFileError::OtherForm { what, advice })
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
		let error = read(&path, ED).err().expect("no key").to_string();
		assert!(error.contains("longer than any key"), "{error}");
	}

	#[test]
	fn what_is_wrong_in_a_file_names_it_and_the_secret_that_it_was_read_for() {
		let folder = tempfile::tempdir().expect("a temporary folder");
		let path = folder.path().join("secret");
		let utf16 = [&[0xff, 0xfe][..], b"e\0d\0"].concat();
		let long = vec![b'0'; LONGEST_INPUT + 1];
		for (bytes, words) in [
			(&long[..], "is longer than any"),
			(&utf16[..], "UTF-16"),
			(&[0xc3, 0x28][..], "no text"),
		] {
			std::fs::write(&path, bytes).expect("written");
			let of_key = read(&path, ED).err().expect("no key").to_string();
			let of_account = account_text(&path).expect_err("no account").to_string();
			for (secret, error) in [("key", &of_key), ("account", &of_account)] {
				let place = format!("cannot read the {secret} in {}: ", path.display());
				assert!(error.starts_with(&place) && error.contains(words), "{error}");
			}
			// What is said of keys is no advice for an account.
			for of_keys in ["64 hex", "xxd", "any key"] {
				assert!(!of_account.contains(of_keys), "{of_account}");
			}
		}
		for (text, words) in [("zz", "no private key"), (SEED, "--scheme"), ("{}", "JSON")] {
			std::fs::write(&path, text).expect("written");
			let error = read(&path, None).err().expect("no key").to_string();
			let place = format!("cannot read the key in {}: ", path.display());
			assert!(error.starts_with(&place) && error.contains(words), "{error}");
		}
	}

	#[test]
	fn a_secret_in_place_of_a_file_is_not_repeated_and_names_no_new_file() {
		let phrase = format!("{}about", "abandon ".repeat(11));
		for secret in [SEED, &format!("0x{SEED}"), &format!("ed25519:{SEED}"), &phrase] {
			let path = Path::new(secret);
			let key = generate(KeyScheme::Ed25519);
			for error in [
				read(path, ED).err(),
				account_text(path).err(),
				require_new(path).err(),
				write_new(path, &key).err(),
			] {
				let error = error.expect("no file");
				assert!(matches!(error, KeyFileError::Misplaced(Misplaced::FILE)), "{error}");
				assert!(!format!("{error} {error:?}").contains(secret), "{error}");
			}
			assert!(!path.exists());
		}
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
