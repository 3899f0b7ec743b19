//! The command line. What is not of this node is the SDK's own.

use crate::{
	chain_spec,
	commands::{
		server_keys::{GenerateServer, InspectServer, RotateServer},
		share_store::ShareStoreCommand,
	},
	options::{ListenerArgs, OperatorArgs, StoreArgs},
};
use clap::{Arg, Command, Parser};
use std::num::NonZeroU64;

/// The command line.
#[derive(Debug, Parser)]
#[command(mut_args(about_chain), mut_args(about_key_store), mut_subcommands(about_subcommand))]
pub struct Cli {
	/// What to do instead of running a node.
	#[command(subcommand)]
	pub subcommand: Option<Subcommand>,

	/// How to run a node.
	#[command(flatten)]
	pub run: sc_cli::RunCmd,

	/// Where shares come in.
	#[command(flatten)]
	pub listener: ListenerArgs,

	/// Where the operator's own methods are.
	#[command(flatten)]
	pub operator: OperatorArgs,

	/// Where shares are kept.
	#[command(flatten)]
	pub store: StoreArgs,

	/// Milliseconds between two blocks of the development chain; 2000 by default.
	///
	/// Whose turn it is to make a block goes by the clock, two seconds each. So with a multiple of 6000
	/// one of the three validators makes all blocks, and the others become idle after six sessions: they
	/// are not selected any more until their operators call them back, and only stay members.
	#[arg(long, value_name = "MILLISECONDS", requires = "dev")]
	pub dev_block_time: Option<NonZeroU64>,
}

/// What to do instead of running a node.
#[derive(Debug, clap::Subcommand)]
#[allow(clippy::large_enum_variant, reason = "there is only ever one")]
pub enum Subcommand {
	/// Make and show keys.
	#[command(subcommand)]
	Key(KeyCommand),

	/// Back up, restore and check the share store, or change its password.
	#[command(subcommand)]
	ShareStore(ShareStoreCommand),

	/// Write a chain's specification.
	ExportChainSpec(sc_cli::ExportChainSpecCmd),

	/// Check a block again.
	CheckBlock(sc_cli::CheckBlockCmd),

	/// Write blocks to a file.
	ExportBlocks(sc_cli::ExportBlocksCmd),

	/// Read blocks from a file.
	ImportBlocks(sc_cli::ImportBlocksCmd),

	/// Remove the chain's database; the share store and the keys stay.
	PurgeChain(sc_cli::PurgeChainCmd),

	/// Take back blocks that are not final.
	Revert(sc_cli::RevertCmd),

	/// Show what the chain's database holds.
	ChainInfo(sc_cli::ChainInfoCmd),
}

/// Make and show keys.
#[derive(Debug, clap::Subcommand)]
#[allow(clippy::large_enum_variant, reason = "there is only ever one")]
pub enum KeyCommand {
	/// A key command of the SDK.
	#[command(flatten)]
	Sdk(sc_cli::KeySubcommand),

	/// Make the keys of a server that this node is to host.
	GenerateServer(GenerateServer),

	/// Make a new encryption key for a server that this node hosts.
	RotateServer(RotateServer),

	/// Show the servers that this node hosts, and how to publish one.
	InspectServer(InspectServer),
}

/// The SDK's own help of these options speaks of chains and programs that are not there.
fn about_chain(arg: Arg) -> Arg {
	let (short, more) = match arg.get_id().as_str() {
		"chain" => (
			"Which chain: `dev`, `local`, or a file with its specification",
			"A network publishes its file, and `export-chain-spec` writes one. Without this option it is \
			 `dev` with `--dev`, and otherwise `local`.",
		),
		"dev" => (
			"The development chain, of which one process is the whole network",
			"Its keys are known to everybody. A node is run with it as with `--chain dev`, \
			 `--force-authoring`, `--rpc-cors all` and `--alice`; and unless `--base-path` is given, \
			 what it keeps is gone when it ends.",
		),
		_ => return arg,
	};
	arg.help(short).long_help(format!("{short}.\n\n{more}"))
}

/// There are two stores, and each may have a password.
fn about_key_store(arg: Arg) -> Arg {
	let help = match arg.get_id().as_str() {
		"password" => "Password of the key store; not of the share store",
		"password_interactive" => "Ask for the password of the key store; not of the share store",
		"password_filename" => {
			"File with the password of the key store; for the share store there is \
			 `--share-store-password-file`"
		}
		_ => return arg,
	};
	arg.help(help).long_help(help)
}

