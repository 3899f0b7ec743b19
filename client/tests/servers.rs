//! Calls to share servers on real sockets: retries, and answers that prove nothing.

mod common;

use common::*;
use keyshare_client::{
	progress::Server as Line,
	servers::{challenge, patiently, submit_share, ServerError},
};
use keyshare_primitives::{
	seal::{seal, EncryptionSecret, ShareContext},
	wire::{ErrorCode, HexBytes, Ss58, SubmitShare},
};
use keyshare_transport::CallError;
use std::{net::SocketAddr, sync::Mutex, time::Duration};

const G: u8 = 1;

fn line(scheme: &str, address: SocketAddr) -> Line {
	Line { subgroup: G, account: server_account(G), endpoint: format!("{scheme}://{address}") }
}

fn request() -> SubmitShare {
	let checked = dealing().check(&parameters(), &GENESIS, &USER, &record()).expect("ours");
	let share = checked.share(G).expect("a subgroup").share();
	let account = server_account(G);
	let place = ShareContext { id: &record().id, server: &account, subgroup: G };
	let to = EncryptionSecret::new([G + 0x40; 32]).public();
	let sealed = seal(share, &to, place).expect("a usable key");
	SubmitShare {
		server: Ss58(server_account(G)),
		account: Ss58(USER),
		generation: 1,
		subgroup: G,
		enc: HexBytes(sealed.enc),
		ciphertext: HexBytes(sealed.ciphertext),
	}
}

async fn submit(behaviour: Behaviour) -> Result<(), ServerError> {
	let server = Server::new(behaviour);
	let (address, _running) = server.serve().await;
	submit_share(&line("http", address), &request(), &record()).await
}

#[tokio::test]
async fn a_busy_server_is_asked_again_at_its_own_pace() {
	let server = Server::new(Behaviour::Busy(2));
	let (address, _running) = server.serve().await;
	let (line, request, record) = (line("http", address), request(), record());
	let retries = Mutex::new(Vec::new());
	let attempt = || submit_share(&line, &request, &record);
	let on_retry = |error: &ServerError, after| {
		let busy =
			matches!(error, ServerError::Call(CallError::Refused { code: ErrorCode::Busy, .. }));
		retries.lock().expect("not poisoned").push((busy, after));
	};
	patiently(1, attempt, on_retry).await.expect("stored at the third call");
	let wished = Duration::from_millis(300);
	assert_eq!(*retries.lock().expect("not poisoned"), [(true, wished), (true, wished)]);
	assert_eq!(server.calls(), [G, G, G]);
}

#[tokio::test]
async fn a_lasting_refusal_is_not_repeated() {
	let server = Server::new(Behaviour::Refusing(ErrorCode::WrongSubgroup));
	let (address, _running) = server.serve().await;
	let (line, request, record) = (line("http", address), request(), record());
	let attempt = || submit_share(&line, &request, &record);
	let error = patiently(1, attempt, |_, _| ()).await.err();
	let expected = ErrorCode::WrongSubgroup;
	assert!(
		matches!(error, Some(ServerError::Call(CallError::Refused { code, .. })) if code == expected)
	);
	assert_eq!(server.calls(), [G]);
}

#[tokio::test]
async fn a_share_is_stored_and_challenges_are_answered() {
	let server = Server::new(Behaviour::Honest);
	let (address, _running) = server.serve().await;
	let line = line("http", address);
	let before = challenge(&line, &USER, &record()).await.err();
	let none = ErrorCode::NoShare;
	assert!(
		matches!(before, Some(ServerError::Call(CallError::Refused { code, .. })) if code == none)
	);
	submit_share(&line, &request(), &record()).await.expect("stored");
	challenge(&line, &USER, &record()).await.expect("proved");
	server.behave(Behaviour::WrongProof);
	let wrong = challenge(&line, &USER, &record()).await.err();
	assert!(matches!(wrong, Some(ServerError::WrongProof)));
}

#[tokio::test]
async fn an_answer_that_proves_nothing_is_refused() {
	assert!(submit(Behaviour::Honest).await.is_ok());
	let wrong = submit(Behaviour::WrongProof).await.err();
	assert!(matches!(wrong, Some(ServerError::WrongProof)));
	let other = submit(Behaviour::WrongId).await.err();
	assert!(matches!(other, Some(ServerError::WrongRegistration)));
}

#[tokio::test]
async fn a_proof_is_checked_under_the_servers_own_subgroup() {
	let server = Server::new(Behaviour::Honest);
	let (address, _running) = server.serve().await;
	let elsewhere = Line { subgroup: G + 1, ..line("http", address) };
	let error = submit_share(&elsewhere, &request(), &record()).await.err();
	assert!(matches!(error, Some(ServerError::WrongProof)));
}

#[tokio::test]
async fn a_server_that_is_gone_is_a_lost_connection() {
	let address = SocketAddr::from(([127, 0, 0, 1], closed_port()));
	let error = submit_share(&line("http", address), &request(), &record()).await.err();
	assert!(matches!(error, Some(ServerError::Call(CallError::Connection(_)))), "{error:?}");
}

#[tokio::test]
async fn encrypted_endpoints_are_spoken_to() {
	// A listener without TLS cannot answer, but it must be TLS that fails, not the scheme.
	let server = Server::new(Behaviour::Honest);
	let (address, _running) = server.serve().await;
	let error = submit_share(&line("https", address), &request(), &record()).await.err();
	assert!(matches!(error, Some(ServerError::Call(CallError::Connection(_)))), "{error:?}");
	for scheme in ["ftp", "ws", "wss"] {
		let error = submit_share(&line(scheme, address), &request(), &record()).await.err();
		let is_refused = matches!(error, Some(ServerError::Call(CallError::Endpoint(_))));
		assert!(is_refused, "{scheme}: {error:?}");
	}
	assert!(server.calls().is_empty());
}
