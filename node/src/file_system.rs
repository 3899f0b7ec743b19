//! Which file systems can hold the share store.

use std::path::{self, Path, PathBuf};

/// The share store would be where it is not safe.
#[derive(Debug, thiserror::Error)]
#[error(
	"the share store {path} is on a file system of the kind {name}, which may lose shares that were \
	 acknowledged, or let two nodes write them at once; keep it on a disk of this machine, with ext4 or \
	 XFS for instance: --share-store-path names another file. A store that is there already is taken \
	 along with `share-store backup` and `share-store restore`"
)]
pub struct FileSystemError {
	path: PathBuf,
	name: &'static str,
}

/// The numbers that Linux tells them by (`statfs`), and their names. SQLite's write-ahead log needs memory
/// that processes share, locks that hold, and writes that are on the disk when the system says so.
///
/// FUSE is among them though some of what is behind it is sound: it may be sshfs or a cloud's storage, the
/// number does not tell, and what was lost would be noticed when it is needed.
const UNFIT: [(u32, &str); 15] = [
	(0x0000_4d44, "FAT"),
	(0x2011_bab0, "exFAT"),
	(0x0000_6969, "NFS"),
	(0x0000_517b, "SMB"),
	(0xff53_4d42, "SMB (CIFS)"),
	(0xfe53_4d42, "SMB 2"),
	(0x0000_564c, "NCP"),
	(0x0102_1997, "9P"),
	(0x5346_414f, "AFS"),
	(0x6b41_4653, "AFS"),
	(0x7375_7245, "Coda"),
	(0x00c3_6400, "Ceph"),
	(0x0bd0_0bd0, "Lustre"),
	(0x786f_4256, "VirtualBox shared folder"),
	(0x6573_5546, "FUSE"),
];

/// Refuses the share store `file`, which need not be there yet, on a network's file system or one without
/// locks. For whoever is to write to it: a store that is on one already can be read, to take it elsewhere.
pub fn check(file: &Path) -> Result<(), FileSystemError> {
	let absolute = path::absolute(file).unwrap_or_else(|_| file.into());
	let number = absolute.ancestors().find_map(number);
	match number.and_then(unfit) {
		Some(name) => Err(FileSystemError { path: file.into(), name }),
		None => Ok(()),
	}
}

fn unfit(number: u32) -> Option<&'static str> {
	UNFIT.iter().find_map(|(unfit, name)| (*unfit == number).then_some(*name))
}

/// Of the file system that has the file; none if there is no such file.
#[cfg(target_os = "linux")]
fn number(file: &Path) -> Option<u32> {
	// As wide as a word of the machine, and with a sign on some; the number has 32 bits.
	rustix::fs::statfs(file).ok().map(|found| found.f_type as u32)
}

#[cfg(not(target_os = "linux"))]
fn number(_: &Path) -> Option<u32> {
	None
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn file_systems_of_networks_and_memory_sticks_are_told_by_their_numbers() {
		for (number, name) in [
			(0x6969, "NFS"),
			(0xff53_4d42, "SMB (CIFS)"),
			(0xfe53_4d42, "SMB 2"),
			(0x4d44, "FAT"),
			(0x2011_bab0, "exFAT"),
			(0x0102_1997, "9P"),
			(0x5346_414f, "AFS"),
			(0x00c3_6400, "Ceph"),
			(0x6573_5546, "FUSE"),
		] {
			assert_eq!(unfit(number), Some(name));
		}
	}

	#[test]
	fn those_of_a_machines_own_disks_and_memory_hold_a_store() {
		let [ext4, xfs, btrfs] = [0xef53, 0x5846_5342, 0x9123_683e];
		let [zfs, f2fs, overlay, tmpfs] = [0x2fc1_2fc1, 0xf2f5_2010, 0x794c_7630, 0x0102_1994];
		for number in [ext4, xfs, btrfs, zfs, f2fs, overlay, tmpfs] {
			assert_eq!(unfit(number), None, "{number:x}");
		}
	}

	#[test]
	fn a_store_that_is_not_there_yet_is_judged_by_the_folder_that_is() {
		let folder = tempfile::tempdir().expect("a folder");
		assert!(check(&folder.path().join("not/there/yet")).is_ok());
		assert!(check(Path::new("/dev/shm/not/there/yet")).is_ok());
		assert!(check(Path::new("relative")).is_ok());
	}

	#[test]
	fn who_is_refused_is_told_which_file_system_it_is_and_what_to_do() {
		let error = FileSystemError { path: "store".into(), name: "NFS" };
		let text = error.to_string();
		for part in ["store", "NFS", "--share-store-path", "`share-store backup`"] {
			assert!(text.contains(part), "{text}");
		}
	}
}
