//! A call of any pallet, as it is encoded, shown and signed.
//!
//! The pallet's and the call's index come from the chain's own metadata, by name; the arguments
//! are SCALE of the protocol's types. [`crate::chain::Chain::encode`] decodes the result against
//! the metadata again, so that a chain with another layout is noticed before anything is signed.
//!
//! What only root may do is sent as `Sudo.sudo(call)`: the sudo key signs it, and the chain makes
//! the call inside as root.

use crate::error::LOOK;
use subxt::{
	ext::{
		scale_encode::{EncodeAsFields, Error as EncodeError, FieldIter},
		scale_type_resolver::{visitor, TypeResolver},
	},
	tx::DynamicPayload,
};

/// Name of the pallet that makes calls as root, in the runtime.
pub const SUDO: &str = "Sudo";

/// A call.
pub trait Payload {
	/// The pallet's name in the runtime.
	fn pallet(&self) -> &'static str;
	/// The call's name in the pallet.
	fn name(&self) -> &'static str;
	/// The SCALE-encoded arguments, in the pallet's order.
	fn arguments(&self) -> Vec<u8>;
	/// The call in words, for whoever is about to sign it.
	fn in_words(&self) -> String;
	/// Whether only root may make it, so that it is sent as `Sudo.sudo(call)`.
	fn needs_root(&self) -> bool {
		false
	}
	/// What to do when the deadline passes and the chain does not show that it is done.
	fn if_too_late(&self) -> &'static str {
		LOOK
	}

	/// What subxt looks up in the metadata and signs.
	fn dynamic(&self) -> DynamicPayload<Arguments> {
		let (pallet, name, arguments) = (self.pallet(), self.name(), self.arguments());
		if self.needs_root() {
			let call = Arguments::Call { pallet, name, arguments };
			return subxt::tx::dynamic(SUDO, "sudo", call);
		}
		subxt::tx::dynamic(pallet, name, Arguments::Scale(arguments))
	}
}

/// A call's arguments.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Arguments {
	/// SCALE already.
	Scale(Vec<u8>),
	/// Another call, the only argument.
	Call {
		/// Its pallet's name in the runtime.
		pallet: &'static str,
		/// Its name in the pallet.
		name: &'static str,
		/// Its arguments, SCALE already.
		arguments: Vec<u8>,
	},
}

impl EncodeAsFields for Arguments {
	fn encode_as_fields_to<R: TypeResolver>(
		&self,
		fields: &mut dyn FieldIter<'_, R::TypeId>,
		types: &R,
		out: &mut Vec<u8>,
	) -> Result<(), EncodeError> {
		let arguments = match self {
			Self::Scale(arguments) => arguments,
			Self::Call { pallet, name, arguments } => {
				// A call is an enum of the pallets, and in each an enum of its calls.
				let no_call = || EncodeError::custom_str("it takes no call");
				let field = fields.next().ok_or_else(no_call)?;
				let (pallet, calls) = variant(pallet, field.id, types)?;
				let (call, _) = variant(name, calls.ok_or_else(no_call)?, types)?;
				out.extend_from_slice(&[pallet, call]);
				arguments
			}
		};
		out.extend_from_slice(arguments);
		Ok(())
	}
}

/// The index of an enum's variant, by its name, and the type of its first field.
fn variant<R: TypeResolver>(
	name: &str,
	of: R::TypeId,
	types: &R,
) -> Result<(u8, Option<R::TypeId>), EncodeError> {
	let visitor = visitor::new((), |(), _| None).visit_variant(|(), _, variants| {
		for mut variant in variants {
			if variant.name == name {
				return Some((variant.index, variant.fields.next().map(|field| field.id)));
			}
		}
		None
	});
	let found = types
		.resolve_type(of, visitor)
		.map_err(|error| EncodeError::custom_string(error.to_string()))?;
	found.ok_or_else(|| EncodeError::custom_string(format!("there is no {name}")))
}

#[cfg(test)]
mod tests {
	use super::*;
	use codec::Encode;
	use scale_info::{meta_type, PortableRegistry, Registry, TypeInfo};
	use subxt::ext::scale_encode::Field;

	struct Example {
		needs_root: bool,
	}

	impl Payload for Example {
		fn pallet(&self) -> &'static str {
			"Pallet"
		}

		fn name(&self) -> &'static str {
			"name"
		}

		fn arguments(&self) -> Vec<u8> {
			vec![1, 2, 3]
		}

		fn in_words(&self) -> String {
			"example".into()
		}

		fn needs_root(&self) -> bool {
			self.needs_root
		}
	}

	/// The calls of a chain whose indices are not what their order says.
	#[derive(Encode, TypeInfo)]
	#[allow(dead_code)]
	enum RuntimeCall {
		#[codec(index = 4)]
		Other,
		#[codec(index = 9)]
		Pallet(PalletCall),
	}

	#[derive(Encode, TypeInfo)]
	#[allow(dead_code, non_camel_case_types)]
	enum PalletCall {
		#[codec(index = 2)]
		other { number: u16 },
		#[codec(index = 7)]
		name { first: u8, second: [u8; 2] },
	}

	fn encoded<T: TypeInfo + 'static>(payload: &Example) -> Result<Vec<u8>, EncodeError> {
		let mut registry = Registry::new();
		let call = registry.register_type(&meta_type::<T>()).id;
		let types = PortableRegistry::from(registry);
		let mut out = Vec::new();
		payload.dynamic().call_data().encode_as_fields_to(
			&mut std::iter::once(Field::named(call, "call")),
			&types,
			&mut out,
		)?;
		Ok(out)
	}

	#[test]
	fn a_payload_appends_exactly_the_arguments() {
		let payload = Example { needs_root: false };
		let dynamic = payload.dynamic();
		assert_eq!((dynamic.pallet_name(), dynamic.call_name()), ("Pallet", "name"));
		assert_eq!(encoded::<RuntimeCall>(&payload).expect("infallible"), [1, 2, 3]);
	}

	#[test]
	fn what_needs_root_is_a_call_inside_of_sudo() {
		let payload = Example { needs_root: true };
		let dynamic = payload.dynamic();
		assert_eq!((dynamic.pallet_name(), dynamic.call_name()), (SUDO, "sudo"));
		let expected = RuntimeCall::Pallet(PalletCall::name { first: 1, second: [2, 3] });
		let encoded = encoded::<RuntimeCall>(&payload).expect("both names are there");
		assert_eq!(encoded, expected.encode());
		assert_eq!(encoded, [9, 7, 1, 2, 3]);
	}

	#[test]
	fn a_chain_without_the_call_inside_is_an_error() {
		#[derive(TypeInfo)]
		#[allow(dead_code)]
		enum Elsewhere {
			Pallet(RuntimeCall),
		}
		let payload = Example { needs_root: true };
		// The pallet has no such call; there is no such pallet; no enum at all.
		for result in [
			encoded::<Elsewhere>(&payload),
			encoded::<PalletCall>(&payload),
			encoded::<u8>(&payload),
		] {
			assert!(result.is_err(), "{result:?}");
		}
	}
}
