//! # Subgroups
//!
//! Validators' threshold servers, and the signing subgroups they make up: protocol §7 and §8.
//!
//! A validator publishes its server (account, encryption key, endpoint) with
//! [`Pallet::publish_server`], and replaces it with the same call. The server account proves that
//! it agrees; both keys belong to one validator for ever, so no two servers can ever be taken for
//! each other, and no envelope can be opened by a server it was not meant for.
//!
//! The subgroups and their members are set at genesis. Who was ever in a subgroup is kept in
//! [`Assignments`], because a validator that returns must go back to the subgroup it was in: two
//! subgroups' shares in one hand can be the whole key.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
pub mod genesis;
mod integrity;
#[cfg(test)]
mod mock;
mod queries;
#[cfg(test)]
mod tests;
pub mod weights;

pub use pallet::*;
pub use weights::WeightInfo;

#[frame_support::pallet]
pub mod pallet {
	use crate::{genesis, WeightInfo};
	use alloc::vec::Vec;
	use frame_support::{
		pallet_prelude::*,
		traits::{
			fungible::{Inspect, MutateHold},
			Footprint,
		},
	};
	use frame_system::pallet_prelude::*;
	use keyshare_primitives::{
		elements::encryption_key_is_usable, endpoint_is_well_formed, messages, AccountId,
		EncryptionKey, GenesisHash, ServerInfo, SubgroupId,
	};
	use sp_core::{sr25519, H256};
	use sp_runtime::traits::{Convert, Zero};

	/// The version of this pallet's storage.
	pub const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// The currency's balance type.
	pub type BalanceOf<T> = <<T as Config>::NativeBalance as Inspect<AccountId>>::Balance;

	/// What the pallet needs of the runtime.
	#[pallet::config]
	pub trait Config: frame_system::Config<AccountId = AccountId, Hash = H256> {
		/// The currency that deposits are held in.
		type NativeBalance: MutateHold<AccountId, Reason = Self::RuntimeHoldReason>;

		/// The runtime's hold reasons.
		type RuntimeHoldReason: From<HoldReason>;

		/// The deposit for what a published server takes of the chain's storage.
		type DepositPrice: Convert<Footprint, BalanceOf<Self>>;

		/// The most members a subgroup can have.
		#[pallet::constant]
		type MaxMembers: Get<u32>;

		/// Weights of the calls.
		type WeightInfo: WeightInfo;
	}

