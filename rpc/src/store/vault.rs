//! What stands between the file and its secrets. Every secret is sealed with XChaCha20-Poly1305
//! under a random data key; the data key is wrapped the same way under a key that Argon2id makes
//! from the password, so that a new password rewraps one key.
//!
//! The associated data of each seal names the store and the record, so nothing can be moved to
//! another row, kind or file.

use super::{ShareRecord, StoreError};
use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::{AeadInOut, KeyInit, XChaCha20Poly1305};
use codec::Encode;
use keyshare_primitives::{AccountId, GenesisHash};
use rand::{rngs::OsRng, RngCore};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

/// Domain of a wrapped data key.
const DATA_KEY_TAG: &[u8] = b"keyshare/store/data-key/v1";
/// Domain of a sealed share.
const SHARE_TAG: &[u8] = b"keyshare/store/share/v1";
/// Domain of a sealed encryption key of a server.
const SERVER_TAG: &[u8] = b"keyshare/store/server/v1";

const TAG_LENGTH: usize = 16;

/// Length of a sealed 32-byte secret.
pub(super) const SEALED_LENGTH: usize = 32 + TAG_LENGTH;

/// A 32-byte secret at rest.
#[derive(Clone)]
pub(super) struct Sealed {
	pub nonce: [u8; 24],
	pub ciphertext: [u8; SEALED_LENGTH],
}

/// What a secret belongs to.
pub(super) enum Place<'a> {
	DataKey(&'a GenesisHash),
	Share(&'a ShareRecord),
	Server(&'a AccountId),
}

impl Place<'_> {
	/// `tag ++ store id ++ SCALE(what names the record)`.
	fn associated_data(&self, store_id: &[u8; 16]) -> Vec<u8> {
		let (tag, name) = match self {
			Self::DataKey(genesis) => (DATA_KEY_TAG, genesis.encode()),
			Self::Share(record) => {
				let ShareRecord { id, server, account, generation, subgroup, proof: _ } = record;
				(SHARE_TAG, (id, server, account, generation, subgroup).encode())
			}
			Self::Server(account) => (SERVER_TAG, account.encode()),
		};
		[tag, store_id, &name].concat()
	}
}

/// Cost of Argon2id; kept in the store, so that it can be raised for new ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Cost {
	pub memory_kib: u32,
	pub passes: u32,
	pub lanes: u32,
}

impl Cost {
	/// RFC 9106's choice for limited memory, but on one thread: 64 MiB, three passes.
	const DEFAULT: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 1 };
	/// Beyond this a store is damaged or hostile: one that would exhaust the machine at start.
	const MAX: Self = Self { memory_kib: 1024 * 1024, passes: 64, lanes: 16 };

	fn params(self) -> Option<Params> {
		let within = self.memory_kib <= Self::MAX.memory_kib
			&& self.passes <= Self::MAX.passes
			&& self.lanes <= Self::MAX.lanes;
		let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32));
		params.ok().filter(|_| within)
	}
}

/// The public part of the vault, as it stands in the store.
#[derive(Clone)]
pub(super) struct Header {
	pub store_id: [u8; 16],
	pub genesis: GenesisHash,
	pub cost: Cost,
	pub salt: [u8; 16],
	pub data_key: Sealed,
}

impl Header {
	/// A new store's header, and its opened vault.
	pub fn create(
		password: &SecretString,
		genesis: GenesisHash,
	) -> Result<(Self, Vault), StoreError> {
		let (store_id, salt, cost) = (random(), random(), Cost::DEFAULT);
		let data_key = Zeroizing::new(random());
		let wrapping = Vault::new(store_id, &*wrapping_key(password, &salt, cost)?);
		let sealed = wrapping.seal(&Place::DataKey(&genesis), &data_key);
		let vault = Vault::new(store_id, &data_key);
		Ok((Self { store_id, genesis, cost, salt, data_key: sealed }, vault))
	}

	/// Opens the vault; with any other password than the store's, [`StoreError::WrongPassword`].
	pub fn unlock(&self, password: &SecretString) -> Result<Vault, StoreError> {
		Ok(Vault::new(self.store_id, &*self.data_key(password)?))
	}

	/// The same header for another password: the data key stays, so no record changes.
	pub fn rewrapped(
		&self,
		password: &SecretString,
		new: &SecretString,
	) -> Result<Self, StoreError> {
		let data_key = self.data_key(password)?;
		let (salt, cost) = (random(), Cost::DEFAULT);
		let wrapping = Vault::new(self.store_id, &*wrapping_key(new, &salt, cost)?);
		let sealed = wrapping.seal(&Place::DataKey(&self.genesis), &data_key);
		Ok(Self { cost, salt, data_key: sealed, ..*self })
	}

	fn data_key(&self, password: &SecretString) -> Result<Zeroizing<[u8; 32]>, StoreError> {
		let wrapping_key = wrapping_key(password, &self.salt, self.cost)?;
		Vault::new(self.store_id, &wrapping_key)
			.open(&Place::DataKey(&self.genesis), &self.data_key)
			.ok_or(StoreError::WrongPassword)
	}
}

fn wrapping_key(
	password: &SecretString,
	salt: &[u8; 16],
	cost: Cost,
) -> Result<Zeroizing<[u8; 32]>, StoreError> {
	let params = cost.params().ok_or(StoreError::Damaged("its key derivation parameters"))?;
	let mut key = Zeroizing::new([0; 32]);
	Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
		.hash_password_into(password.expose_secret().as_bytes(), salt, key.as_mut_slice())
		.map_err(|error| StoreError::Password(error.to_string()))?;
	Ok(key)
}

