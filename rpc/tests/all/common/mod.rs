//! What the tests and benches stand on: a chain in memory, dealt registrations, and a node's
//! intake behind a real socket. Each of them uses a part.
#![allow(dead_code, missing_docs)]

use keyshare_primitives::{
	elements, messages,
	seal::{self, EncryptionSecret, ShareContext},
	share::{Share, VerifiedShare},
	split::PrivateKey,
	wire::{HexBytes, Ss58, SubmitShare},
	AccountId, BlockNumber, Generation, GenesisHash, KeyRecord, KeyScheme, RegistrationId,
	ServerInfo, SessionIndex, SubgroupId,
};
use keyshare_rpc::{
	api,
	chain::{BlockHash, ChainError, ChainState, KeyKind, PublishedServer},
	intake::{Intake, IntakeConfig},
	keys::ServerKeys,
	listener::{self, Cors, Listener, ListenerConfig},
	metrics::Metrics,
	store::{ShareRecord, ShareStore, FILE_NAME},
};
use rand_chacha::{rand_core::SeedableRng, ChaCha20Rng};
use std::{
	collections::HashMap,
	num::NonZeroUsize,
	path::PathBuf,
	sync::{Arc, Condvar, Mutex, RwLock},
	time::Duration,
};
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
	pub registering: HashMap<AccountId, KeyRecord>,
	pub registered: HashMap<AccountId, KeyRecord>,
	pub generations: HashMap<AccountId, Generation>,
	pub members: HashMap<AccountId, SubgroupId>,
	pub confirmed: HashMap<(RegistrationId, SubgroupId), Vec<AccountId>>,
	pub published: HashMap<AccountId, PublishedServer>,
	pub joining: HashMap<AccountId, SessionIndex>,
	pub number: BlockNumber,
	/// Whether its state cannot be read.
	pub pruned: bool,
}

impl View {
	pub fn register(&mut self, dealt: &Dealt) {
		self.registering.insert(dealt.account.clone(), dealt.key.clone());
		self.generations.insert(dealt.account.clone(), dealt.key.generation);
	}

	/// Makes it the key in force.
	pub fn complete(&mut self, dealt: &Dealt) {
		self.registering.remove(&dealt.account);
		self.registered.insert(dealt.account.clone(), dealt.key.clone());
		self.generations.insert(dealt.account.clone(), dealt.key.generation);
	}

	pub fn confirm(&mut self, dealt: &Dealt, number: u8) {
		self.confirm_by(dealt, number, server(number));
	}

	pub fn confirm_by(&mut self, dealt: &Dealt, subgroup: SubgroupId, server: AccountId) {
		self.confirmed.entry((dealt.key.id, subgroup)).or_default().push(server);
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
			view.members = (0..SUBGROUPS).map(|number| (server(number), number)).collect();
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

	fn registering(
		&self,
		at: BlockHash,
		account: &AccountId,
	) -> Result<Option<KeyRecord>, ChainError> {
		self.read(at, |view| view.registering.get(account).cloned())
	}

	fn registered(
		&self,
		at: BlockHash,
		account: &AccountId,
	) -> Result<Option<KeyRecord>, ChainError> {
		self.read(at, |view| view.registered.get(account).cloned())
	}

	fn last_generation(
		&self,
		at: BlockHash,
		account: &AccountId,
	) -> Result<Generation, ChainError> {
		self.read(at, |view| view.generations.get(account).copied().unwrap_or(0))
	}

	fn subgroup_of(
		&self,
		at: BlockHash,
		server: &AccountId,
	) -> Result<Option<SubgroupId>, ChainError> {
		self.read(at, |view| view.members.get(server).copied())
	}

	fn published(
		&self,
		at: BlockHash,
		server: &AccountId,
	) -> Result<Option<PublishedServer>, ChainError> {
		self.read(at, |view| view.published.get(server).cloned())
	}

	fn number(&self, at: BlockHash) -> Result<BlockNumber, ChainError> {
		self.read(at, |view| view.number)
	}

	fn subgroup_count(&self, at: BlockHash) -> Result<u8, ChainError> {
		self.read(at, |_| SUBGROUPS)
	}

	fn members(&self, at: BlockHash, subgroup: SubgroupId) -> Result<Vec<ServerInfo>, ChainError> {
		self.read(at, |view| {
			let members = view.members.iter().filter(|(_, of)| **of == subgroup);
			let mut infos: Vec<_> = members
				.filter_map(|(server, _)| view.published.get(server))
				.map(|published| published.info.clone())
				.collect();
			infos.sort_by(|a, b| a.account.cmp(&b.account));
			infos
		})
	}

	fn joined(
		&self,
		at: BlockHash,
		server: &AccountId,
	) -> Result<Option<SessionIndex>, ChainError> {
		self.read(at, |view| view.joining.get(server).copied())
	}

	fn keys(
		&self,
		at: BlockHash,
		kind: KeyKind,
		after: Option<&AccountId>,
		limit: usize,
	) -> Result<Vec<(AccountId, KeyRecord)>, ChainError> {
		self.read(at, |view| {
			let keys = match kind {
				KeyKind::Registering => &view.registering,
				KeyKind::Registered => &view.registered,
			};
			let mut page: Vec<_> = keys
				.iter()
				.filter(|(account, _)| after.is_none_or(|after| *account > after))
				.map(|(account, key)| (account.clone(), key.clone()))
				.collect();
			page.sort_by(|a, b| a.0.cmp(&b.0));
			page.truncate(limit);
			page
		})
	}

	fn confirmed_by(
		&self,
		at: BlockHash,
		id: &RegistrationId,
		subgroup: SubgroupId,
	) -> Result<Vec<AccountId>, ChainError> {
		self.read(at, |view| view.confirmed.get(&(*id, subgroup)).cloned().unwrap_or_default())
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
		let intake = Intake::new(config, chain.clone(), servers, store, uncounted())
			.expect("threads can be had");
		let config =
			ListenerConfig { addr: ([127, 0, 0, 1], 0).into(), cors, max_connections: connections };
		let listener =
			listener::start(config, api::module(intake.clone()), intake.health().clone())
				.await
				.expect("a free port");
		Self { chain, intake, listener, folder }
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

	pub fn stored_count(&self) -> usize {
		self.intake.store().pending(0, 1_000).expect("readable").len()
	}
}

pub fn store_path(folder: &TempDir) -> PathBuf {
	folder.path().join(FILE_NAME)
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
