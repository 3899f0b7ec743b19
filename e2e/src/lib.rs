//! A harness over the real binaries: start a node and wait for it, kill it as crashes do, run the
//! tool and read its JSON.
//!
//! The binaries are those that lie beside the test in the build folder; `scripts/test` builds them
//! first.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod network;
pub mod users;

use serde_json::Value;
use std::{
	ffi::OsStr,
	io::{BufRead, BufReader, Write},
	net::TcpListener,
	path::{Path, PathBuf},
	process::{Child, Command, Stdio},
	sync::{Arc, Condvar, Mutex},
	time::{Duration, Instant},
};

/// How long anything may take before a test gives up: far beyond what a loaded machine needs.
const PATIENCE: Duration = Duration::from_secs(180);

/// The path of one of our binaries.
pub fn binary(name: &str) -> PathBuf {
	let test = std::env::current_exe().expect("a test knows where it is");
	// .../release/deps/test-hash
	let folder = test.ancestors().nth(2).expect("tests lie in `deps` of the build folder");
	let path = folder.join(name);
	assert!(path.exists(), "{name} is not built: run `scripts/test`, or `cargo build --release`");
	path
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
	TcpListener::bind("127.0.0.1:0")
		.and_then(|listener| listener.local_addr())
		.expect("the loopback interface has free ports")
		.port()
}

/// What a process has written so far.
#[derive(Clone, Default)]
struct Log {
	lines: Arc<(Mutex<Vec<String>>, Condvar)>,
}

impl Log {
	/// Reads a stream to its end, in a thread of its own.
	fn follow(&self, stream: impl std::io::Read + Send + 'static) {
		let log = self.clone();
		std::thread::spawn(move || {
			for line in BufReader::new(stream).lines().map_while(Result::ok) {
				let (lines, changed) = &*log.lines;
				lines.lock().expect("no panics while locked").push(line);
				changed.notify_all();
			}
		});
	}

	/// The last `count` lines.
	fn tail(&self, count: usize) -> String {
		let lines = self.lines.0.lock().expect("no panics while locked");
		lines[lines.len().saturating_sub(count)..].join("\n")
	}

	fn text(&self) -> String {
		self.lines.0.lock().expect("no panics while locked").join("\n")
	}

	/// Waits until a line makes `find` answer.
	fn wait<T>(&self, what: &str, mut find: impl FnMut(&str) -> Option<T>) -> T {
		let (lines, changed) = &*self.lines;
		let deadline = Instant::now() + PATIENCE;
		let mut seen = 0;
		let mut lines = lines.lock().expect("no panics while locked");
		loop {
			for line in &lines[seen..] {
				if let Some(found) = find(line) {
					return found;
				}
			}
			seen = lines.len();
			let left = deadline.saturating_duration_since(Instant::now());
			assert!(!left.is_zero(), "no {what} in the log:\n{}", lines.join("\n"));
			lines = changed.wait_timeout(lines, left).expect("no panics while locked").0;
		}
	}
}

/// A node that runs, and is killed when dropped.
pub struct Node {
	process: Child,
	log: Log,
	/// Of its ordinary RPC.
	pub url: String,
}

/// How to start a development node; the same again is the same node.
#[derive(Clone)]
pub struct DevNode {
	/// Its data.
	pub base_path: PathBuf,
	/// Port of its share listener, which is also in its genesis.
	pub share_port: u16,
	/// Milliseconds between blocks.
	pub block_time: u64,
	/// Other options of the node.
	pub options: Vec<String>,
}

impl DevNode {
	/// A network in one process, with its data in `base_path`.
	pub fn new(base_path: &Path) -> Self {
		let (share_port, block_time) = (free_port(), 2_000);
		Self { base_path: base_path.into(), share_port, block_time, options: Vec::new() }
	}

	/// Starts it, and waits until it answers.
	pub fn start(&self) -> Node {
		let mut command = Command::new(binary("keyshare-node"));
		command
			.arg("--dev")
			.arg("--base-path")
			.arg(&self.base_path)
			.args(["--port", "0", "--rpc-port", "0", "--no-prometheus", "--no-telemetry"])
			.args(["--share-rpc-addr", &format!("127.0.0.1:{}", self.share_port)])
			.args(["--dev-block-time", &self.block_time.to_string()])
			.args(&self.options);
		Node::start(command)
	}
}

impl Node {
	/// Starts a node by a command, and waits until it answers and has a first block.
	pub fn start(command: Command) -> Self {
		let node = Self::spawn(command);
		node.wait_for("Imported #1");
		node
	}

