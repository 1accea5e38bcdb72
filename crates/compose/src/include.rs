//! `include`: other projects' files, each loaded with its own directory and environment.

use std::path::{Path, PathBuf};

use phoenix_source::{Diagnostic, Span};

use crate::load::Loader;
use crate::node::{Entry, Map, Node, Value};
use crate::{Environment, dotenv, paths};

/// Deepest chain of includes.
const MAX_DEPTH: usize = 32;

struct Include {
    files: Vec<String>,
    env_files: Vec<String>,
    project_directory: Option<String>,
    at: Span,
}

impl Include {
    fn read(node: &Node) -> Result<Self, Box<Diagnostic>> {
        let list = |key: &str| match node.get(key).map(|n| &n.value) {
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::List(list)) => list.iter().filter_map(Node::scalar_text).collect(),
            _ => Vec::new(),
        };
        let include = match &node.value {
            Value::String(path) => Self {
                files: vec![path.clone()],
                env_files: Vec::new(),
                project_directory: None,
                at: node.origin,
            },
            Value::Map(_) => Self {
                files: list("path"),
                env_files: list("env_file"),
                project_directory: node
                    .get("project_directory")
                    .and_then(Node::scalar_text)
                    .filter(|d| !d.is_empty()),
                at: node.origin,
            },
            _ => {
                return Err(Box::new(
                    Diagnostic::error(format!(
                        "an include must be a path or a mapping, and this is {}",
                        node.kind()
                    ))
                    .at(node.origin),
                ));
            }
        };
        Ok(include)
    }
}

impl Loader<'_> {
    /// Loads what the tree includes and adds it to the tree.
    pub(crate) fn apply_include(
        &mut self,
        tree: &mut Node,
        directory: &Path,
        environment: &Environment,
        including: &[PathBuf],
    ) -> Result<(), Box<Diagnostic>> {
        let Some(section) = tree.remove("include") else {
            return Ok(());
        };
        let includes = match &section.value {
            Value::Null => return Ok(()),
            Value::List(list) => list
                .iter()
                .map(Include::read)
                .collect::<Result<Vec<_>, _>>()?,
            _ => {
                return Err(Box::new(
                    Diagnostic::error(format!(
                        "`include` must be a list, and it is {}",
                        section.kind()
                    ))
                    .at(section.origin)
                    .help("write each file as `- path`"),
                ));
            }
        };
        for include in includes {
            let files: Vec<PathBuf> = include
                .files
                .iter()
                .map(|f| paths::join(directory, f))
                .collect();
            let Some(main) = files.first() else { continue };
            if including.contains(main) || including.len() > MAX_DEPTH {
                let chain: Vec<String> =
                    including.iter().map(|f| f.display().to_string()).collect();
                return Err(Box::new(
                    Diagnostic::error(format!(
                        "`include` runs in a circle: {} → {}",
                        chain.join(" → "),
                        main.display()
                    ))
                    .at(include.at)
                    .help("remove one of the includes"),
                ));
            }
            let own = match &include.project_directory {
                Some(directory_) => paths::join(directory, directory_),
                None => main.parent().unwrap_or(Path::new("/")).to_owned(),
            };
            let environment = self.include_environment(&include, directory, &own, environment)?;
            let imported = self.model(&files, &own, &environment, including, Some(include.at))?;
            add(tree, imported, include.at)?;
        }
        Ok(())
    }

    fn include_environment(
        &mut self,
        include: &Include,
        directory: &Path,
        own: &Path,
        environment: &Environment,
    ) -> Result<Environment, Box<Diagnostic>> {
        let files: Vec<PathBuf> = if include.env_files.is_empty() {
            let default = own.join(".env");
            if self.files.exists(&default) && !self.files.is_dir(&default) {
                vec![default]
            } else {
                Vec::new()
            }
        } else {
            include
                .env_files
                .iter()
                .map(|f| paths::join(directory, f))
                .collect()
        };
        let mut found = Environment::new();
        for file in files {
            let text = self.text(&file, Some(include.at), "env file")?;
            let lookup = |name: &str| environment.get(name).cloned();
            let id = self.sources.add(&file, text.clone());
            dotenv::parse(&text, dotenv::Format::Compose, &mut found, &lookup)
                .map_err(|error| Box::new(self.dotenv_error(id, &error)))?;
        }
        found.extend(environment.iter().map(|(k, v)| (k.clone(), v.clone())));
        Ok(found)
    }
}

/// Adds the resources of an included project; the same name with another meaning is an error.
fn add(tree: &mut Node, imported: Node, at: Span) -> Result<(), Box<Diagnostic>> {
    let Value::Map(mut imported) = imported.value else {
        return Ok(());
    };
    for section in [
        "services", "volumes", "networks", "secrets", "configs", "models",
    ] {
        let Some(Value::Map(from)) = imported.shift_remove(section).map(|e| e.node.value) else {
            continue;
        };
        if tree.get(section).is_none_or(Node::is_null) {
            tree.set(section, Node::new(Value::Map(Map::new()), at));
        }
        let Some(to) = tree.get_mut(section).and_then(Node::as_map_mut) else {
            continue;
        };
        for (name, entry) in from {
            match to.get(&name) {
                Some(existing) if existing.node.same(&entry.node) => {}
                Some(Entry { key, .. }) => {
                    return Err(Box::new(
                        Diagnostic::error(format!("`{section}.{name}` is also in an included file, with another meaning"))
                            .at(*key)
                            .label(entry.key, "the included one")
                            .help("rename one of them, or override it in a file that stands beside the included one in `path`"),
                    ));
                }
                None => {
                    to.insert(name, entry);
                }
            }
        }
    }
    Ok(())
}
