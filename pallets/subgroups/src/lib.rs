//! # Subgroups
//!
//! Validators' threshold servers, and the signing subgroups they make up: protocol §7 and §8.
//!
//! A validator publishes its server (account, encryption key, endpoint) with
//! [`Pallet::publish_server`], and replaces it with the same call. The server account proves that
//! it agrees; both keys belong to one validator for ever, so no two servers can ever be taken for
//! each other, and no envelope can be opened by a server it was not meant for.
//!
//! Membership follows the validator set, session by session: the pallet stands between
//! `pallet-session` and whatever elects validators ([`Config::Candidates`]), lets nobody be
//! selected who has no server, and makes who was selected a member. Who was ever in a subgroup is
//! kept in [`Assignments`], because a validator that returns must go back to the subgroup it was
//! in: two subgroups' shares in one hand can be the whole key.
//!
//! | module | what it holds |
//! |---|---|
//! | `session` | who may be selected; offences |
//! | `membership` | who goes to which subgroup |
//! | `readiness` | members that still fetch shares, and those that hold all |
//! | [`genesis`] | the subgroups at the start |

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
pub mod genesis;
mod integrity;
mod membership;
#[cfg(test)]
mod mock;
mod queries;
mod readiness;
mod session;
#[cfg(test)]
mod tests;
pub mod weights;

pub use pallet::*;
pub use readiness::Refusal;
pub use session::{AccountAlone, SessionLengthOf, ValidatorSet};
pub use weights::WeightInfo;

#[frame_support::pallet]
pub mod pallet {
	use crate::{genesis, session::ValidatorSet, WeightInfo};
	use alloc::vec::Vec;
	use frame_support::{
		defensive,
		pallet_prelude::*,
		traits::{
			fungible::{Inspect, MutateHold},
			Footprint,
		},
	};
	use frame_system::{offchain::CreateAuthorizedTransaction, pallet_prelude::*};
	use keyshare_primitives::{
		elements::encryption_key_is_usable, endpoint_is_well_formed, messages, AccountId,
		EncryptionKey, GenesisHash, RetiredKey, ServerInfo, SessionIndex, SubgroupId,
	};
	use pallet_session::SessionManager;
	use sp_core::{sr25519, H256};
	use sp_runtime::traits::{Convert, Saturating, Zero};

	/// The version of this pallet's storage.
	pub const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// The currency's balance type.
	pub type BalanceOf<T> = <<T as Config>::NativeBalance as Inspect<AccountId>>::Balance;

