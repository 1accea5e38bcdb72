//! Rules and their table.

use crate::finding::Finding;
use crate::inputs::Inputs;

/// What a rule says about itself: `phoenix explain` and its page in docs/rules come from here, and
/// its example is its test.
#[derive(Debug, Clone, Copy)]
pub struct Meta {
    pub code: &'static str,
    /// Reads well after "allow".
    pub name: &'static str,
    /// What goes wrong, in a sentence.
    pub what: &'static str,
    /// Why it goes wrong on rootless Podman and did not on Docker.
    pub why: &'static str,
    /// What the fix does, and whether it is safe.
    pub fix: &'static str,
    /// Issue threads and documentation.
    pub evidence: &'static [&'static str],
    pub example: Example,
}

/// A project before and after the fix of one rule alone.
#[derive(Debug, Clone, Copy)]
pub enum Example {
    Compose {
        before: &'static str,
        after: &'static str,
    },
    /// As `Compose`, with the Dockerfile that the service builds from.
    Built {
        recipe: &'static str,
        before: &'static str,
        after: &'static str,
    },
    /// A Dockerfile, of the service `app` that is built from it.
    Recipe {
        before: &'static str,
        after: &'static str,
    },
    /// Only reported.
    Reported {
        compose: &'static str,
        message: &'static str,
    },
}

/// One thing that goes wrong between Docker and rootless Podman.
pub trait Rule: Sync {
    fn meta(&self) -> &'static Meta;
    fn check(&self, inputs: &Inputs<'_>) -> Vec<Finding>;
}

/// Every rule, by code.
pub fn all() -> &'static [&'static dyn Rule] {
    crate::rules::TABLE
}

/// A rule by code or name.
pub fn find(text: &str) -> Option<&'static dyn Rule> {
    all()
        .iter()
        .copied()
        .find(|r| r.meta().code.eq_ignore_ascii_case(text) || r.meta().name == text)
}

impl Meta {
    /// The rule's page, in Markdown: what `phoenix explain` prints, and docs/rules holds.
    pub fn page(&self) -> String {
        let mut out = format!(
            "# {} {}\n\n{}\n\n## Why it matters\n\n{}\n\n## Fix\n\n{}\n\n## Example\n\n",
            self.code, self.name, self.what, self.why, self.fix
        );
        let fence = |out: &mut String, title: &str, language: &str, text: &str| {
            out.push_str(&format!(
                "{title}\n\n```{language}\n{}\n```\n\n",
                text.trim_end()
            ));
        };
        match self.example {
            Example::Compose { before, after } => {
                fence(&mut out, "Before:", "yaml", before);
                fence(&mut out, "After:", "yaml", after);
            }
            Example::Built {
                recipe,
                before,
                after,
            } => {
                fence(&mut out, "With this Dockerfile:", "dockerfile", recipe);
                fence(&mut out, "Before:", "yaml", before);
                fence(&mut out, "After:", "yaml", after);
            }
            Example::Recipe { before, after } => {
                fence(&mut out, "Before:", "dockerfile", before);
                fence(&mut out, "After:", "dockerfile", after);
            }
            Example::Reported { compose, message } => {
                fence(&mut out, "Of this:", "yaml", compose);
                out.push_str(&format!("it says: {message}.\n\n"));
            }
        }
        out.push_str("## Evidence\n\n");
        for line in self.evidence {
            out.push_str(&format!("- {line}\n"));
        }
        out
    }
}
