//! What is wrong, where, why it matters and what to do.

use serde_json::{Value, json};

use crate::{SourceMap, Span};

/// How much a diagnostic weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; nothing to do.
    Note,
    /// It will work, and not as meant.
    Warning,
    /// It will not work.
    Error,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// A second place that belongs to the matter, with what it has to do with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    pub span: Span,
    pub text: String,
}

/// One message to a person.
///
/// `message` is a lowercase fragment with literals in backticks and no full stop; `help` says the
/// next thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    pub severity: Severity,
    /// The code of a rule (`PH012`), where one speaks.
    pub code: Option<&'static str>,
    pub message: String,
    pub span: Option<Span>,
    /// What stands at `span`, in a few words.
    pub here: Option<String>,
    pub labels: Vec<Label>,
    pub notes: Vec<String>,
    pub help: Option<String>,
}

impl Diagnostic {
    pub fn new(severity: Severity, message: impl Into<String>) -> Self {
        Self {
            severity,
            code: None,
            message: message.into(),
            span: None,
            here: None,
            labels: Vec::new(),
            notes: Vec::new(),
            help: None,
        }
    }

    pub fn error(message: impl Into<String>) -> Self {
        Self::new(Severity::Error, message)
    }

    pub fn warning(message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, message)
    }

    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    #[must_use]
    pub fn here(mut self, text: impl Into<String>) -> Self {
        self.here = Some(text.into());
        self
    }

    #[must_use]
    pub fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// The stable JSON form: `severity`, `code`, `message`, `location`, `labels`, `notes`, `help`.
    pub fn to_json(&self, sources: &SourceMap) -> Value {
        let place = |span: Span| {
            let file = sources.file(span.file);
            let start = file.position(span.start as usize);
            let end = file.position(span.end as usize);
            json!({
                "file": file.path().to_string_lossy(),
                "line": start.line, "column": start.column,
                "end_line": end.line, "end_column": end.column,
            })
        };
        json!({
            "severity": self.severity,
            "code": self.code,
            "message": self.message,
            "location": self.span.map(place),
            "labels": self.labels.iter()
                .map(|l| json!({"location": place(l.span), "text": l.text}))
                .collect::<Vec<_>>(),
            "notes": self.notes,
            "help": self.help,
        })
    }
}
