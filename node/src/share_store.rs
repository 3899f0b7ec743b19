//! `share-store …`: what an operator does with the whole share store. Each of these works on the
//! file alone; what it does is in `keyshare_rpc::store::maintenance`.

use crate::{
	cli::Cli,
	error::Error,
	password,
	server_keys::commands::{Home, NodeArgs},
	shares::ShareError,
};
use clap::{Args, Subcommand};
use keyshare_rpc::store::{
	maintenance::{self, Inventory},
	StoreError,
};
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
	pub fn run(&self, cli: &Cli) -> Result<(), Error> {
		match self {
			Self::Backup(command) => {
				let home = command.node.home(cli)?;
				maintenance::backup(&home.store, &command.to).map_err(at(&home.store))?;
				println!("Backed up {} to {}", home.store.display(), command.to.display());
			}
			Self::Restore(command) => {
				let (home, password) = command.node.home_and_password(cli)?;
				let Home { store, genesis, .. } = &home;
				let inventory = maintenance::restore(&command.from, store, &password, *genesis)
					.map_err(at(&command.from))?;
				println!("Restored {} to {}", command.from.display(), store.display());
				return report(&command.from, inventory);
			}
			Self::Verify(command) => {
				let (home, password) = command.node.home_and_password(cli)?;
				let file = command.file.as_ref().unwrap_or(&home.store);
				let inventory =
					maintenance::verify(file, &password, home.genesis).map_err(at(file))?;
				if let Some(version) = inventory.older {
					println!(
						"It has version {version}, of an older program: the node takes it over when it \
						 starts on it, and `share-store restore` when it restores it"
					);
				}
				return report(file, inventory);
			}
			Self::ChangePassword(command) => {
				let new = password::read(&command.new_password_file).map_err(ShareError::from)?;
				let (home, password) = command.node.home_and_password(cli)?;
				maintenance::change_password(&home.store, &password, &new, home.genesis)
					.map_err(at(&home.store))?;
				println!("{} has the new password", home.store.display());
			}
		}
		Ok(())
	}
}

impl NodeArgs {
	fn home_and_password(&self, cli: &Cli) -> Result<(Home, secrecy::SecretString), Error> {
		let home = self.home(cli)?;
		let password = self.password(&home)?;
		Ok((home, password))
	}
}

/// Says what is in a store; an error if something is damaged.
fn report(file: &Path, inventory: Inventory) -> Result<(), Error> {
	let Inventory { shares, damaged_shares, keys, damaged_keys, older: _ } = inventory;
	println!("{shares} share(s) and {keys} encryption key(s) are whole");
	if inventory.is_whole() {
		return Ok(());
	}
	println!("{damaged_shares} share(s) and {damaged_keys} encryption key(s) are damaged");
	Err(at(file)(StoreError::Damaged("a part of it")).into())
}

fn at(file: &Path) -> impl FnOnce(StoreError) -> ShareError {
	let path = file.to_owned();
	move |reason| ShareError::Store { path, reason }
}
