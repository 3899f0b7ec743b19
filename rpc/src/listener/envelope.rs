//! What a request must look like before it is anybody's.
//!
//! jsonrpsee takes whatever has an id of another kind than its own for a notification, which nobody answers:
//! a share sent so would be gone without a word. So that is looked at first.

use serde::Deserialize;
use serde_json::value::RawValue;

/// Why a request is refused: words for its error.
pub(super) type Refusal = &'static str;

const KIND_OF_ID: Refusal = "the id must be a string, null, or a whole number from 0 to 2^64 - 1";
const TWICE: Refusal = "the id is given twice";

#[derive(Deserialize)]
struct Envelope<'a> {
	#[serde(borrow, default, deserialize_with = "even_null")]
	id: Option<&'a RawValue>,
}

/// Keeps `null`, which is an id, apart from none.
fn even_null<'de, D: serde::Deserializer<'de>>(json: D) -> Result<Option<&'de RawValue>, D::Error> {
	<&RawValue>::deserialize(json).map(Some)
}

/// Looks at a request's id. A notification has none, and what is no object at all jsonrpsee refuses in its
/// own words.
pub(super) fn check(body: &[u8]) -> Result<(), Refusal> {
	if body.first() != Some(&b'{') {
		return Ok(());
	}
	match serde_json::from_slice::<Envelope<'_>>(body) {
		Ok(Envelope { id: None }) => Ok(()),
		Ok(Envelope { id: Some(id) }) => {
			let id = id.get();
			let is_id = id == "null" || id.starts_with('"') || id.parse::<u64>().is_ok();
			is_id.then_some(()).ok_or(KIND_OF_ID)
		}
		Err(error) if error.is_data() => Err(TWICE),
		// No JSON.
		Err(_) => Ok(()),
	}
}

/// Whether a content type says JSON, however it is spelled: upper case, parameters, `application/json-rpc`.
pub(super) fn is_json(content_type: &str) -> bool {
	let kind = content_type.split(';').next().unwrap_or_default().trim();
	["application/json", "application/json-rpc", "application/jsonrequest"]
		.iter()
		.any(|json| kind.eq_ignore_ascii_case(json))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn an_id_is_a_string_null_or_a_whole_number() {
		let checked =
			|id: &str| check(format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"m"}}"#).as_bytes());
		for good in ["0", "18446744073709551615", "null", r#""a""#, r#""""#] {
			assert_eq!(checked(good), Ok(()), "{good}");
		}
		for bad in ["-1", "1.5", "1e3", "18446744073709551616", "{}", "[1]", "true"] {
			assert_eq!(checked(bad), Err(KIND_OF_ID), "{bad}");
		}
		assert_eq!(check(br#"{"id":1,"method":"m","id":2}"#), Err(TWICE));
		for left_to_jsonrpsee in ["", "[]", "garbage", r#"{"id":1"#, r#"{"method":"m"}"#] {
			assert_eq!(check(left_to_jsonrpsee.as_bytes()), Ok(()));
		}
	}

	#[test]
	fn json_is_known_in_every_spelling() {
		for json in [
			"application/json",
			"Application/JSON",
			"application/json;charset=UTF-8",
			"application/json ; charset=\"utf-8\"",
			"application/json-rpc",
		] {
			assert!(is_json(json), "{json}");
		}
		for other in ["", "text/plain", "application/jsonp", "text/html; application/json"] {
			assert!(!is_json(other), "{other}");
		}
	}
}
