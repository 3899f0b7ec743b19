//! The account that signs, and addresses in words.

use crate::secret::Misplaced;
use keyshare_primitives::{wire::Ss58, AccountId};
use serde::{
	de::{value::Error as ValueError, IntoDeserializer},
	Deserialize,
};
use subxt_signer::{sr25519::Keypair, SecretUri, DEV_PHRASE};
use zeroize::Zeroizing;

/// Why an account cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccountError {
	/// Not an address.
	#[error("`{0}` is no account: give its SS58 address (like 5Grwva…) or 0x and 64 hex digits")]
	Address(String),
	/// A secret in place of an address or a name: it is not quoted.
	#[error(transparent)]
	Misplaced(#[from] Misplaced),
	/// Almost an address.
	#[error(
		"`{0}` is no account: it looks like an SS58 address, but its checksum is wrong, so that a \
		 character of it is mistyped, missing or too many. Copy it again"
	)]
	Mistyped(String),
	/// The name of a development account in place of its address.
	#[error(
		"`{name}` is no account: give its address. That of the development account {name} is \
		 {address}"
	)]
	DevelopmentName {
		/// The name.
		name: String,
		/// The address.
		address: AccountId,
	},
	/// Not a secret.
	#[error(
		"the account's secret cannot be read: it must be one line with a mnemonic, a 0x seed of \
		 64 hex digits, or either followed by a derivation path. A path alone, such as `//Dave`, \
		 is of the development accounts"
	)]
	Secret,
	/// Not a development account.
	#[error(
		"`{0}` is no development account: there are alice, bob, charlie, dave, eve and ferdie"
	)]
	Development(String),
	/// The chain is not a development chain.
	#[error(
		"this account's secret is public, since it is a development account: it signs only on a \
		 development or local chain, and this node's chain is `{0}`"
	)]
	NotDevelopment(String),
}

/// The accounts every development chain endows.
pub const DEVELOPMENT_ACCOUNTS: [&str; 6] = ["alice", "bob", "charlie", "dave", "eve", "ferdie"];

/// Reads an address: SS58 of any prefix, or `0x` and 64 hex digits.
pub fn parse_address(text: &str) -> Result<AccountId, AccountError> {
	let wrong = || {
		if let Err(misplaced) = Misplaced::ADDRESS.check(text) {
			return misplaced.into();
		}
		if let Ok(signer) = development_signer(text) {
			let (name, address) = (text.to_lowercase(), account_of(&signer));
			return AccountError::DevelopmentName { name, address };
		}
		let quoted = text.chars().take(80).collect();
		match looks_like_ss58(text) {
			true => AccountError::Mistyped(quoted),
			false => AccountError::Address(quoted),
		}
	};
	if let Some(digits) = text.strip_prefix("0x") {
		let mut bytes = [0; 32];
		hex::decode_to_slice(digits, &mut bytes).map_err(|_| wrong())?;
		return Ok(AccountId::new(bytes));
	}
	let deserializer: serde::de::value::StrDeserializer<'_, ValueError> = text.into_deserializer();
	Ss58::deserialize(deserializer).map(|ss58| ss58.0).map_err(|_| wrong())
}

