//! What will not work on rootless Podman, why, and the changes that mend it.
//!
//! [`examine`] is pure: a loaded project and facts about the host go in, findings with fixes come
//! out. [`convert`] makes the migrated files of them in memory and guards every edit. Only
//! [`Transaction`] touches a disk: with a journal, all or nothing, and back again.

mod convert;
mod edit_compose;
mod families;
mod finding;
mod guard;
mod inputs;
mod rebase;
mod report;
mod rule;
pub mod rules;
mod transaction;
mod uses;

pub use convert::{Content, Converted, OutFile, compose_file, convert};
pub use families::{FAMILIES, Family};
pub use finding::{Change, Finding, Fix};
pub use inputs::{Facts, Inputs, Recipe, TextFile, read};
pub use report::{diff, summary};
pub use rule::{Meta, Rule, all, find};
pub use transaction::{ApplyError, Transaction};

/// Where the migrated files go, below the project's root.
pub const DIRECTORY: &str = "infra/podman";
/// The migrated compose file.
pub const COMPOSE: &str = "infra/podman/podman-compose.yaml";

/// Runs every rule.
pub fn examine(inputs: &Inputs<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = all().iter().flat_map(|rule| rule.check(inputs)).collect();
    findings.sort_by_key(|f| (f.span.map(|s| (s.file, s.start)), f.code));
    findings
}
