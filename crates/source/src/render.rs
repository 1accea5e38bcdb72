//! Diagnostics as text for people, with the lines they speak of.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::{Diagnostic, Severity, SourceMap, Span};

/// Lines shown before and after the lines a span touches.
const CONTEXT: usize = 1;
/// Longest piece of source in a message: a minified or broken file has lines of megabytes.
const LONGEST: usize = 4096;

/// The message with its source lines; `colour` adds terminal escapes.
pub fn to_text(diagnostic: &Diagnostic, sources: &SourceMap, colour: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Note => Level::NOTE,
        Severity::Warning => Level::WARNING,
        Severity::Error => Level::ERROR,
    };
    let mut title = level.primary_title(&diagnostic.message);
    if let Some(code) = diagnostic.code {
        title = title.id(code);
    }

    // One snippet a file, the primary file first.
    let mut snippets: Vec<(Window<'_>, Vec<Mark<'_>>)> = Vec::new();
    let primary = diagnostic
        .span
        .map(|s| (s, AnnotationKind::Primary, diagnostic.here.as_deref()));
    let others = diagnostic
        .labels
        .iter()
        .map(|l| (l.span, AnnotationKind::Context, Some(l.text.as_str())));
    for (span, kind, text) in primary.into_iter().chain(others) {
        match snippets.iter_mut().find(|(w, _)| w.covers(span)) {
            Some((_, marks)) => marks.push((span, kind, text)),
            None => snippets.push((Window::around(sources, span), vec![(span, kind, text)])),
        }
    }

    let mut group = Group::with_title(title);
    for (window, marks) in &snippets {
        let annotations = marks.iter().map(|&(span, kind, text)| {
            let range = window.inside(span);
            let annotation = kind.span(range);
            match text {
                Some(text) => annotation.label(text),
                None => annotation,
            }
        });
        group = group.element(
            Snippet::source(window.text)
                .path(window.path.as_str())
                .line_start(window.first_line + 1)
                .annotations(annotations),
        );
    }
    for note in &diagnostic.notes {
        group = group.element(Level::NOTE.message(note.as_str()));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let renderer = if colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    renderer.render(&[group]).to_string()
}

/// A place, how it is drawn, and what stands beside it.
type Mark<'a> = (Span, AnnotationKind, Option<&'a str>);

/// The lines of a file around a span.
struct Window<'a> {
    file: crate::FileId,
    path: String,
    text: &'a str,
    start: usize,
    first_line: usize,
}

impl<'a> Window<'a> {
    fn around(sources: &'a SourceMap, span: Span) -> Self {
        let file = sources.file(span.file);
        let first = file.line_of(span.start as usize).saturating_sub(CONTEXT);
        let last = file.line_of((span.end as usize).max(1) - 1) + CONTEXT;
        // A span over a whole document shows its beginning.
        let last = last.min(first + 2 * CONTEXT + 6);
        let start = file.line_range(first).start;
        let end = file.line_range(last).end.min(start + LONGEST);
        let mut end = end.min(file.text().len());
        while !file.text().is_char_boundary(end) {
            end -= 1;
        }
        let text = file.text()[start..end].trim_end_matches('\n');
        Self {
            file: span.file,
            path: file.path().display().to_string(),
            text,
            start,
            first_line: first,
        }
    }

    fn covers(&self, span: Span) -> bool {
        let range = span.range();
        self.file == span.file
            && range.start >= self.start
            && range.start < self.start + self.text.len()
    }

    fn inside(&self, span: Span) -> std::ops::Range<usize> {
        let floor = |mut n: usize| {
            n = n.clamp(self.start, self.start + self.text.len()) - self.start;
            while !self.text.is_char_boundary(n) {
                n -= 1;
            }
            n
        };
        let range = span.range();
        let (start, end) = (floor(range.start), floor(range.end));
        start..end.max(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_shows_the_line_the_reason_and_the_next_step() {
        let mut sources = SourceMap::new();
        let file = sources.add("compose.yaml", "services:\n  web:\n    imagee: nginx\n");
        let text = to_text(
            &Diagnostic::error("unknown key `imagee`")
                .at(Span::new(file, 21, 27))
                .here("not a key of a service")
                .help("did you mean `image`?"),
            &sources,
            false,
        );
        assert!(text.starts_with("error: unknown key `imagee`"), "{text}");
        assert!(text.contains("compose.yaml:3:5"), "{text}");
        assert!(text.contains("imagee: nginx"), "{text}");
        assert!(text.contains("help: did you mean `image`?"), "{text}");
    }

    #[test]
    fn spans_outside_the_text_do_not_panic() {
        let mut sources = SourceMap::new();
        let empty = sources.add("empty", "");
        let long = sources.add("long", "é".repeat(100_000));
        for span in [
            Span::new(empty, 0, 5),
            Span::new(long, 9_001, 9_003),
            Span::new(long, 199_999, 300_000),
        ] {
            to_text(&Diagnostic::error("x").at(span), &sources, true);
        }
    }
}
