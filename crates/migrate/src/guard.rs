//! Nothing but what was meant: the migrated file is loaded and compared with the original.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use phoenix_compose::{Files, Options, Project};
use phoenix_source::render;
use serde_json::Value;

/// Files in memory over others.
pub(crate) struct Overlay<'a> {
    pub(crate) below: &'a dyn Files,
    pub(crate) files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Files for Overlay<'_> {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        match self.files.get(path) {
            Some(bytes) => Ok(bytes.clone()),
            None => self.below.read(path),
        }
    }

    fn exists(&self, path: &Path) -> bool {
        self.files.contains_key(path) || self.below.exists(path)
    }

    fn is_dir(&self, path: &Path) -> bool {
        !self.files.contains_key(path) && self.below.is_dir(path)
    }

    fn resolve(&self, path: &Path) -> PathBuf {
        self.below.resolve(path)
    }
}

/// Loads the migrated files; what differs from the original at another route than `allowed` is the
/// error.
pub(crate) fn check(
    original: &Project,
    files: &dyn Files,
    migrated: &[(PathBuf, String)],
    directory: &Path,
    allowed: &[String],
) -> Result<(), String> {
    let overlay = Overlay {
        below: files,
        files: migrated
            .iter()
            .map(|(path, text)| (path.clone(), text.clone().into_bytes()))
            .collect(),
    };
    let options = Options {
        files: migrated.iter().map(|(path, _)| path.clone()).collect(),
        directory: directory.to_owned(),
        environment: original.environment.clone(),
        name: None,
        profiles: vec!["*".into()],
        stdin: None,
        skip_env_files: false,
    };
    // The name is the file's own matter there.
    let mut options = options;
    options.environment.remove("COMPOSE_PROJECT_NAME");
    let loaded = phoenix_compose::load(&overlay, &options).map_err(|failure| {
        let texts: Vec<String> = failure
            .errors
            .iter()
            .map(|e| render::to_text(e, &failure.sources, false))
            .collect();
        format!("the migrated file does not load: {}", texts.join("\n"))
    })?;
    let value = |project: &Project| {
        serde_json::from_str::<Value>(&phoenix_compose::to_json(project)).unwrap_or_default()
    };
    let mut found = Vec::new();
    differences(&value(original), &value(&loaded.project), "", &mut found);
    found.retain(|route| {
        !allowed.iter().any(|a| {
            route == a
                || route
                    .strip_prefix(a.as_str())
                    .is_some_and(|rest| rest.starts_with('.'))
        })
    });
    match found.first() {
        None => Ok(()),
        Some(route) => Err(format!("`{route}` would change, and nothing meant it to")),
    }
}

fn differences(a: &Value, b: &Value, route: &str, found: &mut Vec<String>) {
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => {
            for key in x.keys().chain(y.keys().filter(|k| !x.contains_key(*k))) {
                let route = if route.is_empty() {
                    key.clone()
                } else {
                    format!("{route}.{key}")
                };
                match (x.get(key), y.get(key)) {
                    (Some(x), Some(y)) => differences(x, y, &route, found),
                    _ => found.push(route),
                }
            }
        }
        (a, b) if a == b => {}
        _ => found.push(route.to_owned()),
    }
}
