//! Files, byte spans, diagnostics and edits: the types that everything reports with.
//!
//! Nothing here knows Compose, Podman or the terminal. A [`Diagnostic`] says what is wrong, where
//! and what to do; [`render`] turns it into text for people, [`Diagnostic::to_json`] into JSON.

mod diagnostic;
mod edit;
mod file;
pub mod render;

pub use diagnostic::{Diagnostic, Label, Severity};
pub use edit::{Applicability, Edit, EditError, Fix, apply_edits};
pub use file::{FileId, Position, SourceFile, SourceMap, Span};
