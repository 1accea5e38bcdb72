//! Replacing spans of a user's file and touching nothing else.

use crate::{FileId, SourceMap, Span};

/// Replace `span` by `text`; an empty span inserts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    pub span: Span,
    pub text: String,
}

impl Edit {
    pub fn replace(span: Span, text: impl Into<String>) -> Self {
        Self {
            span,
            text: text.into(),
        }
    }

    /// Put `text` before the byte `offset`.
    pub fn insert(file: FileId, offset: usize, text: impl Into<String>) -> Self {
        Self {
            span: Span::new(file, offset, offset),
            text: text.into(),
        }
    }
}

/// Whether a fix may be applied without a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Applicability {
    /// Behaviour stays as it was.
    Safe,
    /// A person should look; needs an opt-in.
    Unsafe,
}

/// Edits that remove a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What it does, as a command: "write the registry into the name".
    pub title: String,
    pub applicability: Applicability,
    pub edits: Vec<Edit>,
}

/// Why a set of edits cannot be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditError {
    /// Two edits want the same bytes.
    Overlap { first: Span, second: Span },
    /// An edit lies outside its file or inside a character.
    Outside { span: Span },
}

impl std::fmt::Display for EditError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            EditError::Overlap { first, second } => write!(
                f,
                "two edits want the same bytes ({}..{} and {}..{})",
                first.start, first.end, second.start, second.end
            ),
            EditError::Outside { span } => {
                write!(
                    f,
                    "an edit lies outside its file ({}..{})",
                    span.start, span.end
                )
            }
        }
    }
}

impl std::error::Error for EditError {}

/// The text of `file` with those of `edits` that are its own. Inserts at one offset keep their
/// order; equal edits count once; edits that overlap are refused.
pub fn apply_edits(sources: &SourceMap, file: FileId, edits: &[Edit]) -> Result<String, EditError> {
    let text = sources.file(file).text();
    let mut mine: Vec<&Edit> = edits.iter().filter(|e| e.span.file == file).collect();
    mine.sort_by_key(|e| (e.span.start, e.span.end));
    mine.dedup_by(|a, b| a == b && !a.span.is_empty());
    let mut out = String::with_capacity(text.len() + 256);
    let mut done = 0;
    let mut previous: Option<&Edit> = None;
    for edit in mine {
        let range = edit.span.range();
        if text.get(range.clone()).is_none() {
            return Err(EditError::Outside { span: edit.span });
        }
        if range.start < done {
            let first = previous.map_or(edit.span, |p| p.span);
            return Err(EditError::Overlap {
                first,
                second: edit.span,
            });
        }
        out.push_str(&text[done..range.start]);
        out.push_str(&edit.text);
        done = range.end;
        previous = Some(edit);
    }
    out.push_str(&text[done..]);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> (SourceMap, FileId) {
        let mut sources = SourceMap::new();
        let file = sources.add("f", text);
        (sources, file)
    }

    #[test]
    fn edits_touch_only_their_spans() {
        let (sources, file) = one("image: nginx # web\n");
        let edit = Edit::replace(Span::new(file, 7, 12), "docker.io/library/nginx");
        assert_eq!(
            apply_edits(&sources, file, &[edit.clone(), edit]).unwrap(),
            "image: docker.io/library/nginx # web\n"
        );
    }

    #[test]
    fn overlapping_edits_are_refused() {
        let (sources, file) = one("abcdef");
        let a = Edit::replace(Span::new(file, 0, 3), "x");
        let b = Edit::replace(Span::new(file, 2, 4), "y");
        assert!(matches!(
            apply_edits(&sources, file, &[a, b]),
            Err(EditError::Overlap { .. })
        ));
    }

    #[test]
    fn inserts_keep_their_order() {
        let (sources, file) = one("ac");
        let edits = [Edit::insert(file, 1, "1"), Edit::insert(file, 1, "2")];
        assert_eq!(apply_edits(&sources, file, &edits).unwrap(), "a12c");
    }
}
