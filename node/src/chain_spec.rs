//! The chains that are known by name. Their genesis is a preset of the runtime's.

use keyshare_runtime::{
	genesis::{self, LOCAL_PRESET},
	WASM_BINARY,
};
use sc_service::{ChainType, GenericChainSpec, Properties};
use serde_json::Value;
use std::{fmt::Display, fs};

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
		path => from_file(path),
	}
}

/// The chain in a file, which is looked at first: of a genesis that it cannot read the runtime says neither
/// the file nor the field.
fn from_file(path: &str) -> Result<ChainSpec, String> {
	let text = fs::read_to_string(path).map_err(|reason| {
		format!(
			"the chain's specification {path} cannot be read: {reason}. Give --chain dev, --chain \
			 local or a file"
		)
	})?;
	let spec: Value = serde_json::from_str(&text)
		.map_err(|reason| format!("the chain's specification {path} is no JSON: {reason}"))?;
	if let Some((field, number)) = not_whole(&spec["genesis"], "/genesis".into()) {
		return Err(format!(
			"the chain's specification {path} has the number {number} in the field {field}, where only \
			 a whole one written in digits can be read. Up to version 1.6, which Debian 12 has, `jq` \
			 writes large numbers so, and rounds others: take the file as it was exported, and change it \
			 with jq 1.7 or an editor"
		));
	}
	ChainSpec::from_json_file(path.into()).map_err(|reason| {
		format!(
			"the file {path} is no chain's specification: {reason}. `export-chain-spec` writes one"
		)
	})
}

/// The first number with an exponent or a fraction, and the JSON pointer of its field. A genesis has none.
fn not_whole(value: &Value, at: String) -> Option<(String, String)> {
	let below = |name: &dyn Display, value: &Value| not_whole(value, format!("{at}/{name}"));
	match value {
		Value::Number(number) => {
			let text = number.to_string();
			text.contains(['.', 'e', 'E']).then_some((at, text))
		}
		Value::Array(items) => {
			items.iter().enumerate().find_map(|(place, item)| below(&place, item))
		}
		Value::Object(fields) => fields.iter().find_map(|(name, field)| below(name, field)),
		Value::Null | Value::Bool(_) | Value::String(_) => None,
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
	use std::path::{Path, PathBuf};
	use tempfile::TempDir;

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

	/// A file with this text.
	fn file_with(text: &str) -> (TempDir, PathBuf) {
		let folder = tempfile::tempdir().expect("a folder");
		let path = folder.path().join("network.json");
		fs::write(&path, text).expect("written");
		(folder, path)
	}

	fn load_file(path: &Path) -> Result<ChainSpec, String> {
		load(path.to_str().expect("UTF-8"), 1)
	}

	/// The local network as `export-chain-spec` writes it, with another genesis balance.
	fn local_with_balance(balance: &str) -> String {
		let patch = genesis::preset(&LOCAL_PRESET.into()).expect("a preset");
		let mut patch: Value = serde_json::from_slice(&patch).expect("JSON");
		patch["balances"]["balances"][0][1] = 987_654_321_987_u64.into();
		let spec = ChainSpec::builder(b"code", None).with_genesis_config_patch(patch).build();
		spec.as_json(false).expect("exports").replace("987654321987", balance)
	}

	#[test]
	fn a_balance_that_jq_has_rounded_is_named_with_its_file_and_field() {
		let (_folder, path) = file_with(&local_with_balance("1000000000000000001"));
		assert!(load_file(&path).is_ok(), "the file as it was exported");
		for rounded in ["1e+18", "1.0E+18", "1000000000000000000.0"] {
			let (_folder, path) = file_with(&local_with_balance(rounded));
			let reason = load_file(&path).err().expect("the runtime takes whole numbers");
			let field = "/genesis/runtimeGenesis/patch/balances/balances/0/1,";
			for part in [path.to_str().expect("UTF-8"), field, "`jq`"] {
				assert!(reason.contains(part), "{rounded}: {reason}");
			}
			assert!(reason.len() < 600, "{reason}");
		}
	}

	#[test]
	fn what_is_no_json_or_no_specification_is_named_with_the_place_in_the_file() {
		for (text, part) in [
			("{\n  \"name\": \"x\",,\n}", "line 2 column"),
			("{}", "missing field"),
			("", "is no JSON"),
		] {
			let (_folder, path) = file_with(text);
			let reason = load_file(&path).err().expect("refused");
			assert!(reason.contains(part), "{reason}");
			assert!(reason.contains(path.to_str().expect("UTF-8")), "{reason}");
			assert!(reason.len() < 400, "{reason}");
		}
	}
}
