//! What the command line names, read: keys, accounts, constraints.

use crate::cli;
use crate::output::Output;
use keyshare_client::{
	account::{development_signer, is_public_secret, signer_from_secret, AccountError},
	chain::Chain,
	keyfile::{self, KeyFileError, KeyInput},
	submit::Signer,
	Error, Result,
};
use keyshare_constraints::{
	set::MessagesText, BitcoinNetwork, ConstraintsInputError, ConstraintsText, TextError,
};
use keyshare_primitives::{split::PrivateKey, Constraints, KeyScheme};
use std::path::{Path, PathBuf};

/// A key to register, and where it has to be written before it is used.
pub struct NewKey {
	/// The key.
	pub key: PrivateKey,
	/// The file that does not exist yet.
	write_to: Option<PathBuf>,
}

/// A key that is there already.
impl From<PrivateKey> for NewKey {
	fn from(key: PrivateKey) -> Self {
		Self { key, write_to: None }
	}
}

impl NewKey {
	/// Reads the key, or makes one. Says what the user should know about it.
	pub fn read(input: &cli::NewKey, output: &Output) -> Result<Self> {
		let source = &input.source;
		let new = match &source.generate {
			Some(path) => {
				let scheme = input.scheme.ok_or(KeyFileError::NoScheme)?;
				keyfile::require_new(path)?;
				Self { key: keyfile::generate(scheme), write_to: Some(path.clone()) }
			}
			None => Self::from(read(source.key_file.as_deref(), input.scheme, output)?),
		};
		if new.key.scheme() == KeyScheme::Ed25519 {
			output.note(
				"Note: the seed of an Ed25519 key cannot be recovered from its shares. They can \
				 sign like the key; keep your own copy of the seed if you need it.",
			);
		}
		Ok(new)
	}

	/// Whether it was made just now, and is in no file yet.
	pub fn is_new(&self) -> bool {
		self.write_to.is_some()
	}

	/// Makes sure that a generated key is on disk before anything on chain depends on it.
	pub fn save(&self, output: &Output) -> Result<()> {
		if let Some(path) = &self.write_to {
			keyfile::write_new(path, &self.key)?;
			output.note(&format!("New key written to {}. Keep it safe.", path.display()));
		}
		Ok(())
	}
}

/// Reads a key that is there already.
pub fn existing_key(input: &cli::ExistingKey, output: &Output) -> Result<PrivateKey> {
	read(input.source.key_file.as_deref(), input.scheme, output)
}

/// Reads a key to look at.
pub fn inspected_key(input: &cli::InspectedKey, output: &Output) -> Result<PrivateKey> {
	read(input.source.file(), input.scheme, output)
}

/// From the file, or from standard input if there is none.
fn read(path: Option<&Path>, scheme: Option<KeyScheme>, output: &Output) -> Result<PrivateKey> {
	let KeyInput { key, warning } = match path {
		Some(path) => keyfile::read(path, scheme)?,
		None => keyfile::read_stdin(scheme)?,
	};
	warn(warning, output);
	Ok(key)
}

fn warn(warning: Option<String>, output: &Output) {
	if let Some(warning) = warning {
		output.note(&format!("Warning: {warning}."));
	}
}

/// Refuses to read two secrets from one standard input.
pub fn one_stdin(key_stdin: bool, signer: &cli::SignerInput) -> Result<()> {
	if key_stdin && signer.account_stdin {
		return Err(Error::Input(
			"standard input can hold the key or the account, not both: put one into a file".into(),
		));
	}
	Ok(())
}

/// Reads who signs. Development accounts only sign where their secrets being public is no harm.
pub async fn signer(input: &cli::SignerInput, chain: &Chain, output: &Output) -> Result<Signer> {
	if let Some(account) = &input.external_signer {
		return Ok(Signer::Elsewhere(account.clone()));
	}
	let (key, is_public) = if let Some(name) = &input.dev_account {
		(development_signer(name)?, true)
	} else {
		let (text, warning) = match &input.account_file {
			Some(path) => keyfile::account_text(path)?,
			None => (keyfile::account_stdin()?, None),
		};
		let key = signer_from_secret(&text).map_err(|error| match &input.account_file {
			Some(path) => Error::Input(format!("{}: {error}", path.display())),
			None => Error::Input(format!("standard input: {error}")),
		})?;
		let is_public = is_public_secret(&text);
		// Who may read what everybody knows is of no interest.
		if !is_public {
			warn(warning, output);
		}
		(key, is_public)
	};
	if is_public {
		let kind = chain.kind().await?;
		if !matches!(kind.as_str(), "Development" | "Local") {
			return Err(AccountError::NotDevelopment(kind).into());
		}
	}
	Ok(Signer::Key(Box::new(key)))
}

/// Constraints as text, and where they stand.
#[derive(Default)]
pub struct GivenConstraints {
	text: ConstraintsText,
	/// Of the options, if there is none.
	file: Option<PathBuf>,
}

impl GivenConstraints {
	/// What the text stands for, checked for a key of `scheme`.
	pub fn read(&self, scheme: KeyScheme, bitcoin: BitcoinNetwork) -> Result<Constraints> {
		self.text.read(scheme, bitcoin).map_err(|error| self.explain(error))
	}

