//! The terminal: data on standard output, everything else on standard error.
//!
//! With `--json`, standard output carries one compact JSON object a line, in the shapes of
//! [`crate::view`], and nothing else:
//!
//! | line | when |
//! |---|---|
//! | [`view::ExternalCall`] | first, with `--external-signer` |
//! | the command's result | last, when it succeeds; with `status --watch` one at each change |
//! | [`view::Failure`] | last, when it fails |

use crate::view;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use keyshare_client::{
	account::short,
	progress::{OnProgress, Progress, Server, ServerState},
	Error, Result,
};
use keyshare_constraints::BitcoinNetwork;
use serde::Serialize;
use std::{
	collections::BTreeMap,
	io::{ErrorKind, Write},
	sync::{
		atomic::{AtomicBool, Ordering},
		Arc, Mutex, PoisonError,
	},
};

/// Steps of one server's bar: sealed, sent, stored, confirmed.
const STEPS: u64 = 4;

/// Where the tool writes.
pub struct Output {
	json: bool,
	bitcoin: BitcoinNetwork,
	lines: Arc<Lines>,
	/// Whether whoever read the data has gone.
	is_unread: AtomicBool,
}

impl Output {
	/// Bars are drawn where standard error is a terminal; otherwise each event is a line.
	pub fn new(json: bool, bitcoin: BitcoinNetwork) -> Self {
		let lines = Lines {
			bars: MultiProgress::new(),
			servers: Mutex::default(),
			may_be_signed: AtomicBool::new(false),
		};
		Self { json, bitcoin, lines: Arc::new(lines), is_unread: AtomicBool::new(false) }
	}

	/// How Bitcoin addresses in constraints are read and shown.
	pub fn bitcoin(&self) -> BitcoinNetwork {
		self.bitcoin
	}

	/// Whether a call was about to be signed, here or elsewhere.
	pub fn may_be_signed(&self) -> bool {
		self.lines.may_be_signed.load(Ordering::Relaxed)
	}

	/// A message for the user.
	pub fn note(&self, text: &str) {
		self.lines.say(text);
	}

	/// The command's data: JSON, or the same in words. If nobody reads them any more, as behind `head`, the
	/// command ends as it would have; one that then goes on to write, such as `status --watch`, fails.
	pub fn data(&self, json: &impl Serialize, words: &str) -> Result<()> {
		unless_unread(self.lines.bars.suspend(|| print(self.json, json, words)), &self.is_unread)
	}

	/// The command's failure.
	pub fn failure(&self, error: &Error) {
		self.lines.say(&format!("Error: {error}"));
		if let Some(hint) = error.hint() {
			self.lines.say(hint);
		}
		if self.json {
			// If standard output is gone as well, the exit code is all that is left.
			let _ = print(true, &view::Failure::from(error), "");
		}
	}

	/// Where events go.
	pub fn progress(&self) -> OnProgress {
		let lines = self.lines.clone();
		let json = self.json;
		Arc::new(move |event| lines.show(event, json))
	}
}

fn print(json: bool, value: &impl Serialize, words: &str) -> Result<()> {
	let text = if json {
		serde_json::to_string(value).map_err(std::io::Error::other)?
	} else {
		words.to_owned()
	};
	let mut stdout = std::io::stdout().lock();
	writeln!(stdout, "{text}").and_then(|()| stdout.flush()).map_err(Error::from)
}

/// Passes over a closed pipe, once.
fn unless_unread(printed: Result<()>, is_unread: &AtomicBool) -> Result<()> {
	match printed {
		Err(Error::Output(reason))
			if reason.kind() == ErrorKind::BrokenPipe
				&& !is_unread.swap(true, Ordering::Relaxed) =>
		{
			Ok(())
		}
		printed => printed,
	}
}

/// Standard error.
struct Lines {
	bars: MultiProgress,
	servers: Mutex<BTreeMap<Server, ProgressBar>>,
	may_be_signed: AtomicBool,
}