	/// Starts a node by a command, and waits until it answers.
	pub fn spawn(mut command: Command) -> Self {
		let mut process = command
			.stdin(Stdio::null())
			.stdout(Stdio::null())
			.stderr(Stdio::piped())
			.spawn()
			.expect("the node starts");
		let log = Log::default();
		log.follow(process.stderr.take().expect("it was piped"));
		let address = log.wait("RPC address", |line| {
			let (_, rest) = line.split_once("Running JSON-RPC server: addr=")?;
			Some(rest.split([',', ' ']).next().unwrap_or(rest).to_owned())
		});
		Self { process, log, url: format!("ws://{address}") }
	}

	/// Kills it as a crash does: SIGKILL, with no chance to tidy up.
	pub fn kill(mut self) {
		self.process.kill().expect("it runs");
		self.process.wait().expect("it was ours");
	}

	/// Ends it as an operator does, and checks that it ends well.
	pub fn stop(mut self) {
		let pid = self.process.id().to_string();
		let told = Command::new("kill").arg(&pid).status().expect("there is a `kill`");
		assert!(told.success(), "it runs");
		let status = self.process.wait().expect("it was ours");
		assert!(status.success(), "{status}:\n{}", self.log.tail(30));
	}

	/// The number of its process.
	pub fn pid(&self) -> u32 {
		self.process.id()
	}

	/// Everything it has logged.
	pub fn log(&self) -> String {
		self.log.text()
	}

	/// Waits for a line of its log that has `text` in it.
	pub fn wait_for(&self, text: &str) {
		self.log.wait(text, |line| line.contains(text).then_some(()));
	}
}

impl Drop for Node {
	fn drop(&mut self) {
		// Already gone after `kill`, and then there is nothing to do.
		let _ = self.process.kill();
		let _ = self.process.wait();
	}
}

/// What a run of the tool gave.
#[derive(Debug)]
pub struct Output {
	/// Its exit code.
	pub code: i32,
	/// Its data.
	pub stdout: String,
	/// Its progress and errors.
	pub stderr: String,
}

impl Output {
	/// The JSON it printed; panics with its errors if it failed.
	pub fn json(&self) -> Value {
		assert_eq!(self.code, 0, "the tool failed:\n{}", self.stderr);
		serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
	}

	/// Expects it to have failed with `code` and an error that says `words`.
	pub fn failed_with(&self, code: i32, words: &str) {
		assert_eq!(self.code, code, "{self:?}");
		let text = self.stderr.to_lowercase();
		assert!(text.contains(&words.to_lowercase()), "{words:?} is not in {self:?}");
	}
}

/// What a line of the tool's progress says of a server: its subgroup, and how far it came.
pub fn server_state(line: &str) -> Option<(u8, String)> {
	let (subgroup, rest) = line.strip_prefix("subgroup ")?.split_once(' ')?;
	let (_, state) = rest.rsplit_once(": ")?;
	let state = state.split([',', ' ']).next()?;
	Some((subgroup.parse().ok()?, state.to_owned()))
}

/// The tool, pointed at a node.
pub struct Tool {
	url: String,
}

impl Tool {
	/// For the node at `url`.
	pub fn new(url: &str) -> Self {
		Self { url: url.into() }
	}

	/// Runs it to its end.
	pub fn run(&self, arguments: &[impl AsRef<OsStr>]) -> Output {
		self.run_with_input(arguments, "")
	}

	/// Runs it to its end with something on its standard input.
	pub fn run_with_input(&self, arguments: &[impl AsRef<OsStr>], input: &str) -> Output {
		let mut process = self.command(arguments).spawn().expect("the tool starts");
		let mut stdin = process.stdin.take().expect("it was piped");
		// A tool that reads nothing may be gone before this is written.
		let _ = stdin.write_all(input.as_bytes());
		drop(stdin);
		let output = process.wait_with_output().expect("it was ours");
		Output {
			code: output.status.code().unwrap_or(-1),
			stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
			stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
		}
	}

	/// Starts it and leaves it running.
	pub fn spawn(&self, arguments: &[impl AsRef<OsStr>]) -> Child {
		self.command(arguments).spawn().expect("the tool starts")
	}

	fn command(&self, arguments: &[impl AsRef<OsStr>]) -> Command {
		let mut command = Command::new(binary("keyshare"));
		command
			.args(["--url", &self.url, "--json"])
			.args(arguments)
			.env_remove("KEYSHARE_URL")
			.stdin(Stdio::piped())
			.stdout(Stdio::piped())
			.stderr(Stdio::piped());
		command
	}
}
