//! `keyshare`: registers private keys with a Keyshare network, and shows and checks what became
//! of them. The work is done by the library; here are the command line and the output.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod cli;
mod commands;
mod input;
mod output;
mod view;

use clap::Parser;
use output::Output;
use std::process::ExitCode;

fn main() -> ExitCode {
	let cli = cli::Cli::parse();
	let output = Output::new(cli.global.json, cli.global.bitcoin_network.into());
	let result = tokio::runtime::Builder::new_multi_thread()
		.enable_all()
		.build()
		.map_err(keyshare_client::Error::from)
		.and_then(|runtime| runtime.block_on(commands::run(cli, &output)));
	match result {
		Ok(code) => ExitCode::from(code),
		Err(error) => {
			output.failure(&error);
			ExitCode::from(error.exit_code())
		}
	}
}
