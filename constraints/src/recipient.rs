//! Recipients: addresses as people know them, and what rules have of them.

use crate::quoted;
use bitcoin::{address::NetworkUnchecked, Address, Network, Script};
use keyshare_primitives::constraints::{ChainId, EvmAddress, ScriptPubKey, SolanaAddress};
use sp_crypto_hashing::keccak_256;
use std::fmt;

/// The chains whose wallets show the checksum of EIP-1191: Rootstock, and its testnet.
const EIP_1191_CHAINS: [ChainId; 2] = [30, 31];

/// Which of Bitcoin's networks addresses are read and shown for. Rules hold on all of them, since
/// the script is the same; the address is not.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum BitcoinNetwork {
	/// The one with money.
	#[default]
	Mainnet,
	/// The test networks and signet, which have one form of addresses.
	Testnet,
	/// A network on one machine.
	Regtest,
}

impl BitcoinNetwork {
	pub(crate) fn network(self) -> Network {
		match self {
			Self::Mainnet => Network::Bitcoin,
			Self::Testnet => Network::Testnet,
			Self::Regtest => Network::Regtest,
		}
	}
}

impl fmt::Display for BitcoinNetwork {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		f.write_str(match self {
			Self::Mainnet => "mainnet",
			Self::Testnet => "testnet",
			Self::Regtest => "regtest",
		})
	}
}

/// Why a recipient cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RecipientError {
	/// Not an EVM address.
	#[error("`{0}` is no EVM address: it must be 0x and 40 hex digits")]
	NotEvmAddress(String),
	/// A mixed-case EVM address with a wrong checksum.
	#[error(
		"`{0}` has a wrong checksum (EIP-55): is it mistyped? In lower case it is not checked"
	)]
	WrongChecksum(String),
	/// An EVM address with the checksum that some chains have instead.
	#[error(
		"`{given}` has the checksum of EIP-1191 for chain {chain}, which wallets of other chains take \
		 for a mistyped address: write it in lower case"
	)]
	Eip1191Checksum {
		/// The address as it was given.
		given: String,
		/// The chain whose checksum it has.
		chain: ChainId,
	},
	/// Not a Bitcoin address.
	#[error("`{0}` is no Bitcoin address, or mistyped")]
	NotBitcoinAddress(String),
	/// A Bitcoin address of another network.
	#[error("`{given}` is no address of Bitcoin's {wanted}, but of {found}")]
	OtherBitcoinNetwork {
		/// The address as it was given.
		given: String,
		/// The network that was asked for.
		wanted: BitcoinNetwork,
		/// The network or networks whose address it is.
		found: &'static str,
	},
	/// Not a Solana address.
	#[error("`{0}` is no Solana address: it must be 32 bytes in Base58")]
	NotSolanaAddress(String),
}

type Result<T> = std::result::Result<T, RecipientError>;

/// Reads an address on the EVM chain `chain`.
pub fn parse_evm(text: &str, chain: ChainId) -> Result<EvmAddress> {
	let wrong = || RecipientError::NotEvmAddress(quoted(text));
	let digits = text.strip_prefix("0x").ok_or_else(wrong)?;
	let mut address = [0; 20];
	hex::decode_to_slice(digits, &mut address).map_err(|_| wrong())?;
	let is_mixed = digits.contains(|c: char| c.is_ascii_lowercase())
		&& digits.contains(|c: char| c.is_ascii_uppercase());
	let has_checksum_of = |chain| checksummed(&address, chain) == text;
	if !is_mixed || has_checksum_of(None) {
		return Ok(address);
	}
	let mut others = EIP_1191_CHAINS.into_iter().chain([chain]);
	Err(match others.find(|chain| has_checksum_of(Some(*chain))) {
		Some(chain) => RecipientError::Eip1191Checksum { given: quoted(text), chain },
		None => RecipientError::WrongChecksum(quoted(text)),
	})
}

/// An EVM address with its checksum.
pub fn show_evm(address: &EvmAddress) -> String {
	checksummed(address, None)
}

/// An address in the case that EIP-55 gives it, or with a chain EIP-1191: upper where the Keccak-256 of
/// the digits in lower case, with EIP-1191 of the chain's id and the whole address, has a nibble of
/// eight or more.
fn checksummed(address: &EvmAddress, chain: Option<ChainId>) -> String {
	let lower = hex::encode(address);
	let hash = keccak_256(
		match chain {
			None => lower.clone(),
			Some(chain) => format!("{chain}0x{lower}"),
		}
		.as_bytes(),
	);
	let nibbles = hash.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
	let digits = lower.chars().zip(nibbles).map(|(digit, nibble)| {
		if nibble >= 8 {
			digit.to_ascii_uppercase()
		} else {
			digit
		}
	});
	"0x".chars().chain(digits).collect()
}

/// Reads a Bitcoin address of `network`.
pub fn parse_bitcoin(text: &str, network: BitcoinNetwork) -> Result<ScriptPubKey> {
	let wrong = || RecipientError::NotBitcoinAddress(quoted(text));
	let address: Address<NetworkUnchecked> = text.parse().map_err(|_| wrong())?;
	if !address.is_valid_for_network(network.network()) {
		return Err(RecipientError::OtherBitcoinNetwork {
			given: quoted(text),
			wanted: network,
			found: found(&address),
		});
	}
	let script = address.assume_checked().script_pubkey().into_bytes();
	ScriptPubKey::try_from(script).map_err(|_| wrong())
}

fn found(address: &Address<NetworkUnchecked>) -> &'static str {
	let is = |network: Network| address.is_valid_for_network(network);
	match (is(Network::Bitcoin), is(Network::Testnet), is(Network::Regtest)) {
		(true, _, _) => "mainnet",
		(_, true, true) => "testnet or regtest",
		(_, true, _) => "testnet",
		_ => "regtest",
	}
}

/// The address of a script that has one; others, which the chain refuses, in hex.
pub fn show_bitcoin(script: &ScriptPubKey, network: BitcoinNetwork) -> String {
	let bytes = Script::from_bytes(script);
	match Address::from_script(bytes, network.network()) {
		Ok(address) => address.to_string(),
		Err(_) => format!("0x{}", hex::encode(script)),
	}
}

/// Reads an address on Solana.
pub fn parse_solana(text: &str) -> Result<SolanaAddress> {
	let mut address = [0; 32];
	match bs58::decode(text).onto(&mut address) {
		Ok(32) => Ok(address),
		_ => Err(RecipientError::NotSolanaAddress(quoted(text))),
	}
}

/// A Solana address.
pub fn show_solana(address: &SolanaAddress) -> String {
	bs58::encode(address).into_string()
}
