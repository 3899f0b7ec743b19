//! What the tests and benches stand on: a chain in memory, dealt registrations, and a node's
//! intake behind a real socket. Each of them uses a part.
#![allow(dead_code, missing_docs)]

use keyshare_primitives::{
	elements,
	membership::{Change, Confirmed, Masks, Seat, Silences, SubgroupMasks, Syncing},
	messages,
	record::{Attempt, Purpose, RegisteredKey},
	seal::{self, EncryptionSecret, ShareContext},
	share::{Share, VerifiedShare},
	split::PrivateKey,
	storage,
	wire::{HexBytes, Ss58, SubmitShare},
	AccountId, BlockNumber, Generation, GenesisHash, KeyRecord, KeyScheme, RegistrationId,
	ServerInfo, SubgroupId,
};
use keyshare_rpc::{
	api,
	chain::{
		AccountRecord, BlockHash, ChainError, ChainState, Cursor, KeyKind, Page, PublishedServer,
	},
	intake::{Intake, IntakeConfig},
	keys::ServerKeys,
	listener::{self, Cors, Listener, ListenerConfig},
	metrics::Metrics,
	store::{ShareRecord, ShareStore, FILE_NAME},
};
use rand_chacha::{rand_core::SeedableRng, ChaCha20Rng};
use std::{
	collections::{HashMap, HashSet},
	num::NonZeroUsize,
	path::PathBuf,
	sync::{Arc, Condvar, Mutex, RwLock},
	time::Duration,
};
use substrate_prometheus_endpoint::Registry;
use tempfile::TempDir;

pub const GENESIS: GenesisHash = GenesisHash::repeat_byte(0x61);
pub const BEST: BlockHash = BlockHash::repeat_byte(0xbe);
pub const FINALIZED: BlockHash = BlockHash::repeat_byte(0xf1);
pub const SCHEMES: [KeyScheme; 2] = [KeyScheme::Ed25519, KeyScheme::Secp256k1];
pub const THRESHOLD: u8 = 2;
pub const SUBGROUPS: u8 = 3;

/// The account of a hosted server; it is a member of the subgroup of its number.
pub fn server(number: u8) -> AccountId {
	AccountId::new([0xa0 + number; 32])
}

pub fn user(number: u32) -> AccountId {
	let mut bytes = [0x75; 32];
	bytes[..4].copy_from_slice(&number.to_le_bytes());
	AccountId::new(bytes)
}

pub fn secret(number: u8) -> EncryptionSecret {
	EncryptionSecret::new([0x10 + number; 32])
}

/// A user's dealt key.
pub struct Dealt {
	pub account: AccountId,
	pub key: KeyRecord,
	pub shares: Vec<Share>,
}

/// Deals a key for an attempt; the same for the same arguments.
pub fn deal(account: AccountId, generation: Generation, scheme: KeyScheme) -> Dealt {
	let mut seed = *<AccountId as AsRef<[u8; 32]>>::as_ref(&account);
	seed[31] = u8::try_from(generation % 251).expect("below 251");
	seed[30] = scheme as u8;
	let mut rng = ChaCha20Rng::from_seed(seed);
	let split = PrivateKey::generate(scheme, &mut rng)
		.split(THRESHOLD, SUBGROUPS, &mut rng)
		.expect("valid parameters");
	let verifying_shares =
		elements::verifying_shares(&split.commitments, THRESHOLD, SUBGROUPS).expect("valid");
	let id = messages::registration_id(&GENESIS, &account, generation, &split.commitments);
	let key = KeyRecord { id, generation, commitments: split.commitments, verifying_shares };
	Dealt { account, key, shares: split.shares }
}

impl Dealt {
	/// The request that brings subgroup `number`'s share to server `number`.
	pub fn request(&self, number: u8) -> SubmitShare {
		self.request_with(number, &self.shares[usize::from(number)])
	}