/// Whether this was an address before somebody mistyped it: these have 46 to 49 characters.
fn looks_like_ss58(text: &str) -> bool {
	(45..=50).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// A short form for lines that name many: the address's first and last characters.
pub fn short(account: &AccountId) -> String {
	let address = account.to_string();
	match (address.get(..6), address.get(address.len().saturating_sub(4)..)) {
		(Some(head), Some(tail)) => format!("{head}…{tail}"),
		_ => address,
	}
}

/// An sr25519 key from a secret URI: a mnemonic or a `0x` seed, with an optional derivation path.
/// A bare path means the development phrase, as everywhere in this ecosystem.
pub fn signer_from_secret(text: &str) -> Result<Keypair, AccountError> {
	// Some editors write a byte order mark.
	match text.trim_start_matches('\u{feff}').trim() {
		"" => Err(AccountError::Secret),
		text => from_uri(text),
	}
}

/// Whether a secret URI is one that everybody knows, however it is spelled: it derives from the
/// development phrase or that phrase's seed, or its key is that of a development account.
pub fn is_public_secret(text: &str) -> bool {
	let text = text.trim_start_matches('\u{feff}').trim();
	let lower = Zeroizing::new(text.to_lowercase());
	let words = Zeroizing::new(lower.split_whitespace().collect::<Vec<_>>().join(" "));
	let derives = ["/", DEV_PHRASE, DEV_SEED].iter().any(|known| words.starts_with(known));
	let is_known = |key: Keypair| {
		let stashes = ["", "//stash"];
		DEVELOPMENT_ACCOUNTS.iter().any(|name| {
			stashes.iter().any(|path| {
				let known = from_uri(&format!("//{}{path}", capitalized(name)));
				known.is_ok_and(|known| known.public_key().0 == key.public_key().0)
			})
		})
	};
	derives || from_uri(text).is_ok_and(is_known)
}

/// What the development phrase stands for.
const DEV_SEED: &str = "0xfac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e";

fn capitalized(name: &str) -> String {
	let (first, rest) = name.split_at(1);
	format!("{}{rest}", first.to_uppercase())
}

/// The key of one of [`DEVELOPMENT_ACCOUNTS`].
pub fn development_signer(name: &str) -> Result<Keypair, AccountError> {
	let lower = name.to_lowercase();
	let Some(name) = DEVELOPMENT_ACCOUNTS.iter().find(|known| **known == lower) else {
		Misplaced::NAME.check(name)?;
		return Err(AccountError::Development(name.to_owned()));
	};
	from_uri(&format!("//{}", capitalized(name)))
}

/// The account a key signs for.
pub fn account_of(signer: &Keypair) -> AccountId {
	AccountId::new(signer.public_key().0)
}

fn from_uri(uri: &str) -> Result<Keypair, AccountError> {
	// The parser's own errors may quote what they read, which is a secret.
	let uri: SecretUri = uri.parse().map_err(|_| AccountError::Secret)?;
	Keypair::from_uri(&uri).map_err(|_| AccountError::Secret)
}

#[cfg(test)]
mod tests {
	use super::*;

	const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

	#[test]
	fn development_accounts_are_the_well_known_ones() {
		let alice = development_signer("Alice").expect("known");
		assert_eq!(account_of(&alice).to_string(), ALICE);
		let error = development_signer("mallory").err();
		assert_eq!(error, Some(AccountError::Development("mallory".into())));
	}

	#[test]
	fn addresses_are_ss58_of_any_prefix_or_hex() {
		let alice = parse_address(ALICE).expect("valid");
		// Alice on Polkadot.
		let polkadot = "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5";
		assert_eq!(parse_address(polkadot), Ok(alice.clone()));
		let bytes: &[u8] = alice.as_ref();
		assert_eq!(parse_address(&format!("0x{}", hex::encode(bytes))), Ok(alice));
		for bad in ["", "foo", "0x00", &ALICE[10..]] {
			assert!(matches!(parse_address(bad), Err(AccountError::Address(_))), "{bad}");
		}
	}

	#[test]
	fn a_mistyped_address_is_told_from_what_is_none() {
		let longer = format!("{ALICE}1");
		for bad in [
			&ALICE[1..],
			&longer,
			"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQZ",
			// Base58 has no zero.
			"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcN0HGKutQY",
		] {
			let error = parse_address(bad).expect_err("mistyped").to_string();
			assert!(error.contains("checksum"), "{error}");
		}
	}

	#[test]
	fn a_secret_in_place_of_an_address_or_a_name_is_not_repeated() {
		let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
		for secret in [
			seed,
			&seed[1..],
			&format!("{seed}0"),
			&format!("0x{seed}0"),
			&format!("0x{}", &seed[1..]),
			"bottom drive obey lake curtain smoke basket hold race lonely fit walk",
		] {
			let given = parse_address(secret).expect_err("a secret");
			assert_eq!(given, AccountError::Misplaced(Misplaced::ADDRESS), "{secret}");
			let given = development_signer(secret).err();
			assert_eq!(given, Some(AccountError::Misplaced(Misplaced::NAME)), "{secret}");
		}
		let words = Misplaced::ADDRESS.to_string();
		assert!(words.contains("a secret was given where an address belongs"), "{words}");
		assert!(words.contains("the shell's history"), "{words}");
	}

	#[test]
	fn a_development_name_in_place_of_an_address_is_answered_with_the_address() {
		for name in ["alice", "Alice"] {
			let error = parse_address(name).expect_err("a name").to_string();
			assert!(error.contains(ALICE), "{error}");
		}
	}

	#[test]
	fn a_secret_is_a_mnemonic_or_a_seed_and_never_quoted() {
		let seed = "0xe5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a";
		let phrase = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";
		let alice = signer_from_secret(&format!("{phrase}//Alice\n")).expect("valid");
		assert_eq!(account_of(&alice).to_string(), ALICE);
		let from_seed = signer_from_secret(seed).expect("valid");
		assert_eq!(account_of(&from_seed).to_string(), ALICE);
		for bad in ["", "0x1234", "bottom drive obey", "bottom drive//Alice"] {
			let error = signer_from_secret(bad).err();
			assert_eq!(error, Some(AccountError::Secret), "{bad}");
		}
		assert!(!AccountError::Secret.to_string().contains("bottom"));
	}

	#[test]
	fn the_development_phrase_is_no_secret() {
		let phrase = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";
		assert!(is_public_secret("//Alice\n"));
		let seed_of_alice = "0xe5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a";
		for spelled in [
			&format!(" {phrase}//Alice"),
			&format!("\u{feff}{phrase}//Alice"),
			&phrase.to_uppercase(),
			&phrase.replace(' ', "\n"),
			&format!("{}//Alice", phrase.replace(' ', "  ")),
			&format!("{phrase}//Alice///"),
			&format!("{phrase}//Alice///word"),
			seed_of_alice,
			&seed_of_alice.to_uppercase().replacen("0X", "0x", 1),
			DEV_SEED,
			&format!("{DEV_SEED}//Bob"),
		] {
			assert!(is_public_secret(spelled), "{spelled}");
		}
		assert!(!is_public_secret(&format!("0x{}", "12".repeat(32))));
		let alice = signer_from_secret("//Alice\n").expect("valid");
		assert_eq!(account_of(&alice).to_string(), ALICE);
	}

	#[test]
	fn the_short_form_keeps_both_ends() {
		let alice = parse_address(ALICE).expect("valid");
		assert_eq!(short(&alice), "5Grwva…utQY");
	}
}
