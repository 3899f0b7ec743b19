//! The chains that are known by name. Their genesis is a preset of the runtime's.

use keyshare_runtime::{
	genesis::{self, LOCAL_PRESET},
	WASM_BINARY,
};
use sc_service::{ChainType, GenericChainSpec, Properties};
use std::path::PathBuf;

/// A chain spec without extensions.
pub type ChainSpec = GenericChainSpec;

/// Sets the network's protocols apart from those of other chains.
const PROTOCOL_ID: &str = "keyshare";

/// The chain named `id`, or the one in the file `id`: `dev`, `local` (which no name means too),
/// or a path. The development chain's servers answer on `share_port`, which its genesis names.
pub fn load(id: &str, share_port: u16) -> Result<ChainSpec, String> {
	match id {
		"dev" => Ok(development(runtime()?, share_port)),
		"local" | "" => Ok(local(runtime()?)),
		path => ChainSpec::from_json_file(PathBuf::from(path))
			.map_err(|reason| format!("{reason}. Give --chain dev, --chain local or a file")),
	}
}

/// The three validators of the development network in one process.
fn development(runtime: &[u8], share_port: u16) -> ChainSpec {
	ChainSpec::builder(runtime, None)
		.with_name("Keyshare Development")
		.with_id("keyshare-development")
		.with_chain_type(ChainType::Development)
		.with_protocol_id(PROTOCOL_ID)
		.with_properties(properties())
		.with_genesis_config_patch(genesis::development(share_port))
		.build()
}

/// The same validators in a process each.
fn local(runtime: &[u8]) -> ChainSpec {
	ChainSpec::builder(runtime, None)
		.with_name("Keyshare Local")
		.with_id("keyshare-local")
		.with_chain_type(ChainType::Local)
		.with_protocol_id(PROTOCOL_ID)
		.with_properties(properties())
		.with_genesis_config_preset_name(LOCAL_PRESET)
		.build()
}

fn runtime() -> Result<&'static [u8], String> {
	WASM_BINARY.ok_or_else(|| {
		"this program was built without the chain's runtime; build it again without \
		 SKIP_WASM_BUILD, or give --chain a file"
			.into()
	})
}

/// What wallets show balances and addresses with.
fn properties() -> Properties {
	let mut properties = Properties::new();
	properties.insert("tokenSymbol".into(), "KEY".into());
	properties.insert("tokenDecimals".into(), 12.into());
	properties.insert("ss58Format".into(), 42.into());
	properties
}

#[cfg(test)]
mod tests {
	use super::*;
	use keyshare_primitives::development::SERVERS;
	use sc_service::ChainSpec as _;
	use serde_json::Value;

	#[test]
	fn each_name_is_a_chain_of_its_kind() {
		let (development, local) = (development(b"code", 1), local(b"code"));
		assert_eq!(development.chain_type(), ChainType::Development);
		assert_eq!(local.chain_type(), ChainType::Local);
		assert_ne!(development.id(), local.id(), "each has a folder of its own");
	}

	#[test]
	fn the_preset_is_one_of_the_runtime() {
		assert!(genesis::preset_names().contains(&LOCAL_PRESET.into()));
	}

	#[test]
	fn what_is_exported_names_every_development_server() {
		for id in ["dev", "local"] {
			let Ok(spec) = load(id, 1234) else {
				assert!(WASM_BINARY.is_none(), "only a missing runtime is a reason");
				continue;
			};
			let json = sc_service::chain_ops::build_spec(&spec, false).expect("exports");
			let json: Value = serde_json::from_str(&json).expect("JSON");
			let servers = &json["genesis"]["runtimeGenesis"]["patch"]["subgroups"]["servers"];
			assert_eq!(servers.as_array().map(Vec::len), Some(SERVERS.len()), "{id}");
			assert_eq!(json["properties"]["tokenSymbol"], "KEY");
			let endpoint = &servers[0]["endpoint"];
			let port = if id == "dev" { 1234 } else { genesis::SHARE_PORT };
			assert_eq!(*endpoint, format!("http://127.0.0.1:{port}"));
		}
	}

	#[test]
	fn an_unknown_name_says_what_to_give() {
		let reason = load("no-such-chain", 1).err().expect("no such file");
		assert!(reason.contains("--chain local"), "{reason}");
	}
}
