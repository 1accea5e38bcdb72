//! `.env` and `env_file` syntax.
//!
//! `KEY=value`, `KEY: value`, `export KEY=value`; single quotes are literal, double quotes have
//! escapes and variables, unquoted values end at ` #` or the line; a bare `KEY` takes its value
//! from the environment. Variables see the environment first, then lines above.

use crate::Environment;
use crate::template::{self, Lookup, TemplateError};

/// What is wrong with a file, and in which line (from 1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DotenvError {
    pub line: usize,
    pub message: String,
}

/// How values are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    #[default]
    Compose,
    /// Docker's own `--env-file`: no quotes, no variables, the rest of the line is the value.
    Raw,
}

/// Adds the file's variables to `out`. `lookup` answers for names in values and for bare names.
pub fn parse(
    text: &str,
    format: Format,
    out: &mut Environment,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<(), DotenvError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match format {
        Format::Compose => Reader {
            text,
            at: 0,
            line: 1,
        }
        .read(out, lookup),
        Format::Raw => raw(text, out, lookup),
    }
}

fn raw(
    text: &str,
    out: &mut Environment,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<(), DotenvError> {
    for (n, line) in text.lines().enumerate() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = match line.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (line, lookup(line)),
        };
        if name.is_empty() || name.contains(char::is_whitespace) {
            let message = format!("`{name}` is not a variable's name");
            return Err(DotenvError {
                line: n + 1,
                message,
            });
        }
        if let Some(value) = value {
            out.insert(name.to_owned(), value);
        }
    }
    Ok(())
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl<'a> Reader<'a> {
    fn read(
        &mut self,
        out: &mut Environment,
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Result<(), DotenvError> {
        while self.skip_to_statement() {
            let (key, inherited) = self.key()?;
            if key.contains(' ') {
                return Err(self.error(format!("a key has no blanks, and this is `{key}`")));
            }
            if inherited {
                if let Some(value) = lookup(&key) {
                    out.insert(key, value);
                }
                continue;
            }
            let value = self.value(out, lookup)?;
            out.insert(key, value);
        }
        Ok(())
    }

    fn error(&self, message: impl Into<String>) -> DotenvError {
        DotenvError {
            line: self.line,
            message: message.into(),
        }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_to_statement(&mut self) -> bool {
        while let Some(c) = self.rest().chars().next() {
            if c == '#' {
                self.at += self.rest().find('\n').unwrap_or(self.rest().len());
            } else if c.is_whitespace() {
                self.line += usize::from(c == '\n');
                self.at += c.len_utf8();
            } else {
                return true;
            }
        }
        false
    }

    /// The key, and whether it stands alone on its line.
    fn key(&mut self) -> Result<(String, bool), DotenvError> {
        if let Some(after) = self.rest().strip_prefix("export")
            && after.starts_with(char::is_whitespace)
        {
            self.at += "export".len();
            self.skip_blanks();
        }
        let rest = self.rest();
        for (offset, c) in rest.char_indices() {
            match c {
                '=' | ':' | '\n' => {
                    let key = rest[..offset].trim_end().to_owned();
                    self.at += offset + 1;
                    if c == '\n' {
                        self.line += 1;
                    }
                    self.skip_blanks();
                    return Ok((key, c == '\n'));
                }
                '_' | '.' | '-' | '[' | ']' => {}
                _ if is_blank(c) || c.is_alphanumeric() => {}
                _ => {
                    let line = rest.lines().next().unwrap_or_default();
                    return Err(self.error(format!(
                        "`{c}` cannot stand in the name of a variable: `{line}`"
                    )));
                }
            }
        }
        // The last line without a line break: the library that Compose uses drops a bare name here.
        self.at = self.text.len();
        Ok((String::new(), true))
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(is_blank).len();
    }

    fn value(
        &mut self,
        out: &Environment,
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Result<String, DotenvError> {
        let quote = match self.rest().bytes().next() {
            Some(q @ (b'"' | b'\'')) => q,
            _ => {
                let rest = self.rest();
                let line = rest.split('\n').next().unwrap_or_default();
                let value = line
                    .split(" #")
                    .next()
                    .unwrap_or_default()
                    .trim_end()
                    .to_owned();
                self.at += (line.len() + 1).min(rest.len());
                let value = self.expand(&value, out, lookup)?;
                self.line += 1;
                return Ok(value);
            }
        };
        let start_line = self.line;
        let mut chars = Vec::new();
        let mut escaped = false;
        let bytes = self.rest().as_bytes();
        for (n, &byte) in bytes.iter().enumerate().skip(1) {
            if byte == b'\n' {
                self.line += 1;
            }
            if byte == quote {
                if !escaped {
                    let value = String::from_utf8_lossy(&chars).into_owned();
                    self.at += n + 1;
                    return if quote == b'"' {
                        self.expand(&unescape(&value), out, lookup)
                    } else {
                        Ok(value)
                    };
                }
                escaped = false;
                chars.push(byte);
                continue;
            }
            if !escaped && byte == b'\\' {
                escaped = true;
                continue;
            }
            if escaped {
                escaped = false;
                chars.push(b'\\');
            }
            chars.push(byte);
        }
        let line = self.rest().lines().next().unwrap_or_default();
        Err(DotenvError {
            line: start_line,
            message: format!("the quote is not closed: {line}"),
        })
    }

    fn expand(
        &self,
        value: &str,
        out: &Environment,
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Result<String, DotenvError> {
        struct Names<'a>(&'a Environment, &'a dyn Fn(&str) -> Option<String>);
        impl Lookup for Names<'_> {
            fn value(&self, name: &str) -> Option<String> {
                (self.1)(name).or_else(|| self.0.get(name).cloned())
            }
            fn missing(&mut self, _: &str) {}
        }
        template::substitute(value, &mut Names(out, lookup))
            .map_err(|e: TemplateError| self.error(e.to_string()))
    }
}

fn is_blank(c: char) -> bool {
    matches!(
        c,
        '\t' | '\u{b}' | '\u{c}' | '\r' | ' ' | '\u{85}' | '\u{a0}'
    )
}

/// The escapes of double quotes; `\$` becomes `$$`, which interpolation turns into a dollar sign.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let simple = match chars.peek() {
            Some('a') => Some("\u{7}"),
            Some('b') => Some("\u{8}"),
            Some('f') => Some("\u{c}"),
            Some('n') => Some("\n"),
            Some('r') => Some("\r"),
            Some('t') => Some("\t"),
            Some('v') => Some("\u{b}"),
            Some('"') => Some("\""),
            Some('\\') => Some("\\"),
            Some('$') => Some("$$"),
            _ => None,
        };
        if let Some(simple) = simple {
            chars.next();
            out.push_str(simple);
            continue;
        }
        if chars.peek() == Some(&'0') {
            let digits: String = chars
                .clone()
                .skip(1)
                .take_while(char::is_ascii_digit)
                .take(3)
                .collect();
            if digits.len() == 3
                && let Ok(code) = u32::from_str_radix(&digits, 8)
                && code < 256
                && let Some(c) = char::from_u32(code)
            {
                out.push(c);
                chars.nth(3);
                continue;
            }
        }
        out.push('\\');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, String)>, DotenvError> {
        let mut out = Environment::new();
        parse(text, Format::Compose, &mut out, &|name| {
            (name == "HOST").then(|| "outer".into())
        })?;
        Ok(out.into_iter().collect())
    }

    #[test]
    fn forms_seen_in_real_files() {
        let text = concat!(
            "# comment\n",
            "A=1\n",
            "export B=two words # note\n",
            "C='single $A' # note\n",
            "D=\"double $A \\\"q\\\" \\n\"\n",
            "E: yaml\n",
            "F=\n",
            "G=${A}-${Z:-z}\n",
            "HOST\n",
            "NOPE\n",
            "I= spaced \n",
            "J=a#b\n",
            "K=\"multi\nline\"\n",
            "L=\\$A\n",
            "M=\"\\$A\"\r\n",
            "N= # text\n",
            "HOST2=$HOST",
        );
        let want = [
            ("A", "1"),
            ("B", "two words"),
            ("C", "single $A"),
            ("D", "double 1 \"q\" \n"),
            ("E", "yaml"),
            ("F", ""),
            ("G", "1-z"),
            ("HOST", "outer"),
            ("HOST2", "outer"),
            ("I", "spaced"),
            ("J", "a#b"),
            ("K", "multi\nline"),
            ("L", "\\1"),
            ("M", "$A"),
            ("N", "# text"),
        ];
        let want: Vec<_> = want
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        assert_eq!(read(text).unwrap(), want);
    }

    #[test]
    fn errors_name_their_line() {
        assert_eq!(read("A=1\nB=\"x\n").unwrap_err().line, 2);
        assert_eq!(read("\n\nA B=1\n").unwrap_err().line, 3);
        assert_eq!(read("A=1\n!x=2\n").unwrap_err().line, 2);
    }

    #[test]
    fn raw_files_keep_quotes_and_dollars() {
        let mut out = Environment::new();
        parse("A=\"$X\" # y\n", Format::Raw, &mut out, &|_| None).unwrap();
        assert_eq!(out["A"], "\"$X\" # y");
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(text in "[A-B=:'\"$\\\\ #\n{}é]{0,60}") {
            let _ = read(&text);
        }
    }
}
