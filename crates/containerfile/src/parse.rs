//! Text → instructions.

use phoenix_source::{Diagnostic, FileId, Span};

use crate::Containerfile;
use crate::instruction::Instruction;
use crate::words::Word;

/// Reads a file; `text` must be what `file` holds. Only text that cannot be a Dockerfile at all is
/// an error: without any FROM, or with bytes that are none.
pub fn parse(text: &str, file: FileId) -> Result<Containerfile, Box<Diagnostic>> {
    let mut reader = Reader { text, file, at: 0 };
    let (escape, syntax) = reader.directives();
    let mut instructions = Vec::new();
    while let Some(instruction) = reader.instruction(escape) {
        instructions.push(instruction);
    }
    let parsed = Containerfile {
        file,
        instructions,
        escape,
        syntax,
    };
    if parsed.stages().is_empty() {
        return Err(Box::new(
            Diagnostic::error("this is not a Dockerfile: it has no FROM")
                .at(Span::new(file, 0, text.find('\n').unwrap_or(text.len())))
                .help("begin it with `FROM image`, or `FROM scratch`"),
        ));
    }
    Ok(parsed)
}

struct Reader<'a> {
    text: &'a str,
    file: FileId,
    at: usize,
}

/// A piece of an instruction's text on one line.
struct Piece<'a> {
    text: &'a str,
    start: usize,
}

impl<'a> Reader<'a> {
    /// The next line, without its break, and where it starts.
    fn line(&mut self) -> Option<(&'a str, usize)> {
        if self.at >= self.text.len() {
            return None;
        }
        let start = self.at;
        let rest = &self.text[start..];
        let length = rest.find('\n').unwrap_or(rest.len());
        self.at = (start + length + 1).min(self.text.len());
        let line = &rest[..length];
        Some((line.strip_suffix('\r').unwrap_or(line), start))
    }