	/// The same with any other bytes in place of the share.
	pub fn request_with(&self, number: u8, share: &Share) -> SubmitShare {
		let account = server(number);
		let context = ShareContext { id: &self.key.id, server: &account, subgroup: number };
		let sealed = seal::seal(share, &secret(number).public(), context).expect("a usable key");
		SubmitShare {
			server: Ss58(account),
			account: Ss58(self.account.clone()),
			generation: self.key.generation,
			subgroup: number,
			enc: HexBytes(sealed.enc),
			ciphertext: HexBytes(sealed.ciphertext),
		}
	}

	pub fn verified(&self, number: u8) -> VerifiedShare {
		let promised = self.key.verifying_share(number).expect("one a subgroup");
		self.shares[usize::from(number)].clone().verify(promised).expect("dealt for it")
	}

	/// What server `number` stores of it.
	pub fn record(&self, number: u8) -> ShareRecord {
		let account = server(number);
		let message = messages::custody_message(&self.key.id, &account);
		ShareRecord {
			id: self.key.id,
			server: account,
			account: self.account.clone(),
			generation: self.key.generation,
			subgroup: number,
			proof: self.verified(number).prove(&message),
		}
	}
}

/// One block's state.
#[derive(Clone, Default)]
pub struct View {
	pub records: HashMap<AccountId, AccountRecord>,
	pub masks: Masks,
	/// The servers that are members now.
	pub members: HashMap<AccountId, Seat>,
	/// Whose seat each is, members or not.
	holders: HashMap<(SubgroupId, u8), AccountId>,
	pub published: HashMap<AccountId, PublishedServer>,
	/// Servers that were published once, and are not now.
	pub withdrawn: HashSet<AccountId>,
	pub joining: HashMap<AccountId, Syncing>,
	pub silences: Silences,
	pub number: BlockNumber,
	/// When it was made, in milliseconds since 1970.
	pub timestamp: u64,
	/// Accounts whose records no node can decode.
	pub undecodable: HashSet<AccountId>,
	/// Whether its state cannot be read.
	pub pruned: bool,
	/// The version of its storage, if it is one that no node knows.
	pub unknown_layout: Option<u16>,
}

impl View {
	/// Begins an attempt with a dealt key.
	pub fn register(&mut self, dealt: &Dealt) {
		self.begin(dealt.account.clone(), dealt.key.clone());
	}

	/// The same with any key.
	pub fn begin(&mut self, account: AccountId, key: KeyRecord) {
		let record = self.records.entry(account).or_default();
		record.last_generation = key.generation;
		let purpose = if record.registered.is_some() { Purpose::Swap } else { Purpose::Register };
		record.registering = Some(Attempt {
			key,
			confirmed: Confirmed::nobody(SUBGROUPS),
			expires_at: BlockNumber::MAX,
			purpose,
			began_as_of: self.masks.last_change,
			expectations: Default::default(),
		});
	}

	/// Makes it the key in force, with the confirmations of its attempt, and ends any attempt.
	pub fn complete(&mut self, dealt: &Dealt) {
		let attempt = self.record_mut(&dealt.account).registering.take();
		self.put_in_force(dealt);
		if let Some(attempt) = attempt.filter(|attempt| attempt.key.id == dealt.key.id) {
			*self.confirmed_mut(&dealt.account, &dealt.key.id) = attempt.confirmed;
		}
	}

	/// Makes it the key in force; an attempt goes on.
	pub fn put_in_force(&mut self, dealt: &Dealt) {
		let record = self.record_mut(&dealt.account);
		record.last_generation = record.last_generation.max(dealt.key.generation);
		let confirmed = Confirmed::nobody(SUBGROUPS);
		record.registered = Some(RegisteredKey { key: dealt.key.clone(), confirmed, since: 1 });
	}

	/// Ends the attempt of an account.
	pub fn cancel(&mut self, account: &AccountId) {
		self.record_mut(account).registering = None;
	}

	/// Ends every attempt.
	pub fn cancel_all(&mut self) {
		self.records.values_mut().for_each(|record| record.registering = None);
	}

	/// Removes the key in force of an account.
	pub fn deregister(&mut self, account: &AccountId) {
		self.record_mut(account).registered = None;
	}

	/// Server `number` confirms the share of its subgroup.
	pub fn confirm(&mut self, dealt: &Dealt, number: u8) {
		self.confirm_by(dealt, server(number));
	}

