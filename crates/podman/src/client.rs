//! HTTP on a Unix socket: connections are kept and used again, bodies stream.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use phoenix_model::Version;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::net::UnixStream;

use crate::error::{Error, Result};
use crate::service::OwnService;

/// Oldest Podman that is spoken to.
const OLDEST: Version = Version::new(4, 9, 0);
/// Largest answer that is read whole.
const LARGEST_BODY: usize = 256 << 20;

/// A connection to Podman.
pub struct Podman {
    socket: PathBuf,
    version: Version,
    idle: Mutex<Vec<SendRequest<Full<Bytes>>>>,
    /// Ends with us.
    service: Option<OwnService>,
}

impl Podman {
    /// Connects to the socket of `CONTAINER_HOST` or of the user, or starts `podman system service`
    /// where none listens.
    pub async fn connect() -> Result<Self> {
        let (socket, service) = crate::service::find_or_start().await?;
        let mut podman = Self {
            socket,
            version: Version::default(),
            idle: Mutex::new(Vec::new()),
            service,
        };
        let response = podman.send(Method::GET, "/_ping", None).await?;
        let found = response
            .headers()
            .get("Libpod-API-Version")
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        podman.drain(response).await;
        podman.version = Version::parse(&found).ok_or_else(|| {
            Error::Absent(format!(
                "{} answers, but not as Podman",
                podman.socket.display()
            ))
        })?;
        if podman.version < OLDEST {
            return Err(Error::TooOld {
                found,
                needed: OLDEST.to_string(),
            });
        }
        Ok(podman)
    }

    pub fn version(&self) -> Version {
        self.version
    }

    /// Whether the service is ours alone, with our settings.
    pub(crate) fn is_own_service(&self) -> bool {
        self.service.is_some()
    }

    pub fn socket(&self) -> &Path {
        &self.socket
    }

    fn path(&self, path: &str) -> String {
        format!("/v{}/libpod{path}", self.version)
    }

    /// The response of one call, whatever its status. `path` begins behind `/libpod`.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Response<Incoming>> {
        let full = self.path(path);
        let body = body.map(|b| Bytes::from(b.to_string()));
        self.send_checked(method, &full, body).await
    }

    pub(crate) async fn call_bytes(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Response<Incoming>> {
        let full = self.path(path);
        self.send_checked(method, &full, Some(body)).await
    }

    async fn send_checked(
        &self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
    ) -> Result<Response<Incoming>> {
        let call = describe(&method, path);
        let response = self.send(method, path, body).await?;
        let status = response.status();
        if status.is_success()
            || status == StatusCode::NOT_MODIFIED
            || status == StatusCode::SWITCHING_PROTOCOLS
        {
            return Ok(response);
        }
        let body = self.body(response, &call).await?;
        let message = serde_json::from_slice::<Value>(&body)
            .ok()
            .and_then(|v| {
                v.get("message")
                    .or_else(|| v.get("cause"))
                    .and_then(Value::as_str)
                    .map(str::to_owned)
            })
            .unwrap_or_else(|| String::from_utf8_lossy(&body).trim().to_owned());
        Err(Error::Refused {
            call,
            status: status.as_u16(),
            message,
        })
    }

    /// A call with a JSON answer.
    pub(crate) async fn json<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<T> {
        let call = describe(&method, path);
        let response = self.call(method, path, body).await?;
        let body = self.body(response, &call).await?;
        serde_json::from_slice(&body).map_err(|error| Error::Strange {
            call,
            message: error.to_string(),
        })
    }

    /// A call whose answer does not matter.
    pub(crate) async fn unit(&self, method: Method, path: &str, body: Option<Value>) -> Result<()> {
        let response = self.call(method, path, body).await?;
        self.drain(response).await;
        Ok(())
    }

    pub(crate) async fn body(&self, response: Response<Incoming>, call: &str) -> Result<Bytes> {
        let gone = |message: String| Error::Gone {
            call: call.to_owned(),
            message,
        };
        let body = http_body_util::Limited::new(response.into_body(), LARGEST_BODY);
        Ok(body
            .collect()
            .await
            .map_err(|e| gone(e.to_string()))?
            .to_bytes())
    }

    async fn drain(&self, response: Response<Incoming>) {
        let mut body = response.into_body();
        while let Some(Ok(_)) = body.frame().await {}
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
    ) -> Result<Response<Incoming>> {
        let call = describe(&method, path);
        let gone = |message: String| Error::Gone {
            call: call.clone(),
            message,
        };
        // A kept connection may have been closed meanwhile: then once more on a fresh one. Only what
        // was never sent is sent again.
        loop {
            let (mut sender, fresh) = match self.take_idle() {
                Some(sender) => (sender, false),
                None => (self.open(&call).await?, true),
            };
            if sender.ready().await.is_err() {
                if fresh {
                    return Err(gone("the connection closed at once".into()));
                }
                continue;
            }
            let mut request = Request::builder()
                .method(method.clone())
                .uri(path)
                .header("Host", "podman");
            if body.is_some() {
                request = request.header("Content-Type", "application/json");
            }
            let request = request
                .body(Full::new(body.clone().unwrap_or_default()))
                .map_err(|e| Error::Strange {
                    call: call.clone(),
                    message: e.to_string(),
                })?;
            match sender.try_send_request(request).await {
                Ok(response) => {
                    self.give_back(sender);
                    return Ok(response);
                }
                Err(mut error) => {
                    if !fresh && error.take_message().is_some() {
                        continue;
                    }
                    return Err(gone(error.into_error().to_string()));
                }
            }
        }
    }

    fn take_idle(&self) -> Option<SendRequest<Full<Bytes>>> {
        let mut idle = self
            .idle
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        // One whose answer is still being read is not ready.
        let at = idle.iter().position(|s| s.is_ready() && !s.is_closed())?;
        Some(idle.swap_remove(at))
    }

    fn give_back(&self, sender: SendRequest<Full<Bytes>>) {
        let mut idle = self
            .idle
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        idle.retain(|s| !s.is_closed());
        idle.push(sender);
    }

    async fn open(&self, call: &str) -> Result<SendRequest<Full<Bytes>>> {
        let gone = |message: String| Error::Gone {
            call: call.to_owned(),
            message,
        };
        let stream = UnixStream::connect(&self.socket)
            .await
            .map_err(|e| gone(e.to_string()))?;
        let (sender, connection) = handshake(TokioIo::new(stream))
            .await
            .map_err(|e| gone(e.to_string()))?;
        tokio::spawn(connection.with_upgrades());
        Ok(sender)
    }
}

/// `POST /containers/create`, without versions and filters.
pub(crate) fn describe(method: &Method, path: &str) -> String {
    let path = path.split('?').next().unwrap_or(path);
    let path = path.split_once("/libpod").map_or(path, |(_, rest)| rest);
    format!("{method} {path}")
}

/// Text as a part of a URL.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(byte as char);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// `?filters={"label":["…"]}`
pub(crate) fn label_filter(label: &str, value: &str) -> String {
    let filters = serde_json::json!({ "label": [format!("{label}={value}")] });
    format!("filters={}", quote(&filters.to_string()))
}