    /// `# syntax=…`, `# escape=…`, `# check=…`: only at the very beginning.
    fn directives(&mut self) -> (char, Option<(String, Span)>) {
        let (mut escape, mut syntax) = ('\\', None);
        loop {
            let before = self.at;
            let Some((line, start)) = self.line() else {
                break;
            };
            let directive = line
                .trim_start()
                .strip_prefix('#')
                .and_then(|l| l.split_once('='));
            match directive.map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim())) {
                Some((name, value)) if name == "syntax" => {
                    syntax = Some((
                        value.to_owned(),
                        Span::new(self.file, start, start + line.len()),
                    ));
                }
                Some((name, value)) if name == "escape" => {
                    escape = value.chars().next().unwrap_or('\\')
                }
                Some((name, _)) if name == "check" => {}
                _ => {
                    self.at = before;
                    break;
                }
            }
        }
        (escape, syntax)
    }

    fn instruction(&mut self, escape: char) -> Option<Instruction> {
        let (first, start) = loop {
            let (line, start) = self.line()?;
            let trimmed = line.trim();
            if !trimmed.is_empty() && !trimmed.starts_with('#') {
                break (line, start);
            }
        };
        let mut pieces: Vec<Piece<'a>> = Vec::new();
        let (mut line, mut line_start) = (first, start);
        let mut end;
        loop {
            end = line_start + line.len();
            let body = line.trim_end();
            match body.strip_suffix(escape) {
                Some(continued) => {
                    pieces.push(Piece {
                        text: continued,
                        start: line_start,
                    });
                    // Comments and empty lines within do not end it.
                    let next = loop {
                        match self.line() {
                            Some((l, _))
                                if l.trim().is_empty() || l.trim_start().starts_with('#') => {}
                            other => break other,
                        }
                    };
                    match next {
                        Some((l, s)) => (line, line_start) = (l, s),
                        None => break,
                    }
                }
                None => {
                    pieces.push(Piece {
                        text: line,
                        start: line_start,
                    });
                    break;
                }
            }
        }
        let joined: String = pieces.iter().map(|p| p.text).collect();
        let lead = first.len() - first.trim_start().len();
        let keyword_end = first
            .trim_start()
            .find(char::is_whitespace)
            .map_or(first.len(), |n| lead + n);
        let mut keyword = first[lead..keyword_end].to_owned();
        if let Some(stripped) = keyword.strip_suffix(escape) {
            keyword = stripped.to_owned();
        }
        let keyword_span = Span::new(self.file, start + lead, start + lead + keyword.len());
        // Heredocs: their bodies belong to the instruction.
        let upper = keyword.to_ascii_uppercase();
        if matches!(upper.as_str(), "RUN" | "COPY" | "ADD") {
            for (delimiter, strip_tabs) in heredocs(&joined) {
                while let Some((l, s)) = self.line() {
                    end = s + l.len();
                    let candidate = if strip_tabs {
                        l.trim_start_matches('\t')
                    } else {
                        l
                    };
                    if candidate == delimiter {
                        break;
                    }
                }
            }
        }
        let mut all = self.words(&pieces, start + keyword_end);
        let split = all
            .iter()
            .position(|w| !w.text.starts_with("--"))
            .unwrap_or(all.len());
        let words = all.split_off(split);
        let skip = keyword_end.saturating_sub(pieces.first().map_or(0, |p| p.start - start));
        let mut arguments = joined.get(skip..).unwrap_or_default().trim().to_owned();
        for flag in &all {
            arguments = arguments
                .strip_prefix(flag.text.as_str())
                .unwrap_or(&arguments)
                .trim_start()
                .to_owned();
        }
        Some(Instruction {
            // `from` is FROM, and `kFROM` stays what it is.
            keyword: if crate::KEYWORDS.contains(&upper.as_str()) {
                upper
            } else {
                keyword
            },
            keyword_span,
            flags: all,
            words,
            span: Span::new(self.file, start + lead, end),
            arguments,
        })
    }

    /// Words from a byte on; quotes keep blanks together.
    fn words(&self, pieces: &[Piece<'_>], from: usize) -> Vec<Word> {
        let mut words = Vec::new();
        let mut current: Option<(String, usize, usize)> = None;
        let mut quote: Option<char> = None;
        for (n, piece) in pieces.iter().enumerate() {
            for (offset, c) in piece.text.char_indices() {
                let at = piece.start + offset;
                if at < from {
                    continue;
                }
                if c.is_whitespace() && quote.is_none() {
                    if let Some((text, start, end)) = current.take() {
                        words.push(Word {
                            text,
                            span: Span::new(self.file, start, end),
                        });
                    }
                    continue;
                }
                match quote {
                    Some(q) if q == c => quote = None,
                    None if c == '"' || c == '\'' => quote = Some(c),
                    _ => {}
                }
                let (text, _, end) = current.get_or_insert_with(|| (String::new(), at, at));
                text.push(c);
                *end = at + c.len_utf8();
            }
            // A word may go on in the next line only within quotes.
            if quote.is_none()
                && n + 1 < pieces.len()
                && let Some((text, start, end)) = current.take()
            {
                words.push(Word {
                    text,
                    span: Span::new(self.file, start, end),
                });
            }
        }
        if let Some((text, start, end)) = current {
            words.push(Word {
                text,
                span: Span::new(self.file, start, end),
            });
        }
        words
    }
}

