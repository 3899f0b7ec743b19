//! A chain and share servers made of nothing but their JSON-RPC, on real sockets. The chain
//! answers the runtime API from one account's state; the servers open what they are sent, check
//! it as real ones do, and confirm on that chain.

#![allow(dead_code)]

pub mod tool;

use codec::{Decode, Encode};
use jsonrpsee::{
	server::{ServerBuilder, ServerHandle},
	types::{ErrorObjectOwned, Params},
	RpcModule,
};
use keyshare_client::{
	dealing::Dealing,
	progress::{OnProgress, Progress},
};
use keyshare_primitives::{
	api::*,
	messages,
	seal::{EncryptionSecret, SealedShare, ShareContext},
	share::VerifiedShare,
	split::PrivateKey,
	wire::*,
	*,
};
use std::{
	net::SocketAddr,
	sync::{Arc, Mutex},
};

pub const USER: AccountId = AccountId::new([0xaa; 32]);
pub const GENESIS: GenesisHash = GenesisHash::repeat_byte(0x11);
/// The sudo key.
pub const ROOT: AccountId = AccountId::new([0xbb; 32]);
/// Where `Sudo.Key` lies, as every explorer knows it.
const SUDO_KEY: &str = "0x5c0d1176a568c1f92944340dbfed9e9c530ebca703c85910e7164cb7d1c9e47b";

/// The account of the server of subgroup `g`.
pub fn server_account(g: u8) -> AccountId {
	AccountId::new([g + 1; 32])
}

/// The validator that runs it.
pub fn validator_account(g: u8) -> AccountId {
	AccountId::new([g + 0x80; 32])
}

/// The operator whose validator that is.
pub fn operator_account(g: u8) -> AccountId {
	AccountId::new([g + 0xc0; 32])
}

/// The parameters of three subgroups with threshold two and a quorum of two thirds.
pub fn parameters() -> Parameters {
	let fields = (PROTOCOL_VERSION, 3u8, 2u8, 666_666_667u32, 100u32, 10u32, 0u32);
	Parameters::decode(&mut fields.encode().as_slice()).expect("its layout")
}

pub fn key() -> PrivateKey {
	PrivateKey::new(KeyScheme::Ed25519, [7; 32]).expect("any seed will do")
}

pub fn dealing() -> Dealing {
	Dealing::new(&key(), &parameters(), &GENESIS, &USER, 1).expect("valid")
}

/// What the chain computes for [`dealing`].
pub fn record() -> KeyRecord {
	let commitments = dealing().commitments;
	KeyRecord {
		id: messages::registration_id(&GENESIS, &USER, 1, &commitments),
		generation: 1,
		verifying_shares: elements::verifying_shares(&commitments, 2, 3).expect("valid"),
		commitments,
	}
}

/// The state behind the chain's answers.
#[derive(Clone)]
pub struct State {
	pub best: u64,
	pub spec_name: &'static str,
	pub kind: &'static str,
	pub parameters: Parameters,
	pub subgroups: Vec<SubgroupInfo>,
	pub operators: Vec<OperatorInfo>,
	pub sudo_key: Option<AccountId>,
	pub account: AccountInfo,
	pub finalized: Option<AccountInfo>,
	/// How far the last final block is behind the best one.
	pub blocks_until_final: u64,
	/// The finalized block's, where they are not the best block's.
	pub finalized_subgroups: Option<Vec<SubgroupInfo>>,
	pub validator: ValidatorInfo,
	pub is_behind: bool,
}

impl State {
	/// What the chain does when the last subgroup reaches its quorum.
	fn complete(&mut self) {
		let Some(attempt) = &mut self.account.registering else { return };
		if attempt.coverage.iter().all(Coverage::is_reached) {
			attempt.status = RegistrationStatus::Registered;
			self.account.registered = self.account.registering.take();
		}
	}
}

/// A chain with one attempt of [`USER`] under way, one server a subgroup.
#[derive(Clone)]
pub struct Chain {
	pub state: Arc<Mutex<State>>,
}