	/// A member confirms its share.
	pub fn confirm_by(&mut self, dealt: &Dealt, server: AccountId) {
		self.confirm_key(&dealt.account, &dealt.key.id, &server);
	}

	/// The same of any key.
	pub fn confirm_key(&mut self, account: &AccountId, id: &RegistrationId, server: &AccountId) {
		let seat = self.members[server];
		let masks = self.masks.clone();
		self.confirmed_mut(account, id).add(&masks, seat);
	}

	/// Takes every confirmation back.
	pub fn forget_confirmations(&mut self) {
		for record in self.records.values_mut() {
			if let Some(attempt) = &mut record.registering {
				attempt.confirmed = Confirmed::nobody(SUBGROUPS);
			}
			if let Some(registered) = &mut record.registered {
				registered.confirmed = Confirmed::nobody(SUBGROUPS);
			}
		}
	}

	fn record_mut(&mut self, account: &AccountId) -> &mut AccountRecord {
		self.records.entry(account.clone()).or_default()
	}

	fn confirmed_mut(&mut self, account: &AccountId, id: &RegistrationId) -> &mut Confirmed {
		let AccountRecord { registered, registering, .. } = self.record_mut(account);
		let attempt = registering.iter_mut().map(|attempt| (&attempt.key, &mut attempt.confirmed));
		let in_force = registered.iter_mut().map(|key| (&key.key, &mut key.confirmed));
		let found = attempt.chain(in_force).find(|(key, _)| key.id == *id);
		found.expect("an attempt or key").1
	}

	/// Makes a server a ready member of a subgroup, and of no other: in its seat, if it has one there,
	/// or in a new one.
	pub fn join(&mut self, server: AccountId, subgroup: SubgroupId) {
		self.leave(&server);
		self.masks.last_change += 1;
		let change = self.masks.last_change;
		let of = &mut self.masks.subgroups[usize::from(subgroup)];
		let seats = u8::try_from(of.taken.len()).expect("few servers");
		let holders = &self.holders;
		let own = (0..seats).find(|number| holders.get(&(subgroup, *number)) == Some(&server));
		let number = own.unwrap_or_else(|| {
			of.taken.try_push(change).expect("few servers");
			seats
		});
		let seat = Seat { subgroup, number };
		of.members |= seat.bit();
		of.ready |= seat.bit();
		self.holders.insert((subgroup, number), server.clone());
		self.members.insert(server, seat);
	}

	/// A server is no member any more; its seat stays its own.
	pub fn leave(&mut self, server: &AccountId) {
		if let Some(seat) = self.members.remove(server) {
			let of = &mut self.masks.subgroups[usize::from(seat.subgroup)];
			of.members &= !seat.bit();
			of.ready &= !seat.bit();
		}
	}

	/// Makes a server a ready member in the seat of one that has left.
	pub fn replace(&mut self, subgroup: SubgroupId, left: &AccountId, server: AccountId) {
		let seat = self.holders.iter().find(|((of, _), holder)| *of == subgroup && *holder == left);
		let (&seat, _) = seat.expect("it had a seat");
		self.holders.insert(seat, server.clone());
		self.join(server, subgroup);
		let change = self.masks.last_change;
		self.masks.subgroups[usize::from(subgroup)].taken[usize::from(seat.1)] = change;
	}

	/// A member is not ready any more, since a change.
	pub fn unready(&mut self, server: &AccountId, since: Change) {
		self.syncing(server, Syncing { since, silent: false });
	}

	/// The last ready member has changed its account: it counts as ready, and has to declare itself.
	pub fn moved(&mut self, server: &AccountId, since: Change) {
		self.joining.insert(server.clone(), Syncing { since, silent: false });
	}

	/// A member is not ready any more, for a reason.
	pub fn syncing(&mut self, server: &AccountId, syncing: Syncing) {
		let seat = self.members[server];
		self.masks.subgroups[usize::from(seat.subgroup)].ready &= !seat.bit();
		self.joining.insert(server.clone(), syncing);
	}

