//! What the ordinary RPC offers beside the usual: balances' fees, nonces, and the `keyshare_*`
//! methods: those of the share listener for local use, and the operator's own.

use crate::{
	operator,
	types::{Block, Client, Pool},
};
use jsonrpsee::{server::RegisterMethodError, RpcModule};
use keyshare_rpc::{api, intake::Intake};
use pallet_transaction_payment_rpc::{TransactionPayment, TransactionPaymentApiServer};
use sp_keystore::KeystorePtr;
use std::sync::Arc;
use substrate_frame_rpc_system::{System, SystemApiServer};

/// What the methods ask.
#[derive(Clone)]
pub struct Sources {
	/// The chain.
	pub client: Arc<Client>,
	/// Transactions on their way into it.
	pub pool: Arc<Pool>,
	/// Shares, if the node hosts servers.
	pub intake: Option<Arc<Intake>>,
	/// What the hosted servers sign with.
	pub keystore: KeystorePtr,
}

/// The methods over `sources`.
pub fn module(sources: Sources) -> Result<RpcModule<()>, RegisterMethodError> {
	let Sources { client, pool, intake, keystore } = sources;
	let mut module = RpcModule::new(());
	module.merge(System::<_, _, Block>::new(client.clone(), pool).into_rpc())?;
	module.merge(TransactionPayment::<_, Block>::new(client).into_rpc())?;
	if let Some(intake) = intake {
		module.merge(api::module(intake.clone()))?;
		module.merge(operator::module(intake, keystore))?;
	}
	Ok(module)
}