	/// Says which option, or which part of the file, is wrong.
	fn explain(&self, error: ConstraintsInputError) -> Error {
		use ConstraintsInputError as E;
		let (list, option, index) = match &error {
			E::Rule { index, .. } | E::RepeatedId { index, .. } => ("rules", "--allow", *index),
			E::Fee { index, .. } | E::RepeatedFee { index, .. } => ("fees", "--fee", *index),
			_ => return self.in_file(error),
		};
		let message = error.to_string();
		// The place is told in other words.
		let message = message.strip_prefix(&format!("{list}[{index}]: ")).unwrap_or(&message);
		let number = index.saturating_add(1);
		let place = match &self.file {
			Some(path) => format!("{}, entry {number} of `{list}`", path.display()),
			None => format!("{option} number {number}"),
		};
		let more = match &error {
			E::Rule { error: TextError::InvalidId(given), .. }
				if given.contains(':') && !given.ends_with(':') =>
			{
				", which a space follows"
			}
			_ => "",
		};
		Error::Input(format!("{place}: {message}{more}"))
	}

	fn in_file(&self, error: ConstraintsInputError) -> Error {
		match &self.file {
			Some(path) => Error::Input(format!("{}: {error}", path.display())),
			None => error.into(),
		}
	}
}

/// Reads the constraints as text; none if no option names any.
pub fn constraints(input: &cli::ConstraintsInput) -> Result<Option<GivenConstraints>> {
	if let Some(path) = &input.constraints {
		keyfile::require_no_secret(path)?;
		let file = std::fs::read(path)
			.map_err(|error| Error::Input(format!("cannot read {}: {error}", path.display())))?;
		let text = ConstraintsText::from_file(&file)
			.map_err(|error| Error::Input(format!("{}: {error}", path.display())))?;
		return Ok(Some(GivenConstraints { text, file: Some(path.clone()) }));
	}
	if input.allow.is_empty() && input.fee.is_empty() && input.messages.is_none() {
		return Ok(None);
	}
	let messages = match input.messages.as_deref() {
		Some("any") => MessagesText::Any,
		Some("prefixed") => MessagesText::Prefixed,
		_ => MessagesText::Never,
	};
	let (rules, fees) = (input.allow.clone(), input.fee.clone());
	let text = ConstraintsText { rules, fees, messages };
	Ok(Some(GivenConstraints { text, file: None }))
}

#[cfg(test)]
mod tests {
	use super::*;

	fn options(allow: &[&str], fee: &[&str]) -> cli::ConstraintsInput {
		let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
		cli::ConstraintsInput {
			allow: owned(allow),
			fee: owned(fee),
			messages: None,
			constraints: None,
		}
	}

	/// What is said of constraints for an Ed25519 key.
	fn refusal(input: &cli::ConstraintsInput) -> String {
		let read = constraints(input).and_then(|given| {
			given.expect("some are given").read(KeyScheme::Ed25519, BitcoinNetwork::Mainnet)
		});
		let error = read.expect_err("they are wrong");
		assert_eq!(error.kind(), "input");
		error.to_string()
	}

	#[test]
	fn a_wrong_rule_or_fee_is_named_as_it_was_given() {
		let memo = "1: solana memo";
		let of_rule = refusal(&options(&[memo, "x: solana memo"], &["solana=1"]));
		assert!(of_rule.starts_with("--allow number 2: `x:` is no rule's id"), "{of_rule}");
		let repeated = refusal(&options(&[memo, memo], &["solana=1"]));
		assert!(repeated.starts_with("--allow number 2: the id 1"), "{repeated}");
		let of_fee = refusal(&options(&[memo], &["solana"]));
		assert!(of_fee.starts_with("--fee number 1: "), "{of_fee}");
		let repeated = refusal(&options(&[memo], &["solana=1", "solana=2"]));
		assert!(repeated.starts_with("--fee number 2: "), "{repeated}");
		// What is about all of them has no place.
		assert!(refusal(&options(&[memo], &[])).starts_with("there are rules for solana"));
	}

	#[test]
	fn a_missing_space_after_a_rules_id_is_named() {
		let missing = refusal(&options(&["1:solana memo"], &[]));
		assert!(missing.ends_with("and a colon, which a space follows"), "{missing}");
		let other = refusal(&options(&["x: solana memo"], &[]));
		assert!(!other.contains("space"), "{other}");
	}

	#[test]
	fn a_wrong_file_of_constraints_is_named() {
		let folder = tempfile::tempdir().expect("a temporary folder");
		let path = folder.path().join("rules.json");
		let input = cli::ConstraintsInput { constraints: Some(path.clone()), ..options(&[], &[]) };
		let with = |text: &str| {
			std::fs::write(&path, text).expect("written");
			let error = refusal(&input);
			let rest = error.strip_prefix(&format!("{}", path.display()));
			rest.unwrap_or_else(|| panic!("the file is not named: {error}")).to_owned()
		};
		assert!(with("{").starts_with(": the constraints are no JSON"));
		let second = with(r#"{"rules":["1: solana memo","x"],"fees":[],"messages":"never"}"#);
		assert!(second.starts_with(", entry 2 of `rules`: `x`"), "{second}");
		let no_fee = with(r#"{"rules":["1: solana memo"],"fees":[],"messages":"never"}"#);
		assert!(no_fee.starts_with(": there are rules for solana"), "{no_fee}");
	}
}
