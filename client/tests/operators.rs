//! Operators with the tool as a process: what it refuses before anybody signs, and its JSON.

mod common;

use common::{tool::*, *};
use keyshare_client::error::exit;
use keyshare_primitives::api::{Later, OperatorStanding};
use serde_json::{json, Value};

/// The tool's answer to `keyshare operator …`, signed elsewhere by `signer`.
async fn operator(url: &str, arguments: &[&str], signer: &str) -> Ran {
	let signed = ["--external-signer", signer, "--deadline", "5"];
	keyshare(url, &[&["operator"][..], arguments, &signed].concat()).await
}

fn admit<'a>(account: &'a str, name: &'a str, subgroup: &'a str, seats: &'a str) -> [&'a str; 8] {
	["admit", account, "--name", name, "--subgroup", subgroup, "--seats", seats]
}

#[tokio::test]
async fn operators_are_listed_with_standing_seats_and_validators() {
	let network = Network::new([Behaviour::Honest; 3]).await;
	network.chain.change(|state| {
		let [one, two, three] = state.operators.as_mut_slice() else { panic!("three") };
		one.next_seats = Some(Later { value: 6, from: 40, blocks_left: 12 });
		one.assigned = vec![USER];
		two.standing = OperatorStanding::Pending { from: 50, blocks_left: 22 };
		two.seats = 0;
		two.next_seats = Some(Later { value: 4, from: 50, blocks_left: 22 });
		three.standing = OperatorStanding::Dismissed { since: 9, force: false };
		three.seats = 0;
	});
	let ran = keyshare(&network.url, &["operator", "list"]).await;
	assert_eq!(ran.code, exit::OK, "{}", ran.messages);
	let one = json!({
		"operator": operator_account(0).to_string(),
		"name": "Operator 0",
		"subgroup": 0,
		"standing": "in-force",
		"force": null,
		"since": 0,
		"blocksLeft": null,
		"seats": 4,
		"seatsTaken": 2,
		"nextSeats": { "seats": 6, "from": 40, "blocksLeft": 12 },
		"validators": [validator_account(0).to_string()],
		"assigned": [user()],
	});
	let operators = &ran.json()["operators"];
	assert_eq!(operators[0], one);
	assert_eq!(
		(&operators[1]["standing"], &operators[1]["since"]),
		(&json!("pending"), &json!(50))
	);
	assert_eq!(operators[1]["blocksLeft"], 22);
	assert_eq!(
		(&operators[2]["standing"], &operators[2]["since"], &operators[2]["force"]),
		(&json!("dismissed"), &json!(9), &json!(false))
	);
	assert_eq!(operators[3], Value::Null);

	let account = operator_account(0).to_string();
	let status = keyshare(&network.url, &["operator", "status", &account]).await;
	assert_eq!(status.json(), &one);
	let unknown = keyshare(&network.url, &["operator", "status", &user()]).await;
	assert_eq!(unknown.code, exit::REFUSED);
	assert_eq!(unknown.error()["name"], "Subgroups::NotAnOperator");
}

#[tokio::test]
async fn a_wrong_admission_is_an_error_before_anybody_signs() {
	let network = Network::new([Behaviour::Honest; 3]).await;
	let (new, first, root) = (user(), operator_account(0).to_string(), ROOT.to_string());
	let long = "x".repeat(33);
	for wrong in [
		admit(&new, "", "0", "1"),
		admit(&new, " New", "0", "1"),
		admit(&new, "New  one", "0", "1"),
		admit(&new, "Neu\u{f6}", "0", "1"),
		admit(&new, &long, "0", "1"),
		admit(&new, "New", "3", "1"),
		admit(&new, "New", "0", "0"),
		admit(&new, "New", "0", "33"),
	] {
		let ran = operator(&network.url, &wrong, &root).await;
		assert_eq!(ran.code, exit::USAGE, "{wrong:?} {}", ran.messages);
		assert_eq!(ran.error()["kind"], "input");
	}
	for (refused, name) in [
		(admit(&new, "operator 1", "0", "1"), "Subgroups::NameTaken"),
		(admit(&first, "Operator 0", "1", "4"), "Subgroups::OperatorOfAnotherSubgroup"),
		(admit(&new, "New", "0", "29"), "Subgroups::NoSeatsLeft"),
	] {
		let ran = operator(&network.url, &refused, &root).await;
		assert_eq!(ran.code, exit::REFUSED, "{refused:?} {}", ran.messages);
		assert_eq!(ran.error()["name"], name);
		assert!(ran.error()["hint"].is_string(), "it says what to do");
	}
	// What is so already is not signed again.
	let same = operator(&network.url, &admit(&first, "Operator 0", "0", "4"), &root).await;
	assert_eq!(same.code, exit::OK, "{}", same.messages);
	assert_eq!(same.json()["operator"], first);
}