	/// The pallet.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// Why part of a validator's balance is held.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// For the server the validator has published.
		Server,
	}

	/// A validator's server as it is stored.
	#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
	pub struct PublishedServer<Balance, BlockNumber> {
		/// Account, encryption key and endpoint.
		pub info: ServerInfo,
		/// What is held of the validator's balance for it; nothing for a server of the genesis.
		pub deposit: Balance,
		/// The block in which it was published or last replaced.
		pub published_at: BlockNumber,
	}

	/// [`PublishedServer`] of a runtime.
	pub type PublishedServerOf<T> = PublishedServer<BalanceOf<T>, BlockNumberFor<T>>;

	/// `t`: how many subgroups can use a key. Set at genesis.
	#[pallet::storage]
	pub type Threshold<T> = StorageValue<_, u8, ValueQuery>;

	/// `n`: the number of subgroups. Set at genesis.
	#[pallet::storage]
	pub type SubgroupCount<T> = StorageValue<_, u8, ValueQuery>;

	/// The validators of each subgroup now, in the order in which they joined.
	#[pallet::storage]
	pub type Subgroups<T: Config> = StorageMap<
		_,
		Blake2_128Concat,
		SubgroupId,
		BoundedVec<AccountId, T::MaxMembers>,
		ValueQuery,
	>;

	/// The subgroup each validator belongs to, now or whenever it returns; never removed.
	#[pallet::storage]
	pub type Assignments<T> = StorageMap<_, Blake2_128Concat, AccountId, SubgroupId>;

	/// Each validator's server.
	#[pallet::storage]
	pub type Servers<T: Config> = StorageMap<_, Blake2_128Concat, AccountId, PublishedServerOf<T>>;

	/// The subgroup of each server account that is a member now.
	#[pallet::storage]
	pub type MemberOf<T> = StorageMap<_, Blake2_128Concat, AccountId, SubgroupId>;

	/// The validator of every server account that was ever published; never removed.
	#[pallet::storage]
	pub type ServerAccounts<T> = StorageMap<_, Blake2_128Concat, AccountId, AccountId>;

	/// The validator of every encryption key that was ever published; never removed.
	#[pallet::storage]
	pub type EncryptionKeys<T> = StorageMap<_, Blake2_128Concat, EncryptionKey, AccountId>;

	/// What happened.
	#[pallet::event]
	#[pallet::generate_deposit(pub(crate) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A validator published its first server.
		ServerPublished {
			/// The validator.
			validator: AccountId,
			/// The server's account.
			server: AccountId,
		},
		/// A validator replaced its server.
		ServerReplaced {
			/// The validator.
			validator: AccountId,
			/// The new server's account; the same as before if only its keys or endpoint changed.
			server: AccountId,
			/// The server account before.
			previous: AccountId,
		},
	}

	/// Why a call was refused.
	#[pallet::error]
	pub enum Error<T> {
		/// The endpoint is not an http, https, ws or wss URL in printable ASCII.
		InvalidEndpoint,
		/// The encryption key is a low-order point: nothing can be sealed to it.
		InvalidEncryptionKey,
		/// The proof is not the server account's signature over this validator, account, key and
		/// endpoint on this chain.
		InvalidProof,
		/// The server account belongs, or once belonged, to another validator.
		ServerAccountInUse,
		/// The encryption key belongs, or once belonged, to another validator.
		EncryptionKeyInUse,
	}

	/// The subgroups at genesis.
	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// `t`, `2 <= t <= n`.
		pub threshold: u8,
		/// The members of each subgroup, by subgroup id; `n <= 16` of them.
		pub subgroups: Vec<Vec<genesis::Member>>,
		/// Marker.
		#[serde(skip)]
		pub _runtime: PhantomData<T>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			genesis::build::<T>(self);
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Publishes the caller's server, or replaces the one it has published.
		///
		/// `proof` is the server account's sr25519 signature over
		/// `messages::server_message(genesis, caller, server)`. A deposit is held for the server
		/// and adjusted when it is replaced. After a change of server account, the new account
		/// has to confirm the shares it holds: a confirmation speaks for one account only.
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::publish_server())]
		pub fn publish_server(
			origin: OriginFor<T>,
			server: ServerInfo,
			proof: sr25519::Signature,
		) -> DispatchResult {
			let validator = ensure_signed(origin)?;
			ensure!(endpoint_is_well_formed(&server.endpoint), Error::<T>::InvalidEndpoint);
			Self::ensure_free(&validator, &server)?;
			Self::ensure_possession(&validator, &server, &proof)?;
			ensure!(
				encryption_key_is_usable(&server.encryption_key),
				Error::<T>::InvalidEncryptionKey
			);

			let deposit = Self::deposit_for(&server);
			T::NativeBalance::set_on_hold(&HoldReason::Server.into(), &validator, deposit)?;
			let account = server.account.clone();
			let previous = Self::store_server(&validator, server, deposit);
			Self::deposit_event(match previous {
				None => Event::ServerPublished { validator, server: account },
				Some(previous) => Event::ServerReplaced {
					validator,
					server: account,
					previous: previous.info.account,
				},
			});
			Ok(())
		}
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn integrity_test() {
			assert!(T::MaxMembers::get() > 0, "a subgroup must have room for a member");
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::check_state().map_err(Into::into)
		}
	}

	impl<T: Config> Pallet<T> {
		/// Neither key may be, or ever have been, another validator's.
		fn ensure_free(validator: &AccountId, server: &ServerInfo) -> DispatchResult {
			let free = |owner: Option<AccountId>| owner.is_none_or(|owner| owner == *validator);
			ensure!(
				free(ServerAccounts::<T>::get(&server.account)),
				Error::<T>::ServerAccountInUse
			);
			ensure!(
				free(EncryptionKeys::<T>::get(server.encryption_key)),
				Error::<T>::EncryptionKeyInUse
			);
			Ok(())
		}

		fn ensure_possession(
			validator: &AccountId,
			server: &ServerInfo,
			proof: &sr25519::Signature,
		) -> DispatchResult {
			let message = messages::server_message(&Self::genesis_hash(), validator, server);
			let key = sr25519::Public::from_raw(server.account.clone().into());
			ensure!(sp_io::crypto::sr25519_verify(proof, &message, &key), Error::<T>::InvalidProof);
			Ok(())
		}

		fn deposit_for(server: &ServerInfo) -> BalanceOf<T> {
			// The server itself, and its two entries in the indices that are never removed.
			let index = AccountId::max_encoded_len() + EncryptionKey::max_encoded_len();
			T::DepositPrice::convert(Footprint::from_parts(1, server.encoded_size() + 2 * index))
		}

		/// Writes a server with its index entries; a member stays a member under its new account.
		pub(crate) fn store_server(
			validator: &AccountId,
			info: ServerInfo,
			deposit: BalanceOf<T>,
		) -> Option<PublishedServerOf<T>> {
			let previous = Servers::<T>::get(validator);
			if let Some(previous) = &previous {
				if let Some(subgroup) = MemberOf::<T>::take(&previous.info.account) {
					MemberOf::<T>::insert(&info.account, subgroup);
				}
			}
			ServerAccounts::<T>::insert(&info.account, validator);
			EncryptionKeys::<T>::insert(info.encryption_key, validator);
			let published_at = frame_system::Pallet::<T>::block_number();
			Servers::<T>::insert(validator, PublishedServer { info, deposit, published_at });
			previous
		}

		/// Makes a validator with a published server a member of a subgroup.
		pub(crate) fn add_member(
			subgroup: SubgroupId,
			validator: &AccountId,
		) -> Result<(), &'static str> {
			let server = Servers::<T>::get(validator).ok_or("the validator has no server")?;
			Subgroups::<T>::try_append(subgroup, validator).map_err(|()| "the subgroup is full")?;
			Assignments::<T>::insert(validator, subgroup);
			MemberOf::<T>::insert(server.info.account, subgroup);
			Ok(())
		}

		/// Hash of the genesis block, which everything signed for this chain names.
		pub(crate) fn genesis_hash() -> GenesisHash {
			frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero())
		}
	}
}
