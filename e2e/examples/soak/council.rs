//! An upgrade as a network without sudo makes it, by two of the council's three: they name the call that
//! authorizes the code by its hash, one of them carries it out as root, and a stranger brings the code.

use codec::{Compact, Decode, Encode};
use frame_support::dispatch::GetDispatchInfo;
use jsonrpsee::{core::client::ClientT, http_client::HttpClient, rpc_params};
use keyshare_client::{
	account::development_signer,
	chain::Chain,
	payload::Payload,
	progress::silent,
	submit::{carry_out_until, Signer},
};
use keyshare_primitives::AccountId;
use keyshare_runtime::{governance::CouncilInstance, Hash, Runtime, RuntimeCall, VERSION};
use sp_runtime::traits::{BlakeTwo256, Hash as _};
use std::time::Duration;
use tokio::time::Instant;

/// A chain, the node at which it is read raw, and how long anything may take.
pub struct Governed<'a> {
	pub chain: &'a Chain,
	pub url: &'a str,
	pub patience: Duration,
}

/// A call with its arguments in SCALE.
struct Plain(&'static str, &'static str, Vec<u8>);

impl Payload for Plain {
	fn pallet(&self) -> &'static str {
		self.0
	}

	fn name(&self) -> &'static str {
		self.1
	}

	fn arguments(&self) -> Vec<u8> {
		self.2.clone()
	}

	fn in_words(&self) -> String {
		format!("{}.{}", self.0, self.1)
	}
}

impl Governed<'_> {
	/// What is stored under a key in the best block.
	async fn stored(&self, key: &[u8]) -> Option<Vec<u8>> {
		let node = HttpClient::builder().build(self.url.replace("ws:", "http:")).expect("a URL");
		let key = format!("0x{}", hex::encode(key));
		let value: Option<String> =
			node.request("state_getStorage", rpc_params![key]).await.expect("it answers");
		value.map(|value| hex::decode(value.trim_start_matches("0x")).expect("hex"))
	}

	/// Who has said yes to a motion.
	async fn ayes(&self, motion: Hash) -> usize {
		// The front of `pallet_collective::Votes`: number, threshold, ayes.
		type Votes = (u32, u32, Vec<AccountId>);
		let key = pallet_collective::Voting::<Runtime, CouncilInstance>::hashed_key_for(motion);
		let votes = self.stored(&key).await.unwrap_or_default();
		Votes::decode(&mut &votes[..]).map_or(0, |(_, _, ayes)| ayes.len())
	}

	/// A development account makes a call, and waits until what that does is final.
	async fn by(&self, who: &str, call: Plain, is_done: impl AsyncFn() -> bool) {
		let key = development_signer(who).expect("a well-known name");
		let (signer, deadline) = (Signer::Key(Box::new(key)), Instant::now() + self.patience);
		let is_done = async |_| Ok(is_done().await);
		if let Err(error) =
			carry_out_until(self.chain, &call, &signer, deadline, &silent(), is_done).await
		{
			panic!("{} by {who}: {error}", call.in_words());
		}
	}
}

/// Removes sudo, and has the council replace the runtime by `code`.
pub async fn upgrade(chain: &Governed<'_>, code: &[u8]) {
	let code_hash = BlakeTwo256::hash(code);
	let authorize = RuntimeCall::System(frame_system::Call::authorize_upgrade { code_hash });
	let call_hash = BlakeTwo256::hash_of(&authorize);
	let name = RuntimeCall::Whitelist(pallet_whitelist::Call::whitelist_call { call_hash });
	let (motion, length) = (BlakeTwo256::hash_of(&name), Compact(name.encoded_size() as u32));

	let sudo = pallet_sudo::Key::<Runtime>::hashed_key();
	let is_gone = async || chain.stored(&sudo).await.is_none();
	chain.by("alice", Plain("Sudo", "remove_key", vec![]), is_gone).await;

	let propose = Plain("Council", "propose", (Compact(2u32), &name, length).encode());
	let proposal =
		pallet_collective::ProposalOf::<Runtime, CouncilInstance>::hashed_key_for(motion);
	chain.by("alice", propose, async || chain.stored(&proposal).await.is_some()).await;
	for (member, ayes) in [("alice", 1), ("bob", 2)] {
		let vote = Plain("Council", "vote", (motion, Compact(0u32), true).encode());
		chain.by(member, vote, async || chain.ayes(motion).await >= ayes).await;
	}
	let weight = name.get_dispatch_info().call_weight;
	let close = Plain("Council", "close", (motion, Compact(0u32), weight, length).encode());
	let named = pallet_whitelist::WhitelistedCall::<Runtime>::hashed_key_for(call_hash);
	chain.by("bob", close, async || chain.stored(&named).await.is_some()).await;

	let carry_out =
		Plain("Whitelist", "dispatch_whitelisted_call_with_preimage", authorize.encode());
	let authorized = frame_support::storage::storage_prefix(b"System", b"AuthorizedUpgrade");
	chain.by("charlie", carry_out, async || chain.stored(&authorized).await.is_some()).await;

	let apply = Plain("System", "apply_authorized_upgrade", code.encode());
	let is_upgraded = async || match Chain::connect(chain.url).await {
		Ok(chain) => chain.spec_version() == VERSION.spec_version,
		Err(_) => false,
	};
	chain.by("dave", apply, is_upgraded).await;
}
