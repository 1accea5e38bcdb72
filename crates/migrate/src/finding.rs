//! A rule met at a place, and what mends it.

use phoenix_source::{Applicability, Diagnostic, Edit, Severity, Span};
use serde_json::Value;

/// One thing that goes wrong between Docker and rootless Podman, at one place.
#[derive(Debug, Clone)]
pub struct Finding {
    pub code: &'static str,
    pub severity: Severity,
    /// A lowercase fragment with literals in backticks.
    pub message: String,
    pub span: Option<Span>,
    pub service: Option<String>,
    /// What a person does where there is no fix, or beside it.
    pub help: Option<String>,
    pub fix: Option<Fix>,
}

/// Changes that remove a finding.
#[derive(Debug, Clone)]
pub struct Fix {
    /// What it does, as a command.
    pub title: String,
    pub applicability: Applicability,
    pub changes: Vec<Change>,
    /// Routes of the loaded project that may differ afterwards; what differs elsewhere is refused.
    pub routes: Vec<String>,
}

/// One change. Text edits go to the migrated copy of a compose file or Dockerfile, and into any
/// other file itself. Values are YAML: a `$` in them is Compose's.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    Edit(Edit),
    /// A key in the mapping at a route of the compose file; lists under one key are joined.
    Put {
        route: Vec<String>,
        key: String,
        value: Value,
    },
    /// Take the key at the end of the route away.
    Remove {
        route: Vec<String>,
    },
}

impl Finding {
    pub fn new(code: &'static str, severity: Severity, message: impl Into<String>) -> Self {
        Self {
            code,
            severity,
            message: message.into(),
            span: None,
            service: None,
            help: None,
            fix: None,
        }
    }

    #[must_use]
    pub fn at(mut self, span: Option<Span>) -> Self {
        self.span = span;
        self
    }

    #[must_use]
    pub fn of(mut self, service: &str) -> Self {
        self.service = Some(service.to_owned());
        self
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    #[must_use]
    pub fn safe(self, title: impl Into<String>, routes: &[&str], changes: Vec<Change>) -> Self {
        self.fixed(title, Applicability::Safe, routes, changes)
    }

    /// A fix that a person should look at.
    #[must_use]
    pub fn doubtful(self, title: impl Into<String>, routes: &[&str], changes: Vec<Change>) -> Self {
        self.fixed(title, Applicability::Unsafe, routes, changes)
    }

    fn fixed(
        mut self,
        title: impl Into<String>,
        applicability: Applicability,
        routes: &[&str],
        changes: Vec<Change>,
    ) -> Self {
        let routes = routes.iter().map(|r| (*r).to_owned()).collect();
        self.fix = Some(Fix {
            title: title.into(),
            applicability,
            changes,
            routes,
        });
        self
    }

    pub fn to_diagnostic(&self) -> Diagnostic {
        let mut diagnostic = Diagnostic::new(self.severity, &self.message).code(self.code);
        diagnostic.span = self.span;
        diagnostic.help = match (&self.fix, &self.help) {
            (Some(fix), _) if fix.applicability == Applicability::Safe => {
                Some(format!("`--apply`: {}", fix.title))
            }
            (Some(fix), _) => Some(format!("`--apply --unsafe`: {}", fix.title)),
            (None, help) => help.clone(),
        };
        if let (Some(_), Some(help)) = (&self.fix, &self.help) {
            diagnostic.notes.push(help.clone());
        }
        diagnostic
    }
}

/// `["services", "web"]` of `services.web`-like parts.
pub(crate) fn route(parts: &[&str]) -> Vec<String> {
    parts.iter().map(|p| (*p).to_owned()).collect()
}

pub(crate) fn put(parts: &[&str], key: &str, value: Value) -> Change {
    Change::Put {
        route: route(parts),
        key: key.to_owned(),
        value,
    }
}
