//! The genesis presets `development` and `local`: the same three validators with well-known keys,
//! hosted by one process (`development`) or by one each (`local`).

use super::*;
use alloc::{format, vec::Vec};
use frame_support::build_struct_json_patch;
use keyshare_primitives::{
	development::{self, DevelopmentServer},
	EncryptionKey,
};
use pallet_subgroups::genesis::{GenesisOperator, GenesisServer};
use serde_json::Value;
use sp_genesis_builder::PresetId;
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};

/// Name of the preset for several processes on one machine.
pub const LOCAL_PRESET: &str = "local";

/// `t` of both presets.
const THRESHOLD: u8 = 2;
/// `n` of both presets.
const SUBGROUPS: u8 = 3;
/// How many validators each operator of the presets may have.
const SEATS: u32 = 4;

/// Blocks in a session of both presets: short, so that changes can be watched.
const SESSION_LENGTH: BlockNumber = MINUTES / 2;

/// The port of the first share listener, as the node's default.
pub const SHARE_PORT: u16 = 9955;

/// The presets' names.
pub fn preset_names() -> Vec<PresetId> {
	alloc::vec![
		PresetId::from(sp_genesis_builder::DEV_RUNTIME_PRESET),
		PresetId::from(LOCAL_PRESET),
	]
}

/// A preset by its name.
pub fn preset(id: &PresetId) -> Option<Vec<u8>> {
	let patch = match AsRef::<str>::as_ref(id) {
		sp_genesis_builder::DEV_RUNTIME_PRESET => development(SHARE_PORT),
		LOCAL_PRESET => network(|server| SHARE_PORT + u16::from(server.subgroup)),
		_ => return None,
	};
	Some(serde_json::to_vec(&patch).expect("a JSON value is written to memory; qed"))
}

/// The development network with its one share listener on `port` of the loopback address.
pub fn development(port: u16) -> Value {
	network(|_| port)
}

/// Validator, stash (its server's account) and voter of a development server.
fn keys(server: &DevelopmentServer) -> (Sr25519Keyring, Sr25519Keyring, Ed25519Keyring) {
	match server.name {
		"Alice" => (Sr25519Keyring::Alice, Sr25519Keyring::AliceStash, Ed25519Keyring::Alice),
		"Bob" => (Sr25519Keyring::Bob, Sr25519Keyring::BobStash, Ed25519Keyring::Bob),
		_ => (Sr25519Keyring::Charlie, Sr25519Keyring::CharlieStash, Ed25519Keyring::Charlie),
	}
}

/// Each validator is its own operator.
fn operator(server: &DevelopmentServer) -> GenesisOperator {
	let account = keys(server).0.to_account_id();
	GenesisOperator {
		account: account.clone(),
		name: server.name.into(),
		subgroup: server.subgroup,
		seats: SEATS,
		validators: alloc::vec![account],
	}
}

fn genesis_server(server: &DevelopmentServer, port: u16) -> GenesisServer {
	let (validator, stash, _) = keys(server);
	let EncryptionKey::X25519(key) = server.encryption_key();
	GenesisServer {
		validator: validator.to_account_id(),
		server: stash.to_account_id(),
		encryption_key: key.into(),
		endpoint: format!("http://127.0.0.1:{port}"),
	}
}

fn network(port: impl Fn(&DevelopmentServer) -> u16) -> Value {
	let servers = &development::SERVERS;
	build_struct_json_patch!(RuntimeGenesisConfig {
		balances: BalancesConfig {
			balances: Sr25519Keyring::well_known()
				.map(|keyring| (keyring.to_account_id(), 1_000_000 * KEY))
				.collect::<Vec<_>>(),
		},
		session: SessionConfig {
			keys: servers
				.iter()
				.map(|server| {
					let (validator, _, voter) = keys(server);
					let account = validator.to_account_id();
					let keys = SessionKeys {
						aura: validator.public().into(),
						grandpa: voter.public().into(),
					};
					(account.clone(), account, keys)
				})
				.collect::<Vec<_>>(),
		},
		council: CouncilConfig {
			members: servers
				.iter()
				.map(|server| keys(server).0.to_account_id())
				.collect::<Vec<_>>(),
		},
		sudo: SudoConfig { key: Some(Sr25519Keyring::Alice.to_account_id()) },
		subgroups: SubgroupsConfig {
			threshold: THRESHOLD,
			subgroup_count: SUBGROUPS,
			session_length: SESSION_LENGTH,
			admission_delay: 0u32,
			operators: servers.iter().map(operator).collect::<Vec<_>>(),
			servers: servers
				.iter()
				.map(|server| genesis_server(server, port(server)))
				.collect::<Vec<_>>(),
		},
	})
}
