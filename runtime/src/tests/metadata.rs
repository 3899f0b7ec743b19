//! What our pallets and `KeyshareApi` look like from outside, against a snapshot that people can
//! read: whatever a client or a node decodes changes here first, or not at all.
//!
//! After a change that is meant: `KEYSHARE_WRITE_SNAPSHOT=1 cargo test …`, and look at the difference.

use crate::Runtime;
use codec::Decode;
use frame_metadata::{
	v14::{StorageEntryModifier, StorageEntryType},
	v15::{PalletMetadata, RuntimeMetadataV15},
	RuntimeMetadata, RuntimeMetadataPrefixed,
};
use scale_info::{
	form::PortableForm, Field, PortableRegistry, TypeDef, TypeDefPrimitive, TypeParameter, Variant,
};
use std::{
	collections::{BTreeMap, BTreeSet},
	fmt::Write,
};

const PALLETS: [&str; 2] = ["Registration", "Subgroups"];
const API: &str = "KeyshareApi";
/// Whose types are spelled out; others are named.
const OURS: [&str; 3] = ["keyshare_primitives", "pallet_registration", "pallet_subgroups"];

#[test]
fn metadata_is_that_of_the_snapshot() {
	let path = concat!(env!("CARGO_MANIFEST_DIR"), "/metadata.txt");
	let now = Snapshot::of(&metadata());
	if std::env::var_os("KEYSHARE_WRITE_SNAPSHOT").is_some() {
		std::fs::write(path, &now).expect("the checkout can be written to");
	}
	let before = std::fs::read_to_string(path).unwrap_or_default();
	for (number, (before, now)) in (1..).zip(before.lines().zip(now.lines())) {
		assert_eq!(before, now, "line {number} of runtime/metadata.txt; see this test's module");
	}
	assert_eq!(before.len(), now.len(), "runtime/metadata.txt ends earlier or later");
}

fn metadata() -> RuntimeMetadataV15 {
	let opaque = Runtime::metadata_at_version(15).expect("it is a version of this line");
	let prefixed = RuntimeMetadataPrefixed::decode(&mut &opaque[..]).expect("it was encoded");
	match prefixed.1 {
		RuntimeMetadata::V15(metadata) => metadata,
		_ => panic!("version 15 was asked for"),
	}
}

/// The text, and the types that are still to be spelled out.
struct Snapshot<'a> {
	types: &'a PortableRegistry,
	text: String,
	seen: BTreeSet<u32>,
}

impl<'a> Snapshot<'a> {
	fn of(metadata: &'a RuntimeMetadataV15) -> String {
		let mut snapshot =
			Self { types: &metadata.types, text: String::new(), seen: BTreeSet::new() };
		for name in PALLETS {
			let pallet = metadata.pallets.iter().find(|pallet| pallet.name == name);
			snapshot.pallet(pallet.expect("it is in the runtime"));
		}
		let api = metadata.apis.iter().find(|api| api.name == API).expect("it is implemented");
		snapshot.line(0, format!("runtime API {API}"));
		for method in &api.methods {
			let inputs: Vec<_> = method
				.inputs
				.iter()
				.map(|input| format!("{}: {}", input.name, snapshot.name(input.ty.id)))
				.collect();
			let output = snapshot.name(method.output.id);
			snapshot.line(1, format!("{}({}) -> {output}", method.name, inputs.join(", ")));
		}
		snapshot.types();
		snapshot.text
	}

	fn line(&mut self, depth: usize, line: String) {
		let _ = writeln!(self.text, "{}{line}", "  ".repeat(depth));
	}

