//! # Subgroups
//!
//! Validators' threshold servers, and the signing subgroups they make up: protocol §7 and §8.
//!
//! A validator publishes its server (account, encryption key, endpoint) with
//! [`Pallet::publish_server`], and replaces it with the same call. The server account proves that
//! it agrees; the account is the validator's for ever, so no two servers can ever be taken for each
//! other. An encryption key may be published twice: an envelope names the account it is for.
//!
//! Who may be a validator is for [`Config::AdmitOrigin`] to say: it admits *operators*, each to one
//! subgroup for ever, and only validators of operators can be selected. For two subgroups' shares in
//! one hand can be the whole key, and the chain sees accounts, not hands.
//!
//! Membership follows the validator set, session by session: the pallet is the chain's session
//! manager, and makes who was selected a member of the operator's subgroup. Who was ever in a
//! subgroup is kept in [`Assignments`], so that a validator never gets into a second one, whoever
//! operates it.
//!
//! | module | what it holds |
//! |---|---|
//! | `operators` | who is admitted, and whose validators are whose |
//! | `session` | who is selected; offences |
//! | `idle` | validators that make no blocks |
//! | `membership` | who becomes and stays a member |
//! | `seats` | the members' seats, and the masks over them |
//! | `readiness` | members that still fetch shares, and those that hold all |
//! | `silence` | ready members that confirm nothing |
//! | `publishing` | validators' servers, and what is held for them |
//! | `queries` | what others ask of the subgroups |
//! | `integrity` | what must hold of the constants and the storage |
//! | [`genesis`] | the subgroups at the start |

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
pub mod genesis;
mod idle;
mod integrity;
mod membership;
#[cfg(test)]
mod mock;
mod operators;
mod publishing;
mod queries;
mod readiness;
mod seats;
mod session;
mod silence;
#[cfg(test)]
mod tests;
pub mod weights;

pub use operators::{Operator, OperatorName, Standing};
pub use pallet::*;
pub use readiness::Refusal;
pub use session::{AccountAlone, SessionLengthOf, ValidatorSet};
pub use weights::WeightInfo;

#[frame_support::pallet]
pub mod pallet {
	use crate::{
		genesis,
		operators::{Operator, OperatorName},
		session::ValidatorSet,
		WeightInfo,
	};
	use alloc::vec::Vec;
	use frame_support::{
		pallet_prelude::*,
		traits::{
			fungible::{Inspect, MutateHold},
			Footprint,
		},
	};
	use frame_system::{offchain::CreateAuthorizedTransaction, pallet_prelude::*};
	use keyshare_primitives::{
		membership::{Change, Masks as MasksOfAll, Seat, Silences as SilencesOfAll, Syncing},
		storage, AccountId, BlockNumber, RetiredKey, ServerInfo, SessionIndex, SubgroupId,
	};
	use sp_core::{sr25519, H256};
	use sp_runtime::traits::Convert;

	/// The version of this pallet's storage.
	pub const STORAGE_VERSION: StorageVersion = StorageVersion::new(storage::SUBGROUPS_VERSION);

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

		/// Who may admit operators, and dismiss them.
		type AdmitOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Who may readmit a validator that was barred.
		type ReadmitOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// The most members, and so seats, a subgroup can have.
		#[pallet::constant]
		type MaxMembers: Get<u32>;

		/// The most validators there can be: the seats of all operators together.
		#[pallet::constant]
		type MaxValidators: Get<u32>;

		/// The most operators that were ever admitted.
		#[pallet::constant]
		type MaxOperators: Get<u32>;

		/// How many sessions back an offence can be reported.
		#[pallet::constant]
		type ReportingSessions: Get<SessionIndex>;

		/// After how many sessions without a block of its own a validator is not selected any more.
		#[pallet::constant]
		type IdleSessions: Get<SessionIndex>;

		/// Whether the chain takes no transactions of servers for now: it would have to refuse them in
		/// every block.
		type Paused: Get<bool>;

