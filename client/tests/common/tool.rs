//! Running the tool as a process.

use super::{key, USER};
use serde_json::Value;
use std::{
	path::PathBuf,
	process::{Command, Output},
};

/// Runs the tool against `url` with `--json`, off the thread that serves it.
pub async fn keyshare(url: &str, arguments: &[&str]) -> Ran {
	let mut command = Command::new(env!("CARGO_BIN_EXE_keyshare"));
	command.args(["--json", "--url", url]).args(arguments).env_remove("KEYSHARE_URL");
	let output = tokio::task::spawn_blocking(move || command.output().expect("it starts"));
	Ran::from(output.await.expect("it ends"))
}

pub struct Ran {
	pub code: u8,
	pub lines: Vec<Value>,
	pub messages: String,
}

impl From<Output> for Ran {
	fn from(output: Output) -> Self {
		let stdout = String::from_utf8(output.stdout).expect("text");
		let parse = |line| serde_json::from_str(line).expect("standard output is JSON lines");
		Self {
			code: output.status.code().and_then(|code| code.try_into().ok()).expect("it ended"),
			lines: stdout.lines().map(parse).collect(),
			messages: String::from_utf8(output.stderr).expect("text"),
		}
	}
}

impl Ran {
	/// The only line.
	pub fn json(&self) -> &Value {
		assert_eq!(self.lines.len(), 1, "{:?} {}", self.lines, self.messages);
		&self.lines[0]
	}

	pub fn error(&self) -> &Value {
		let error = &self.json()["error"];
		assert_eq!(error["exitCode"], self.code);
		error
	}
}

/// A file with the key of the attempt under way.
pub struct KeyFile {
	_folder: tempfile::TempDir,
	pub path: PathBuf,
}

impl KeyFile {
	pub fn new() -> Self {
		let folder = tempfile::tempdir().expect("a temporary folder");
		let path = folder.path().join("user.key");
		keyshare_client::keyfile::write_new(&path, &key()).expect("new");
		Self { _folder: folder, path }
	}

	pub fn path(&self) -> &str {
		self.path.to_str().expect("plain")
	}
}

pub fn user() -> String {
	USER.to_string()
}
