//! `verify`: what anybody can check.

use super::Exit;
use crate::{cli, output::Output, view::Verified};
use keyshare_client::{chain::Chain, error::exit, verify, Result};
use std::time::Duration;

/// `verify`.
pub async fn verify(url: &str, args: &cli::Verify, output: &Output) -> Result<Exit> {
	let chain = Chain::connect(url).await?;
	let patience = Duration::from_secs(args.patience);
	let verification = verify::verify(&chain, &args.account, patience).await?;
	let view = Verified::from(&verification);
	output.data(&view, &view.words())?;
	Ok((!verification.holds()).then_some(exit::VERIFICATION))
}
