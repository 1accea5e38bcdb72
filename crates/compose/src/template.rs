//! `$VAR`, `${VAR}` and the six operators, with the quirks of Docker Compose's own reader.
//!
//! `$$` is a dollar sign. A `$` before anything that is neither a name nor a brace stays as it is.
//! A brace must close on its own line.

/// A template that cannot be read or filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateError {
    /// `${` without a name, an unknown operator, or no closing brace.
    Invalid { template: String },
    /// `${VAR:?message}` or `${VAR?message}` without a value.
    Required { name: String, message: String },
}

impl std::fmt::Display for TemplateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            TemplateError::Invalid { template } => {
                write!(f, "`{template}` is not a valid interpolation")
            }
            TemplateError::Required { name, message } if message.is_empty() => {
                write!(f, "the required variable `{name}` has no value")
            }
            TemplateError::Required { name, message } => {
                write!(f, "the required variable `{name}` has no value: {message}")
            }
        }
    }
}

/// What a template is filled from, and who wants to know of a name without a value.
pub trait Lookup {
    fn value(&self, name: &str) -> Option<String>;
    /// A plain `$NAME` or `${NAME}` had no value and became empty.
    fn missing(&mut self, name: &str);
}

/// Deepest nesting of `${A:-${B:-…}}`.
const MAX_NESTING: usize = 32;

/// The text with its variables filled in.
pub fn substitute(text: &str, lookup: &mut dyn Lookup) -> Result<String, TemplateError> {
    nested(text, lookup, 0)
}

fn nested(text: &str, lookup: &mut dyn Lookup, depth: usize) -> Result<String, TemplateError> {
    let invalid = || TemplateError::Invalid {
        template: text.to_owned(),
    };
    if !text.contains('$') {
        return Ok(text.to_owned());
    }
    if depth > MAX_NESTING {
        return Err(invalid());
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        match rest.bytes().next() {
            Some(b'$') => {
                out.push('$');
                rest = &rest[1..];
            }
            Some(b'{') => {
                let (value, used) = braced(rest, lookup, depth).map_err(|e| match e {
                    TemplateError::Invalid { template } if template.is_empty() => invalid(),
                    other => other,
                })?;
                out.push_str(&value);
                rest = &rest[used..];
            }
            Some(b) if b == b'_' || b.is_ascii_alphabetic() => {
                let name = name(rest);
                out.push_str(&plain(name, lookup));
                rest = &rest[name.len()..];
            }
            _ => out.push('$'),
        }
    }
    out.push_str(rest);
    Ok(out)
}

fn plain(name: &str, lookup: &mut dyn Lookup) -> String {
    lookup.value(name).unwrap_or_else(|| {
        lookup.missing(name);
        String::new()
    })
}

fn name(text: &str) -> &str {
    let end = text
        .bytes()
        .position(|b| b != b'_' && !b.is_ascii_alphanumeric())
        .unwrap_or(text.len());
    &text[..end]
}

/// `{NAME…}` at the start of `text`: its value and how many bytes it took.
fn braced(
    text: &str,
    lookup: &mut dyn Lookup,
    depth: usize,
) -> Result<(String, usize), TemplateError> {
    let invalid = || TemplateError::Invalid {
        template: String::new(),
    };
    let name = name(&text[1..]);
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(invalid());
    }
    let after = &text[1 + name.len()..];
    if after.starts_with('}') {
        return Ok((plain(name, lookup), name.len() + 2));
    }
    let (colon, operator) = match after.as_bytes() {
        [b':', op @ (b'-' | b'+' | b'?'), ..] => (true, *op),
        [op @ (b'-' | b'+' | b'?'), ..] => (false, *op),
        _ => return Err(invalid()),
    };
    let argument_start = 1 + name.len() + 1 + usize::from(colon);
    let close = closing_brace(text)
        .filter(|&at| at >= argument_start)
        .ok_or_else(invalid)?;
    let argument = &text[argument_start..close];
    let value = lookup.value(name);
    let present = value.as_ref().is_some_and(|v| !colon || !v.is_empty());
    // The argument is filled in even where it is not used: its errors are errors.
    let argument = nested(argument, lookup, depth + 1)?;
    let value = match operator {
        b'-' if present => value.unwrap_or_default(),
        b'-' => argument,
        b'+' if present => argument,
        b'+' => value.unwrap_or_default(),
        _ if present => value.unwrap_or_default(),
        _ => {
            return Err(TemplateError::Required {
                name: name.to_owned(),
                message: argument,
            });
        }
    };
    Ok((value, close + 1))
}