impl Chain {
	pub fn new() -> Self {
		let secret = |g: u8| EncryptionSecret::new([g + 0x40; 32]);
		let subgroups = (0..3u8).map(|g| SubgroupInfo {
			id: g,
			quorum: Some(1),
			members: vec![MemberInfo {
				validator: validator_account(g),
				server: ServerInfo {
					account: server_account(g),
					encryption_key: secret(g).public(),
					endpoint: Default::default(),
				},
				readiness: Readiness::Ready,
				operator: Some(operator_account(g)),
			}],
		});
		let operators = (0..3u8).map(|g| OperatorInfo {
			account: operator_account(g),
			name: format!("Operator {g}").into_bytes(),
			subgroup: g,
			standing: OperatorStanding::Admitted { since: 0 },
			seats: 4,
			next_seats: None,
			validators: vec![validator_account(g)],
			assigned: vec![],
		});
		let coverage = (0..3u8).map(|g| Coverage {
			subgroup: g,
			members: vec![server_account(g)],
			ready: vec![server_account(g)],
			quorum: Some(1),
			confirmed: vec![],
		});
		let attempt = RegistrationInfo {
			key: record(),
			status: RegistrationStatus::Registering { expires_at: 100 },
			coverage: coverage.collect(),
		};
		let account = AccountInfo {
			generation: 1,
			constraints: Some((USER, Constraints::default())),
			registered: None,
			registering: Some(attempt),
		};
		let state = State {
			best: 1,
			spec_name: "keyshare",
			kind: "Live",
			parameters: parameters(),
			subgroups: subgroups.collect(),
			operators: operators.collect(),
			sudo_key: Some(ROOT),
			account,
			finalized: None,
			blocks_until_final: 0,
			finalized_subgroups: None,
			validator: ValidatorInfo {
				server: None,
				retired: None,
				session_keys: None,
				subgroup: Some(2),
				membership: Membership::Outside,
				obstacles: vec![Obstacle::NoServer, Obstacle::Barred { session: 7 }],
				operator: None,
				assigned_by: vec![],
			},
			is_behind: false,
		};
		Self { state: Arc::new(Mutex::new(state)) }
	}

	/// Changes the state in a new best block.
	pub fn change<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
		let mut state = self.state.lock().expect("not poisoned");
		state.best += 1;
		f(&mut state)
	}

	pub fn read<T>(&self, f: impl FnOnce(&State) -> T) -> T {
		f(&self.state.lock().expect("not poisoned"))
	}

	pub fn set_endpoint(&self, g: usize, endpoint: &str) {
		let endpoint = endpoint.as_bytes().to_vec().try_into().expect("short");
		self.change(|state| state.subgroups[g].members[0].server.endpoint = endpoint);
	}

	/// What a `confirm` of a server does.
	pub fn confirm(&self, g: u8) {
		self.change(|state| {
			let Some(attempt) = &mut state.account.registering else { return };
			attempt.coverage[usize::from(g)].confirmed = vec![server_account(g)];
			state.complete();
		});
	}

	/// Whether the only member of a subgroup holds every share.
	pub fn set_ready(&self, g: usize, ready: bool) {
		self.change(|state| {
			let quorum = ready.then_some(1);
			let subgroup = &mut state.subgroups[g];
			subgroup.quorum = quorum;
			subgroup.members[0].readiness =
				if ready { Readiness::Ready } else { Readiness::Syncing };
			let account = &mut state.account;
			let shown = [&mut account.registering, &mut account.registered];
			for registration in shown.into_iter().flatten() {
				let coverage = &mut registration.coverage[g];
				coverage.quorum = quorum;
				coverage.ready = if ready { coverage.members.clone() } else { vec![] };
			}
			state.complete();
		});
	}

	/// Serves the chain's RPC at `address` (port 0 for any).
	pub async fn serve(&self, address: &str) -> (String, ServerHandle) {
		let mut module = RpcModule::new(self.clone());
		module
			.register_method("chain_getBlockHash", |params, chain, _| {
				let number: Option<u32> = params.sequence().optional_next().ok().flatten();
				let hash = match number {
					Some(0) => GENESIS,
					_ => GenesisHash::from_low_u64_be(chain.read(|state| state.best)),
				};
				to_hex(hash.as_bytes())
			})
			.expect("one of a name");
		module
			.register_method("chain_getFinalizedHead", |_, _, _| to_hex(FINALIZED.as_bytes()))
			.expect("one of a name");
		module
			.register_method("chain_getHeader", |params, chain, _| {
				let hash: GenesisHash = params.one().expect("a block");
				let number = chain.read(|state| match hash == FINALIZED {
					true => state.best.saturating_sub(state.blocks_until_final),
					false => state.best,
				});
				let none = GenesisHash::zero();
				serde_json::json!({
					"parentHash": none, "stateRoot": none, "extrinsicsRoot": none,
					"number": format!("{number:#x}"), "digest": { "logs": [] },
				})
			})
			.expect("one of a name");
		module
			.register_method("system_chainType", |_, chain, _| chain.read(|state| state.kind))
			.expect("one of a name");
		module
			.register_method("system_health", |_, chain, _| {
				let is_syncing = chain.read(|state| state.is_behind);
				serde_json::json!({
					"peers": 1, "isSyncing": is_syncing, "shouldHavePeers": true
				})
			})
			.expect("one of a name");
		module
			.register_method("state_getStorage", |params, chain, _| {
				let (key, _): (String, Option<GenesisHash>) =
					params.parse().expect("a key and a block");
				assert_eq!(key, SUDO_KEY, "nothing else is read");
				let sudo_key = chain.read(|state| state.sudo_key.clone());
				serde_json::json!(sudo_key.map(|account| to_hex(account.as_ref())))
			})
			.expect("one of a name");
		module
			.register_method("state_call", |params, chain, _| chain.call(&params))
			.expect("one of a name");
		let (address, handle) = serve(address, module).await;
		(format!("ws://{address}"), handle)
	}

	fn call(&self, params: &Params<'_>) -> Result<String, ErrorObjectOwned> {
		let (function, _, block): (String, String, Option<GenesisHash>) =
			params.parse().expect("three parameters");
		let answer = self.read(|state| {
			Some(match function.as_str() {
				"Core_version" => (state.spec_name, "test", 1u32, 1u32, 1u32).encode(),
				"KeyshareApi_parameters" => state.parameters.encode(),
				"KeyshareApi_subgroups" if block == Some(FINALIZED) => {
					state.finalized_subgroups.as_ref().unwrap_or(&state.subgroups).encode()
				}
				"KeyshareApi_subgroups" => state.subgroups.encode(),
				"KeyshareApi_operators" => state.operators.encode(),
				"KeyshareApi_deposit" => 1_000_000_000_000u128.encode(),
				"KeyshareApi_confirmation_fee" => 3_000_000_000u128.encode(),
				"KeyshareApi_registration" if block == Some(FINALIZED) => {
					state.finalized.as_ref().unwrap_or(&state.account).encode()
				}
				"KeyshareApi_registration" => state.account.encode(),
				"KeyshareApi_validator" => state.validator.encode(),
				_ => return None,
			})
		});
		answer.map(|bytes| to_hex(&bytes)).ok_or_else(|| {
			ErrorObjectOwned::owned(
				4003,
				format!("Function to call not found: {function}"),
				None::<()>,
			)
		})
	}
}

