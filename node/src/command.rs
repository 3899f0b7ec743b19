//! From the command line to what is run.

use crate::{
	cli::{Cli, KeyCommand, Subcommand},
	error::Error,
	service::{self, Backend, Block, ChainOps, Client, Options},
	shares::ShareOptions,
};
use futures::TryFutureExt;
use keyshare_runtime::BlockNumber;
use sc_cli::{CliConfiguration, OffchainWorkerEnabled, SubstrateCli};
use sc_service::ChainType;
use std::{sync::Arc, time::Duration};

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
	runner.run_node_until_exit(|config| service::start(config, options))
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