/// The brace that closes the one at the start, on the same line; any braces in between count. Where
/// they do not balance, the last one of the line.
fn closing_brace(text: &str) -> Option<usize> {
    let line = &text[..text.find('\n').unwrap_or(text.len())];
    let mut open = 0usize;
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            b'{' => open += 1,
            b'}' => {
                open -= 1;
                if open == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    line.rfind('}')
}

/// The names a text refers to, with the default that stands beside each.
pub fn variables(text: &str) -> Vec<(String, Option<String>)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            rest = after;
        } else if rest.starts_with('{') {
            let name = name(&rest[1..]);
            if name.is_empty() {
                continue;
            }
            let body_start = 1 + name.len();
            let close = closing_brace(rest).unwrap_or(rest.len());
            let body = rest.get(body_start..close).unwrap_or_default();
            let default = body.strip_prefix(":-").or_else(|| body.strip_prefix('-'));
            found.push((name.to_owned(), default.map(str::to_owned)));
            found.extend(variables(body));
            rest = rest.get(close..).unwrap_or_default();
        } else {
            let name = name(rest);
            if name.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic()) {
                found.push((name.to_owned(), None));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Table(Vec<String>);

    impl Lookup for Table {
        fn value(&self, name: &str) -> Option<String> {
            match name {
                "SET" => Some("set".into()),
                "EMPTY" => Some(String::new()),
                _ => None,
            }
        }
        fn missing(&mut self, name: &str) {
            self.0.push(name.to_owned());
        }
    }

    fn fill(text: &str) -> Result<String, TemplateError> {
        substitute(text, &mut Table(Vec::new()))
    }

    #[test]
    fn operators() {
        for (template, value) in [
            ("$SET", "set"),
            ("${SET}", "set"),
            ("a${SET}b", "asetb"),
            ("$SET-x", "set-x"),
            ("${SET-d}", "set"),
            ("${EMPTY-d}", ""),
            ("${NO-d}", "d"),
            ("${SET:-d}", "set"),
            ("${EMPTY:-d}", "d"),
            ("${NO:-d}", "d"),
            ("${SET+p}", "p"),
            ("${EMPTY+p}", "p"),
            ("${NO+p}", ""),
            ("${SET:+p}", "p"),
            ("${EMPTY:+p}", ""),
            ("${NO:+p}", ""),
            ("${SET?e}", "set"),
            ("${EMPTY?e}", ""),
            ("${SET:?e}", "set"),
            ("${NO:-${NO2:-${SET}}}", "set"),
            ("${NO:-a-b:c}", "a-b:c"),
            ("${NO:-}", ""),
            ("$$SET", "$SET"),
            ("$$$$", "$$"),
            ("$1 $ $.", "$1 $ $."),
            ("100%$", "100%$"),
            ("${NO:-{\"a\":1}} ${SET}", "{\"a\":1} set"),
            ("${NO:-x}}", "x}"),
            ("${NO:-$SET}", "set"),
            ("${NO:-{}", "{"),
        ] {
            assert_eq!(fill(template).as_deref(), Ok(value), "{template}");
        }
    }

    #[test]
    fn errors() {
        for template in [
            "${",
            "${}",
            "${SET",
            "${A.B}",
            "${1}",
            "${NO:-\n}",
            "${SET:=x}",
            "${-x}",
        ] {
            assert!(
                matches!(fill(template), Err(TemplateError::Invalid { .. })),
                "{template}"
            );
        }
        assert_eq!(
            fill("${NO:?set ${SET}}"),
            Err(TemplateError::Required {
                name: "NO".into(),
                message: "set set".into()
            })
        );
        assert!(matches!(
            fill("${EMPTY:?}"),
            Err(TemplateError::Required { .. })
        ));
    }

    #[test]
    fn a_missing_name_is_reported_and_empty() {
        let mut table = Table(Vec::new());
        assert_eq!(substitute("<$NO${NO2}>", &mut table).unwrap(), "<>");
        assert_eq!(table.0, ["NO", "NO2"]);
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(text in "[${}:?+a-zA \\n-]{0,40}") {
            let _ = fill(&text);
            let _ = variables(&text);
        }
    }
}
