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

/// What to do about the permissions of a file that somebody else puts there.
const MOUNTED: &str = "Whoever puts it there decides who may read it: in Kubernetes `defaultMode: 0400` of \
	the secret with `fsGroup` of the pod, in Docker Swarm `mode: 0400` with `uid` of the secret, in Docker \
	Compose the owner and mode of the file on the host, under systemd `LoadCredential=`";

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
	/// The user who runs this may not read it.
	#[error(
		"the password file {file} may not be read by the user who runs this, to whom it must belong, with \
		 the mode 0400. {MOUNTED}"
	)]
	Forbidden {
		/// The file.
		file: PathBuf,
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
	/// The same, and whoever runs this cannot change it.
	#[error("the password file {file} is open to every user here, and not for this one to change. {MOUNTED}")]
	MountedForAll {
		/// The file.
		file: PathBuf,
	},
	/// It is a device or a folder.
	#[error("{file} is no file with a password; give one with a password on its only line")]
	NoFile {
		/// What it is.
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
	let opened = File::open(file).map_err(|reason| match reason.kind() {
		io::ErrorKind::PermissionDenied => PasswordError::Forbidden { file: file.into() },
		_ => unreadable(reason),
	})?;
	if let Some(refused) = open_to_all(&opened, file).map_err(unreadable)? {
		return Err(refused);
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

/// The refusal of a file that is open to everybody, with advice for whoever runs this. A group's rights are no
/// reason: the group may be this process's own, or stand for a list of users, as in systemd's credentials.
#[cfg(unix)]
fn open_to_all(opened: &File, file: &Path) -> io::Result<Option<PasswordError>> {
	use std::os::unix::fs::{FileTypeExt, MetadataExt};
	let found = opened.metadata()?;
	if found.mode() & 0o007 == 0 {
		return Ok(None);
	}
	let file = file.into();
	Ok(Some(if !found.is_file() && !found.file_type().is_fifo() {
		PasswordError::NoFile { file }
	} else if can_change(found.uid(), rustix::process::geteuid().as_raw(), is_read_only(opened)) {
		PasswordError::OpenToAll { file }
	} else {
		PasswordError::MountedForAll { file }
	}))
}

#[cfg(not(unix))]
fn open_to_all(_: &File, _: &Path) -> io::Result<Option<PasswordError>> {
	Ok(None)
}

/// Whether a user can change the permissions of a file of `owner`.
#[cfg(unix)]
fn can_change(owner: u32, user: u32, is_read_only: bool) -> bool {
	!is_read_only && (user == owner || user == 0)
}

/// Whether the file was mounted so that nobody writes to it.
#[cfg(unix)]
fn is_read_only(file: &File) -> bool {
	use rustix::fs::{fstatvfs, StatVfsMountFlags};
	fstatvfs(file).is_ok_and(|mount| mount.f_flag.contains(StatVfsMountFlags::RDONLY))
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
		// The last is what systemd and Kubernetes make, and a file that is shared with a group.
		for mode in [0o400, 0o600, 0o640, 0o440] {
			assert!(read(file_with(b"secret", mode).path()).is_ok(), "{mode:o}");
		}
	}

	#[test]
	fn nobody_is_told_to_change_the_permissions_of_a_device_or_of_a_folder_for_all() {
		for no_file in ["/dev/null", "/"] {
			let refused = read(Path::new(no_file)).expect_err("no password");
			let text = refused.to_string();
			assert!(matches!(refused, PasswordError::NoFile { .. }), "{text}");
			assert!(!text.contains("chmod"), "{text}");
		}
	}

	#[test]
	fn who_cannot_change_a_file_is_told_who_can() {
		let (root, node, other) = (0, 4242, 1000);
		for (owner, user, is_read_only, can) in [
			(node, node, false, true),
			(other, root, false, true),
			(root, node, false, false),
			(node, node, true, false),
			(root, root, true, false),
		] {
			assert_eq!(can_change(owner, user, is_read_only), can, "{owner} {user} {is_read_only}");
		}
		let file = PathBuf::from("/run/secrets/password");
		let mounted = PasswordError::MountedForAll { file: file.clone() }.to_string();
		for text in [mounted, PasswordError::Forbidden { file }.to_string()] {
			assert!(text.contains("/run/secrets/password") && !text.contains("chmod"), "{text}");
			for part in ["defaultMode", "`uid`", "LoadCredential="] {
				assert!(text.contains(part), "{text}");
			}
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
