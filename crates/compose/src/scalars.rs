//! Sizes, durations and modes as Compose writes them.

use serde::{Serialize, Serializer};

/// A size in bytes. Written `512m`, `1.5GiB`, `1024`; a kilobyte is 1024 bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub i64);

impl Bytes {
    pub fn parse(text: &str) -> Option<Self> {
        let end = text.rfind(|c: char| c.is_ascii_digit() || c == '.' || c == ' ')? + 1;
        let (number, unit) = text.split_at(end);
        let number: f64 = number.trim_end_matches(' ').parse().ok()?;
        if number < 0.0 {
            return None;
        }
        let power = match unit.to_ascii_lowercase().as_str() {
            "" | "b" => 0,
            "k" | "kb" | "kib" => 1,
            "m" | "mb" | "mib" => 2,
            "g" | "gb" | "gib" => 3,
            "t" | "tb" | "tib" => 4,
            "p" | "pb" | "pib" => 5,
            _ => return None,
        };
        Some(Self((number * 1024f64.powi(power)) as i64))
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A duration in nanoseconds. Written `1h30m`, `1.5s`, `2d`, `1w`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(pub i64);

impl Duration {
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, mut rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        if rest == "0" {
            return Some(Self(0));
        }
        if rest.is_empty() {
            return None;
        }
        let mut total = 0f64;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
            let number: f64 = rest[..digits].parse().ok()?;
            rest = &rest[digits..];
            let unit_end = rest
                .find(|c: char| c.is_ascii_digit() || c == '.')
                .unwrap_or(rest.len());
            let factor = match &rest[..unit_end] {
                "ns" => 1.0,
                "us" | "µs" | "μs" => 1e3,
                "ms" => 1e6,
                "s" => 1e9,
                "m" => 60e9,
                "h" => 3600e9,
                "d" => 86_400e9,
                "w" => 604_800e9,
                _ => return None,
            };
            total += number * factor;
            rest = &rest[unit_end..];
        }
        if total > i64::MAX as f64 {
            return None;
        }
        let nanos = total.round() as i64;
        Some(Self(if negative { -nanos } else { nanos }))
    }

    pub fn as_std(self) -> std::time::Duration {
        std::time::Duration::from_nanos(u64::try_from(self.0).unwrap_or(0))
    }
}

/// As Go prints durations: `1m30s`, `1.5s`, `100ms`.
impl std::fmt::Display for Duration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let nanos = self.0.unsigned_abs();
        if self.0 < 0 {
            f.write_str("-")?;
        }
        let decimal = |value: u64, unit: u64| {
            let (whole, fraction) = (value / unit, value % unit);
            if fraction == 0 {
                return whole.to_string();
            }
            let width = unit.ilog10() as usize;
            format!(
                "{whole}.{}",
                format!("{fraction:0width$}").trim_end_matches('0')
            )
        };
        match nanos {
            0 => f.write_str("0s"),
            1..1_000 => write!(f, "{nanos}ns"),
            1_000..1_000_000 => write!(f, "{}µs", decimal(nanos, 1_000)),
            1_000_000..1_000_000_000 => write!(f, "{}ms", decimal(nanos, 1_000_000)),
            _ => {
                let minutes = nanos / 60_000_000_000;
                let seconds = decimal(nanos % 60_000_000_000, 1_000_000_000);
                match (minutes / 60, minutes % 60) {
                    (0, 0) => write!(f, "{seconds}s"),
                    (0, minutes) => write!(f, "{minutes}m{seconds}s"),
                    (hours, minutes) => write!(f, "{hours}h{minutes}m{seconds}s"),
                }
            }
        }
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Permission bits. Written `0440` (octal, as a number or a string).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileMode(pub u32);

impl Serialize for FileMode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("0{:o}", self.0))
    }
}

/// Words of a command line as Compose splits them: quotes and backslashes, nothing expanded; an
/// unquoted `;`, `&`, `|`, `<` or `>` ends it.
pub(crate) fn words(text: &str) -> Option<Vec<String>> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let (mut started, mut escaped) = (false, false);
    let (mut single, mut double, mut back, mut dollar) = (false, false, false, false);
    for c in text.chars() {
        if escaped {
            word.push(match c {
                't' => '\t',
                'n' => '\n',
                c => c,
            });
            escaped = false;
            started = true;
            continue;
        }
        if c == '\\' {
            if single {
                word.push(c);
            } else {
                escaped = true;
            }
            continue;
        }
        if matches!(c, ' ' | '\t' | '\r' | '\n') {
            if single || double || back || dollar {
                word.push(c);
            } else if started {
                words.push(std::mem::take(&mut word));
                started = false;
            }
            continue;
        }
        match c {
            '`' if !single && !double && !dollar => back = !back,
            ')' if !single && !double && !back => dollar = !dollar,
            '(' if !single && !double && !back => {
                if dollar || !word.ends_with('$') {
                    return None;
                }
                dollar = true;
            }
            '"' if !single && !dollar => {
                double = !double;
                started = true;
                continue;
            }
            '\'' if !double && !dollar => {
                single = !single;
                started = true;
                continue;
            }
            ';' | '&' | '|' | '<' | '>' if !(single || double || back || dollar) => {
                // `2>` takes the number with it.
                if c == '>' && word.starts_with(|c: char| c.is_ascii_digit()) {
                    started = false;
                }
                break;
            }
            _ => {}
        }
        started = true;
        word.push(c);
    }
    if escaped || single || double || back || dollar {
        return None;
    }
    if started {
        words.push(word);
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("1g", 1 << 30),
            ("1.5GiB", 3 << 29),
            ("10", 10),
            ("64 MB", 64 << 20),
            ("0b", 0),
        ] {
            assert_eq!(Bytes::parse(text), Some(Bytes(bytes)), "{text}");
        }
        for text in ["", "x", "1x", "-1", "1gg"] {
            assert_eq!(Bytes::parse(text), None, "{text}");
        }
    }

    #[test]
    fn durations() {
        for (text, shown) in [
            ("90s", "1m30s"),
            ("1h", "1h0m0s"),
            ("1.5s", "1.5s"),
            ("100ms", "100ms"),
            ("1d", "24h0m0s"),
            ("1w2d", "216h0m0s"),
            ("0", "0s"),
            ("1500us", "1.5ms"),
            ("30s", "30s"),
            ("1m0.25s", "1m0.25s"),
        ] {
            assert_eq!(Duration::parse(text).unwrap().to_string(), shown, "{text}");
        }
        for text in ["", "30", "s", "1x", "1..5s"] {
            assert_eq!(Duration::parse(text), None, "{text}");
        }
    }

    #[test]
    fn command_lines() {
        let split = |text| words(text).map(|w| w.join("|"));
        assert_eq!(
            split("sh -c \"a b\" 'c d' e\\ f").as_deref(),
            Some("sh|-c|a b|c d|e f")
        );
        assert_eq!(split("a; b").as_deref(), Some("a"));
        assert_eq!(split("a \"\" b").as_deref(), Some("a||b"));
        assert_eq!(
            split("echo $(date +%s) x").as_deref(),
            Some("echo|$(date +%s)|x")
        );
        assert_eq!(split("'open"), None);
        assert_eq!(split("(x)"), None);
    }
}
