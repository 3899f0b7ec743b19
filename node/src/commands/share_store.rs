//! `share-store …`: what an operator does with the whole share store. Each of these works on the
//! file alone; what it does is in `keyshare_rpc::store::maintenance`.

use super::server_keys::{Home, NodeArgs};
use crate::{error::Error, file_system, output, password, shares::HostingError};
use clap::{Args, Subcommand};
use keyshare_primitives::GenesisHash;
use keyshare_rpc::store::{
	maintenance::{self, Inventory},
	StoreError,
};
use sc_cli::SubstrateCli;
use secrecy::SecretString;
use std::path::{Path, PathBuf};

/// Back up, restore and check the share store, or change its password.
#[derive(Clone, Debug, Subcommand)]
pub enum ShareStoreCommand {
	/// Copy the store as it is now to a new file, under the same password.
	///
	/// The node may be running. Without the node's key store the copy is of no use: back that up
	/// too. The copy is called FILE.partial until it is complete and checked.
	Backup(Backup),

	/// Check a backup and make it this node's store; the node must not be running.
	///
	/// Nothing is written over: move a damaged store away first, with its `-wal` and `-journal`. A
	/// backup by an older program is taken over to today's version. What the backup lacks, the node
	/// fetches from other servers when it starts.
	Restore(Restore),

	/// Check the store's file and every share in it.
	///
	/// Changes nothing; the node may be running, and the store an older program's.
	Verify(Verify),

	/// Put the store under another password; the node must not be running.
	///
	/// Backups keep the password they were made under.
	ChangePassword(ChangePassword),
}

/// `share-store backup`.
#[derive(Clone, Debug, Args)]
pub struct Backup {
	/// The file to make.
	#[arg(value_name = "FILE")]
	pub to: PathBuf,

	/// Which node.
	#[command(flatten)]
	pub node: NodeArgs,
}

/// `share-store restore`.
#[derive(Clone, Debug, Args)]
pub struct Restore {
	/// The backup.
	#[arg(value_name = "FILE")]
	pub from: PathBuf,

	/// Which node.
	#[command(flatten)]
	pub node: NodeArgs,
}

/// `share-store verify`.
#[derive(Clone, Debug, Args)]
pub struct Verify {
	/// Check this file, a backup, and not the node's own store.
	#[arg(long, value_name = "FILE")]
	pub file: Option<PathBuf>,

	/// Which node.
	#[command(flatten)]
	pub node: NodeArgs,
}

/// `share-store change-password`.
#[derive(Clone, Debug, Args)]
pub struct ChangePassword {
	/// File whose only line is the new password.
	#[arg(long, value_name = "FILE")]
	pub new_password_file: PathBuf,

	/// Which node.
	#[command(flatten)]
	pub node: NodeArgs,
}

impl ShareStoreCommand {
	/// Does it, and says what came of it.
	pub fn run(&self, cli: &impl SubstrateCli) -> Result<(), Error> {
		match self {
			Self::Backup(command) => {
				let home = command.node.home(cli)?;
				back_up(&home.store, &command.to)?;
				let (from, to) = (home.store.display(), command.to.display());
				output::print(&format!("Backed up {from} to {to}\n"))?;
			}
			Self::Restore(command) => {
				let (home, password) = command.node.home_and_password(cli)?;
				let inventory = restore(&command.from, &home.store, &password, home.genesis)?;
				let (from, to) = (command.from.display(), home.store.display());
				output::print(&format!("Restored {from} to {to}\n"))?;
				return report(inventory, HostingError::DamagedBefore(home.store));
			}
			Self::Verify(command) => {
				let (home, password) = command.node.home_and_password(cli)?;
				let file = command.file.as_ref().unwrap_or(&home.store);
				let failed: fn(&Path, StoreError) -> HostingError =
					if command.file.is_some() { of_backup } else { of_store };
				let inventory = maintenance::verify(file, &password, home.genesis)
					.map_err(|reason| failed(file, reason))?;
				if let Some(version) = inventory.older {
					output::print(&format!(
						"It has version {version}, of an older program: the node takes it over when it \
						 starts on it, and `share-store restore` when it restores it\n"
					))?;
				}
				return report(inventory, failed(file, StoreError::Damaged("a part of it")));
			}
			Self::ChangePassword(command) => {
				let new = password::read(&command.new_password_file).map_err(HostingError::from)?;
				let (home, password) = command.node.home_and_password(cli)?;
				file_system::check(&home.store).map_err(HostingError::from)?;
				maintenance::change_password(&home.store, &password, &new, home.genesis)
					.map_err(|reason| of_store(&home.store, reason))?;
				output::print(&format!("{} has the new password\n", home.store.display()))?;
			}
		}
		Ok(())
	}
}

impl NodeArgs {
	fn home_and_password(&self, cli: &impl SubstrateCli) -> Result<(Home, SecretString), Error> {
		let home = self.home(cli)?;
		let password = self.password(&home)?;
		Ok((home, password))
	}
}

/// Copies the node's store to the new file `to`.
fn back_up(store: &Path, to: &Path) -> Result<(), HostingError> {
	maintenance::backup(store, to).map_err(|reason| match reason {
		// Files are made only there.
		StoreError::Io(_) => of_store(to, reason),
		_ => of_store(store, reason),
	})
}

