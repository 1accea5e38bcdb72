//! The stages in order: files in, a [`Project`] out.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use phoenix_source::{Diagnostic, SourceMap, Span};

use crate::bind::Field;
use crate::extends::Services;
use crate::files::Files;
use crate::node::{Map, Node, Route, Value};
use crate::project::Project;
use crate::{
    Environment, canonical, consistency, interpolate, merge, normalize, paths, schema, unique, yaml,
};

/// What to load.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Absolute, lowest first; `-` for [`Options::stdin`].
    pub files: Vec<PathBuf>,
    /// Absolute; what relative paths are relative to.
    pub directory: PathBuf,
    /// What variables are filled from.
    pub environment: Environment,
    /// `--project-name`.
    pub name: Option<String>,
    /// Active profiles; `*` for all.
    pub profiles: Vec<String>,
    pub stdin: Option<String>,
    /// Leave `env_file` and `label_file` unread.
    pub skip_env_files: bool,
}

/// A project, what was read for it, and what is worth knowing.
#[derive(Debug)]
pub struct Loaded {
    pub project: Project,
    pub sources: SourceMap,
    pub warnings: Vec<Diagnostic>,
}

/// Why there is no project. The sources show the places.
#[derive(Debug)]
pub struct LoadFailure {
    pub errors: Vec<Diagnostic>,
    pub sources: SourceMap,
    pub warnings: Vec<Diagnostic>,
}

/// State of one load.
pub(crate) struct Loader<'a> {
    pub(crate) files: &'a dyn Files,
    pub(crate) sources: SourceMap,
    pub(crate) warnings: Vec<Diagnostic>,
    pub(crate) home: Option<String>,
    pub(crate) extended_files: HashMap<PathBuf, Services>,
    stdin: Option<String>,
    errors: Vec<Diagnostic>,
}

/// Loads a project; the errors are those of the first stage that has any.
pub fn load(files: &dyn Files, options: &Options) -> Result<Loaded, Box<LoadFailure>> {
    let mut loader = Loader {
        files,
        sources: SourceMap::new(),
        warnings: Vec::new(),
        home: options.environment.get("HOME").cloned(),
        extended_files: HashMap::new(),
        stdin: options.stdin.clone(),
        errors: Vec::new(),
    };
    match loader.project(options) {
        Ok(project) if loader.errors.is_empty() => Ok(Loaded {
            project,
            sources: loader.sources,
            warnings: loader.warnings,
        }),
        result => {
            let mut errors = loader.errors;
            errors.extend(result.err().map(|e| *e));
            Err(Box::new(LoadFailure {
                errors,
                sources: loader.sources,
                warnings: loader.warnings,
            }))
        }
    }
}