	/// A member has declared itself ready.
	pub fn declare(&mut self, server: &AccountId) {
		let seat = self.members[server];
		self.masks.subgroups[usize::from(seat.subgroup)].ready |= seat.bit();
		self.joining.remove(server);
	}
}

/// A chain of two blocks, best and finalized, whose state the test sets.
#[derive(Default)]
pub struct MockChain {
	pub best: RwLock<View>,
	pub finalized: RwLock<View>,
	gate: Gate,
}

/// Holds readers up while it is closed.
#[derive(Default)]
struct Gate {
	state: Mutex<GateState>,
	changed: Condvar,
}

#[derive(Default)]
struct GateState {
	closed: bool,
	waiting: usize,
	/// Reads so far.
	reads: usize,
}

impl MockChain {
	/// The three servers are members of their subgroups in both blocks.
	pub fn new() -> Arc<Self> {
		let chain = Self::default();
		chain.everywhere(|view| {
			let none = vec![SubgroupMasks::default(); usize::from(SUBGROUPS)];
			view.masks.subgroups = none.try_into().expect("few subgroups");
			(0..SUBGROUPS).for_each(|number| view.join(server(number), number));
		});
		Arc::new(chain)
	}

	/// Changes the state of both blocks.
	pub fn everywhere(&self, change: impl Fn(&mut View)) {
		change(&mut self.best.write().expect("not poisoned"));
		change(&mut self.finalized.write().expect("not poisoned"));
	}

	/// Changes the state of the best block only.
	pub fn at_best(&self, change: impl FnOnce(&mut View)) {
		change(&mut self.best.write().expect("not poisoned"));
	}

	/// From now on readers wait.
	pub fn close(&self) {
		self.gate.state.lock().expect("not poisoned").closed = true;
	}

	/// Lets readers go on.
	pub fn open(&self) {
		self.gate.state.lock().expect("not poisoned").closed = false;
		self.gate.changed.notify_all();
	}

	/// Returns when a reader waits.
	pub fn wait_for_reader(&self) {
		let state = self.gate.state.lock().expect("not poisoned");
		drop(self.gate.changed.wait_while(state, |state| state.waiting == 0));
	}

	/// How often anything has been read.
	pub fn reads(&self) -> usize {
		self.gate.state.lock().expect("not poisoned").reads
	}

	fn read<T>(&self, at: BlockHash, read: impl FnOnce(&View) -> T) -> Result<T, ChainError> {
		let mut state = self.gate.state.lock().expect("not poisoned");
		state.waiting += 1;
		self.gate.changed.notify_all();
		let mut state =
			self.gate.changed.wait_while(state, |state| state.closed).expect("not poisoned");
		state.waiting -= 1;
		state.reads += 1;
		drop(state);
		let view = if at == BEST { &self.best } else { &self.finalized };
		let view = view.read().expect("not poisoned");
		if view.pruned {
			return Err(ChainError::Unavailable { at, reason: "pruned".into() });
		}
		if let Some(version) = view.unknown_layout {
			return Err(ChainError::UnknownLayout { pallet: storage::REGISTRATION, version });
		}
		Ok(read(&view))
	}
}

impl ChainState for MockChain {
	fn genesis(&self) -> GenesisHash {
		GENESIS
	}

	fn best(&self) -> BlockHash {
		BEST
	}

	fn finalized(&self) -> BlockHash {
		FINALIZED
	}

	fn record(&self, at: BlockHash, account: &AccountId) -> Result<AccountRecord, ChainError> {
		let record = self.read(at, |view| {
			let is_decodable = !view.undecodable.contains(account);
			is_decodable.then(|| view.records.get(account).cloned().unwrap_or_default())
		});
		record?.ok_or(ChainError::Undecodable { item: "Accounts" })
	}

