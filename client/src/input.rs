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
use keyshare_constraints::{set::MessagesText, ConstraintsText};
use keyshare_primitives::{split::PrivateKey, KeyScheme};
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
				refuse_existing(path)?;
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

/// From the file, or from standard input if there is none.
fn read(path: Option<&Path>, scheme: Option<KeyScheme>, output: &Output) -> Result<PrivateKey> {
	let KeyInput { key, warning } = match path {
		Some(path) => keyfile::read(path, scheme)?,
		None => keyfile::read_stdin(scheme)?,
	};
	if let Some(warning) = warning {
		output.note(&format!("Warning: {warning}."));
	}
	Ok(key)
}

fn refuse_existing(path: &Path) -> Result<()> {
	if path.exists() {
		return Err(KeyFileError::Exists { path: path.to_owned() }.into());
	}
	Ok(())
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
pub async fn signer(input: &cli::SignerInput, chain: &Chain) -> Result<Signer> {
	if let Some(account) = &input.external_signer {
		return Ok(Signer::Elsewhere(account.clone()));
	}
	let (key, is_public) = if let Some(name) = &input.dev_account {
		(development_signer(name)?, true)
	} else {
		let text = match &input.account_file {
			Some(path) => keyfile::file_text(path)?,
			None => keyfile::stdin_text()?,
		};
		(signer_from_secret(&text)?, is_public_secret(&text))
	};
	if is_public {
		let kind = chain.kind().await?;
		if !matches!(kind.as_str(), "Development" | "Local") {
			return Err(AccountError::NotDevelopment(kind).into());
		}
	}
	Ok(Signer::Key(Box::new(key)))
}

/// Reads the constraints as text; none if no option names any.
pub fn constraints(input: &cli::ConstraintsInput) -> Result<Option<ConstraintsText>> {
	if let Some(path) = &input.constraints {
		let file = std::fs::read(path)
			.map_err(|error| Error::Input(format!("cannot read {}: {error}", path.display())))?;
		return Ok(Some(ConstraintsText::from_file(&file)?));
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
	Ok(Some(ConstraintsText { rules, fees, messages }))
}
