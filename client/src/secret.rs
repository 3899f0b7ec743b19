//! What looks like a secret: whoever gives one in the wrong place must not read it again in the
//! error, from where it gets into logs.

/// A secret in place of something that errors quote.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
	"a secret was given where {place} belongs; it may now be in the shell's history: delete it \
	 there, and give {instead}"
)]
pub struct Misplaced {
	place: &'static str,
	instead: &'static str,
}

impl Misplaced {
	/// In place of a file.
	pub const FILE: Self =
		Self { place: "a file", instead: "the path of a file, which only you can read" };
	/// In place of an address.
	pub const ADDRESS: Self = Self {
		place: "an address",
		instead: "the account's SS58 address (like 5Grwva…) or 0x and 64 hex digits",
	};
	/// In place of a development account's name.
	pub const NAME: Self =
		Self { place: "a name", instead: "a file that holds it, with --account-file" };
	/// Somewhere on the command line.
	pub const ARGUMENT: Self = Self {
		place: "none",
		instead: "a file that holds it, with --key-file for a key or --account-file for an account",
	};

	/// This error, if `text` looks like a secret.
	pub fn check(self, text: &str) -> Result<(), Self> {
		if looks_like_a_secret(text) {
			return Err(self);
		}
		Ok(())
	}
}

/// Whether `text` looks like a private key, a seed or a phrase, or like what a file of one holds.
pub fn looks_like_a_secret(text: &str) -> bool {
	let text = text.trim();
	let is_file = text.contains("-----BEGIN") || (text.starts_with(['[', '{']) && text.len() > 60);
	let is_phrase = text.split_whitespace().count() >= 12;
	// What a scheme or a setting's name may stand before.
	let key = text.trim_end_matches('=').rsplit([':', '=']).next().unwrap_or(text);
	let key = key.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\''));
	let is_base58 = key.len() >= 50 && key.chars().all(is_base58);
	let is_base64 = text.ends_with('=')
		&& text.len() >= 44
		&& text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '\n'));
	// A seed, which a derivation path may follow.
	let seed = key.split('/').next().unwrap_or(key);
	let digits = seed.strip_prefix("0x").or(seed.strip_prefix("0X")).unwrap_or(seed);
	let is_hex =
		(60..=130).contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_hexdigit());
	is_file || is_phrase || is_base58 || is_base64 || is_hex
}

/// Whether Base58 has the character.
pub(crate) fn is_base58(c: char) -> bool {
	c.is_ascii_alphanumeric() && !matches!(c, '0' | 'O' | 'I' | 'l')
}

#[cfg(test)]
mod tests {
	use super::*;

	const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";

	#[test]
	fn secrets_are_told_from_paths_names_and_addresses() {
		let wif = "KwHcZJGj2U4H97CSjYERuQvU8RYMWUSUjUqt4C4DaYyLL6udseoj";
		let words = "abandon ".repeat(11);
		for secret in [
			SEED,
			&SEED[1..],
			&format!("{SEED}0"),
			&format!(" 0x{SEED}\n"),
			&format!("0X{SEED}"),
			&format!("0x{SEED}//Alice/soft"),
			&format!("ed25519:0x{SEED}"),
			&format!("PRIVATE_KEY=\"0x{SEED}\""),
			&format!("{SEED}{SEED}"),
			wif,
			&format!("ed25519:{wif}"),
			&format!("{words}about"),
			&format!("{words}about//Alice///password"),
			"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
			"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIE",
			&format!("[{}1]", "1,".repeat(63)),
		] {
			assert!(looks_like_a_secret(secret), "{secret}");
		}
		for other in [
			"",
			"user.key",
			"/home/alice/keys of mine/user.key",
			"//Alice",
			&format!("keys/{SEED}"),
			&format!("{SEED}.key"),
			"a-folder-with-a-long-name-of-more-than-fifty-characters-in-all",
			// An address of this chain, one of Solana, one of an EVM chain.
			"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
			"AKnL4NNf3DGWZJS6cPknBuEGnVsV4A4m5tgebLHaRSZ9",
			"0x2c7536e3605d9c16a7a3d7b1898e529396a65c23",
		] {
			assert!(!looks_like_a_secret(other), "{other}");
		}
	}
}