/// Makes the backup `from` the node's store.
fn restore(
	from: &Path,
	store: &Path,
	password: &SecretString,
	genesis: GenesisHash,
) -> Result<Inventory, HostingError> {
	file_system::check(store)?;
	maintenance::restore(from, store, password, genesis).map_err(|reason| match reason {
		// The backup is only read, and nobody locks it.
		StoreError::Io(_) | StoreError::InUse => of_store(store, reason),
		_ => of_backup(from, reason),
	})
}

/// Says what is in a store; the error `damaged` if something is.
fn report(inventory: Inventory, damaged: HostingError) -> Result<(), Error> {
	let Inventory { shares, damaged_shares, keys, damaged_keys, older: _ } = inventory;
	output::print(&format!("{shares} share(s) and {keys} encryption key(s) are whole\n"))?;
	if inventory.is_whole() {
		return Ok(());
	}
	output::print(&format!(
		"{damaged_shares} share(s) and {damaged_keys} encryption key(s) are damaged\n"
	))?;
	Err(damaged.into())
}

/// What is wrong with the node's store, or with where a copy is to be made.
fn of_store(file: &Path, reason: StoreError) -> HostingError {
	match reason {
		StoreError::NotThere(path) => HostingError::NoStore(path),
		StoreError::InTheWay(_) | StoreError::NoCopy { .. } | StoreError::NotUtf8(_) => {
			HostingError::Copy(reason)
		}
		reason => HostingError::Store { path: file.into(), reason },
	}
}

/// The same of a backup, for which there is no backup.
fn of_backup(file: &Path, reason: StoreError) -> HostingError {
	match reason {
		StoreError::NotThere(path) => HostingError::NoBackup(path),
		StoreError::WrongPassword => HostingError::BackupPassword(file.into()),
		StoreError::Damaged(part) => HostingError::DamagedBackup { path: file.into(), part },
		reason => of_store(file, reason),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use keyshare_rpc::store::ShareStore;
	use std::fs;
	use tempfile::TempDir;

	const GENESIS: GenesisHash = GenesisHash::repeat_byte(1);

	/// A folder with an empty store and a backup of it, both under the password `old`.
	struct Folder {
		folder: TempDir,
		store: PathBuf,
		backup: PathBuf,
	}

	impl Folder {
		fn new() -> Self {
			let folder = tempfile::tempdir().expect("a folder");
			let (store, backup) = (folder.path().join("store"), folder.path().join("monday"));
			drop(ShareStore::open(&store, &"old".into(), GENESIS).expect("a new store"));
			back_up(&store, &backup).expect("backed up");
			Self { folder, store, backup }
		}

		/// Why the backup is not restored.
		fn refused(&self, password: &str) -> String {
			let refused = restore(&self.backup, &self.store, &password.into(), GENESIS);
			refused.expect_err("refused").to_string()
		}
	}

	#[test]
	fn who_backs_up_a_store_that_is_not_there_is_told_what_to_do() {
		let folder = Folder::new();
		let lost = folder.folder.path().join("lost");
		let refused = back_up(&lost, &folder.folder.path().join("tuesday")).expect_err("no store");
		let text = refused.to_string();
		assert!(
			text.contains("`share-store restore`") && text.contains("generate-server"),
			"{text}"
		);
		assert_eq!(text.matches("lost").count(), 1, "{text}");
	}

	#[test]
	fn a_store_in_the_way_of_a_backup_is_named_and_not_the_backup() {
		let folder = Folder::new();
		let text = folder.refused("old");
		assert!(text.starts_with(&folder.store.display().to_string()), "{text}");
		assert!(!text.contains("monday"), "{text}");
		// Nor is the store, if a file is in the way of its backup.
		let refused = back_up(&folder.store, &folder.backup).expect_err("it is there");
		let text = refused.to_string();
		assert!(text.starts_with(&folder.backup.display().to_string()), "{text}");
	}

	#[test]
	fn a_store_in_use_is_named_and_not_the_backup() {
		let folder = Folder::new();
		let _node = ShareStore::open(&folder.store, &"old".into(), GENESIS).expect("opens");
		let text = folder.refused("old");
		assert!(
			text.contains(&folder.store.display().to_string()) && !text.contains("monday"),
			"{text}"
		);
	}

	#[test]
	fn a_backup_from_before_a_change_of_password_says_that_it_keeps_the_old_one() {
		let folder = Folder::new();
		let (old, new) = ("old".into(), "new".into());
		maintenance::change_password(&folder.store, &old, &new, GENESIS).expect("changed");
		fs::remove_file(&folder.store).expect("moved away");
		let text = folder.refused("new");
		assert!(text.contains("monday") && text.contains("when it was made"), "{text}");
		restore(&folder.backup, &folder.store, &old, GENESIS).expect("restored");
	}

	#[test]
	fn who_restores_what_is_damaged_or_not_there_is_not_sent_to_the_same_backup() {
		let folder = Folder::new();
		fs::remove_file(&folder.store).expect("moved away");
		fs::write(&folder.backup, [b'x'; 4096]).expect("written");
		let text = folder.refused("old");
		assert!(text.contains("another") && !text.contains("restore it"), "{text}");
		fs::remove_file(&folder.backup).expect("removed");
		let text = folder.refused("old");
		assert!(text.contains("no backup") && text.contains("monday"), "{text}");

		let inventory = Inventory { damaged_shares: 1, ..Inventory::default() };
		let damaged = report(inventory, HostingError::DamagedBefore(folder.store.clone()));
		let text = damaged.expect_err("damaged").to_string();
		assert!(text.contains("another backup"), "{text}");
	}
}
