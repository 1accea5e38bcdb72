//! Relative paths → absolute ones, at the places where Compose resolves them.

use std::path::{Path, PathBuf};

use phoenix_source::Diagnostic;

use crate::files::Files;
use crate::node::{Node, Route, Value};

/// Lexically shortest form, as Go's `path.Clean`.
pub(crate) fn clean(path: &str) -> String {
    if path.is_empty() {
        return path.to_owned();
    }
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(&last) if last != ".." => {
                    parts.pop();
                }
                _ if absolute => {}
                _ => parts.push(".."),
            },
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (absolute, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

/// `base` and `path` as one clean path; an absolute `path` stays.
pub(crate) fn join(base: &Path, path: &str) -> PathBuf {
    if path.starts_with('/') {
        return PathBuf::from(path);
    }
    PathBuf::from(clean(&format!("{}/{path}", base.to_string_lossy())))
}

fn is_windows_absolute(path: &str) -> bool {
    let bytes = path.as_bytes();
    path.starts_with(r"\\")
        || (bytes.len() > 2
            && bytes[0].is_ascii_alphabetic()
            && bytes[1] == b':'
            && matches!(bytes[2], b'\\' | b'/'))
}

/// What relative paths are relative to.
pub(crate) struct Bases<'a> {
    pub(crate) directory: &'a Path,
    /// For `~`.
    pub(crate) home: Option<&'a str>,
    pub(crate) files: &'a dyn Files,
}

impl Bases<'_> {
    fn expand(&self, path: &str) -> String {
        match (path.strip_prefix('~'), self.home) {
            // Only the user's own home: `~name` stays, as in Compose.
            (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => {
                clean(&format!("{home}/{rest}"))
            }
            _ => path.to_owned(),
        }
    }

    fn absolute(&self, path: &str) -> String {
        let path = self.expand(path);
        if path.is_empty() || path.starts_with('/') {
            return path;
        }
        join(self.directory, &path).to_string_lossy().into_owned()
    }

    fn unix(&self, path: &str) -> String {
        let path = self.expand(path);
        if path.starts_with('/') || is_windows_absolute(&path) {
            return path;
        }
        join(self.directory, &path).to_string_lossy().into_owned()
    }

    fn context(&self, path: &str) -> String {
        let remote = [
            "https://",
            "http://",
            "git://",
            "ssh://",
            "github.com/",
            "git@",
            "service:",
        ];
        if path.contains("://") || remote.iter().any(|p| path.starts_with(p)) {
            return path.to_owned();
        }
        self.absolute(path)
    }
}

/// Resolves every path below `node`.
pub(crate) fn resolve(node: &mut Node, bases: &Bases<'_>) -> Result<(), Box<Diagnostic>> {
    walk(node, &Route::ROOT, bases)
}

fn walk(node: &mut Node, route: &Route<'_>, bases: &Bases<'_>) -> Result<(), Box<Diagnostic>> {
    let keys = route.keys();
    let resolver: Option<fn(&Bases<'_>, &str) -> String> = match keys.as_slice() {
        ["services", _, "build", "context"]
        | ["services", _, "build", "additional_contexts", _] => Some(|b, p| b.context(p)),
        ["services", _, "build", "ssh", _] | ["configs" | "secrets", _, "file"] => {
            Some(|b, p| b.unix(p))
        }
        ["services", _, "env_file", _, "path"]
        | ["services", _, "label_file", _]
        | ["services", _, "extends", "file"] => Some(|b, p| b.absolute(p)),
        ["services", _, "develop", "watch", _, "path"] => Some(|bases, path| {
            let path = bases.absolute(path);
            bases
                .files
                .resolve(Path::new(&path))
                .to_string_lossy()
                .into_owned()
        }),
        ["services", _, "volumes", _] if node.as_map().is_some() => {
            return bind_mount(node, bases);
        }
        ["volumes", _] if node.as_map().is_some() => {
            device(node, bases);
            return Ok(());
        }
        _ => None,
    };
    match (&mut node.value, resolver) {
        (Value::String(path), Some(resolver)) => *path = resolver(bases, path),
        (Value::Map(map), _) => {
            for (key, entry) in map {
                walk(&mut entry.node, &route.child(key), bases)?;
            }
        }
        (Value::List(list), _) => {
            for (n, item) in list.iter_mut().enumerate() {
                walk(item, &route.child(&n.to_string()), bases)?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn bind_mount(node: &mut Node, bases: &Bases<'_>) -> Result<(), Box<Diagnostic>> {
    if node.get("type").and_then(Node::as_str) != Some("bind") {
        return Ok(());
    }
    let at = node.origin;
    match node.get_mut("source").map(|n| &mut n.value) {
        Some(Value::String(path)) => {
            *path = bases.unix(path);
            Ok(())
        }
        _ => Err(Box::new(
            Diagnostic::error("a bind mount has no `source`")
                .at(at)
                .help("name the file or directory of the host, or use `type: volume`"),
        )),
    }
}

/// A local volume with `o: bind` is a bind mount in disguise.
fn device(node: &mut Node, bases: &Bases<'_>) {
    if node.get("driver").and_then(Node::as_str) != Some("local") {
        return;
    }
    let Some(options) = node.get_mut("driver_opts") else {
        return;
    };
    if options.get("o").and_then(Node::as_str) != Some("bind") {
        return;
    }
    if let Some(Value::String(path)) = options.get_mut("device").map(|n| &mut n.value) {
        *path = bases.unix(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clean_is_gos() {
        for (path, want) in [
            ("a/../b", "b"),
            ("/..", "/"),
            ("./a//b/", "a/b"),
            ("..", ".."),
            ("../../x", "../../x"),
            ("a/..", "."),
            ("/", "/"),
            (".", "."),
            ("", ""),
        ] {
            assert_eq!(clean(path), want, "{path}");
        }
    }
}
