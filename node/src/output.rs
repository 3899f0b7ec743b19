//! What this node's own commands print.

use std::io::{self, Write};

/// What a command has to say cannot be printed.
#[derive(Debug, thiserror::Error)]
#[error("the command has done its work, but what it has to say cannot be printed: {0}")]
pub struct OutputError(io::Error);

/// Prints `text`, which ends its lines itself, on standard output.
pub fn print(text: &str) -> Result<(), OutputError> {
	print_to(&mut io::stdout().lock(), text)
}

fn print_to(to: &mut impl Write, text: &str) -> Result<(), OutputError> {
	match to.write_all(text.as_bytes()).and_then(|()| to.flush()) {
		// Whoever read it has had enough, such as `head`. The command goes on to its end.
		Err(reason) if reason.kind() == io::ErrorKind::BrokenPipe => Ok(()),
		result => result.map_err(OutputError),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	/// Takes nothing.
	struct Fails(io::ErrorKind);

	impl Write for Fails {
		fn write(&mut self, _: &[u8]) -> io::Result<usize> {
			Err(self.0.into())
		}

		fn flush(&mut self) -> io::Result<()> {
			Ok(())
		}
	}

	#[test]
	fn a_reader_that_has_gone_is_no_failure_and_a_full_disk_is_one() {
		assert!(print_to(&mut Fails(io::ErrorKind::BrokenPipe), "keys\n").is_ok());
		let refused = print_to(&mut Fails(io::ErrorKind::StorageFull), "keys\n");
		let text = refused.expect_err("nothing was printed").to_string();
		assert!(text.contains("has done its work"), "{text}");
	}
}