	/// What the pallet needs of the runtime.
	#[pallet::config]
	pub trait Config:
		frame_system::Config<AccountId = AccountId, Hash = H256>
		+ CreateAuthorizedTransaction<Call<Self>>
	{
		/// The currency that deposits are held in.
		type NativeBalance: MutateHold<AccountId, Reason = Self::RuntimeHoldReason>;

		/// The runtime's hold reasons.
		type RuntimeHoldReason: From<HoldReason>;

		/// The deposit for what a published server takes of the chain's storage.
		type DepositPrice: Convert<Footprint, BalanceOf<Self>>;

		/// The validator set that membership follows.
		type Validators: ValidatorSet;

		/// Whoever elects validators.
		type Candidates: SessionManager<AccountId>;

		/// Who may readmit a validator that was barred.
		type ReadmitOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// The most members a subgroup can have.
		#[pallet::constant]
		type MaxMembers: Get<u32>;

		/// The most validators that were ever members.
		#[pallet::constant]
		type MaxAssignments: Get<u32>;

		/// How many sessions back an offence can be reported.
		#[pallet::constant]
		type ReportingSessions: Get<SessionIndex>;

		/// How many blocks a server still opens envelopes sealed to its previous encryption key.
		#[pallet::constant]
		type KeyGracePeriod: Get<BlockNumberFor<Self>>;

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
		/// The encryption key before this one, if it was replaced.
		pub retired: Option<RetiredKey<BlockNumber>>,
		/// What is held of the validator's balance for it; nothing for a server of the genesis.
		pub deposit: Balance,
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
	pub type Assignments<T: Config> = CountedStorageMap<_, Blake2_128Concat, AccountId, SubgroupId>;

	/// Members that still fetch shares, with the session in which they joined.
	#[pallet::storage]
	pub type Joining<T> = StorageMap<_, Blake2_128Concat, AccountId, SessionIndex>;

	/// Validators that are leaving: their servers are removed when they are members no longer.
	#[pallet::storage]
	pub type Withdrawing<T> = StorageMap<_, Blake2_128Concat, AccountId, ()>;

	/// Validators that equivocated, with the session in which they did; not selected until
	/// readmitted.
	#[pallet::storage]
	pub type Barred<T> = StorageMap<_, Blake2_128Concat, AccountId, SessionIndex>;

	/// How many blocks a session lasts. Set at genesis.
	#[pallet::storage]
	pub type SessionLength<T: Config> = StorageValue<_, BlockNumberFor<T>, ValueQuery>;

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
		/// A validator is leaving: it is not selected any more, and its server goes when it is no
		/// member any more.
		ServerWithdrawing {
			/// The validator.
			validator: AccountId,
		},
		/// A validator's server is gone, and its deposit released.
		ServerWithdrawn {
			/// The validator.
			validator: AccountId,
			/// The server's account.
			server: AccountId,
		},
		/// A validator became a member of a subgroup: a new one, or one it was in before.
		MemberJoined {
			/// The validator.
			validator: AccountId,
			/// The subgroup.
			subgroup: SubgroupId,
		},
		/// A validator is no member of its subgroup any more.
		MemberLeft {
			/// The validator.
			validator: AccountId,
			/// The subgroup it was in, and will be in again if it returns.
			subgroup: SubgroupId,
		},
		/// The last member of a subgroup left.
		SubgroupEmptied {
			/// The subgroup.
			subgroup: SubgroupId,
		},
		/// A member declared that it holds every share of its subgroup.
		ServerReady {
			/// The validator.
			validator: AccountId,
			/// Its server's account.
			server: AccountId,
		},
		/// A validator equivocated and is not selected any more.
		ValidatorBarred {
			/// The validator.
			validator: AccountId,
			/// The session in which it did.
			session: SessionIndex,
		},
		/// A barred validator may be selected again.
		ValidatorReadmitted {
			/// The validator.
			validator: AccountId,
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
		/// The encryption key before this one still opens envelopes: wait for the end of its grace
		/// period before replacing another.
		KeyReplacedTooSoon,
		/// The validator has no server.
		NoServer,
		/// The server is being withdrawn already: it goes when its validator is no member any more.
		AlreadyWithdrawing,
		/// The validator is not barred.
		NotBarred,
	}

	/// The subgroups at genesis.
	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// `t`, `2 <= t <= n`.
		pub threshold: u8,
		/// The members of each subgroup, by subgroup id; `n <= 16` of them.
		pub subgroups: Vec<Vec<genesis::Member>>,
		/// How many blocks a session lasts.
		pub session_length: BlockNumberFor<T>,
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

	#[pallet::call(weight = T::WeightInfo)]
	impl<T: Config> Pallet<T> {
		/// Publishes the caller's server, or replaces the one it has published.
		///
		/// `proof` is the server account's sr25519 signature over
		/// `messages::server_message(genesis, caller, server)`. A deposit is held for the server
		/// and adjusted when it is replaced. After a change of server account, the new account
		/// has to confirm the shares it holds: a confirmation speaks for one account only.
		#[pallet::call_index(0)]
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

			Self::ensure_may_retire(&validator, &server)?;

			let deposit = Self::deposit_for(&server);
			T::NativeBalance::set_on_hold(&HoldReason::Server.into(), &validator, deposit)?;
			Withdrawing::<T>::remove(&validator);
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

		/// Leaves: the caller is not selected as a validator any more, and its server is removed,
		/// with its deposit, as soon as it is neither a member nor about to be one; at once if it
		/// is not. `publish_server` takes it back.
		#[pallet::call_index(1)]
		pub fn withdraw_server(origin: OriginFor<T>) -> DispatchResult {
			let validator = ensure_signed(origin)?;
			let server = Servers::<T>::get(&validator).ok_or(Error::<T>::NoServer)?;
			let needed = MemberOf::<T>::contains_key(&server.info.account)
				|| T::Validators::queued().contains(&validator);
			if !needed {
				Self::remove_server(&validator);
				return Ok(());
			}
			ensure!(!Withdrawing::<T>::contains_key(&validator), Error::<T>::AlreadyWithdrawing);
			Withdrawing::<T>::insert(&validator, ());
			Self::deposit_event(Event::ServerWithdrawing { validator });
			Ok(())
		}

		/// Declares that a server, which joined in the session `joined`, holds every share of its
		/// subgroup.
		///
		/// Not for wallets: a server's off-chain worker sends it, without fee. `signature` is the
		/// server's over `messages::ready_message(genesis, server, joined)`.
		#[pallet::call_index(2)]
		#[pallet::weight_of_authorize(T::WeightInfo::authorize_declare_ready())]
		#[pallet::authorize(Self::authorize_declare_ready)]
		pub fn declare_ready(
			origin: OriginFor<T>,
			server: AccountId,
			_joined: SessionIndex,
			// Checked before the call gets here.
			_signature: sr25519::Signature,
		) -> DispatchResult {
			ensure_authorized(origin)?;
			Self::record_ready(server);
			Ok(())
		}

		/// Lets a validator that was barred for an offence be selected again.
		#[pallet::call_index(3)]
		pub fn readmit(origin: OriginFor<T>, validator: AccountId) -> DispatchResult {
			T::ReadmitOrigin::ensure_origin(origin)?;
			ensure!(Barred::<T>::contains_key(&validator), Error::<T>::NotBarred);
			Barred::<T>::remove(&validator);
			Self::deposit_event(Event::ValidatorReadmitted { validator });
			Ok(())
		}
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn offchain_worker(_: BlockNumberFor<T>) {
			Self::send_declarations();
		}

		fn integrity_test() {
			Self::check_constants();
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

		/// While the key before still opens envelopes, the one now cannot be replaced: only one
		/// retired key is kept.
		fn ensure_may_retire(validator: &AccountId, server: &ServerInfo) -> DispatchResult {
			let Some(published) = Servers::<T>::get(validator) else { return Ok(()) };
			let now = frame_system::Pallet::<T>::block_number();
			let in_use = published.retired.is_some_and(|retired| now < retired.until);
			let replaced = published.info.encryption_key != server.encryption_key;
			ensure!(!(in_use && replaced), Error::<T>::KeyReplacedTooSoon);
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
			let mut retired = None;
			if let Some(previous) = &previous {
				let now = frame_system::Pallet::<T>::block_number();
				let key = previous.info.encryption_key;
				retired = match key == info.encryption_key {
					true => previous.retired,
					false => Some(RetiredKey {
						key,
						until: now.saturating_add(T::KeyGracePeriod::get()),
					}),
				};
				let moves = previous.info.account != info.account;
				if let Some(subgroup) = MemberOf::<T>::take(&previous.info.account) {
					MemberOf::<T>::insert(&info.account, subgroup);
					if moves {
						Self::unready(validator);
					}
				}
			}
			ServerAccounts::<T>::insert(&info.account, validator);
			EncryptionKeys::<T>::insert(info.encryption_key, validator);
			Servers::<T>::insert(validator, PublishedServer { info, retired, deposit });
			previous
		}

		/// Removes the server of a validator that is no member, and releases its deposit. What says
		/// whose its keys were stays.
		pub(crate) fn remove_server(validator: &AccountId) {
			Withdrawing::<T>::remove(validator);
			let Some(server) = Servers::<T>::take(validator) else { return };
			let reason = HoldReason::Server.into();
			if T::NativeBalance::set_on_hold(&reason, validator, Zero::zero()).is_err() {
				defensive!("what is held can be released");
			}
			Self::deposit_event(Event::ServerWithdrawn {
				validator: validator.clone(),
				server: server.info.account,
			});
		}

		/// Hash of the genesis block, which everything signed for this chain names.
		pub(crate) fn genesis_hash() -> GenesisHash {
			frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero())
		}
	}
}
