//! Which files are meant, when nobody says: `COMPOSE_FILE`, the usual names here and above, `.env`.

use std::path::{Path, PathBuf};

use phoenix_source::{Diagnostic, SourceMap, Span};

use crate::files::Files;
use crate::{Environment, dotenv, paths};

/// Names looked for, best first.
pub const DEFAULT_FILES: [&str; 4] = [
    "compose.yaml",
    "compose.yml",
    "docker-compose.yml",
    "docker-compose.yaml",
];
/// Names of a file merged on top of the default one.
pub const OVERRIDE_FILES: [&str; 4] = [
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
];

/// What to load, and with which variables.
#[derive(Debug, Clone)]
pub struct Discovered {
    /// Absolute; `-` for standard input. Empty where there is no project.
    pub files: Vec<PathBuf>,
    /// Absolute.
    pub directory: PathBuf,
    /// The process's environment over `.env`.
    pub environment: Environment,
    pub warnings: Vec<Diagnostic>,
}

/// Finds a project as `docker compose` does.
///
/// `start` is the current directory, `given` and `directory` come from `-f` and
/// `--project-directory`, `env_files` from `--env-file`. Values of `environment` win over files.
pub fn discover(
    files: &dyn Files,
    sources: &mut SourceMap,
    start: &Path,
    given: &[PathBuf],
    directory: Option<&Path>,
    env_files: &[PathBuf],
    environment: &Environment,
) -> Result<Discovered, Box<Diagnostic>> {
    let absolute = |path: &Path| {
        if path == Path::new("-") {
            path.to_owned()
        } else {
            paths::join(start, &path.to_string_lossy())
        }
    };
    let mut found = Discovered {
        files: given.iter().map(|f| absolute(f)).collect(),
        directory: PathBuf::new(),
        environment: environment.clone(),
        warnings: Vec::new(),
    };
    let fixed = directory.map(absolute);
    let working_directory = |found: &Discovered| {
        fixed.clone().unwrap_or_else(|| {
            let first = found.files.iter().find(|f| f.as_path() != Path::new("-"));
            first.and_then(|f| f.parent()).unwrap_or(start).to_owned()
        })
    };
    let env_files: Vec<PathBuf> = if !env_files.is_empty() {
        env_files.iter().map(|f| absolute(f)).collect()
    } else {
        let named = environment
            .get("COMPOSE_ENV_FILES")
            .map(String::as_str)
            .unwrap_or_default();
        named
            .split(',')
            .filter(|f| !f.is_empty())
            .map(|f| absolute(Path::new(f)))
            .collect()
    };
    read_env(files, sources, &mut found, &working_directory, &env_files)?;
    if found.files.is_empty()
        && let Some(list) = found.environment.get("COMPOSE_FILE")
    {
        let separator = found
            .environment
            .get("COMPOSE_PATH_SEPARATOR")
            .map_or(":", String::as_str);
        let separator = if separator.is_empty() { ":" } else { separator };
        found.files = list
            .split(separator)
            .map(|f| absolute(Path::new(f)))
            .collect();
    }
    if found.files.is_empty() {
        default_files(files, fixed.as_deref().unwrap_or(start), &mut found);
    }
    // The file may stand above: its directory's `.env` counts too.
    read_env(files, sources, &mut found, &working_directory, &env_files)?;
    found.directory = working_directory(&found);
    Ok(found)
}

fn default_files(files: &dyn Files, start: &Path, found: &mut Discovered) {
    for directory in start.ancestors() {
        let present = |names: &[&str]| -> Vec<PathBuf> {
            names
                .iter()
                .map(|n| directory.join(n))
                .filter(|p| files.exists(p))
                .collect()
        };
        let candidates = present(&DEFAULT_FILES);
        let Some(first) = candidates.first() else {
            continue;
        };
        if candidates.len() > 1 {
            let names: Vec<_> = candidates.iter().map(|c| c.display().to_string()).collect();
            found.warnings.push(
                Diagnostic::warning(format!("several compose files: {}", names.join(", "))).help(
                    format!("using {}; choose another with `-f`", first.display()),
                ),
            );
        }
        found.files.push(first.clone());
        found
            .files
            .extend(present(&OVERRIDE_FILES).into_iter().next());
        return;
    }
}

fn read_env(
    files: &dyn Files,
    sources: &mut SourceMap,
    found: &mut Discovered,
    directory: &dyn Fn(&Discovered) -> PathBuf,
    given: &[PathBuf],
) -> Result<(), Box<Diagnostic>> {
    let default = directory(found).join(".env");
    let list = if !given.is_empty() {
        given.to_vec()
    } else if found
        .environment
        .get("COMPOSE_DISABLE_ENV_FILE")
        .is_some_and(|v| v == "1" || v == "true")
    {
        Vec::new()
    } else if files.exists(&default) && !files.is_dir(&default) {
        vec![default]
    } else {
        Vec::new()
    };
    let mut variables = Environment::new();
    for path in list {
        let bytes = files.read(&path).map_err(|error| {
            Box::new(
                Diagnostic::error(format!(
                    "the env file {} cannot be read: {error}",
                    path.display()
                ))
                .help("check the path after `--env-file`"),
            )
        })?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let outer = found.environment.clone();
        dotenv::parse(&text, dotenv::Format::Compose, &mut variables, &|name| {
            outer.get(name).cloned()
        })
        .map_err(|error| {
            let id = sources.add(&path, text.clone());
            let range = sources.file(id).line_range(error.line - 1);
            Box::new(Diagnostic::error(error.message).at(Span::new(id, range.start, range.end)))
        })?;
    }
    for (name, value) in variables {
        found.environment.entry(name).or_insert(value);
    }
    Ok(())
}
