//! Signal names → numbers, as Linux counts them.

/// `SIGTERM`, `TERM`, `15`; `None` for something else.
pub(crate) fn number(name: &str) -> Option<i32> {
    if let Ok(number) = name.parse() {
        return (1..=64).contains(&number).then_some(number);
    }
    let upper = name.to_ascii_uppercase();
    let short = upper.strip_prefix("SIG").unwrap_or(&upper);
    const NAMES: [&str; 31] = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
        "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
        "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
    ];
    if let Some(at) = NAMES.iter().position(|n| *n == short) {
        return Some(at as i32 + 1);
    }
    match short.strip_prefix("RTMIN") {
        Some("") => Some(34),
        Some(rest) => rest
            .parse::<i32>()
            .ok()
            .map(|n| 34 + n)
            .filter(|n| *n <= 64),
        None => short.strip_prefix("RTMAX").and_then(|rest| match rest {
            "" => Some(64),
            rest => rest.parse::<i32>().ok().map(|n| 64 + n),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn names_and_numbers() {
        for (name, n) in [
            ("SIGTERM", 15),
            ("term", 15),
            ("9", 9),
            ("SIGQUIT", 3),
            ("SIGUSR1", 10),
            ("RTMIN+3", 37),
            ("SIGRTMAX", 64),
        ] {
            assert_eq!(number(name), Some(n), "{name}");
        }
        assert_eq!(number("SIGNOPE"), None);
        assert_eq!(number("99"), None);
    }
}
