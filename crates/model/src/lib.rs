//! From a [`Project`](phoenix_compose::Project) to what Podman should hold: every choice about
//! Podman is made here, and none later.
//!
//! [`lower`] is pure: the project, the contents of the files it mounts and facts about the host go
//! in; [`Desired`] and warnings come out.

mod container;
mod desired;
mod health;
mod host;
mod image;
pub mod label;
mod limits;
mod lower;
mod mounts;
mod networks;
mod security;

pub use desired::*;
pub use host::{Host, Version};
pub use image::ImageRef;
pub use lower::{FileContents, Lowered, lower, wanted_files};
