//! `key`: key files, without any network.

use super::Exit;
use crate::{cli::Key, input, output::Output, view::PublicKey};
use keyshare_client::{keyfile, Result};

/// `key generate` and `key inspect`. Only public halves are shown.
pub fn run(command: &Key, output: &Output) -> Result<Exit> {
	let key = match command {
		Key::Generate { path, scheme } => {
			let key = keyfile::generate(*scheme);
			keyfile::write_new(path, &key)?;
			output.note(&format!("New key written to {}. Keep it safe.", path.display()));
			key
		}
		Key::Inspect { key } => input::inspected_key(key, output)?,
	};
	let view = PublicKey::new(&key, output.bitcoin());
	output.data(&view, &view.words())?;
	Ok(None)
}
