//! Relative paths of a compose file that moves two directories down.

use phoenix_compose::{Node, Value as Yaml};
use phoenix_source::{Edit, Span};

use crate::edit_compose::Document;
use crate::inputs::Inputs;

/// From `infra/podman` to the project's root.
const UP: &str = "../..";

/// Edits that make every relative path mean the same from there, and the paths that cannot be.
pub(crate) fn edits(inputs: &Inputs<'_>, document: &Document) -> (Vec<Edit>, Vec<Span>) {
    let mut rebase = Rebase {
        inputs,
        edits: Vec::new(),
        unclear: Vec::new(),
    };
    let tree = &document.tree;
    for (name, service) in entries(tree.get("services")) {
        rebase.service(name, service);
    }
    for section in ["secrets", "configs"] {
        for (_, object) in entries(tree.get(section)) {
            rebase.path(object.get("file"));
        }
    }
    for (name, volume) in entries(tree.get("volumes")) {
        let bind = inputs.project.volumes.get(name).is_some_and(|v| {
            v.driver == "local" && v.driver_opts.get("o").is_some_and(|o| o == "bind")
        });
        if bind {
            rebase.path(volume.at(["driver_opts", "device"]));
        }
    }
    for include in items(tree.get("include")) {
        if include.as_str().is_some() {
            rebase.path(Some(include));
        }
        for key in ["path", "env_file"] {
            rebase.one_or_many(include.get(key));
        }
        rebase.path(include.get("project_directory"));
    }
    (rebase.edits, rebase.unclear)
}

fn entries(node: Option<&Node>) -> impl Iterator<Item = (&String, &Node)> {
    node.and_then(Node::as_map)
        .into_iter()
        .flatten()
        .map(|(k, e)| (k, &e.node))
}

fn items(node: Option<&Node>) -> &[Node] {
    node.and_then(Node::as_list).unwrap_or_default()
}

struct Rebase<'a> {
    inputs: &'a Inputs<'a>,
    edits: Vec<Edit>,
    unclear: Vec<Span>,
}

impl Rebase<'_> {
    fn service(&mut self, name: &str, service: &Node) {
        match service.get("build") {
            Some(build) if build.as_map().is_some() => {
                self.context(build.get("context"));
                for (_, context) in entries(build.get("additional_contexts")) {
                    self.context(Some(context));
                }
            }
            // One whose recipe is converted is written anew, with the recipe's place.
            Some(build) if !self.inputs.converts(name) => self.context(Some(build)),
            _ => {}
        }
        if let Some(extends) = service.get("extends") {
            self.path(extends.get("file"));
        }
        match service.get("env_file") {
            Some(node) if node.as_str().is_some() => self.path(Some(node)),
            node => {
                for item in items(node) {
                    self.path(if item.as_str().is_some() {
                        Some(item)
                    } else {
                        item.get("path")
                    });
                }
            }
        }
        self.one_or_many(service.get("label_file"));
        for watch in items(service.at(["develop", "watch"])) {
            self.path(watch.get("path"));
        }
        for volume in items(service.get("volumes")) {
            match &volume.value {
                Yaml::String(text) => {
                    // What the variables come to decides whether it is a path at all.
                    let resolved = self
                        .resolved_source(name, volume)
                        .unwrap_or_else(|| text.clone());
                    if resolved.starts_with('/')
                        && (text.starts_with('.') || text.contains(":-.") || text.contains("-."))
                    {
                        self.path(Some(volume));
                    }
                }
                _ if volume.get("type").and_then(Node::as_str) == Some("bind") => {
                    self.path(volume.get("source"))
                }
                _ => {}
            }
        }
    }

    /// The source of a mount after interpolation, found by where it was written.
    fn resolved_source(&self, service: &str, volume: &Node) -> Option<String> {
        let list = self
            .inputs
            .project
            .tree()
            .at(["services", service, "volumes"])?
            .as_list()?;
        let found = list.iter().find(|v| v.origin == volume.origin)?;
        found.get("source").and_then(Node::scalar_text)
    }

    fn one_or_many(&mut self, node: Option<&Node>) {
        match node {
            Some(node) if node.as_str().is_some() => self.path(Some(node)),
            node => {
                for item in items(node) {
                    self.path(Some(item));
                }
            }
        }
    }

    fn context(&mut self, node: Option<&Node>) {
        let remote = ["://", "git@", "github.com/", "service:"];
        if node
            .and_then(Node::as_str)
            .is_some_and(|t| remote.iter().any(|r| t.contains(r)))
        {
            return;
        }
        self.path(node);
    }

    fn path(&mut self, node: Option<&Node>) {
        let Some(node) = node.filter(|n| n.as_str().is_some()) else {
            return;
        };
        let (span, text) = self.inputs.inner(node.origin);
        if text.starts_with(['/', '~']) {
            return;
        }
        // A variable in front: its default can be rebased, its value cannot be known.
        if text.starts_with('$') {
            let default = text
                .find(":-")
                .map(|at| at + 2)
                .or_else(|| text.find('-').map(|at| at + 1));
            match default.filter(|_| text.starts_with("${")) {
                Some(at) if text[at..].starts_with('.') => self.relative(Span {
                    start: span.start + at as u32,
                    ..span
                }),
                Some(at) if text[at..].starts_with(['/', '~']) => {}
                _ => self.unclear.push(span),
            }
            return;
        }
        self.relative(span);
    }

    fn relative(&mut self, span: Span) {
        let text = self.inputs.sources.text(span);
        let file = span.file;
        let start = span.start as usize;
        let ends = |rest: &str| rest.is_empty() || rest.starts_with([':', '}']);
        let edit = if let Some(rest) = text.strip_prefix("./") {
            let lead = if ends(rest) {
                UP.to_owned()
            } else {
                format!("{UP}/")
            };
            Edit::replace(Span::new(file, start, start + 2), lead)
        } else if text.strip_prefix('.').is_some_and(ends) {
            Edit::replace(Span::new(file, start, start + 1), UP)
        } else {
            Edit::insert(file, start, format!("{UP}/"))
        };
        if !self.edits.contains(&edit) {
            self.edits.push(edit);
        }
    }
}