	fn page(
		&self,
		at: BlockHash,
		kind: KeyKind,
		after: Option<&Cursor>,
		limit: usize,
	) -> Result<Page, ChainError> {
		self.read(at, |view| {
			// Attempts have a list of their own, keys in force stand among all records.
			let is_listed = |record: &AccountRecord| match kind {
				KeyKind::Registering => kind.is_in(record),
				KeyKind::Registered => true,
			};
			let is_after = |account: &AccountId| {
				after.is_none_or(|Cursor(after)| AsRef::<[u8]>::as_ref(account) > after.as_slice())
			};
			let mut listed: Vec<_> = view
				.records
				.iter()
				.filter(|(account, record)| is_listed(record) && is_after(account))
				.collect();
			listed.sort_by_key(|(account, _)| *account);
			listed.truncate(limit);
			let last = listed.last().filter(|_| listed.len() == limit);
			let next = last.map(|(account, _)| Cursor(AsRef::<[u8]>::as_ref(*account).to_vec()));
			let wanted = listed.into_iter().filter(|(_, record)| kind.is_in(record));
			let records =
				wanted.map(|(account, record)| (account.clone(), record.clone())).collect();
			Page { records, next }
		})
	}

	fn masks(&self, at: BlockHash) -> Result<Masks, ChainError> {
		self.read(at, |view| view.masks.clone())
	}

	fn seat_of(&self, at: BlockHash, server: &AccountId) -> Result<Option<Seat>, ChainError> {
		self.read(at, |view| view.members.get(server).copied())
	}

	fn members(
		&self,
		at: BlockHash,
		subgroup: SubgroupId,
	) -> Result<Vec<(ServerInfo, Seat)>, ChainError> {
		self.read(at, |view| {
			let members = view.members.iter().filter(|(_, seat)| seat.subgroup == subgroup);
			let mut members: Vec<_> = members
				.filter_map(|(server, seat)| Some((view.published.get(server)?, *seat)))
				.map(|(published, seat)| (published.info.clone(), seat))
				.collect();
			// As they joined, as long as nobody has left.
			members.sort_by_key(|(_, seat)| seat.number);
			members
		})
	}

	fn syncing(&self, at: BlockHash, server: &AccountId) -> Result<Option<Syncing>, ChainError> {
		self.read(at, |view| view.joining.get(server).copied())
	}

	fn silences(&self, at: BlockHash) -> Result<Silences, ChainError> {
		self.read(at, |view| view.silences.clone())
	}

	fn published(
		&self,
		at: BlockHash,
		server: &AccountId,
	) -> Result<Option<PublishedServer>, ChainError> {
		self.read(at, |view| view.published.get(server).cloned())
	}

	fn was_published(&self, at: BlockHash, server: &AccountId) -> Result<bool, ChainError> {
		self.read(at, |view| view.published.contains_key(server) || view.withdrawn.contains(server))
	}

	fn number(&self, at: BlockHash) -> Result<BlockNumber, ChainError> {
		self.read(at, |view| view.number)
	}

	fn timestamp(&self, at: BlockHash) -> Result<u64, ChainError> {
		self.read(at, |view| view.timestamp)
	}
}

/// Metrics that nobody reads.
pub fn uncounted() -> Metrics {
	Metrics::new(None).expect("well-formed names")
}

pub fn hosted() -> ServerKeys {
	hosting(0..SUBGROUPS)
}

/// The servers of these numbers, with one key each.
pub fn hosting(numbers: impl IntoIterator<Item = u8>) -> ServerKeys {
	let keys = |number| (server(number), vec![secret(number)]);
	ServerKeys::new(numbers.into_iter().map(keys).collect())
}

/// A node's intake of the three servers over a mock chain, behind a share listener.
pub struct Node {
	pub chain: Arc<MockChain>,
	pub intake: Arc<Intake>,
	pub listener: Listener,
	pub folder: TempDir,
	pub registry: Registry,
}

pub const RETRY_AFTER: Duration = Duration::from_millis(123);

impl Node {
	pub async fn start() -> Self {
		Self::start_with(2, 64, Cors::default(), 16).await
	}

	pub async fn start_with(workers: usize, queue: usize, cors: Cors, connections: u32) -> Self {
		Self::build(MockChain::new(), hosted(), workers, queue, cors, connections).await
	}

	/// One of several on the same chain, with these servers.
	pub async fn on(chain: Arc<MockChain>, servers: ServerKeys) -> Self {
		Self::build(chain, servers, 2, 64, Cors::default(), 16).await
	}

