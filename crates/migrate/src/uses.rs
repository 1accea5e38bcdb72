//! Where a project's other files use a port of this host.

use phoenix_source::Span;

use crate::inputs::Inputs;

/// A use: the span to replace, and what stands there afterwards.
pub(crate) struct Use {
    pub(crate) span: Span,
    pub(crate) text: String,
    pub(crate) prose: bool,
}

/// Names that certainly mean this host.
const HERE: [&str; 4] = ["localhost", "127.0.0.1", "0.0.0.0", "[::1]"];

/// Uses of `old` on this host; `http://localhost/` is a use of port 80.
pub(crate) fn of_port(inputs: &Inputs<'_>, old: u16, new: u16) -> Vec<Use> {
    let scheme = match old {
        80 => Some("http://"),
        443 => Some("https://"),
        _ => None,
    };
    let mut uses = Vec::new();
    for text_file in &inputs.texts {
        let text = inputs.sources.file(text_file.file).text().clone();
        for host in HERE {
            for (at, _) in text.match_indices(host) {
                let before = text[..at].chars().next_back();
                if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_')) {
                    continue;
                }
                let end = at + host.len();
                let rest = &text[end..];
                let found = match rest.strip_prefix(':') {
                    Some(port) => {
                        let digits = port
                            .find(|c: char| !c.is_ascii_digit())
                            .unwrap_or(port.len());
                        (port[..digits] == *old.to_string())
                            .then(|| (end + 1..end + 1 + digits, new.to_string()))
                    }
                    None => {
                        let implied = scheme.is_some_and(|s| text[..at].ends_with(s));
                        let ends = rest.chars().next().is_none_or(|c| {
                            matches!(c, '/' | '"' | '\'' | ' ' | '\n' | ')' | '`' | '}' | '?')
                        });
                        (implied && ends).then(|| (end..end, format!(":{new}")))
                    }
                };
                if let Some((range, replacement)) = found {
                    uses.push(Use {
                        span: Span::new(text_file.file, range.start, range.end),
                        text: replacement,
                        prose: text_file.prose,
                    });
                }
            }
        }
    }
    uses
}
