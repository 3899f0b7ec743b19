//! The node's own commands as processes.

use keyshare_runtime::WASM_BINARY;
use std::{path::Path, process::Command};

/// A key command on the development chain, whose things are in this folder.
fn key(command: &str, folder: &Path) -> Command {
	let mut program = Command::new(env!("CARGO_BIN_EXE_keyshare-node"));
	program.args(["key", command, "--dev", "--base-path"]).arg(folder);
	program
}

#[test]
fn keys_are_made_and_the_command_ends_well_though_nobody_reads_what_it_prints() {
	if WASM_BINARY.is_none() {
		// Without a runtime there is no genesis, and no store for it.
		return;
	}
	let folder = tempfile::tempdir().expect("a folder");
	let (reader, writer) = std::io::pipe().expect("a pipe");
	drop(reader);
	let made = key("generate-server", folder.path()).stdout(writer).output().expect("runs");
	let said = String::from_utf8_lossy(&made.stderr);
	assert!(made.status.success() && !said.contains("panicked"), "{}: {said}", made.status);

	let shown = key("inspect-server", folder.path()).output().expect("runs");
	let servers = String::from_utf8_lossy(&shown.stdout);
	assert_eq!(servers.matches("encryption key").count(), 1, "{servers}");
}