#[tokio::test]
async fn only_the_sudo_key_admits_and_dismisses() {
	let network = Network::new([Behaviour::Honest; 3]).await;
	let (new, first, root) = (user(), operator_account(0).to_string(), ROOT.to_string());
	let (admit, dismiss) = (admit(&new, "New", "0", "28"), ["dismiss", &first, "--force"]);
	for call in [&admit[..], &dismiss[..]] {
		let ran = operator(&network.url, call, &new).await;
		assert_eq!(ran.code, exit::REFUSED, "{}", ran.messages);
		assert_eq!(ran.error()["name"], "Sudo::RequireSudo");
		assert!(ran.error()["message"].as_str().is_some_and(|text| text.contains(&root)));
		// The right key goes on to the metadata, which this chain has none of.
		let ran = operator(&network.url, call, &root).await;
		assert_eq!(ran.code, exit::FAILED, "{}", ran.messages);
	}
	network.chain.change(|state| state.sudo_key = None);
	let ran = operator(&network.url, &admit, &root).await;
	assert_eq!(ran.error()["name"], "Sudo::RequireSudo");
}

#[tokio::test]
async fn a_dismissal_says_what_becomes_of_the_shares() {
	let network = Network::new([Behaviour::Honest; 3]).await;
	let (first, root) = (operator_account(0).to_string(), ROOT.to_string());
	let unknown = operator(&network.url, &["dismiss", &user()], &root).await;
	assert_eq!(unknown.error()["name"], "Subgroups::NotAnOperator");
	// Nobody else of its subgroup is ready.
	let gentle = operator(&network.url, &["dismiss", &first], &root).await;
	assert!(gentle.messages.contains("stays a member until another one is"), "{}", gentle.messages);
	let forced = operator(&network.url, &["dismiss", &first, "--force"], &root).await;
	assert!(forced.messages.contains("With --force"), "{}", forced.messages);
	// It is done already; users are told all the same.
	network.chain.change(|state| {
		state.operators[0].standing = OperatorStanding::Dismissed { since: 3, force: false };
	});
	let done = operator(&network.url, &["dismiss", &first], &root).await;
	assert_eq!(done.code, exit::OK, "{}", done.messages);
	assert_eq!(done.json()["standing"], "dismissed");
	assert!(done.messages.contains("keyshare reshare"), "{}", done.messages);
}

#[tokio::test]
async fn a_validator_and_its_operator_have_to_agree() {
	let network = Network::new([Behaviour::Honest; 3]).await;
	let (validator, third) = (user(), operator_account(2).to_string());
	let accept = |operator: String| {
		let url = network.url.clone();
		let signer = user();
		async move {
			let arguments = ["validator", "accept", &operator, "--external-signer", &signer];
			keyshare(&url, &arguments).await
		}
	};
	assert_eq!(accept(user()).await.error()["name"], "Subgroups::NotAnOperator");
	assert_eq!(accept(third.clone()).await.error()["name"], "Subgroups::NotAssigned");
	let leave = ["validator", "leave", "--external-signer", &validator];
	assert_eq!(keyshare(&network.url, &leave).await.error()["name"], "Subgroups::NoOperator");

	// The validator was a member of subgroup 2.
	let assign = ["assign", &validator];
	let first = operator_account(0).to_string();
	let elsewhere = operator(&network.url, &assign, &first).await;
	assert_eq!(elsewhere.error()["name"], "Subgroups::ValidatorOfAnotherSubgroup");
	let nobody = operator(&network.url, &assign, &validator).await;
	assert_eq!(nobody.error()["name"], "Subgroups::NotAnOperator");
	let unassign = operator(&network.url, &["unassign", &validator], &third).await;
	assert_eq!(unassign.error()["name"], "Subgroups::NotAssigned");
	let back = operator(&network.url, &["back", &validator], &third).await;
	assert_eq!(back.error()["name"], "Subgroups::NotItsOperator");

	network.chain.change(|state| state.operators[2].assigned = vec![USER]);
	let assigned = operator(&network.url, &assign, &third).await;
	assert_eq!(assigned.code, exit::OK, "{}", assigned.messages);
	assert!(assigned.messages.contains("keyshare validator accept"), "{}", assigned.messages);
	// It goes on to the metadata, which this chain has none of.
	assert_eq!(accept(third).await.code, exit::FAILED);
}