impl Lines {
	fn say(&self, text: &str) {
		if self.bars.is_hidden() {
			// Nothing can be done when standard error is closed.
			let _ = writeln!(std::io::stderr(), "{text}");
		} else {
			let _ = self.bars.println(text);
		}
	}

	fn show(&self, event: Progress, json: bool) {
		match event {
			Progress::Signing { signer, words } => {
				self.may_be_signed.store(true, Ordering::Relaxed);
				self.say(&format!("{signer} signs:\n{words}"));
			}
			Progress::NothingToDo => {
				self.say("Nothing to do: the chain shows it already. Nothing is signed or sent.")
			}
			Progress::SignElsewhere { signer, call, words } => {
				self.may_be_signed.store(true, Ordering::Relaxed);
				self.sign_elsewhere(&view::ExternalCall::new(&signer, call, words), json)
			}
			Progress::Submitted { call } => self.say(&format!("Sent the call {call}.")),
			Progress::Included { call, block } => {
				self.say(&format!("The call {call} is in block {block}, not final yet."))
			}
			Progress::Open { id, generation, expires_at } => {
				let until = expires_at.map(|block| format!(", until block {block}"));
				self.say(&format!(
					"The chain shows generation {generation}, {id:?}{}: exactly what this key makes.",
					until.unwrap_or_default()
				));
			}
			Progress::Server { server, state } => self.server(&server, &state),
			Progress::NodeBehind => {
				self.say("The node is catching up with the chain; waiting for it.")
			}
			Progress::NodeLost { reason } => {
				self.say(&format!("Lost the node, trying again: {reason}"))
			}
			Progress::NodeFound => self.say("The node answers again."),
			Progress::Complete { .. } => {
				self.say("Every subgroup has its quorum; waiting until that is final.")
			}
			Progress::Registered { .. } => self.say("Registered, and that is final."),
			// The library may observe more than this tool shows.
			_ => {}
		}
	}

	fn sign_elsewhere(&self, call: &view::ExternalCall, json: bool) {
		self.say(&format!(
			"To be signed by {}:\n{}\nIn polkadot.js Apps: Developer, Extrinsics, Decode; paste \
			 the call, check it, and submit it with that account. Waiting for it on chain.",
			call.external_call.account, call.external_call.words
		));
		if json {
			let _ = print(true, call, "");
		} else {
			let _ = print(false, &(), &call.external_call.call);
		}
	}

	fn server(&self, server: &Server, state: &ServerState) {
		let name =
			format!("subgroup {} {} {}", server.subgroup, short(&server.account), server.endpoint);
		let words = state.in_words();
		if self.bars.is_hidden() {
			return self.say(&format!("{name}: {words}"));
		}
		let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
		let bar = servers.entry(server.clone()).or_insert_with(|| self.bars.add(new_bar(&name)));
		bar.set_message(words);
		match state {
			ServerState::Sealed => bar.set_position(1),
			ServerState::Sent | ServerState::Retrying { .. } => bar.set_position(2),
			ServerState::Stored => bar.set_position(3),
			ServerState::Confirmed => {
				bar.set_position(STEPS);
				bar.abandon();
			}
			_ => bar.abandon(),
		}
	}
}

fn new_bar(name: &str) -> ProgressBar {
	let bar = ProgressBar::new(STEPS);
	if let Ok(style) = ProgressStyle::with_template("{prefix} [{bar:8}] {wide_msg}") {
		bar.set_style(style.progress_chars("=> "));
	}
	bar.with_prefix(name.to_owned())
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_command_ends_well_when_its_reader_has_gone_and_one_that_goes_on_writing_does_not() {
		let failed = |kind: ErrorKind| Err(Error::from(std::io::Error::from(kind)));
		let is_unread = AtomicBool::new(false);
		assert!(unless_unread(failed(ErrorKind::BrokenPipe), &is_unread).is_ok());
		assert!(unless_unread(failed(ErrorKind::BrokenPipe), &is_unread).is_err());
		let is_unread = AtomicBool::new(false);
		assert!(unless_unread(failed(ErrorKind::StorageFull), &is_unread).is_err());
		assert!(unless_unread(Ok(()), &is_unread).is_ok());
	}
}