const FINALIZED: GenesisHash = GenesisHash::repeat_byte(0xff);

/// How a server behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
	Honest,
	/// Full for so many calls, then honest.
	Busy(u32),
	/// Stores and confirms, but signs something else.
	WrongProof,
	/// Signs for another attempt.
	WrongId,
	/// Never stores.
	Refusing(ErrorCode),
}

/// A share server that speaks for every subgroup's account.
pub struct Server {
	pub chain: Option<Chain>,
	pub behaviour: Mutex<Behaviour>,
	pub calls: Mutex<Vec<u8>>,
	shares: Mutex<Vec<(u8, VerifiedShare)>>,
}

impl Server {
	pub fn new(behaviour: Behaviour) -> Arc<Self> {
		Self::on(None, behaviour)
	}

	pub fn on(chain: Option<Chain>, behaviour: Behaviour) -> Arc<Self> {
		Arc::new(Self {
			chain,
			behaviour: Mutex::new(behaviour),
			calls: Mutex::default(),
			shares: Mutex::default(),
		})
	}

	/// Serves over http and ws alike.
	pub async fn serve(self: &Arc<Self>) -> (SocketAddr, ServerHandle) {
		let mut module = RpcModule::new(self.clone());
		module
			.register_method("keyshare_submitShare", |params, server, _| {
				server.submit(params.one().expect("one object"))
			})
			.expect("one of a name");
		module
			.register_method("keyshare_proveCustody", |params, server, _| {
				server.prove(params.one().expect("one object"))
			})
			.expect("one of a name");
		serve("127.0.0.1:0", module).await
	}

	pub fn calls(&self) -> Vec<u8> {
		self.calls.lock().expect("not poisoned").clone()
	}

	pub fn behave(&self, behaviour: Behaviour) {
		*self.behaviour.lock().expect("not poisoned") = behaviour;
	}

	fn submit(&self, request: SubmitShare) -> Result<ShareReceipt, ErrorObjectOwned> {
		let g = request.subgroup;
		self.calls.lock().expect("not poisoned").push(g);
		let id = self.behaviour()?;
		let sealed = SealedShare { enc: request.enc.0, ciphertext: request.ciphertext.0 };
		let place = ShareContext { id: &record().id, server: &request.server.0, subgroup: g };
		let share = EncryptionSecret::new([g + 0x40; 32])
			.open(&sealed, place)
			.map_err(|_| refusal(ErrorCode::DecryptionFailed, ErrorData::default()))?
			.verify(record().verifying_share(g).expect("a subgroup"))
			.map_err(|_| refusal(ErrorCode::ShareMismatch, ErrorData::default()))?;
		let proof = share.prove(&self.signed(messages::custody_message(&id, &request.server.0)));
		self.shares.lock().expect("not poisoned").push((g, share));
		if let Some(chain) = &self.chain {
			chain.confirm(g);
		}
		Ok(ShareReceipt {
			registration_id: id,
			status: SubmitStatus::Stored,
			custody_proof: proof.into(),
		})
	}

