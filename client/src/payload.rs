//! A call of any pallet, as it is encoded, shown and signed.
//!
//! The pallet's and the call's index come from the chain's own metadata, by name; the arguments
//! are SCALE of the protocol's types. [`crate::chain::Chain::encode`] decodes the result against
//! the metadata again, so that a chain with another layout is noticed before anything is signed.

use subxt::{
	ext::{
		scale_encode::{EncodeAsFields, Error as EncodeError, FieldIter},
		scale_type_resolver::TypeResolver,
	},
	tx::DynamicPayload,
};

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

	/// What subxt looks up in the metadata and signs.
	fn dynamic(&self) -> DynamicPayload<ScaleArguments> {
		subxt::tx::dynamic(self.pallet(), self.name(), ScaleArguments(self.arguments()))
	}
}

/// Arguments that are SCALE already.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScaleArguments(Vec<u8>);

impl EncodeAsFields for ScaleArguments {
	fn encode_as_fields_to<R: TypeResolver>(
		&self,
		_fields: &mut dyn FieldIter<'_, R::TypeId>,
		_types: &R,
		out: &mut Vec<u8>,
	) -> Result<(), EncodeError> {
		out.extend_from_slice(&self.0);
		Ok(())
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use scale_info::PortableRegistry;

	struct Example;

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
	}

	#[test]
	fn a_payload_appends_exactly_the_arguments() {
		let payload = Example.dynamic();
		assert_eq!((payload.pallet_name(), payload.call_name()), ("Pallet", "name"));
		let mut out = vec![10, 0];
		let no_types = PortableRegistry::from(scale_info::Registry::new());
		payload
			.call_data()
			.encode_as_fields_to(&mut std::iter::empty(), &no_types, &mut out)
			.expect("infallible");
		assert_eq!(out, [10, 0, 1, 2, 3]);
	}
}
