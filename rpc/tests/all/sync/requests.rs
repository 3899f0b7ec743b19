//! To whom shares are handed over, and to whom not.

use super::{held, member, pair, peer, publish, G};
use crate::common::*;
use jsonrpsee::{
	core::client::{ClientT, Error},
	http_client::HttpClient,
	rpc_params,
};
use keyshare_primitives::{
	messages,
	seal::ShareContext,
	wire::{ErrorCode, HexBytes, RequestShares, SealedShares, Ss58, MAX_REQUESTED},
	BlockNumber, RegistrationId,
};
use sp_core::Pair;

async fn request(node: &Node, request: RequestShares) -> Result<SealedShares, Error> {
	let client = HttpClient::builder().build(node.url("http")).expect("a URL");
	client.request("keyshare_requestShares", rpc_params![request]).await
}

fn signed(
	from: u8,
	requester: u8,
	signer: u8,
	registrations: Vec<RegistrationId>,
) -> RequestShares {
	signed_at(0, from, requester, signer, registrations)
}

fn signed_at(
	block: BlockNumber,
	from: u8,
	requester: u8,
	signer: u8,
	registrations: Vec<RegistrationId>,
) -> RequestShares {
	let message =
		messages::request_message(&GENESIS, &peer(from), &peer(requester), &registrations, block);
	RequestShares {
		from: Ss58(peer(from)),
		requester: Ss58(peer(requester)),
		registrations,
		block,
		signature: HexBytes(pair(signer).sign(&message).0),
	}
}

fn refused(answer: Result<SealedShares, Error>, code: ErrorCode) {
	match answer {
		Err(Error::Call(error)) => assert_eq!(error.code(), code.code(), "{error:?}"),
		other => panic!("{other:?}"),
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn shares_are_handed_over_to_members_of_the_subgroup_only() {
	let chain = MockChain::new();
	let node = member(&chain, 1).await;
	publish(&chain, 2, G, "http://127.0.0.1:1");
	publish(&chain, 3, G + 1, "http://127.0.0.1:1");
	let dealt = held(&chain, &node, 1, 1);
	let id = dealt.key.id;

	let answer = request(&node, signed(1, 2, 2, vec![id])).await.expect("a member");
	let [sealed] = answer.shares.as_slice() else { panic!("one share") };
	assert_eq!(sealed.registration_id, id);
	let envelope = keyshare_primitives::seal::SealedShare {
		enc: sealed.enc.0,
		ciphertext: sealed.ciphertext.0,
	};
	let requester = peer(2);
	let context = ShareContext { id: &id, server: &requester, subgroup: G };
	let opened = secret(2).open(&envelope, context).expect("sealed to the requester");
	assert_eq!(opened.expose_secret(), dealt.shares[usize::from(G)].expose_secret());

	let other_subgroup = request(&node, signed(1, 3, 3, vec![id])).await;
	refused(other_subgroup, ErrorCode::WrongSubgroup);
	refused(request(&node, signed(1, 4, 4, vec![id])).await, ErrorCode::WrongSubgroup);
	refused(request(&node, signed(1, 2, 3, vec![id])).await, ErrorCode::BadSignature);
	let mut other_ids = signed(1, 2, 2, vec![id]);
	other_ids.registrations = vec![RegistrationId::zero()];
	refused(request(&node, other_ids).await, ErrorCode::BadSignature);
	refused(request(&node, signed(2, 1, 1, vec![id])).await, ErrorCode::UnknownServer);
	let too_many = vec![id; MAX_REQUESTED + 1];
	refused(request(&node, signed(1, 2, 2, too_many)).await, ErrorCode::InvalidParams);
	let as_many_as_may_be = vec![id; MAX_REQUESTED];
	assert!(request(&node, signed(1, 2, 2, as_many_as_may_be)).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_of_another_time_is_played_back_in_vain() {
	let chain = MockChain::new();
	let node = member(&chain, 1).await;
	publish(&chain, 2, G, "http://127.0.0.1:1");
	let id = held(&chain, &node, 1, 1).key.id;
	chain.everywhere(|view| view.number = 1_000);
	let signed_at = |block| signed_at(block, 1, 2, 2, vec![id]);
	for near in [968, 1_000, 1_032] {
		assert!(request(&node, signed_at(near)).await.is_ok(), "{near}");
	}
	for far in [0, 967, 1_033] {
		refused(request(&node, signed_at(far)).await, ErrorCode::WrongBlock);
	}
	let mut moved = signed_at(900);
	moved.block = 1_000;
	refused(request(&node, moved).await, ErrorCode::BadSignature);
	// What is final counts: a best block runs ahead.
	chain.at_best(|view| view.number = 1_100);
	assert!(request(&node, signed_at(1_000)).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_given_a_share_by_the_word_of_a_block_that_is_not_final() {
	let chain = MockChain::new();
	let node = member(&chain, 1).await;
	// In the finalized chain it belongs to another subgroup, and may have the share of that.
	publish(&chain, 2, G + 1, "http://127.0.0.1:1");
	chain.at_best(|view| view.join(peer(2), G));
	let id = held(&chain, &node, 1, 1).key.id;
	refused(request(&node, signed(1, 2, 2, vec![id])).await, ErrorCode::WrongSubgroup);
	publish(&chain, 2, G, "http://127.0.0.1:1");
	assert!(request(&node, signed(1, 2, 2, vec![id])).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_chain_shows_no_longer_is_not_handed_over() {
	let chain = MockChain::new();
	let node = member(&chain, 1).await;
	publish(&chain, 2, G, "http://127.0.0.1:1");
	let (stays, left) = (held(&chain, &node, 1, 1), held(&chain, &node, 1, 2));
	chain.everywhere(|view| view.deregister(&left.account));
	let ids = vec![left.key.id, RegistrationId::zero(), stays.key.id];
	let answer = request(&node, signed(1, 2, 2, ids)).await.expect("a member");
	let ids: Vec<_> = answer.shares.iter().map(|share| share.registration_id).collect();
	assert_eq!(ids, [stays.key.id]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_in_another_shape_is_told_every_field() {
	let node = member(&MockChain::new(), 1).await;
	let client = HttpClient::builder().build(node.url("http")).expect("a URL");
	let params = rpc_params![serde_json::json!({ "nonce": "0x" })];
	let answer: Result<SealedShares, _> = client.request("keyshare_requestShares", params).await;
	let Err(Error::Call(error)) = answer else { panic!("refused") };
	assert_eq!(error.code(), ErrorCode::InvalidParams.code());
	for field in ["from", "requester", "registrations", "block", "signature"] {
		assert!(error.message().contains(field), "{field}: {error:?}");
	}
	assert!(!error.message().contains("nonce"), "{error:?}");
}