/// Seals and opens the secrets of one store. Its key is wiped when it is dropped.
pub(super) struct Vault {
	cipher: XChaCha20Poly1305,
	store_id: [u8; 16],
}

impl Vault {
	fn new(store_id: [u8; 16], key: &[u8; 32]) -> Self {
		Self { cipher: XChaCha20Poly1305::new(key.into()), store_id }
	}

	/// Encrypts `secret` for its place, under a random nonce.
	pub fn seal(&self, place: &Place<'_>, secret: &[u8; 32]) -> Sealed {
		let nonce = random();
		let mut buffer = Zeroizing::new(*secret);
		let tag = self
			.cipher
			.encrypt_inout_detached(
				(&nonce).into(),
				&place.associated_data(&self.store_id),
				buffer.as_mut_slice().into(),
			)
			.expect("32 bytes are within the cipher's limit; qed");
		let mut ciphertext = [0; SEALED_LENGTH];
		ciphertext[..32].copy_from_slice(buffer.as_slice());
		ciphertext[32..].copy_from_slice(&tag);
		Sealed { nonce, ciphertext }
	}

	/// Decrypts what was sealed for exactly this place, else nothing.
	pub fn open(&self, place: &Place<'_>, sealed: &Sealed) -> Option<Zeroizing<[u8; 32]>> {
		let mut buffer = Zeroizing::new([0; 32]);
		buffer.copy_from_slice(&sealed.ciphertext[..32]);
		let tag: [u8; TAG_LENGTH] = sealed.ciphertext[32..].try_into().ok()?;
		self.cipher
			.decrypt_inout_detached(
				(&sealed.nonce).into(),
				&place.associated_data(&self.store_id),
				buffer.as_mut_slice().into(),
				(&tag).into(),
			)
			.ok()?;
		Some(buffer)
	}
}

fn random<const N: usize>() -> [u8; N] {
	let mut bytes = [0; N];
	OsRng.fill_bytes(&mut bytes);
	bytes
}

#[cfg(test)]
mod tests {
	use super::*;
	use keyshare_primitives::{CustodyProof, RegistrationId};

	const GENESIS: GenesisHash = GenesisHash::repeat_byte(1);
	const SERVER: AccountId = AccountId::new([3; 32]);

	const RECORD: ShareRecord = ShareRecord {
		id: RegistrationId::repeat_byte(2),
		server: SERVER,
		account: AccountId::new([4; 32]),
		generation: 5,
		subgroup: 6,
		proof: CustodyProof::Ed25519([7; 64]),
	};

	#[test]
	fn associated_data_layout() {
		assert_eq!(
			Place::Share(&RECORD).associated_data(&[9; 16]),
			[
				b"keyshare/store/share/v1".as_slice(),
				&[9; 16],
				&[2; 32],
				&[3; 32],
				&[4; 32],
				&[5, 0, 0, 0],
				&[6],
			]
			.concat()
		);
		assert_eq!(
			Place::Server(&SERVER).associated_data(&[9; 16]),
			[b"keyshare/store/server/v1".as_slice(), &[9; 16], &[3; 32]].concat()
		);
		assert_eq!(
			Place::DataKey(&GENESIS).associated_data(&[9; 16]),
			[b"keyshare/store/data-key/v1".as_slice(), &[9; 16], &[1; 32]].concat()
		);
	}

	#[test]
	fn a_secret_opens_in_its_own_place_only() {
		let vault = Vault::new([9; 16], &[8; 32]);
		let sealed = vault.seal(&Place::Share(&RECORD), &[7; 32]);
		let open = |vault: &Vault, place: Place<'_>, sealed: &Sealed| {
			vault.open(&place, sealed).map(|secret| *secret)
		};
		assert_eq!(open(&vault, Place::Share(&RECORD), &sealed), Some([7; 32]));

		let another = |change: fn(&mut ShareRecord)| {
			let mut record = RECORD;
			change(&mut record);
			open(&vault, Place::Share(&record), &sealed)
		};
		assert_eq!(another(|record| record.id = RegistrationId::repeat_byte(9)), None);
		assert_eq!(another(|record| record.server = AccountId::new([9; 32])), None);
		assert_eq!(another(|record| record.account = AccountId::new([9; 32])), None);
		assert_eq!(another(|record| record.generation = 9), None);
		assert_eq!(another(|record| record.subgroup = 9), None);
		assert_eq!(open(&vault, Place::Server(&SERVER), &sealed), None);

		let place = || Place::Share(&RECORD);
		assert_eq!(open(&Vault::new([1; 16], &[8; 32]), place(), &sealed), None, "other store");
		assert_eq!(open(&Vault::new([9; 16], &[1; 32]), place(), &sealed), None, "other key");
		for byte in [0, 32, SEALED_LENGTH - 1] {
			let mut altered = sealed.clone();
			altered.ciphertext[byte] ^= 1;
			assert_eq!(open(&vault, place(), &altered), None, "byte {byte}");
		}
	}

	#[test]
	fn costs_that_would_exhaust_the_machine_are_refused() {
		assert!(Cost::DEFAULT.params().is_some());
		assert!(Cost::MAX.params().is_some());
		for hostile in [
			Cost { memory_kib: Cost::MAX.memory_kib + 1, ..Cost::DEFAULT },
			Cost { passes: Cost::MAX.passes + 1, ..Cost::DEFAULT },
			Cost { lanes: Cost::MAX.lanes + 1, ..Cost::DEFAULT },
			Cost { memory_kib: 0, ..Cost::DEFAULT },
		] {
			assert!(hostile.params().is_none(), "{hostile:?}");
		}
	}
}