		/// Of how many blocks the attempts are looked at that a member was silent in.
		#[pallet::constant]
		type SilenceWindow: Get<BlockNumber>;

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
		/// What is held of the validator's balance for it, beside what stays for the accounts of its
		/// servers; nothing for a server of the genesis.
		pub deposit: Balance,
	}

	/// [`PublishedServer`] of a runtime.
	pub type PublishedServerOf<T> = PublishedServer<BalanceOf<T>, BlockNumberFor<T>>;

	/// [`Operator`] of a runtime.
	pub type OperatorOfT<T> = Operator<BlockNumberFor<T>, <T as Config>::MaxMembers>;

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
	pub type Assignments<T: Config> = StorageMap<_, Blake2_128Concat, AccountId, SubgroupId>;

	/// Whoever was admitted to run validators; never removed, for its subgroup is for ever.
	#[pallet::storage]
	pub type Operators<T: Config> =
		CountedStorageMap<_, Blake2_128Concat, AccountId, OperatorOfT<T>>;

	/// Whose each operator's name is, in lower case.
	#[pallet::storage]
	pub type OperatorNames<T> = StorageMap<_, Blake2_128Concat, OperatorName, AccountId>;

	/// The operator that each validator accepted last. It is the operator's validator only while the
	/// operator lists it.
	#[pallet::storage]
	pub type OperatorOf<T> = StorageMap<_, Blake2_128Concat, AccountId, AccountId>;

	/// How many blocks after its admission an operator is in force. Set at genesis.
	#[pallet::storage]
	pub type AdmissionDelay<T: Config> = StorageValue<_, BlockNumberFor<T>, ValueQuery>;

	/// The seats of all subgroups: who is a member, who is ready, and since when each seat is its
	/// holder's.
	#[pallet::storage]
	pub type Masks<T> = StorageValue<_, MasksOfAll, ValueQuery>;

	/// The server account that has each seat of a subgroup, a member or a former one.
	#[pallet::storage]
	pub type SeatHolders<T: Config> = StorageMap<
		_,
		Blake2_128Concat,
		SubgroupId,
		BoundedVec<AccountId, T::MaxMembers>,
		ValueQuery,
	>;

	/// Members that are not ready, since when and why: they still fetch shares, or were found silent.
	#[pallet::storage]
	pub type Joining<T> = StorageMap<_, Blake2_128Concat, AccountId, Syncing>;

	/// Members that are no validators any more, and stay until another member of their subgroup is
	/// ready.
	#[pallet::storage]
	pub type Kept<T> = StorageMap<_, Blake2_128Concat, AccountId, ()>;

	/// The attempts that each ready member was silent in since it was last heard of.
	#[pallet::storage]
	pub type Silences<T> = StorageValue<_, SilencesOfAll, ValueQuery>;

	/// The session in which each validator of the set made its last block, or before which it came
	/// into the set.
	#[pallet::storage]
	pub type LastBlocks<T> = StorageMap<_, Blake2_128Concat, AccountId, SessionIndex>;

	/// Validators that made no block for too long, with the session from which on they are not
	/// selected, until their operators call them back.
	#[pallet::storage]
	pub type Idle<T> = StorageMap<_, Blake2_128Concat, AccountId, SessionIndex>;

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

	/// The seat of each server account that is a member now.
	#[pallet::storage]
	pub type MemberOf<T> = StorageMap<_, Blake2_128Concat, AccountId, Seat>;

	/// The validator of every server account that was ever published; never removed.
	#[pallet::storage]
	pub type ServerAccounts<T> = StorageMap<_, Blake2_128Concat, AccountId, AccountId>;

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
		/// An operator was admitted, or its name or seats were changed.
		OperatorAdmitted {
			/// The operator.
			operator: AccountId,
			/// Its name.
			name: OperatorName,
			/// The subgroup its validators are in, for ever.
			subgroup: SubgroupId,
			/// How many validators it may have.
			seats: u32,
			/// The first block in which it may.
			from: BlockNumberFor<T>,
		},
		/// An operator was dismissed: its validators are not selected any more.
		OperatorDismissed {
			/// The operator.
			operator: AccountId,
			/// Whether none of them stays a member, even if nobody else of its subgroup is ready.
			force: bool,
		},
		/// An operator wants a validator to be its own.
		ValidatorAssigned {
			/// The operator.
			operator: AccountId,
			/// The validator, which has to accept.
			validator: AccountId,
		},
		/// An operator does not want a validator any more.
		ValidatorUnassigned {
			/// The operator.
			operator: AccountId,
			/// The validator.
			validator: AccountId,
		},
		/// A validator accepted an operator.
		ValidatorAccepted {
			/// The operator.
			operator: AccountId,
			/// The validator.
			validator: AccountId,
		},
		/// A validator left its operator.
		ValidatorLeft {
			/// The operator.
			operator: AccountId,
			/// The validator.
			validator: AccountId,
		},
		/// A validator made no block for too long and is not selected any more.
		ValidatorIdle {
			/// The validator.
			validator: AccountId,
			/// The session from which on it is not.
			session: SessionIndex,
		},
		/// An idle validator may be selected again.
		ValidatorBack {
			/// The validator.
			validator: AccountId,
		},
		/// A validator is in the set no longer, and stays a member until another one is ready.
		MemberKept {
			/// The validator.
			validator: AccountId,
			/// The subgroup.
			subgroup: SubgroupId,
		},
		/// Ready members did not confirm an attempt that another member of their subgroup confirmed long
		/// before the end.
		MembersSilent {
			/// The subgroup.
			subgroup: SubgroupId,
			/// Their servers' accounts.
			servers: Vec<AccountId>,
		},
		/// A member that was silent for too long counts as syncing, until it declares itself ready
		/// again.
		MemberUnready {
			/// The validator.
			validator: AccountId,
			/// The subgroup.
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
		/// The endpoint is not an http or https URL with a host and, if any, a port from 1
		/// to 65535, without user information or a fragment.
		InvalidEndpoint,
		/// The encryption key is a low-order point, to which nothing can be sealed, or not in the one
		/// canonical encoding of its point.
		InvalidEncryptionKey,
		/// The proof is not the server account's signature over this validator, account, key and
		/// endpoint on this chain.
		InvalidProof,
		/// The server account belongs, or once belonged, to another validator.
		ServerAccountInUse,
		/// The encryption key before this one still opens envelopes: wait for the end of its grace
		/// period before replacing another.
		KeyReplacedTooSoon,
		/// The validator has no server.
		NoServer,
		/// The server is being withdrawn already: it goes when its validator is no member any more.
		AlreadyWithdrawing,
		/// The validator is not barred.
		NotBarred,
		/// A name is 1 to 32 printable ASCII characters, without a space at either end or two in a row.
		InvalidName,
		/// The name, in whatever case, is another operator's.
		NameTaken,
		/// There is no subgroup of that number.
		NoSuchSubgroup,
		/// The operator was admitted to another subgroup, and that is for ever.
		OperatorOfAnotherSubgroup,
		/// An operator has at least one seat.
		NoSeats,
		/// Neither the subgroup nor the validator set may have more seats than there is room for.
		NoSeatsLeft,
		/// As many operators were admitted as there can be.
		TooManyOperators,
		/// The account was never admitted as an operator.
		NotAnOperator,
		/// The operator was dismissed.
		OperatorDismissed,
		/// The validator is the operator's already, or was assigned and has not accepted yet.
		AlreadyAssigned,
		/// The operator has not assigned the validator.
		NotAssigned,
		/// The validator was a member of another subgroup, and may never be of a second one.
		ValidatorOfAnotherSubgroup,
		/// The operator has as many validators as seats: one has to be unassigned first.
		NoSeatForValidator,
		/// The validator is another operator's, or nobody's.
		NotItsOperator,
		/// The validator has no operator.
		NoOperator,
		/// The validator is not idle.
		NotIdle,
	}

	/// The subgroups at genesis.
	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// `t`, `2 <= t <= n`: the least that a key's threshold can be.
		pub threshold: u8,
		/// `n`, at most 16.
		pub subgroup_count: u8,
		/// How many blocks a session lasts.
		pub session_length: BlockNumberFor<T>,
		/// How many blocks after its admission an operator is in force; not for those given here.
		pub admission_delay: BlockNumberFor<T>,
		/// The operators, at least one a subgroup.
		pub operators: Vec<genesis::GenesisOperator>,
		/// Servers of their validators, which are members from the first block on.
		pub servers: Vec<genesis::GenesisServer>,
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
			Self::publish(validator, server, &proof)
		}

		/// Leaves: the caller is not selected as a validator any more, and its server is removed,
		/// with its deposit, as soon as it is neither a member nor about to be one; at once if it
		/// is not. `publish_server` takes it back.
		#[pallet::call_index(1)]
		pub fn withdraw_server(origin: OriginFor<T>) -> DispatchResult {
			let validator = ensure_signed(origin)?;
			Self::withdraw(validator)
		}

		/// Declares that a server, which joined with the change `joined`, holds every share of its
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
			_joined: Change,
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

		/// Admits an operator, by [`Config::AdmitOrigin`], to one subgroup for ever, with at most
		/// `seats` validators. It is in force the admission delay later.
		///
		/// For an operator that is there already, its name and seats are changed: fewer seats at once,
		/// more of them after the delay. One that was dismissed is admitted anew.
		#[pallet::call_index(4)]
		#[pallet::weight(T::WeightInfo::admit(T::MaxOperators::get()))]
		pub fn admit(
			origin: OriginFor<T>,
			operator: AccountId,
			name: OperatorName,
			subgroup: SubgroupId,
			seats: u32,
		) -> DispatchResult {
			T::AdmitOrigin::ensure_origin(origin)?;
			Self::admit_operator(operator, name, subgroup, seats, AdmissionDelay::<T>::get())
		}

		/// Dismisses an operator, by [`Config::AdmitOrigin`]: its validators are not selected any
		/// more. As long as nobody else of their subgroup is ready they stay members; with `force`, not
		/// even then.
		///
		/// What the operator holds stays in its hands: users should deal their keys anew.
		#[pallet::call_index(5)]
		pub fn dismiss(origin: OriginFor<T>, operator: AccountId, force: bool) -> DispatchResult {
			T::AdmitOrigin::ensure_origin(origin)?;
			Self::dismiss_operator(operator, force)
		}

		/// Wants `validator` to be one of the calling operator's; it has to `accept`.
		#[pallet::call_index(6)]
		pub fn assign(origin: OriginFor<T>, validator: AccountId) -> DispatchResult {
			let operator = ensure_signed(origin)?;
			Self::assign_validator(operator, validator)
		}

		/// Takes back what `assign` did: `validator` is not the calling operator's any more.
		#[pallet::call_index(7)]
		pub fn unassign(origin: OriginFor<T>, validator: AccountId) -> DispatchResult {
			let operator = ensure_signed(origin)?;
			Self::unassign_validator(operator, validator)
		}

		/// Makes the calling validator one of `operator`, which has assigned it.
		#[pallet::call_index(8)]
		pub fn accept(origin: OriginFor<T>, operator: AccountId) -> DispatchResult {
			let validator = ensure_signed(origin)?;
			Self::accept_operator(validator, operator)
		}

		/// Leaves the calling validator's operator: it is not selected any more.
		#[pallet::call_index(9)]
		pub fn leave(origin: OriginFor<T>) -> DispatchResult {
			let validator = ensure_signed(origin)?;
			Self::leave_operator(validator)
		}

		/// Lets a validator of the calling operator that was idle be selected again.
		#[pallet::call_index(10)]
		pub fn back(origin: OriginFor<T>, validator: AccountId) -> DispatchResult {
			let operator = ensure_signed(origin)?;
			Self::call_back(operator, validator)
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
}
