//! Streams of JSON lines: events, and what pulls say.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use http_body_util::BodyExt;
use hyper::Method;
use hyper::body::Incoming;
use serde::Deserialize;

use crate::client::{Podman, label_filter};
use crate::error::{Error, Result};

/// Something that happened to a container.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Event {
    #[serde(rename = "Type")]
    pub kind: String,
    /// `start`, `died`, `remove`, `health_status`, …
    #[serde(rename = "Action", alias = "status")]
    pub action: String,
    #[serde(rename = "Actor")]
    pub actor: Actor,
    /// Seconds since the epoch.
    pub time: i64,
    #[serde(rename = "HealthStatus")]
    pub health_status: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Actor {
    #[serde(rename = "ID")]
    pub id: String,
    pub attributes: BTreeMap<String, String>,
}

/// The lines of a body.
pub(crate) fn lines(body: Incoming, call: &'static str) -> impl Stream<Item = Result<Bytes>> {
    futures_util::stream::unfold(Some((body, BytesMut::new())), move |state| async move {
        let (mut body, mut buffer) = state?;
        loop {
            if let Some(end) = buffer.iter().position(|b| *b == b'\n') {
                let line = buffer.split_to(end + 1).freeze();
                return Some((Ok(line), Some((body, buffer))));
            }
            match body.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        buffer.extend_from_slice(&data);
                    }
                }
                Some(Err(error)) => {
                    let message = error.to_string();
                    return Some((
                        Err(Error::Gone {
                            call: call.into(),
                            message,
                        }),
                        None,
                    ));
                }
                None if buffer.is_empty() => return None,
                None => {
                    let rest = std::mem::take(&mut buffer).freeze();
                    return Some((Ok(rest), Some((body, buffer))));
                }
            }
        }
    })
}

impl Podman {
    /// Events of containers with a label, from now on.
    pub async fn events(
        &self,
        label: &str,
        value: &str,
    ) -> Result<impl Stream<Item = Result<Event>> + use<>> {
        let path = format!("/events?stream=true&{}", label_filter(label, value));
        let response = self.call(Method::GET, &path, None).await?;
        Ok(lines(response.into_body(), "GET /events").map(|line| {
            let line = line?;
            serde_json::from_slice(&line).map_err(|error| Error::Strange {
                call: "GET /events".into(),
                message: error.to_string(),
            })
        }))
    }
}
