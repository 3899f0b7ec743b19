//! The file with the share store's password.

use secrecy::SecretString;
use std::{
	fs::File,
	io::{self, Read},
	path::{Path, PathBuf},
	str,
};
use zeroize::Zeroizing;

/// The longest password, in bytes.
const MAX_LENGTH: usize = 1024;

/// Room for the longest password, its line end, and one byte that shows that it is longer.
const BUFFER: usize = MAX_LENGTH + 3;

/// Why a password file cannot be used. Never holds the password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
	/// It cannot be read.
	#[error("the password file {file} cannot be read: {reason}")]
	Unreadable {
		/// The file.
		file: PathBuf,
		/// What the system says.
		reason: io::Error,
	},
	/// Anybody on the machine can read or change it.
	#[error(
		"the password file {file} is open to every user of this machine; \
		 run: chmod o-rwx {file}"
	)]
	OpenToAll {
		/// The file.
		file: PathBuf,
	},
	/// There is nothing in it.
	#[error("the password file {file} is empty; put a password on its only line")]
	Empty {
		/// The file.
		file: PathBuf,
	},
	/// There is more in it than a password.
	#[error("the password file {file} must hold one line of UTF-8 of at most {MAX_LENGTH} bytes")]
	NotOneLine {
		/// The file.
		file: PathBuf,
	},
}

/// Reads the password: the file's only line, without its line end.
pub fn read(file: &Path) -> Result<SecretString, PasswordError> {
	let unreadable = |reason| PasswordError::Unreadable { file: file.into(), reason };
	let opened = File::open(file).map_err(unreadable)?;
	if is_open_to_all(&opened).map_err(unreadable)? {
		return Err(PasswordError::OpenToAll { file: file.into() });
	}
	// Read into a place that is wiped, and that never moves as it would grow.
	let mut buffer = Zeroizing::new([0; BUFFER]);
	let length = fill(opened, buffer.as_mut_slice()).map_err(unreadable)?;
	let not_one_line = || PasswordError::NotOneLine { file: file.into() };
	let text = str::from_utf8(&buffer[..length]).map_err(|_| not_one_line())?;
	let password = without_line_end(text);
	if password.is_empty() {
		return Err(PasswordError::Empty { file: file.into() });
	}
	if password.len() > MAX_LENGTH || password.contains(['\n', '\r']) {
		return Err(not_one_line());
	}
	Ok(password.into())
}

fn without_line_end(text: &str) -> &str {
	let text = text.strip_suffix('\n').unwrap_or(text);
	text.strip_suffix('\r').unwrap_or(text)
}

/// Reads until the end or until `buffer` is full; a pipe gives what it has piece by piece.
fn fill(mut from: impl Read, buffer: &mut [u8]) -> io::Result<usize> {
	let mut length = 0;
	while length < buffer.len() {
		match from.read(&mut buffer[length..]) {
			Ok(0) => break,
			Ok(read) => length += read,
			Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
			Err(error) => return Err(error),
		}
	}
	Ok(length)
}

#[cfg(unix)]
fn is_open_to_all(file: &File) -> io::Result<bool> {
	use std::os::unix::fs::PermissionsExt;
	Ok(file.metadata()?.permissions().mode() & 0o007 != 0)
}

#[cfg(not(unix))]
fn is_open_to_all(_: &File) -> io::Result<bool> {
	Ok(false)
}

#[cfg(test)]
mod tests {
	use super::*;
	use secrecy::ExposeSecret;
	use std::fs;

	fn file_with(content: &[u8], mode: u32) -> tempfile::NamedTempFile {
		use std::os::unix::fs::PermissionsExt;
		let file = tempfile::NamedTempFile::new().expect("a temporary file");
		fs::write(file.path(), content).expect("written");
		fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).expect("permissions");
		file
	}

	fn read_private(content: &[u8]) -> Result<String, PasswordError> {
		let file = file_with(content, 0o600);
		read(file.path()).map(|password| password.expose_secret().into())
	}

	#[test]
	fn one_line_end_is_no_part_of_the_password() {
		for content in ["two words", "two words\n", "two words\r\n"] {
			assert_eq!(read_private(content.as_bytes()).expect("a password"), "two words");
		}
		assert_eq!(read_private(b" spaces stay \n").expect("a password"), " spaces stay ");
	}

	#[test]
	fn nothing_and_more_than_a_line_are_refused() {
		for content in [b"".as_slice(), b"\n", b"\r\n"] {
			assert!(matches!(read_private(content), Err(PasswordError::Empty { .. })));
		}
		for content in [b"one\ntwo".as_slice(), b"one\n\n", b"\xff\xfe"] {
			assert!(matches!(read_private(content), Err(PasswordError::NotOneLine { .. })));
		}
	}

	#[test]
	fn the_longest_password_is_taken_whole_and_a_longer_one_not() {
		let longest = "x".repeat(MAX_LENGTH);
		for end in ["", "\n", "\r\n"] {
			let content = format!("{longest}{end}");
			assert_eq!(read_private(content.as_bytes()).expect("a password"), longest);
			let longer = read_private(format!("x{content}").as_bytes());
			assert!(matches!(longer, Err(PasswordError::NotOneLine { .. })));
		}
	}

	#[test]
	fn a_file_for_everybody_is_refused() {
		for mode in [0o604, 0o602, 0o644] {
			let refused = read(file_with(b"secret", mode).path());
			assert!(matches!(refused, Err(PasswordError::OpenToAll { .. })), "{mode:o}");
		}
		for mode in [0o400, 0o600, 0o640] {
			assert!(read(file_with(b"secret", mode).path()).is_ok(), "{mode:o}");
		}
	}

	#[test]
	fn errors_name_the_file_and_not_the_password() {
		let file = file_with(b"hunter2\nhunter3", 0o600);
		let error = read(file.path()).expect_err("two lines").to_string();
		assert!(error.contains(&file.path().display().to_string()) && !error.contains("hunter"));
		let missing = read(Path::new("no/such/file")).expect_err("missing");
		assert!(matches!(missing, PasswordError::Unreadable { .. }));
	}
}
