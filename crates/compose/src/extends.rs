//! `extends`: a service on top of another one, here or in another file.

use std::path::{Path, PathBuf};

use phoenix_source::{Diagnostic, Span};

use crate::Environment;
use crate::load::Loader;
use crate::merge;
use crate::node::{Map, Node, Value};
use crate::paths;

/// Longest chain of services.
const MAX_CHAIN: usize = 64;

/// A file's services, as they are before `extends`.
#[derive(Clone)]
pub(crate) struct Services {
    pub(crate) map: Map,
    /// Routes tagged `!reset` or `!override` in that file.
    pub(crate) tagged: Vec<Vec<String>>,
    /// For messages and cycles.
    pub(crate) file: PathBuf,
    /// What `extends.file` is relative to.
    pub(crate) directory: PathBuf,
}

impl Loader<'_> {
    /// Resolves every `extends` of a file's tree.
    pub(crate) fn apply_extends(
        &mut self,
        tree: &mut Node,
        tagged: &[Vec<String>],
        file: &Path,
        directory: &Path,
        environment: &Environment,
    ) -> Result<(), Box<Diagnostic>> {
        let Some(map) = tree.get("services").and_then(Node::as_map) else {
            return Ok(());
        };
        if map.values().all(|e| e.node.get("extends").is_none()) {
            return Ok(());
        }
        let services = Services {
            map: map.clone(),
            tagged: tagged.to_vec(),
            file: file.to_owned(),
            directory: directory.to_owned(),
        };
        for name in services.map.keys() {
            let merged = self.extended(name, &services, environment, &mut Vec::new())?;
            if let Some(entry) = tree.get_mut("services").and_then(|s| s.get_mut(name)) {
                *entry = merged;
            }
        }
        Ok(())
    }

    fn extended(
        &mut self,
        name: &str,
        services: &Services,
        environment: &Environment,
        chain: &mut Vec<(PathBuf, String, Span)>,
    ) -> Result<Node, Box<Diagnostic>> {
        let Some(entry) = services.map.get(name) else {
            let at = chain.last().map(|(_, _, at)| *at);
            let message = format!(
                "the service `{name}` that is extended is not in {}",
                services.file.display()
            );
            let mut diagnostic = Diagnostic::error(message);
            diagnostic.span = at;
            return Err(Box::new(diagnostic));
        };
        let service = entry.node.clone();
        let Some(extends) = service.get("extends") else {
            return Ok(service);
        };
        let at = extends.origin;
        let (base_name, base_file) = match &extends.value {
            Value::String(name) => (name.clone(), None),
            Value::Map(_) => {
                let name = extends
                    .get("service")
                    .and_then(Node::as_str)
                    .map(str::to_owned)
                    .ok_or_else(|| {
                        Box::new(
                            Diagnostic::error(format!(
                                "`services.{name}.extends` has no `service`"
                            ))
                            .at(at),
                        )
                    })?;
                (
                    name,
                    extends
                        .get("file")
                        .and_then(Node::as_str)
                        .map(str::to_owned),
                )
            }
            _ => return Ok(service),
        };
        if let Some(first) = chain
            .iter()
            .position(|(file, n, _)| file == &services.file && n == name)
        {
            let steps: Vec<String> = chain[first..]
                .iter()
                .map(|(file, n, _)| format!("`{n}` in {}", file.display()))
                .collect();
            return Err(Box::new(
                Diagnostic::error(format!(
                    "`extends` runs in a circle: {} → `{name}`",
                    steps.join(" → ")
                ))
                .at(at)
                .help("let one of them stand on its own"),
            ));
        }
        if chain.len() >= MAX_CHAIN {
            return Err(Box::new(
                Diagnostic::error(format!("`extends` is more than {MAX_CHAIN} services deep"))
                    .at(at),
            ));
        }
        chain.push((services.file.clone(), name.to_owned(), at));
        let mut base = match base_file {
            None => self.extended(&base_name, services, environment, chain)?,
            Some(file) => {
                let other = self.services_of(&file, services, at, environment)?;
                self.extended(&base_name, &other, environment, chain)?
            }
        };
        chain.pop();
        if base.is_null() {
            return Ok(service);
        }
        // What this file resets below its own service is gone from the base.
        let mine: Vec<Vec<String>> = services
            .tagged
            .iter()
            .filter_map(|route| match route.as_slice() {
                [section, service, rest @ ..]
                    if section == "services" && service == name && !rest.is_empty() =>
                {
                    Some(rest.to_vec())
                }
                _ => None,
            })
            .collect();
        merge::drop_routes(&mut base, &mine);
        let mut merged = merge::merge_service(base, service)?;
        merged.remove("extends");
        Ok(merged)
    }

    /// The services of another file, with its paths resolved from its own directory.
    fn services_of(
        &mut self,
        file: &str,
        from: &Services,
        at: Span,
        environment: &Environment,
    ) -> Result<Services, Box<Diagnostic>> {
        let path = paths::join(&from.directory, file);
        if let Some(known) = self.extended_files.get(&path) {
            return Ok(known.clone());
        }
        let directory = path.parent().unwrap_or(Path::new("/")).to_owned();
        let mut trees = self.read(&path, Some(at))?;
        let mut tagged = Vec::new();
        let mut services = Node::new(Value::Map(Map::new()), at);
        for tree in &mut trees {
            tagged.extend(merge::take_tags(tree));
            crate::interpolate::interpolate(tree, environment, &mut self.warnings)?;
            crate::canonical::canonical(tree)?;
            let bases = paths::Bases {
                directory: &directory,
                home: self.home.as_deref(),
                files: self.files,
            };
            paths::resolve(tree, &bases)?;
            if let Some(section) = tree.remove("services") {
                services = merge::merge(services, section)?;
            }
        }
        let map = match services.value {
            Value::Map(map) => map,
            _ => Map::new(),
        };
        let services = Services {
            map,
            tagged,
            file: path.clone(),
            directory,
        };
        self.extended_files.insert(path, services.clone());
        Ok(services)
    }
}