/// Delimiters of `<<EOF`, `<<-EOF`, `<<"EOF"`, in order, with whether tabs are stripped.
fn heredocs(line: &str) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.find("<<") {
        let before = &rest[..at];
        rest = &rest[at + 2..];
        // `<<<` is a here-string.
        if before.ends_with('<') || rest.starts_with('<') {
            continue;
        }
        let (strip, body) = match rest.strip_prefix('-') {
            Some(body) => (true, body),
            None => (false, rest),
        };
        let (quote, body) = match body.chars().next() {
            Some(q @ ('"' | '\'')) => (Some(q), &body[1..]),
            _ => (None, body),
        };
        let end = body
            .find(|c: char| match quote {
                Some(q) => c == q,
                None => !(c.is_ascii_alphanumeric() || c == '_'),
            })
            .unwrap_or(body.len());
        let word = &body[..end];
        if !word.is_empty() && word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            found.push((word.to_owned(), strip));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use phoenix_source::SourceMap;

    fn read(text: &str) -> Containerfile {
        let mut sources = SourceMap::new();
        let file = sources.add("Dockerfile", text);
        parse(text, file).unwrap()
    }

    fn shown(text: &str) -> Vec<String> {
        read(text)
            .instructions
            .iter()
            .map(|i| {
                let words: Vec<_> = i.words.iter().map(|w| w.text.as_str()).collect();
                let flags: Vec<_> = i.flags.iter().map(|w| w.text.as_str()).collect();
                format!("{} [{}] {}", i.keyword, flags.join(" "), words.join("|"))
            })
            .collect()
    }

    #[test]
    fn continuations_comments_and_flags() {
        let text = "# syntax=docker/dockerfile:1\n# c\nFROM --platform=$BUILDPLATFORM rust:1 AS build\n\
                    RUN apt-get update \\\n  # inside\n\n && apt-get install -y x\nCOPY --from=build --chown=1:1 /a /b\ncmd [\"x\"]\n";
        assert_eq!(
            shown(text),
            [
                "FROM [--platform=$BUILDPLATFORM] rust:1|AS|build",
                "RUN [] apt-get|update|&&|apt-get|install|-y|x",
                "COPY [--from=build --chown=1:1] /a|/b",
                "CMD [] [\"x\"]",
            ]
        );
        let parsed = read(text);
        assert_eq!(parsed.syntax.as_ref().unwrap().0, "docker/dockerfile:1");
        let copy = &parsed.instructions[2];
        let (value, span) = copy.flag("from").unwrap();
        assert_eq!((value, &text[span.range()]), ("build", "build"));
        assert_eq!(parsed.stages()[0].from.name.as_deref(), Some("build"));
    }

    #[test]
    fn heredocs_belong_to_their_instruction() {
        let text = "FROM x\nRUN mkdir y && cat <<'EOF' > f <<-TWO\nFROM not\nEOF\n\tTWO\nCOPY <<A <<B /d/\na\nA\nb\nB\nUSER u\n";
        let keywords: Vec<_> = read(text)
            .instructions
            .into_iter()
            .map(|i| i.keyword)
            .collect();
        assert_eq!(keywords, ["FROM", "RUN", "COPY", "USER"]);
    }

    #[test]
    fn a_malformed_keyword_is_kept_and_suggested() {
        let parsed = read("kFROM alpine\nRUN x\nENTRYPONT y\n");
        let malformed: Vec<_> = parsed
            .malformed()
            .map(|i| (i.keyword.as_str(), i.suggestion()))
            .collect();
        assert_eq!(
            malformed,
            [("kFROM", Some("FROM")), ("ENTRYPONT", Some("ENTRYPOINT"))]
        );
        assert_eq!(parsed.stages().len(), 1);
    }

    #[test]
    fn what_is_none_is_refused() {
        let mut sources = SourceMap::new();
        for text in ["", "hello world\n", "{\"json\": 1}", "RUN x\n"] {
            let file = sources.add("f", text);
            assert!(parse(text, file).is_err(), "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics_and_spans_are_within(text in "(FROM|RUN|COPY|#|<<E|[ a\"'\\\\\n=-]|é|--x=y){0,40}") {
            let mut sources = SourceMap::new();
            let file = sources.add("f", text.as_str());
            if let Ok(parsed) = parse(&text, file) {
                for i in &parsed.instructions {
                    proptest::prop_assert!(text.get(i.span.range()).is_some());
                    for w in i.words.iter().chain(&i.flags) {
                        proptest::prop_assert!(text.get(w.span.range()).is_some());
                    }
                }
            }
        }
    }
}
