//! From the command line to what is run.

use crate::{
	cli::{Cli, KeyCommand, Subcommand},
	error::Error,
	service::{self, ChainOps, Options},
	shares::ShareOptions,
	types::{Backend, Block, Client},
	LOG_TARGET,
};
use futures::TryFutureExt;
use keyshare_runtime::BlockNumber;
use sc_cli::{CliConfiguration, OffchainWorkerEnabled, RpcMethods, SubstrateCli};
use sc_service::{config, ChainType, Configuration};
use std::{net::Ipv4Addr, sync::Arc, time::Duration};

/// Does what the command line says, until it is done or the process is told to end.
pub fn run() -> Result<(), Error> {
	let cli = Cli::from_args();
	match &cli.subcommand {
		None => run_node(&cli),
		Some(Subcommand::Key(KeyCommand::Sdk(command))) => Ok(command.run(&cli)?),
		Some(Subcommand::Key(KeyCommand::GenerateServer(command))) => command.run(&cli),
		Some(Subcommand::Key(KeyCommand::RotateServer(command))) => command.run(&cli),
		Some(Subcommand::Key(KeyCommand::InspectServer(command))) => command.run(&cli),
		Some(Subcommand::ShareStore(command)) => command.run(&cli),
		Some(Subcommand::ExportChainSpec(command)) => {
			let spec = cli.load_spec(&command.chain).map_err(sc_cli::Error::from)?;
			Ok(command.run(spec)?)
		}
		Some(Subcommand::ChainInfo(command)) => {
			cli.create_runner(command)?.sync_run(|config| Ok(command.run::<Block>(&config)?))
		}
		Some(Subcommand::PurgeChain(command)) => {
			cli.create_runner(command)?.sync_run(|config| Ok(command.run(config.database)?))
		}
		Some(Subcommand::CheckBlock(command)) => cli.create_runner(command)?.async_run(|config| {
			let ops = ChainOps::new(&config)?;
			Ok((command.run(ops.client, ops.import_queue).err_into(), ops.task_manager))
		}),
		Some(Subcommand::ImportBlocks(command)) => {
			cli.create_runner(command)?.async_run(|config| {
				let ops = ChainOps::new(&config)?;
				Ok((command.run(ops.client, ops.import_queue).err_into(), ops.task_manager))
			})
		}
		Some(Subcommand::ExportBlocks(command)) => {
			cli.create_runner(command)?.async_run(|config| {
				let ops = ChainOps::new(&config)?;
				Ok((command.run(ops.client, config.database).err_into(), ops.task_manager))
			})
		}
		Some(Subcommand::Revert(command)) => cli.create_runner(command)?.async_run(|config| {
			let ops = ChainOps::new(&config)?;
			let votes = revert_votes(&config.chain_spec.chain_type());
			Ok((command.run(ops.client, ops.backend, votes).err_into(), ops.task_manager))
		}),
	}
}

fn run_node(cli: &Cli) -> Result<(), Error> {
	let options = options(cli)?;
	let runner = cli.create_runner(&cli.run)?;
	let operator_port = has_operator_port(cli).then_some(cli.operator.operator_rpc_port);
	runner.run_node_until_exit(move |mut config| {
		if let Some(port) = operator_port {
			keep_for_operator(&mut config, port, options.shares.store.is_given());
		}
		service::start(config, options)
	})
}

/// Whether the operator's methods have a port of their own: unless the command line says where they are.
fn has_operator_port(cli: &Cli) -> bool {
	let rpc = &cli.run.rpc_params;
	rpc.rpc_methods != RpcMethods::Unsafe && rpc.experimental_rpc_endpoint.is_empty()
}

/// Closes the ordinary RPC to the operator's methods, and opens them on a port of this machine alone.
/// `auto` would answer them to whatever comes from this machine, and so to the world if a proxy leads it
/// there. A development chain has no secrets, and its tools know one port.
fn keep_for_operator(config: &mut Configuration, port: u16, hosts: bool) {
	if config.chain_spec.chain_type() == ChainType::Development {
		return;
	}
	let Some(endpoints) = &mut config.rpc.addr else { return };
	let Some(first) = endpoints.first().cloned() else { return };
	for endpoint in endpoints.iter_mut() {
		endpoint.rpc_methods = config::RpcMethods::Safe;
	}
	endpoints.push(config::RpcEndpoint {
		listen_addr: (Ipv4Addr::LOCALHOST, port).into(),
		rpc_methods: config::RpcMethods::Unsafe,
		// No web page can read what is answered here. It can still send: no browser belongs on this machine.
		cors: Some(Vec::new()),
		// Whoever hosts no server can do without.
		is_optional: !hosts,
		// Another port would be found by nobody.
		retry_random_port: false,
		..first
	});
	log::info!(
		target: LOG_TARGET,
		"The operator's methods are answered at ws://127.0.0.1:{port} alone: \
		 keyshare --url ws://127.0.0.1:{port}",
	);
}

fn options(cli: &Cli) -> Result<Options, Error> {
	let dev = cli.run.is_dev()?;
	let offchain_worker = &cli.run.offchain_worker_params.enabled;
	Ok(Options {
		dev,
		block_time: cli.dev_block_time.map(|time| Duration::from_millis(time.get())),
		validator_name: cli.run.get_keyring().map(|keyring| keyring.to_string()),
		offchain_worker_is_off: matches!(offchain_worker, OffchainWorkerEnabled::Never),
		shares: ShareOptions::new(dev, &cli.listener, &cli.store),
	})
}

type RevertVotes = Box<dyn FnOnce(Arc<Client>, Arc<Backend>, BlockNumber) -> sc_cli::Result<()>>;

/// What GRANDPA remembers of the blocks that go; a development chain has no votes.
fn revert_votes(chain_type: &ChainType) -> Option<RevertVotes> {
	(*chain_type != ChainType::Development).then(|| -> RevertVotes {
		Box::new(|client, _, blocks| Ok(sc_consensus_grandpa::revert(client, blocks)?))
	})
}
