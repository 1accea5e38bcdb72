//! Words of an instruction.

use phoenix_source::Span;

/// A word as it was written, quotes included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    pub text: String,
    pub span: Span,
}

/// The strings of `["a", "b"]`; `None` for a shell's line.
pub fn exec_form(arguments: &str) -> Option<Vec<String>> {
    let mut rest = arguments
        .trim()
        .strip_prefix('[')?
        .strip_suffix(']')?
        .trim();
    let mut items = Vec::new();
    while !rest.is_empty() {
        let body = rest.strip_prefix('"')?;
        let mut item = String::new();
        let mut chars = body.char_indices();
        let end = loop {
            match chars.next()? {
                (at, '"') => break at,
                (_, '\\') => item.push(match chars.next()?.1 {
                    'n' => '\n',
                    't' => '\t',
                    c => c,
                }),
                (_, c) => item.push(c),
            }
        };
        items.push(item);
        rest = body[end + 1..].trim_start();
        match rest.strip_prefix(',') {
            Some(after) => rest = after.trim_start(),
            None if rest.is_empty() => {}
            None => return None,
        }
    }
    Some(items)
}

#[cfg(test)]
mod tests {
    use super::exec_form;

    #[test]
    fn exec_forms() {
        assert_eq!(
            exec_form(r#" ["a", "b \"c\""] "#),
            Some(vec!["a".into(), "b \"c\"".into()])
        );
        assert_eq!(exec_form("[]"), Some(vec![]));
        assert_eq!(exec_form("nginx -g 'x'"), None);
        assert_eq!(exec_form("['a']"), None);
        assert_eq!(exec_form("[\"a"), None);
    }
}
