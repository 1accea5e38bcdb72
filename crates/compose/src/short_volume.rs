//! `[SOURCE:]TARGET[:OPTIONS]`.

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ShortVolume {
    /// `bind` or `volume`.
    pub(crate) kind: &'static str,
    pub(crate) source: String,
    pub(crate) target: String,
    pub(crate) read_only: bool,
    pub(crate) nocopy: bool,
    pub(crate) propagation: Option<String>,
    pub(crate) selinux: Option<String>,
}

/// Reads a short form without knowing the platform; options that nobody knows are dropped, as
/// Compose drops them.
pub(crate) fn parse(spec: &str) -> Result<ShortVolume, String> {
    let mut volume = ShortVolume {
        kind: "volume",
        ..ShortVolume::default()
    };
    if spec.is_empty() {
        return Err("an empty string is not a volume".into());
    }
    if spec.len() <= 2 {
        volume.target = spec.to_owned();
        return Ok(volume);
    }
    let parts = sections(spec);
    if parts.iter().any(|p| p.is_empty()) {
        return Err(format!("`{spec}` has an empty section between colons"));
    }
    match parts.as_slice() {
        [target] => volume.target = (*target).to_owned(),
        [source, target, options @ ..] => {
            volume.source = (*source).to_owned();
            volume.target = (*target).to_owned();
            match options {
                [] => {}
                [options] => {
                    for option in options.split(',') {
                        match option {
                            "ro" => volume.read_only = true,
                            "rw" => volume.read_only = false,
                            "nocopy" => volume.nocopy = true,
                            "z" | "Z" => volume.selinux = Some(option.to_owned()),
                            "private" | "rprivate" | "shared" | "rshared" | "slave" | "rslave" => {
                                volume.propagation = Some(option.to_owned());
                            }
                            _ => {}
                        }
                    }
                }
                _ => return Err(format!("`{spec}` has too many colons")),
            }
        }
        [] => {}
    }
    if is_path(&volume.source) {
        volume.kind = "bind";
    }
    Ok(volume)
}

/// Splits at colons, but not after a drive letter and not inside `${…}`.
fn sections(spec: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut braces) = (0, 0usize);
    let bytes = spec.as_bytes();
    for (at, c) in spec.char_indices() {
        match c {
            '$' if bytes.get(at + 1) == Some(&b'{') => braces += 1,
            '}' if braces > 0 => braces -= 1,
            ':' if braces == 0 => {
                let section = &spec[start..at];
                let drive =
                    section.chars().count() == 1 && section.chars().all(char::is_alphabetic);
                if !drive {
                    parts.push(section);
                    start = at + 1;
                }
            }
            _ => {}
        }
    }
    parts.push(&spec[start..]);
    parts
}

/// Whether a source names a place in the file system and not a volume.
pub(crate) fn is_path(source: &str) -> bool {
    let mut chars = source.chars();
    match chars.next() {
        Some('.' | '/' | '~') => true,
        Some('\\') => source.starts_with(r"\\"),
        Some(c) => c.is_alphabetic() && chars.next() == Some(':'),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_short_form() {
        let volume = |spec| parse(spec).unwrap();
        assert_eq!(
            (volume("/data").kind, volume("/data").target.as_str()),
            ("volume", "/data")
        );
        let v = volume("db:/var/lib:ro,nocopy,z");
        assert_eq!(
            (
                v.kind,
                v.source.as_str(),
                v.read_only,
                v.nocopy,
                v.selinux.as_deref()
            ),
            ("volume", "db", true, true, Some("z"))
        );
        let v = volume("./x:/y:rslave,cached");
        assert_eq!(
            (v.kind, v.source.as_str(), v.propagation.as_deref()),
            ("bind", "./x", Some("rslave"))
        );
        let v = volume("C:\\x:/y");
        assert_eq!(
            (v.kind, v.source.as_str(), v.target.as_str()),
            ("bind", "C:\\x", "/y")
        );
        let v = volume("${A:-./x}:/y");
        assert_eq!((v.source.as_str(), v.target.as_str()), ("${A:-./x}", "/y"));
        for spec in ["", ":::", "ab::b", "ab:bc:cd:de", ":/x"] {
            assert!(parse(spec).is_err(), "{spec}");
        }
    }
}