impl Loader<'_> {
    fn project(&mut self, options: &Options) -> Result<Project, Box<Diagnostic>> {
        if options.files.is_empty() {
            return Err(Box::new(
                Diagnostic::error(format!(
                    "no compose file in {} or above it",
                    options.directory.display()
                ))
                .help("go to a project's directory, or name a file with `-f`"),
            ));
        }
        let mut environment = options.environment.clone();
        let name = self.name(options, &environment)?;
        environment.insert("COMPOSE_PROJECT_NAME".into(), name.clone());

        let mut tree = self.model(&options.files, &options.directory, &environment, &[], None)?;
        if tree.as_map().is_none_or(Map::is_empty) {
            return Err(Box::new(
                Diagnostic::error("the compose file is empty")
                    .at(tree.origin)
                    .help("write at least `services:` with one service"),
            ));
        }
        normalize::normalize(&mut tree, &name, &environment);
        let mut project = bind(tree, options, name, environment)?;
        let problems = consistency::check(&project);
        if !problems.is_empty() {
            self.errors.extend(problems);
            return Ok(project);
        }
        if !options.skip_env_files {
            self.resolve_files(&mut project)?;
        }
        Ok(project)
    }

    /// The merged tree of one set of files: the whole project, or one that is included.
    pub(crate) fn model(
        &mut self,
        files: &[PathBuf],
        directory: &Path,
        environment: &Environment,
        including: &[PathBuf],
        from: Option<Span>,
    ) -> Result<Node, Box<Diagnostic>> {
        let mut merged: Option<Node> = None;
        for file in files {
            for mut tree in self.read(file, from)? {
                if tree.as_map().is_none() {
                    return Err(Box::new(
                        Diagnostic::error(format!(
                            "a compose file is a mapping, and this is {}",
                            tree.kind()
                        ))
                        .at(tree.origin)
                        .help("write at least `services:` with one service"),
                    ));
                }
                let tagged = merge::take_tags(&mut tree);
                interpolate::interpolate(&mut tree, environment, &mut self.warnings)?;
                self.apply_extends(&mut tree, &tagged, file, directory, environment)?;
                if let Some(below) = &mut merged {
                    merge::drop_routes(below, &tagged);
                }
                let mut chain = including.to_vec();
                chain.push(file.clone());
                self.apply_include(&mut tree, directory, environment, &chain)?;
                let mut tree = match merged.take() {
                    Some(below) => merge::merge(below, tree)?,
                    None => tree,
                };
                // A repeated entry within one file is replaced before anybody could complain.
                unique::enforce(&mut tree)?;
                self.validate(&mut tree)?;
                canonical::canonical(&mut tree)?;
                drop_empty_dns(&mut tree);
                // Long forms show repetitions that short ones hid.
                unique::enforce(&mut tree)?;
                merged = Some(tree);
            }
        }
        let at = from.or_else(|| {
            self.sources
                .iter()
                .last()
                .map(|(id, _)| Span::new(id, 0, 0))
        });
        let mut tree = match (merged, at) {
            (Some(tree), _) => tree,
            (None, Some(at)) => Node::new(Value::Map(Map::new()), at),
            (None, None) => return Err(Box::new(Diagnostic::error("nothing to load"))),
        };
        canonical::defaults(&mut tree);
        exclusive(&tree)?;
        let bases = paths::Bases {
            directory,
            home: self.home.as_deref(),
            files: self.files,
        };
        paths::resolve(&mut tree, &bases)?;
        from_environment(&mut tree, environment);
        Ok(tree)
    }

    fn validate(&mut self, tree: &mut Node) -> Result<(), Box<Diagnostic>> {
        let mut problems = schema::validate(tree);
        if let Some(version) = tree.as_map().and_then(|m| m.get("version")) {
            let message = "the key `version` is obsolete and ignored";
            if problems.is_empty() && self.warnings.iter().all(|w| w.message != message) {
                self.warnings.push(
                    Diagnostic::warning(message)
                        .at(version.key)
                        .help("remove the line"),
                );
            }
            tree.remove("version");
        }
        match problems.pop() {
            None => Ok(()),
            Some(last) => {
                self.errors.append(&mut problems);
                Err(Box::new(last))
            }
        }
    }

    /// The documents of a file.
    pub(crate) fn read(
        &mut self,
        path: &Path,
        from: Option<Span>,
    ) -> Result<Vec<Node>, Box<Diagnostic>> {
        let text = if path == Path::new("-") {
            self.stdin.clone().unwrap_or_default()
        } else {
            self.text(path, from, "compose file")?
        };
        let id = self.sources.add(
            if path == Path::new("-") {
                Path::new("<stdin>")
            } else {
                path
            },
            text.clone(),
        );
        yaml::parse(&text, id)
    }

    /// A file's text; `what` it is and `from` where it is named make the message.
    pub(crate) fn text(
        &self,
        path: &Path,
        from: Option<Span>,
        what: &str,
    ) -> Result<String, Box<Diagnostic>> {
        let fail = |message: String, help: &str| {
            let mut diagnostic = Diagnostic::error(message).help(help);
            diagnostic.span = from;
            Box::new(diagnostic)
        };
        if self.files.is_dir(path) {
            return Err(fail(
                format!("the {what} {} is a directory", path.display()),
                "name a file in it",
            ));
        }
        let bytes = self.files.read(path).map_err(|error| {
            let help = if error.kind() == std::io::ErrorKind::NotFound {
                "check the path; it is relative to the project's directory"
            } else {
                "check its permissions"
            };
            let why = if error.kind() == std::io::ErrorKind::NotFound {
                "does not exist".to_owned()
            } else {
                format!("cannot be read: {error}")
            };
            fail(format!("the {what} {} {why}", path.display()), help)
        })?;
        String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let line = error.as_bytes()[..at]
                .iter()
                .filter(|&&b| b == b'\n')
                .count()
                + 1;
            let column = at
                - error.as_bytes()[..at]
                    .iter()
                    .rposition(|&b| b == b'\n')
                    .map_or(0, |n| n + 1)
                + 1;
            fail(
                format!("the {what} {}:{line}:{column} is not UTF-8", path.display()),
                "save it as UTF-8",
            )
        })
    }

    /// `--project-name`, `COMPOSE_PROJECT_NAME`, `name:` (of the last file that has one), the directory.
    fn name(
        &mut self,
        options: &Options,
        environment: &Environment,
    ) -> Result<String, Box<Diagnostic>> {
        let given = options
            .name
            .as_ref()
            .or_else(|| environment.get("COMPOSE_PROJECT_NAME"));
        if let Some(name) = given.filter(|n| !n.is_empty()) {
            return if normal_name(name) == *name {
                Ok(name.clone())
            } else {
                Err(Box::new(
                    Diagnostic::error(format!("`{name}` cannot be a project's name")).help(
                        "use small letters, digits, `-` and `_`, beginning with a letter or digit",
                    ),
                ))
            };
        }
        let mut name = String::new();
        for file in &options.files {
            // A broken file is reported when it is loaded.
            let Ok(text) = (if file == Path::new("-") {
                Ok(self.stdin.clone().unwrap_or_default())
            } else {
                self.text(file, None, "compose file")
            }) else {
                continue;
            };
            if !text.contains("name") {
                continue;
            }
            let mut scratch = SourceMap::new();
            let id = scratch.add(file, "");
            for mut tree in yaml::parse(&text, id).unwrap_or_default() {
                if let Some(node) = tree.get_mut("name")
                    && interpolate::interpolate(node, environment, &mut Vec::new()).is_ok()
                    && let Some(text) = node.as_str().filter(|t| !t.is_empty())
                {
                    name = normal_name(text);
                }
            }
        }
        if name.is_empty() {
            let directory = options
                .directory
                .file_name()
                .map(|n| n.to_string_lossy().into_owned());
            name = normal_name(&directory.unwrap_or_default());
        }
        if name.is_empty() {
            return Err(Box::new(Diagnostic::error("the project has no name").help(
                "give it one: `name:` in the compose file, or `--project-name`",
            )));
        }
        Ok(name)
    }
}