	async fn build(
		chain: Arc<MockChain>,
		servers: ServerKeys,
		workers: usize,
		queue: usize,
		cors: Cors,
		connections: u32,
	) -> Self {
		let folder = tempfile::tempdir().expect("a folder");
		let config = IntakeConfig {
			workers: NonZeroUsize::new(workers).expect("not zero"),
			queue,
			retry_after: RETRY_AFTER,
		};
		let store = open_store(&folder);
		let registry = Registry::new();
		let metrics = Metrics::new(Some(&registry)).expect("well-formed names");
		let intake = Intake::new(config, chain.clone(), servers, store, metrics)
			.expect("threads can be had");
		let config = ListenerConfig {
			cors,
			max_connections: connections,
			..ListenerConfig::at(([127, 0, 0, 1], 0).into())
		};
		let listener =
			listener::start(config, api::module(intake.clone()), intake.health().clone())
				.await
				.expect("a free port");
		Self { chain, intake, listener, folder, registry }
	}

	pub fn url(&self, scheme: &str) -> String {
		format!("{scheme}://{}", self.listener.local_addr())
	}

	/// Deals a key and begins its registration at the best block and the finalized one.
	pub fn register(&self, number: u32, scheme: KeyScheme) -> Dealt {
		let dealt = deal(user(number), 1, scheme);
		self.chain.everywhere(|view| view.register(&dealt));
		dealt
	}

	/// What Prometheus is told by a gauge without labels.
	pub fn gauge(&self, name: &str) -> f64 {
		let families = self.registry.gather();
		let family = families.iter().find(|family| family.get_name() == name);
		let metric = family.and_then(|family| family.get_metric().first()).expect("registered");
		metric.get_gauge().get_value()
	}

	pub fn stored_count(&self) -> usize {
		self.intake.store().pending(0, 1_000).expect("readable").len()
	}
}

pub fn store_path(folder: &TempDir) -> PathBuf {
	folder.path().join(FILE_NAME)
}

/// Alters the rows of shares, as a disk that fails or a hand in the file does; how many.
pub fn alter_shares(folder: &TempDir, change: &str) -> usize {
	let outside = rusqlite::Connection::open(store_path(folder)).expect("opens");
	outside.execute(&format!("UPDATE shares SET {change}"), []).expect("altered")
}

/// Returns when all is written that waited to be.
pub fn flush(store: &ShareStore) {
	store.set_states(Vec::new()).expect("writable");
}

pub fn open_store(folder: &TempDir) -> ShareStore {
	ShareStore::open(&store_path(folder), &"correct horse".into(), GENESIS).expect("opens")
}

/// Everything in the store's files now.
pub fn store_bytes(folder: &TempDir) -> Vec<u8> {
	let files = std::fs::read_dir(folder.path()).expect("readable");
	let read = |file: std::io::Result<std::fs::DirEntry>| {
		std::fs::read(file.expect("readable").path()).expect("readable")
	};
	files.flat_map(read).collect()
}

pub fn contains(haystack: &[u8], needle: &[u8]) -> bool {
	haystack.windows(needle.len()).any(|window| window == needle)
}

/// What this crate has logged since [`keep_log`], in whatever test of this process.
static LOGGED: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct KeepLog;

impl log::Log for KeepLog {
	fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
		metadata.target() == keyshare_rpc::LOG_TARGET
	}

	fn log(&self, record: &log::Record<'_>) {
		if self.enabled(record.metadata()) {
			LOGGED.lock().expect("not poisoned").push(record.args().to_string());
		}
	}

	fn flush(&self) {}
}

/// From now on what is logged can be looked at.
pub fn keep_log() {
	// Another test may have begun.
	if log::set_logger(&KeepLog).is_ok() {
		log::set_max_level(log::LevelFilter::Info);
	}
}

/// How many lines of the log have this in them.
pub fn logged(part: &str) -> usize {
	let lines = LOGGED.lock().expect("not poisoned");
	lines.iter().filter(|line| line.contains(part)).count()
}