	fn pallet(&mut self, pallet: &PalletMetadata<PortableForm>) {
		self.line(0, format!("pallet {} = {}", pallet.name, pallet.index));
		for entry in pallet.storage.iter().flat_map(|storage| &storage.entries) {
			let optional = match entry.modifier {
				StorageEntryModifier::Optional => "?",
				StorageEntryModifier::Default => "",
			};
			let ty = match &entry.ty {
				StorageEntryType::Plain(value) => self.name(value.id),
				StorageEntryType::Map { hashers, key, value } => {
					format!("{hashers:?} {} => {}", self.name(key.id), self.name(value.id))
				}
			};
			self.line(1, format!("storage {}{optional}: {ty}", entry.name));
		}
		for (what, ty) in [
			("call", pallet.calls.as_ref().map(|calls| calls.ty.id)),
			("event", pallet.event.as_ref().map(|event| event.ty.id)),
			("error", pallet.error.as_ref().map(|error| error.ty.id)),
		] {
			let Some(TypeDef::Variant(variants)) =
				ty.map(|id| &self.types.types[id as usize].ty.type_def)
			else {
				continue;
			};
			for variant in &variants.variants {
				let shown = self.variant(variant);
				self.line(1, format!("{what} {shown}"));
			}
		}
		for constant in &pallet.constants {
			let (ty, value) = (self.name(constant.ty.id), hex(&constant.value));
			self.line(1, format!("constant {}: {ty} = {value}", constant.name));
		}
	}

	fn variant(&mut self, variant: &Variant<PortableForm>) -> String {
		format!("{} = {}{}", variant.name, variant.index, self.fields(&variant.fields))
	}

	fn fields(&mut self, fields: &[Field<PortableForm>]) -> String {
		let shown: Vec<_> = fields
			.iter()
			.map(|field| match &field.name {
				Some(name) => format!("{name}: {}", self.name(field.ty.id)),
				None => self.name(field.ty.id),
			})
			.collect();
		match shown.is_empty() {
			true => String::new(),
			false => format!(" {{ {} }}", shown.join(", ")),
		}
	}

	/// The name of a type, which is spelled out later if it is ours.
	fn name(&mut self, id: u32) -> String {
		let types = self.types;
		let ty = &types.types[id as usize].ty;
		match &ty.type_def {
			TypeDef::Primitive(primitive) => primitive_name(primitive),
			TypeDef::Sequence(of) => format!("Vec<{}>", self.name(of.type_param.id)),
			TypeDef::Array(of) => format!("[{}; {}]", self.name(of.type_param.id), of.len),
			TypeDef::Tuple(of) => {
				let fields: Vec<_> = of.fields.iter().map(|field| self.name(field.id)).collect();
				format!("({})", fields.join(", "))
			}
			TypeDef::Compact(of) => format!("Compact<{}>", self.name(of.type_param.id)),
			TypeDef::BitSequence(_) => "BitSequence".into(),
			TypeDef::Composite(_) | TypeDef::Variant(_) => {
				if ty.path.segments.first().is_some_and(|crate_| OURS.contains(&crate_.as_str())) {
					self.seen.insert(id);
				}
				let parameter = |parameter: &TypeParameter<PortableForm>| parameter.ty;
				let parameters: Vec<_> = ty.type_params.iter().filter_map(parameter).collect();
				let parameters: Vec<_> =
					parameters.into_iter().map(|parameter| self.name(parameter.id)).collect();
				let name = ty.path.ident().unwrap_or_default();
				match parameters.is_empty() {
					true => name,
					false => format!("{name}<{}>", parameters.join(", ")),
				}
			}
		}
	}

	/// Every type of ours that is named, until none is left, by their names.
	fn types(&mut self) {
		let mut shown = BTreeMap::new();
		loop {
			let next = self.seen.iter().find(|id| !shown.contains_key(*id)).copied();
			let Some(id) = next else { break };
			let ty = &self.types.types[id as usize].ty;
			let mut lines = vec![format!("type {}", self.name(id))];
			match &ty.type_def {
				TypeDef::Composite(composite) => {
					lines.push(format!("  {}", self.fields(&composite.fields).trim()));
				}
				TypeDef::Variant(variants) => {
					for variant in &variants.variants {
						lines.push(format!("  {}", self.variant(variant)));
					}
				}
				_ => {}
			}
			shown.insert(id, lines);
		}
		let mut types: Vec<_> = shown.into_values().collect();
		types.sort();
		for line in types.into_iter().flatten() {
			self.line(0, line);
		}
	}
}

fn primitive_name(primitive: &TypeDefPrimitive) -> String {
	format!("{primitive:?}").to_lowercase()
}

fn hex(bytes: &[u8]) -> String {
	bytes.iter().fold("0x".into(), |text, byte| format!("{text}{byte:02x}"))
}
