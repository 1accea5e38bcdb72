//! How a command ends.

use phoenix_compose::LoadFailure;
use phoenix_source::{Diagnostic, SourceMap};

use crate::printer::Printer;

/// A command that did what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    /// Findings, where asked to look for them: exit code 3.
    Found,
    /// The code of a command that was run.
    Code(u8),
}

/// A command that did not.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was used wrongly: exit code 2.
    Usage {
        message: String,
        help: Option<String>,
    },
    /// The thing itself failed: exit code 1.
    Failed {
        message: String,
        help: Option<String>,
    },
    /// With places in files.
    Diagnosed {
        list: Vec<Diagnostic>,
        sources: Box<SourceMap>,
    },
    /// Already told.
    Told,
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>, help: impl Into<String>) -> Self {
        Failure::Usage {
            message: message.into(),
            help: Some(help.into()),
        }
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Failure::Failed {
            message: message.into(),
            help: None,
        }
    }

    pub(crate) fn code(&self) -> u8 {
        match self {
            Failure::Usage { .. } => 2,
            _ => 1,
        }
    }

    pub(crate) fn print(&self, printer: &Printer) {
        match self {
            Failure::Usage { message, help } | Failure::Failed { message, help } => {
                printer.error(message, help.as_deref());
            }
            Failure::Diagnosed { list, sources } => printer.diagnostics(list, sources),
            Failure::Told => {}
        }
    }
}

impl From<phoenix_podman::Error> for Failure {
    fn from(error: phoenix_podman::Error) -> Self {
        Failure::Failed {
            help: error.hint(),
            message: error.to_string(),
        }
    }
}

impl From<Box<LoadFailure>> for Failure {
    fn from(failure: Box<LoadFailure>) -> Self {
        let LoadFailure {
            errors,
            sources,
            warnings: _,
        } = *failure;
        Failure::Diagnosed {
            list: errors,
            sources: Box::new(sources),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Failure::failed(error.to_string())
    }
}
