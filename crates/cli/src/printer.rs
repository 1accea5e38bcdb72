//! What a person sees: results on stdout, the rest on stderr; each in colour where it is a terminal
//! (`NO_COLOR` and `CLICOLOR_FORCE` overrule).

use std::io::{IsTerminal, Write};

use phoenix_source::{Diagnostic, SourceMap, render};

#[derive(Debug)]
pub(crate) struct Printer {
    quiet: bool,
    /// On stderr.
    colour: bool,
    result_colour: bool,
}

impl Printer {
    pub(crate) fn new(quiet: bool) -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
            && std::env::var("TERM").map_or(true, |t| t != "dumb");
        let forced = std::env::var_os("CLICOLOR_FORCE").is_some_and(|v| !v.is_empty() && v != "0");
        Self {
            quiet,
            colour: wanted && (forced || std::io::stderr().is_terminal()),
            result_colour: wanted && (forced || std::io::stdout().is_terminal()),
        }
    }

    /// A result. A reader that went away is no error of ours.
    pub(crate) fn result(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(text.as_bytes());
        if !text.ends_with('\n') {
            let _ = out.write_all(b"\n");
        }
        let _ = out.flush();
    }

    pub(crate) fn json(&self, value: &impl serde::Serialize) {
        self.result(&serde_json::to_string_pretty(value).unwrap_or_default());
    }

    /// Something on the way.
    pub(crate) fn say(&self, text: &str) {
        if !self.quiet {
            self.stderr(text);
        }
    }

    pub(crate) fn warn(&self, text: &str) {
        if !self.quiet {
            self.stderr(&format!("{} {text}", self.paint("warning:", "33;1")));
        }
    }

    pub(crate) fn error(&self, message: &str, help: Option<&str>) {
        self.stderr(&format!("{} {message}", self.paint("error:", "31;1")));
        if let Some(help) = help {
            self.stderr(&format!("{} {help}", self.paint("help:", "36;1")));
        }
    }

    pub(crate) fn diagnostics(&self, list: &[Diagnostic], sources: &SourceMap) {
        for diagnostic in list {
            if self.quiet && diagnostic.severity < phoenix_source::Severity::Error {
                continue;
            }
            self.stderr(&render::to_text(diagnostic, sources, self.colour));
        }
    }

    /// Text for stderr in a colour (an SGR sequence's numbers), where it has colours.
    pub(crate) fn paint(&self, text: &str, sgr: &str) -> String {
        paint(text, sgr, self.colour)
    }

    /// As [`Printer::paint`], for a result.
    pub(crate) fn paint_result(&self, text: &str, sgr: &str) -> String {
        paint(text, sgr, self.result_colour)
    }

    /// Whether results have colours.
    pub(crate) fn result_has_colour(&self) -> bool {
        self.result_colour
    }

    fn stderr(&self, text: &str) {
        let mut err = std::io::stderr().lock();
        let _ = writeln!(err, "{text}");
    }
}

fn paint(text: &str, sgr: &str, colour: bool) -> String {
    if colour {
        format!("\x1b[{sgr}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

/// Columns as wide as what stands in them.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = head.iter().map(|h| h.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut text = String::new();
        for (n, cell) in cells.enumerate() {
            if n > 0 {
                text.push_str("   ");
            }
            text.push_str(cell);
            text.extend(std::iter::repeat_n(' ', widths[n] - cell.chars().count()));
        }
        text.trim_end().to_owned() + "\n"
    };
    let mut out = line(&mut head.iter().copied());
    for row in rows {
        out.push_str(&line(&mut row.iter().map(String::as_str)));
    }
    out
}

/// `3 minutes ago`.
pub(crate) fn ago(seconds: i64) -> String {
    let (number, unit) = match seconds.max(0) {
        0 => return "less than a second ago".into(),
        n @ 1..60 => (n, "second"),
        n @ 60..3600 => (n / 60, "minute"),
        n @ 3600..86_400 => (n / 3600, "hour"),
        n => (n / 86_400, "day"),
    };
    format!("{number} {unit}{} ago", if number == 1 { "" } else { "s" })
}
