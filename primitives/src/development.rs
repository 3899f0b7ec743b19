//! The well-known keys of the development and local networks. They are public and protect
//! nothing: a node accepts them only where its operator asks for a development chain.

use crate::types::*;
use alloc::{format, string::String};
use curve25519_dalek::MontgomeryPoint;
use sp_crypto_hashing::blake2_256;

/// A validator of the development network with its server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DevelopmentServer {
	/// Name of the validator, as in `//Alice`.
	pub name: &'static str,
	/// Its subgroup in the `development` preset.
	pub subgroup: SubgroupId,
}

/// The validators of the development network, one a subgroup.
pub const SERVERS: [DevelopmentServer; 3] = [
	DevelopmentServer { name: "Alice", subgroup: 0 },
	DevelopmentServer { name: "Bob", subgroup: 1 },
	DevelopmentServer { name: "Charlie", subgroup: 2 },
];

impl DevelopmentServer {
	/// Secret URI of the server account: the validator's `//stash` key, which nothing else uses
	/// on these networks, and whose public half a runtime preset can name.
	pub fn server_uri(&self) -> String {
		format!("//{}//stash", self.name)
	}

	/// Secret encryption key: `blake2_256("keyshare/development/v1/" ++ name)`.
	pub fn encryption_secret(&self) -> [u8; 32] {
		blake2_256(format!("keyshare/development/v1/{}", self.name).as_bytes())
	}

	/// The public half of [`Self::encryption_secret`].
	pub fn encryption_key(&self) -> EncryptionKey {
		let point = MontgomeryPoint::mul_base_clamped(self.encryption_secret());
		EncryptionKey::X25519(point.to_bytes())
	}
}

#[cfg(all(test, feature = "std"))]
mod tests {
	use super::*;
	use crate::seal::EncryptionSecret;

	#[test]
	fn public_keys_are_those_of_the_secrets() {
		for server in SERVERS {
			let secret = EncryptionSecret::new(server.encryption_secret());
			assert_eq!(secret.public(), server.encryption_key(), "{}", server.name);
		}
	}
}
