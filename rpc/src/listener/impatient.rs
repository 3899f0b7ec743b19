//! A connection whose client has to take what it is sent.

use std::{
	future::Future,
	io::{self, IoSlice},
	pin::Pin,
	task::{Context, Poll},
	time::Duration,
};
use tokio::{
	io::{AsyncRead, AsyncWrite, ReadBuf},
	net::TcpStream,
	time::{sleep, Sleep},
};

/// A client's connection. A write fails when the client takes nothing for too long.
pub(super) struct Impatient {
	stream: TcpStream,
	limit: Duration,
	/// Runs while the client takes nothing.
	stalled: Option<Pin<Box<Sleep>>>,
}

impl Impatient {
	pub fn new(stream: TcpStream, limit: Duration) -> Self {
		Self { stream, limit, stalled: None }
	}

	fn or_give_up(
		&mut self,
		cx: &mut Context<'_>,
		written: Poll<io::Result<usize>>,
	) -> Poll<io::Result<usize>> {
		if written.is_ready() {
			self.stalled = None;
			return written;
		}
		let limit = self.limit;
		let timer = self.stalled.get_or_insert_with(|| Box::pin(sleep(limit)));
		timer.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
	}
}

impl AsyncRead for Impatient {
	fn poll_read(
		mut self: Pin<&mut Self>,
		cx: &mut Context<'_>,
		buffer: &mut ReadBuf<'_>,
	) -> Poll<io::Result<()>> {
		Pin::new(&mut self.stream).poll_read(cx, buffer)
	}
}

/// A socket's flush and shutdown wait for nobody, so they need no limit.
impl AsyncWrite for Impatient {
	fn poll_write(
		mut self: Pin<&mut Self>,
		cx: &mut Context<'_>,
		bytes: &[u8],
	) -> Poll<io::Result<usize>> {
		let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
		self.or_give_up(cx, written)
	}

	fn poll_write_vectored(
		mut self: Pin<&mut Self>,
		cx: &mut Context<'_>,
		bytes: &[IoSlice<'_>],
	) -> Poll<io::Result<usize>> {
		let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
		self.or_give_up(cx, written)
	}

	fn is_write_vectored(&self) -> bool {
		self.stream.is_write_vectored()
	}

	fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
		Pin::new(&mut self.stream).poll_flush(cx)
	}

	fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
		Pin::new(&mut self.stream).poll_shutdown(cx)
	}
}