/// A name with what may not be in one left out.
fn normal_name(name: &str) -> String {
    let kept: String = name
        .to_lowercase()
        .chars()
        .filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-'))
        .collect();
    kept.trim_start_matches(['_', '-']).to_owned()
}

fn drop_empty_dns(tree: &mut Node) {
    let Some(services) = tree.get_mut("services").and_then(Node::as_map_mut) else {
        return;
    };
    for entry in services.values_mut() {
        if let Some(Value::List(list)) = entry.node.get_mut("dns").map(|n| &mut n.value) {
            list.retain(|n| !n.is_null() && n.as_str() != Some(""));
        }
    }
}

/// Keys that exclude each other.
fn exclusive(tree: &Node) -> Result<(), Box<Diagnostic>> {
    let sections: [(&str, &[&str]); 2] = [
        ("configs", &["file", "environment", "content"]),
        ("secrets", &["file", "environment"]),
    ];
    for (section, keys) in sections {
        for (name, entry) in tree
            .get(section)
            .and_then(Node::as_map)
            .into_iter()
            .flatten()
        {
            let present: Vec<&&str> = keys
                .iter()
                .filter(|k| entry.node.get(k).is_some())
                .collect();
            if present.len() > 1 {
                return Err(Box::new(
                    Diagnostic::error(format!(
                        "`{section}.{name}` has more than one of `{}`",
                        keys.join("`, `")
                    ))
                    .at(entry.node.origin)
                    .help("keep one of them"),
                ));
            }
            let elsewhere =
                entry.node.get("driver").is_some() || entry.node.get("external").is_some();
            if present.is_empty() && !elsewhere {
                return Err(Box::new(
                    Diagnostic::error(format!(
                        "`{section}.{name}` needs one of `{}`",
                        keys.join("`, `")
                    ))
                    .at(entry.key),
                ));
            }
        }
    }
    for (name, entry) in tree
        .get("volumes")
        .and_then(Node::as_map)
        .into_iter()
        .flatten()
    {
        let external = entry
            .node
            .get("external")
            .is_some_and(|e| e.value == Value::Bool(true));
        let other = entry.node.as_map().into_iter().flatten().find(|(key, _)| {
            external && !matches!(key.as_str(), "name" | "external") && !key.starts_with("x-")
        });
        if let Some((key, other)) = other {
            return Err(Box::new(
                Diagnostic::error(format!("the volume `{name}` is external and has `{key}`"))
                    .at(other.key)
                    .help("what exists already cannot be described; remove one of the two"),
            ));
        }
    }
    for (name, entry) in tree
        .get("services")
        .and_then(Node::as_map)
        .into_iter()
        .flatten()
    {
        for port in entry
            .node
            .get("ports")
            .and_then(Node::as_list)
            .unwrap_or_default()
        {
            if let Some(ip) = port.get("host_ip").and_then(Node::as_str)
                && ip.parse::<std::net::IpAddr>().is_err()
            {
                return Err(Box::new(
                    Diagnostic::error(format!("`{ip}` is not an IP address"))
                        .at(port.origin)
                        .here(format!("in the ports of `{name}`")),
                ));
            }
        }
    }
    Ok(())
}

