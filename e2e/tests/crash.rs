//! A node that dies by SIGKILL after it acknowledged a share has that share when it comes back.

use keyshare_e2e::{server_state, DevNode, Tool};
use std::io::{BufRead, BufReader};

const DAVE: &str = "5DAAnrj7VHTznn2AWBemMuyBwZWs6FNFjdyVXUeYum3PTXFy";

#[test]
fn a_share_acknowledged_before_a_crash_is_confirmed_without_being_sent_again() {
	let folder = tempfile::tempdir().expect("a folder");
	let mut dev = DevNode::new(&folder.path().join("node"));
	// Blocks far apart: the share is acknowledged long before any confirmation can be on chain.
	dev.block_time = 6_000;
	let node = dev.start();
	let tool = Tool::new(&node.url);
	let key = folder.path().join("key");
	let key = key.to_str().expect("UTF-8");
	tool.run(&["key", "generate", "--scheme", "ed25519", key]).json();

	// Kill the node as soon as the tool has the first acknowledgement.
	let mut process = tool.spawn(&["register", "--key-file", key, "--dev-account", "dave"]);
	let progress = BufReader::new(process.stderr.take().expect("it was piped"));
	let stored = progress
		.lines()
		.map_while(Result::ok)
		.filter_map(|line| server_state(&line))
		.find(|(_, state)| state == "stored");
	let (subgroup, _) = stored.expect("a share is stored");
	node.kill();
	process.kill().expect("the tool runs");
	process.wait().expect("it was ours");

	// Started again, the node confirms that share by itself: nobody sends it again.
	let node = dev.start();
	node.wait_for("Confirmed on chain");
	let tool = Tool::new(&node.url);
	let status = tool.run(&["status", DAVE]).json();
	let attempt = match &status["registered"] {
		// The other two shares may have been acknowledged in the same instant.
		registered if registered.is_object() => registered,
		_ => &status["registering"],
	};
	let confirmed = &attempt["subgroups"][usize::from(subgroup)]["confirmed"];
	assert_eq!(confirmed.as_array().map(Vec::len), Some(1), "{status}");

	// And with the same key the rest is completed, without that share.
	let resumed = tool.run(&["resume", DAVE, "--key-file", key]);
	assert_eq!(resumed.json()["status"], "registered");
	let again = resumed
		.stderr
		.lines()
		.filter_map(server_state)
		.any(|(of, state)| of == subgroup && state == "sent");
	assert!(!again, "the share was sent again:\n{}", resumed.stderr);
}
