//! A wallet: it knows the chain by its runtime, and not by our tool.

use codec::Encode;
use jsonrpsee::{core::client::ClientT, http_client::HttpClient, rpc_params};
use keyshare_runtime::{
	Address, Balance, Hash, Nonce, RuntimeCall, SignedPayload, TxExtension, UncheckedExtrinsic,
	VERSION,
};
use sp_keyring::Sr25519Keyring;
use sp_runtime::{generic::Era, MultiSignature};

/// An account's wallet.
pub struct Wallet {
	/// The node it talks to.
	pub node: HttpClient,
	account: Sr25519Keyring,
	genesis: Hash,
}

impl Wallet {
	/// Of an account, at the node of `url`.
	pub async fn open(url: &str, account: Sr25519Keyring) -> Self {
		let node = HttpClient::builder().build(url.replace("ws:", "http:")).expect("a URL");
		let genesis = node.request("chain_getBlockHash", rpc_params![0]).await;
		Self { node, account, genesis: genesis.expect("there is one") }
	}

	/// The nonce of the account's next transaction.
	pub async fn nonce(&self) -> Nonce {
		let address = self.account.to_account_id().to_string();
		let next = self.node.request("system_accountNextIndex", rpc_params![address]).await;
		next.expect("any account has one")
	}

	/// Signs a call and sends it to the node's pool.
	pub async fn send(
		&self,
		nonce: Nonce,
		tip: Balance,
		call: RuntimeCall,
	) -> Result<Hash, jsonrpsee::core::ClientError> {
		let extension: TxExtension = (
			frame_system::AuthorizeCall::new(),
			frame_system::CheckNonZeroSender::new(),
			frame_system::CheckSpecVersion::new(),
			frame_system::CheckTxVersion::new(),
			frame_system::CheckGenesis::new(),
			frame_system::CheckMortality::from(Era::Immortal),
			frame_system::CheckNonce::from(nonce),
			frame_system::CheckWeight::new(),
			pallet_transaction_payment::ChargeTransactionPayment::from(tip),
			frame_metadata_hash_extension::CheckMetadataHash::new(false),
			frame_system::WeightReclaim::new(),
		);
		let (spec, transaction) = (VERSION.spec_version, VERSION.transaction_version);
		let implied = ((), (), spec, transaction, self.genesis, self.genesis, (), (), (), None, ());
		let payload = SignedPayload::from_raw(call.clone(), extension.clone(), implied);
		let sign = |bytes: &[u8]| self.account.sign(bytes);
		let signature = MultiSignature::Sr25519(payload.using_encoded(sign));
		let address = Address::Id(self.account.to_account_id());
		let extrinsic = UncheckedExtrinsic::new_signed(call, address, signature, extension);
		let bytes = format!("0x{}", hex::encode(extrinsic.encode()));
		self.node.request("author_submitExtrinsic", rpc_params![bytes]).await
	}
}