/// Configs take their content from the environment when the project is loaded.
fn from_environment(tree: &mut Node, environment: &Environment) {
    for section in ["configs", "secrets"] {
        let Some(map) = tree.get_mut(section).and_then(Node::as_map_mut) else {
            continue;
        };
        for entry in map.values_mut() {
            let Some(name) = entry.node.get("environment").and_then(Node::as_str) else {
                continue;
            };
            if let Some(value) = environment.get(name) {
                let at = entry.node.origin;
                let content = Node::string(value.clone(), at);
                entry.node.set("content", content);
            }
        }
    }
}

fn bind(
    tree: Node,
    options: &Options,
    name: String,
    environment: Environment,
) -> Result<Project, Box<Diagnostic>> {
    fn section<T: Field + Default>(tree: &Node, key: &str) -> Result<T, Box<Diagnostic>> {
        match tree.get(key).filter(|n| !n.is_null()) {
            Some(node) => T::bind(node, &Route::ROOT.child(key)),
            None => Ok(T::default()),
        }
    }
    let all: std::collections::BTreeMap<String, crate::project::Service> =
        section(&tree, "services")?;
    let active = |profiles: &[String]| {
        profiles.is_empty()
            || options
                .profiles
                .iter()
                .any(|wanted| wanted == "*" || profiles.contains(wanted))
    };
    let (services, disabled_services) = all.into_iter().partition(|(_, s)| active(&s.profiles));
    let extensions = tree
        .as_map()
        .into_iter()
        .flatten()
        .filter(|(key, _)| key.starts_with("x-"))
        .map(|(key, entry)| (key.clone(), entry.node.to_json()))
        .collect();
    Ok(Project {
        name,
        working_dir: options.directory.clone(),
        compose_files: options.files.clone(),
        services,
        disabled_services,
        networks: section(&tree, "networks")?,
        volumes: section(&tree, "volumes")?,
        secrets: section(&tree, "secrets")?,
        configs: section(&tree, "configs")?,
        models: section(&tree, "models")?,
        extensions,
        environment,
        tree,
    })
}