	fn prove(&self, request: CustodyChallenge) -> Result<FreshProof, ErrorObjectOwned> {
		let id = self.behaviour()?;
		let shares = self.shares.lock().expect("not poisoned");
		let share = shares.iter().find(|(g, _)| server_account(*g) == request.server.0);
		let (_, share) = share.ok_or_else(|| refusal(ErrorCode::NoShare, ErrorData::default()))?;
		let message = messages::challenge_message(&id, &request.server.0, &request.nonce.0);
		Ok(FreshProof {
			registration_id: id,
			custody_proof: share.prove(&self.signed(message)).into(),
		})
	}

	/// What is signed in place of `message`.
	fn signed(&self, mut message: Vec<u8>) -> Vec<u8> {
		if *self.behaviour.lock().expect("not poisoned") == Behaviour::WrongProof {
			message.push(0);
		}
		message
	}

	/// The registration id to answer with, or the error.
	fn behaviour(&self) -> Result<RegistrationId, ErrorObjectOwned> {
		let mut behaviour = self.behaviour.lock().expect("not poisoned");
		match *behaviour {
			Behaviour::Busy(0) => *behaviour = Behaviour::Honest,
			Behaviour::Busy(times) => {
				*behaviour = Behaviour::Busy(times - 1);
				let data = ErrorData { retry_after_ms: Some(300), ..Default::default() };
				return Err(refusal(ErrorCode::Busy, data));
			}
			Behaviour::Refusing(code) => return Err(refusal(code, ErrorData::default())),
			Behaviour::WrongId => return Ok(RegistrationId::repeat_byte(9)),
			Behaviour::Honest | Behaviour::WrongProof => {}
		}
		Ok(record().id)
	}
}

fn refusal(code: ErrorCode, data: ErrorData) -> ErrorObjectOwned {
	ErrorObjectOwned::owned(code.code(), code.name(), Some(data))
}

async fn serve<Context>(address: &str, module: RpcModule<Context>) -> (SocketAddr, ServerHandle) {
	let server = ServerBuilder::default().build(address).await.expect("a free port");
	(server.local_addr().expect("bound"), server.start(module))
}

/// A chain with one server a subgroup, of these behaviours. They stop when this is dropped.
pub struct Network {
	pub chain: Chain,
	pub url: String,
	pub servers: [Arc<Server>; 3],
	pub node: Option<ServerHandle>,
	listeners: Vec<ServerHandle>,
}

impl Network {
	pub async fn new(behaviours: [Behaviour; 3]) -> Self {
		let chain = Chain::new();
		let servers = behaviours.map(|behaviour| Server::on(Some(chain.clone()), behaviour));
		let mut listeners = Vec::new();
		for (g, server) in servers.iter().enumerate() {
			let (address, handle) = server.serve().await;
			listeners.push(handle);
			chain.set_endpoint(g, &format!("http://{address}"));
		}
		let (url, node) = chain.serve("127.0.0.1:0").await;
		Self { chain, url, servers, node: Some(node), listeners }
	}
}

/// A port on which nobody listens.
pub fn closed_port() -> u16 {
	std::net::TcpListener::bind("127.0.0.1:0")
		.and_then(|listener| listener.local_addr())
		.expect("a free port")
		.port()
}

/// Events, collected.
#[derive(Clone, Default)]
pub struct Events(Arc<Mutex<Vec<Progress>>>);

impl Events {
	pub fn progress(&self) -> OnProgress {
		let events = self.0.clone();
		Arc::new(move |event| events.lock().expect("not poisoned").push(event))
	}

	/// The words of one server's states, in order.
	pub fn of(&self, g: u8) -> Vec<&'static str> {
		let events = self.0.lock().expect("not poisoned");
		events
			.iter()
			.filter_map(|event| match event {
				Progress::Server { server, state } if server.subgroup == g => Some(state.word()),
				_ => None,
			})
			.collect()
	}

	pub fn any(&self, f: impl Fn(&Progress) -> bool) -> bool {
		self.0.lock().expect("not poisoned").iter().any(f)
	}
}
