//! The modules of a crate are rooms in a row: what is in one is understood with those behind it, and
//! without those before it. The compiler takes modules that use each other in circles, so this does not.
//!
//! Only the top-level modules of a crate count, each with all that is in its folder. What stands in the
//! root itself (`crate::LOG_TARGET`) belongs to no module.

use std::{
	collections::{BTreeMap, BTreeSet},
	fs,
	path::{Path, PathBuf},
};

/// The crates beside the node. `client` is none of them yet: some of its modules use each other.
const BESIDE: [&str; 7] = [
	"constraints",
	"pallets/registration",
	"pallets/subgroups",
	"primitives",
	"rpc",
	"runtime",
	"transport",
];

/// Each module, with the others that it uses.
type Uses = BTreeMap<String, BTreeSet<String>>;

/// The folder with the source of a crate, given the way to it from the node's.
fn source(crate_folder: &str) -> PathBuf {
	// A path known when compiling would be another checkout's: they share the build folder.
	let node = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests");
	PathBuf::from(node).join(crate_folder).join("src")
}

/// What the modules of a crate use of each other.
fn uses(source: &Path) -> Uses {
	let mut uses = Uses::new();
	let mut folders = vec![source.to_path_buf()];
	while let Some(folder) = folders.pop() {
		for entry in fs::read_dir(&folder).expect("the crate is there") {
			let path = entry.expect("readable").path();
			if path.is_dir() {
				folders.push(path);
			} else if path.extension().is_some_and(|extension| extension == "rs") {
				let within = path.strip_prefix(source).expect("in the folder").with_extension("");
				let mut module: Vec<_> =
					within.iter().map(|part| part.to_str().expect("UTF-8")).collect();
				module.pop_if(|name| *name == "mod");
				if !matches!(*module, ["lib" | "main"]) {
					let text = fs::read_to_string(&path).expect("readable");
					uses.entry(module[0].into()).or_default().extend(named(&text, module.len()));
				}
			}
		}
	}
	let modules: BTreeSet<_> = uses.keys().cloned().collect();
	for (module, used) in &mut uses {
		used.retain(|other| modules.contains(other) && other != module);
	}
	uses
}

/// What the file of a module, `depth` levels below the root, names of the root.
fn named(text: &str, depth: usize) -> Vec<String> {
	let is_code = |line: &&str| !line.trim_start().starts_with("//");
	let code = text.lines().filter(is_code).collect::<Vec<_>>().join("\n");
	let of_root = code.match_indices("crate::").filter_map(|(at, found)| {
		let ends_another_name = code[..at].ends_with(|last| in_name(&last));
		(!ends_another_name).then_some(&code[at + found.len()..])
	});
	let from_below = code.match_indices("super::").filter_map(|(at, level)| {
		let path = code[at..].trim_start_matches(level);
		let levels = (code.len() - at - path.len()) / level.len();
		// In a module within the file as many lead less far; what they name is no module of the root.
		(levels >= depth).then_some(path)
	});
	let names = of_root.chain(from_below).flat_map(first_names);
	names.filter(|name| !name.is_empty()).collect()
}

/// The first name of a path; of each path in braces.
fn first_names(path: &str) -> Vec<String> {
	let first = |path: &str| path.trim_start().chars().take_while(in_name).collect();
	let Some(group) = path.strip_prefix('{') else { return vec![first(path)] };
	let (mut names, mut open) = (Vec::new(), 1);
	for piece in group.split_inclusive([',', '{', '}']) {
		if open == 1 {
			names.push(first(piece));
		}
		match piece.chars().last() {
			Some('{') => open += 1,
			Some('}') => open -= 1,
			_ => {}
		}
		if open == 0 {
			break;
		}
	}
	names
}

fn in_name(character: &char) -> bool {
	character.is_alphanumeric() || *character == '_'
}

/// The modules in circles, and those on the way from one circle to another.
fn circles(mut uses: Uses) -> Uses {
	loop {
		let before = uses.len();
		let modules: BTreeSet<_> = uses.keys().cloned().collect();
		let used: BTreeSet<_> = uses.values().flatten().cloned().collect();
		uses.retain(|module, others| {
			others.retain(|other| modules.contains(other));
			!others.is_empty() && used.contains(module)
		});
		if uses.len() == before {
			return uses;
		}
	}
}

#[test]
fn no_file_of_the_node_imports_one_that_imports_it() {
	let uses = uses(&source("."));
	assert!(uses["run"].contains("service"), "nothing was read");
	let circles = circles(uses);
	assert!(circles.is_empty(), "use each other in a circle: {circles:#?}");
}

#[test]
fn nor_does_one_of_the_crates_beside_it() {
	for name in BESIDE {
		let circles = circles(uses(&source(&format!("../{name}"))));
		assert!(circles.is_empty(), "{name}: use each other in a circle: {circles:#?}");
	}
}

#[test]
fn the_map_of_the_node_shows_every_module_above_those_that_it_uses() {
	let main = fs::read_to_string(source(".").join("main.rs")).expect("readable");
	let rows = main.lines().filter_map(|line| line.strip_prefix("//! | [`")?.split_once('`'));
	let map: Vec<_> = rows.map(|(module, _)| module).collect();
	let uses = uses(&source("."));
	let shown: BTreeSet<_> = map.iter().copied().collect();
	assert_eq!(shown, uses.keys().map(String::as_str).collect());
	for (at, module) in map.iter().enumerate() {
		for above in &map[..at] {
			assert!(!uses[*module].contains(*above), "{module} uses {above}, which is above it");
		}
	}
}

#[test]
fn what_a_file_uses_is_found_in_lists_and_in_the_midst_of_code() {
	let text = "
		//! As in [`crate::comment`].
		use crate::{
			first,
			second::{self, Inner, deeper::Other},
			third::Thing as Name, LOG_TARGET,
		};
		use super::{sibling, super::nothing};
		pub(crate) fn call() -> crate::fourth::Kind { super::super::fifth::call(other_crate::Name) }
	";
	let expected = ["first", "second", "third", "LOG_TARGET", "fourth", "fifth"];
	assert_eq!(named(text, 2), expected);
	assert!(named(text, 1).contains(&"sibling".into()));
}

#[test]
fn a_circle_is_found_and_what_leads_to_it_is_none() {
	let uses = |pairs: &[(&str, &str)]| -> Uses {
		let used = |other: &str| other.split_whitespace().map(Into::into).collect();
		pairs.iter().map(|(module, others)| ((*module).into(), used(others))).collect()
	};
	let row = [("a", "b c"), ("b", "c"), ("c", "")];
	assert!(circles(uses(&row)).is_empty());
	let circle = [("top", "a"), ("a", "b leaf"), ("b", "c"), ("c", "a"), ("leaf", "")];
	assert_eq!(circles(uses(&circle)), uses(&[("a", "b"), ("b", "c"), ("c", "a")]));
}