/// The same in a command, and in those below it. Where there is no share store, nothing is mistaken for its
/// password.
fn about_subcommand(command: Command) -> Command {
	let has_both = command.get_arguments().any(|arg| arg.get_id() == "share_store_password_file");
	let command = command.mut_args(about_chain).mut_subcommands(about_subcommand);
	if has_both {
		command.mut_args(about_key_store)
	} else {
		command
	}
}

impl sc_cli::SubstrateCli for Cli {
	fn impl_name() -> String {
		"Keyshare Node".into()
	}

	fn impl_version() -> String {
		env!("SUBSTRATE_CLI_IMPL_VERSION").into()
	}

	fn description() -> String {
		env!("CARGO_PKG_DESCRIPTION").into()
	}

	fn author() -> String {
		env!("CARGO_PKG_AUTHORS").into()
	}

	fn support_url() -> String {
		"see CONTRIBUTING.md of the Keyshare repository".into()
	}

	fn copyright_start_year() -> i32 {
		2026
	}

	fn load_spec(&self, id: &str) -> Result<Box<dyn sc_cli::ChainSpec>, String> {
		Ok(Box::new(chain_spec::load(id, self.listener.share_rpc_addr.port())?))
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use clap::error::ErrorKind;
	use keyshare_rpc::listener::Cors;
	use sc_cli::{CliConfiguration, SubstrateCli};

	fn parse(arguments: &str) -> Result<Cli, ErrorKind> {
		let arguments = ["keyshare-node"].into_iter().chain(arguments.split_whitespace());
		Cli::try_from_iter(arguments).map_err(|error| error.kind())
	}

	/// The systemd unit.
	fn unit() -> String {
		// A path known when compiling would be another checkout's: they share the build folder.
		let node = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests");
		let unit = std::path::Path::new(&node).join("../deploy/keyshare-node.service");
		std::fs::read_to_string(unit).expect("readable")
	}

	#[test]
	fn the_unit_starts_a_node_on_a_host_with_a_dot_in_its_name() {
		let unit = unit().replace("\\\n", " ");
		let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart="));
		let start = start.expect("it starts something");
		// What systemd puts in: the host's name, the part before its first dot, and the credentials' folder.
		let start = start.replace("%H", "node.example.org").replace("%l", "node");
		let start = start.replace("%d", "/run/credentials/keyshare-node.service");
		assert!(!start.contains('%'), "{start}");
		let cli = Cli::try_from_iter(start.split_whitespace()).expect("well formed");
		assert_eq!(cli.run.node_name().expect("a name that the SDK takes"), "node");
	}

	#[test]
	fn the_unit_keeps_secrets_off_the_disk_and_the_password_from_other_users() {
		let unit = unit();
		for setting in ["LimitCORE=0", "MemorySwapMax=0", "LoadCredential=password:"] {
			assert!(unit.lines().any(|line| line.starts_with(setting)), "{setting}");
		}
		assert!(unit.contains("--share-store-password-file %d/password"), "{unit}");
	}

	#[test]
	fn the_definition_holds_together() {
		Cli::setup_command(<Cli as clap::CommandFactory>::command()).debug_assert();
	}

	/// Calls this for each command, with what its help says of each option.
	fn each_help(command: &Command, look: &mut impl FnMut(&Command, &str, &str)) {
		for arg in command.get_arguments() {
			for help in [arg.get_help(), arg.get_long_help()].into_iter().flatten() {
				look(command, arg.get_id().as_str(), &help.to_string());
			}
		}
		for subcommand in command.get_subcommands() {
			each_help(subcommand, look);
		}
	}

	#[test]
	fn no_help_sends_anybody_to_a_chain_or_program_that_is_not_there() {
		let command = Cli::setup_command(<Cli as clap::CommandFactory>::command());
		each_help(&command, &mut |command: &Command, option: &str, help: &str| {
			for wrong in ["staging", "kusama", "build-spec", "omni-node"] {
				assert!(!help.contains(wrong), "{} {option}: {help}", command.get_name());
			}
		});
	}

	#[test]
	fn each_password_beside_that_of_the_share_store_says_which_store_it_is_of() {
		let command = Cli::setup_command(<Cli as clap::CommandFactory>::command());
		let mut seen = 0;
		each_help(&command, &mut |command: &Command, option: &str, help: &str| {
			let mut options = command.get_arguments().map(|arg| arg.get_id().as_str());
			let has_both = options.any(|option| option == "share_store_password_file");
			if has_both && option.starts_with("password") {
				seen += 1;
				assert!(help.contains("key store"), "{} {option}: {help}", command.get_name());
			}
		});
		assert!(seen > 0);
	}

	#[test]
	fn a_node_listens_on_loopback_for_shares_of_no_web_page() {
		let cli = parse("").expect("nothing is needed");
		assert_eq!(cli.listener.share_rpc_addr.to_string(), "127.0.0.1:9955");
		assert_eq!(cli.listener.share_rpc_cors, None);
		assert_eq!(cli.store.share_store_password_file, None);
	}

	#[test]
	fn share_options_are_read() {
		let cli = parse(
			"--share-rpc-addr [::1]:7 --share-rpc-cors https://a.example,http://b:1 \
			 --share-rpc-max-connections 3 --share-rpc-max-per-address 2 \
			 --share-rpc-trusted-proxy 127.0.0.1 --share-rpc-trusted-proxy fd00::/8 \
			 --share-store-path s --share-store-password-file p",
		)
		.expect("well formed");
		assert_eq!(cli.listener.share_rpc_addr.port(), 7);
		let Some(Cors::Origins(origins)) = cli.listener.share_rpc_cors else { panic!("origins") };
		assert_eq!(origins.len(), 2);
		assert_eq!(cli.listener.share_rpc_max_connections, 3);
		assert_eq!(cli.listener.share_rpc_max_per_address, 2);
		let proxies = cli.listener.share_rpc_trusted_proxy;
		assert_eq!(
			proxies.iter().map(ToString::to_string).collect::<Vec<_>>(),
			["127.0.0.1/32", "fd00::/8"]
		);
		assert_eq!(cli.store.share_store_path, Some("s".into()));
		assert_eq!(cli.store.share_store_password_file, Some("p".into()));
	}

	#[test]
	fn bad_share_options_are_refused() {
		for bad in [
			"--share-rpc-addr localhost",
			"--share-rpc-addr 127.0.0.1:0",
			"--share-rpc-cors example.org",
			"--share-rpc-max-connections 0",
			"--share-rpc-max-per-address 0",
			"--share-rpc-trusted-proxy proxy.example",
		] {
			assert_eq!(parse(bad).err(), Some(ErrorKind::ValueValidation), "{bad}");
		}
	}

	#[test]
	fn the_development_chain_has_a_password_of_its_own() {
		let both = parse("--dev --share-store-password-file p");
		assert_eq!(both.err(), Some(ErrorKind::ArgumentConflict));
		let both = parse("key generate-server --dev --share-store-password-file p");
		assert_eq!(both.err(), Some(ErrorKind::ArgumentConflict));
	}

	#[test]
	fn only_the_development_chain_has_a_block_time() {
		let cli = parse("--dev --dev-block-time 500").expect("well formed");
		assert_eq!(cli.dev_block_time.map(NonZeroU64::get), Some(500));
		assert_eq!(parse("--dev-block-time 500").err(), Some(ErrorKind::MissingRequiredArgument));
		assert_eq!(parse("--dev --dev-block-time 0").err(), Some(ErrorKind::ValueValidation));
	}

	#[test]
	fn the_share_store_has_commands_of_its_own() {
		for good in [
			"share-store backup b --chain local",
			"share-store restore b -d x --share-store-password-file p",
			"share-store verify --share-store-password-file p",
			"share-store change-password --new-password-file n --share-store-password-file p",
		] {
			assert!(parse(good).is_ok(), "{good}");
		}
		for bad in ["share-store backup", "share-store restore", "share-store change-password"] {
			assert_eq!(parse(bad).err(), Some(ErrorKind::MissingRequiredArgument), "{bad}");
		}
	}

	#[test]
	fn key_commands_are_the_sdks_and_ours() {
		for (arguments, ours) in [
			("key generate-node-key", false),
			("key inspect //Alice", false),
			("key generate-server --chain local", true),
			("key rotate-server --chain local", true),
			("key inspect-server -d x", true),
		] {
			let cli = parse(arguments).expect("well formed");
			let Some(Subcommand::Key(command)) = cli.subcommand else { panic!("{arguments}") };
			assert_eq!(!matches!(command, KeyCommand::Sdk(_)), ours, "{arguments}");
		}
		let half = parse(
			"key inspect-server --validator 5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
		);
		assert_eq!(half.err(), Some(ErrorKind::MissingRequiredArgument));
	}
}
