//! What containers print.

use bytes::{Buf, BytesMut};
use http_body_util::BodyExt;
use hyper::Method;

use crate::client::{Podman, quote};
use crate::error::{Error, Result};

#[derive(Debug, Clone, Default)]
pub struct LogOptions {
    pub follow: bool,
    pub timestamps: bool,
    /// Number of lines from the end; `None` for all.
    pub tail: Option<u64>,
    /// As Podman reads times: RFC 3339, or `10m`.
    pub since: Option<String>,
    pub until: Option<String>,
}

/// Which of a container's two outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    pub stream: Stream,
    /// Without its line break.
    pub text: Vec<u8>,
}

impl Podman {
    /// The lines of a container, in the order it wrote them.
    pub async fn logs(
        &self,
        name: &str,
        options: &LogOptions,
    ) -> Result<impl futures_util::Stream<Item = Result<LogLine>> + use<>> {
        let mut path = format!(
            "/containers/{}/logs?stdout=true&stderr=true&follow={}&timestamps={}",
            quote(name),
            options.follow,
            options.timestamps
        );
        if let Some(tail) = options.tail {
            path.push_str(&format!("&tail={tail}"));
        }
        if let Some(since) = &options.since {
            path.push_str(&format!("&since={}", quote(since)));
        }
        if let Some(until) = &options.until {
            path.push_str(&format!("&until={}", quote(until)));
        }
        let response = self.call(Method::GET, &path, None).await?;
        Ok(frames(response.into_body()))
    }
}

/// Frames of eight bytes (stream, three zeros, length) and text → lines.
fn frames(body: hyper::body::Incoming) -> impl futures_util::Stream<Item = Result<LogLine>> {
    struct State {
        body: hyper::body::Incoming,
        buffer: BytesMut,
        partial: [Vec<u8>; 2],
        ready: std::collections::VecDeque<LogLine>,
        ended: bool,
    }
    let state = State {
        body,
        buffer: BytesMut::new(),
        partial: [Vec::new(), Vec::new()],
        ready: std::collections::VecDeque::new(),
        ended: false,
    };
    futures_util::stream::unfold(state, |mut state| async move {
        loop {
            if let Some(line) = state.ready.pop_front() {
                return Some((Ok(line), state));
            }
            if state.ended {
                return None;
            }
            while take_frame(&mut state.buffer, &mut state.partial, &mut state.ready) {}
            if !state.ready.is_empty() {
                continue;
            }
            match state.body.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        state.buffer.extend_from_slice(&data);
                    }
                }
                Some(Err(error)) => {
                    state.ended = true;
                    let message = error.to_string();
                    return Some((
                        Err(Error::Gone {
                            call: "GET /containers/logs".into(),
                            message,
                        }),
                        state,
                    ));
                }
                None => {
                    state.ended = true;
                    // A last line without a break.
                    for (n, rest) in std::mem::take(&mut state.partial).into_iter().enumerate() {
                        if !rest.is_empty() {
                            state.ready.push_back(LogLine {
                                stream: stream_of(n),
                                text: rest,
                            });
                        }
                    }
                }
            }
        }
    })
}

fn stream_of(n: usize) -> Stream {
    if n == 1 {
        Stream::Stderr
    } else {
        Stream::Stdout
    }
}

fn take_frame(
    buffer: &mut BytesMut,
    partial: &mut [Vec<u8>; 2],
    ready: &mut std::collections::VecDeque<LogLine>,
) -> bool {
    if buffer.len() < 8 {
        return false;
    }
    let kind = buffer[0];
    let length = u32::from_be_bytes([buffer[4], buffer[5], buffer[6], buffer[7]]) as usize;
    // A container with a terminal has no frames: its bytes are text from the first on.
    let framed = kind <= 2 && buffer[1..4] == [0, 0, 0];
    let (which, text) = if framed {
        if buffer.len() < 8 + length {
            return false;
        }
        buffer.advance(8);
        (usize::from(kind == 2), buffer.split_to(length))
    } else {
        (0, buffer.split())
    };
    for piece in text.split_inclusive(|b| *b == b'\n') {
        partial[which].extend_from_slice(piece);
        if piece.ends_with(b"\n") {
            let mut line = std::mem::take(&mut partial[which]);
            line.pop();
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            ready.push_back(LogLine {
                stream: stream_of(which),
                text: line,
            });
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_become_lines() {
        let mut buffer = BytesMut::new();
        let mut frame = |kind: u8, text: &[u8]| {
            buffer.extend_from_slice(&[kind, 0, 0, 0]);
            buffer.extend_from_slice(&(text.len() as u32).to_be_bytes());
            buffer.extend_from_slice(text);
        };
        frame(1, b"one\ntw");
        frame(2, b"err\n");
        frame(1, b"o\r\n");
        let mut partial = [Vec::new(), Vec::new()];
        let mut ready = std::collections::VecDeque::new();
        while take_frame(&mut buffer, &mut partial, &mut ready) {}
        let lines: Vec<_> = ready
            .into_iter()
            .map(|l| (l.stream, String::from_utf8(l.text).unwrap()))
            .collect();
        assert_eq!(
            lines,
            [
                (Stream::Stdout, "one".into()),
                (Stream::Stderr, "err".into()),
                (Stream::Stdout, "two".into())
            ]
        );
    }
}
