//! Podman, through its own API (libpod) on a Unix socket.
//!
//! [`Podman::connect`] uses the socket that listens, or starts a service of its own that ends with
//! it. [`Podman::observe`] reads, [`Podman::apply`] acts; neither decides anything. Images are built
//! by `podman build` itself: the socket's build knows less of Dockerfiles.

mod apply;
mod build;
mod client;
mod containers;
mod error;
mod events;
mod facts;
mod health;
mod images;
mod logs;
mod observe;
mod resources;
mod service;
mod signal;
mod spec;

pub use apply::{Applied, Failure, Happening, Listener};
pub use client::{Podman, quote};
pub use containers::{ContainerDetail, HealthLog, HealthState, Listed, PortBinding};
pub use error::{Error, Result};
pub use events::Event;
pub use facts::host;
pub use logs::{LogLine, LogOptions, Stream};
