//! What rules see: the whole project.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use phoenix_compose::{Files, Loaded, Project};
use phoenix_containerfile::Containerfile;
use phoenix_source::{Diagnostic, FileId, SourceMap, Span};

/// Facts about the host that decide whether something is a finding.
#[derive(Debug, Clone)]
pub struct Facts {
    pub unprivileged_port_start: u16,
    /// Whether the user's services run without a login.
    pub lingering: bool,
    /// Third octet and below of subnets that the host routes already, as (address, prefix length).
    pub routes: Vec<(u32, u32)>,
}

impl Default for Facts {
    fn default() -> Self {
        Self {
            unprivileged_port_start: 1024,
            lingering: true,
            routes: Vec::new(),
        }
    }
}

/// The Dockerfile that a service is built from.
#[derive(Debug, Clone)]
pub struct Recipe {
    pub service: String,
    pub path: PathBuf,
    pub file: FileId,
    /// Why it cannot be read as one.
    pub parsed: Result<Containerfile, Diagnostic>,
    /// The stage that is built, by name.
    pub target: Option<String>,
}

impl Recipe {
    /// The stage that becomes the image.
    pub fn final_stage(&self) -> Option<phoenix_containerfile::Stage<'_>> {
        let mut stages = self.parsed.as_ref().ok()?.stages();
        match &self.target {
            Some(target) => stages
                .into_iter()
                .find(|s| s.from.name.as_deref() == Some(target)),
            None => stages.pop(),
        }
    }

    /// The image that the built stage is from in the end, through stages before it.
    pub fn base(&self) -> Option<String> {
        let parsed = self.parsed.as_ref().ok()?;
        let stages = parsed.stages();
        let mut image = self.final_stage()?.from.image;
        for _ in 0..stages.len() {
            match stages
                .iter()
                .find(|s| s.from.name.as_deref() == Some(image.as_str()))
            {
                Some(earlier) => image = earlier.from.image.clone(),
                None => break,
            }
        }
        Some(image)
    }
}

/// Another text file of the project: a script, a task, a workflow, a page.
#[derive(Debug, Clone)]
pub struct TextFile {
    pub file: FileId,
    /// Prose is reported, not changed.
    pub prose: bool,
}

/// A project with everything around it.
#[derive(Debug)]
pub struct Inputs<'a> {
    pub root: PathBuf,
    pub project: &'a Project,
    pub sources: SourceMap,
    pub recipes: BTreeMap<String, Recipe>,
    pub texts: Vec<TextFile>,
    pub facts: Facts,
}

impl Inputs<'_> {
    pub fn origin(&self, route: &[&str]) -> Option<Span> {
        (1..=route.len())
            .rev()
            .find_map(|n| self.project.origin(route[..n].iter().copied()))
    }

    /// The text of a scalar without its quotes: what an edit of its content replaces.
    pub fn inner(&self, span: Span) -> (Span, &str) {
        let text = self.sources.text(span);
        let quoted = text.len() >= 2
            && (text.starts_with('"') && text.ends_with('"')
                || text.starts_with('\'') && text.ends_with('\''));
        if quoted {
            let span = Span {
                start: span.start + 1,
                end: span.end - 1,
                ..span
            };
            (span, self.sources.text(span))
        } else {
            (span, text)
        }
    }

    /// Whether a service's image is one we write the recipe of.
    pub fn recipe(&self, service: &str) -> Option<&Recipe> {
        self.recipes.get(service).filter(|r| r.parsed.is_ok())
    }

    /// Whether a service's recipe is written anew as a Containerfile.
    pub fn converts(&self, service: &str) -> bool {
        self.recipe(service).is_some()
    }

    /// The image whose habits a service has: its own, or what it is built from.
    pub fn habits(&self, service: &str) -> Option<String> {
        match self.recipes.get(service) {
            Some(recipe) => recipe.base(),
            None => self
                .project
                .services
                .get(service)
                .filter(|s| s.build.is_none())
                .map(|s| s.image.clone()),
        }
    }
}

/// Directories that hold no text of the project.
const SKIPPED: [&str; 8] = [
    ".git",
    "node_modules",
    "target",
    "vendor",
    ".venv",
    "dist",
    "build",
    "infra",
];
/// Largest text file that is looked into, in bytes.
const LARGEST: usize = 512 << 10;

/// Gathers the Dockerfiles and text files around a loaded project.
pub fn read<'a>(
    loaded: &'a Loaded,
    files: &dyn Files,
    list: &dyn Fn(&Path) -> Vec<(PathBuf, bool)>,
    facts: Facts,
) -> Inputs<'a> {
    let root = loaded.project.working_dir.clone();
    let mut inputs = Inputs {
        root: root.clone(),
        project: &loaded.project,
        sources: loaded.sources.clone(),
        recipes: BTreeMap::new(),
        texts: Vec::new(),
        facts,
    };
    for (name, service) in &loaded.project.services {
        let Some(build) = &service.build else {
            continue;
        };
        if build.dockerfile.is_empty()
            || build.context.contains("://")
            || !build.context.starts_with('/')
        {
            continue;
        }
        let path = Path::new(&build.context).join(&build.dockerfile);
        let parsed = if files.is_dir(&path) {
            Err(Diagnostic::error(format!(
                "the Dockerfile {} is a directory",
                path.display()
            )))
        } else {
            match files.read(&path).map(String::from_utf8) {
                Ok(Ok(text)) => {
                    let file = inputs.sources.add(&path, text.clone());
                    let parsed = phoenix_containerfile::parse(&text, file).map_err(|d| *d);
                    let target = Some(build.target.clone()).filter(|t| !t.is_empty());
                    inputs.recipes.insert(
                        name.clone(),
                        Recipe {
                            service: name.clone(),
                            path,
                            file,
                            parsed,
                            target,
                        },
                    );
                    continue;
                }
                Ok(Err(_)) => Err(Diagnostic::error(format!(
                    "the Dockerfile {} is not UTF-8",
                    path.display()
                ))),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(
                    Diagnostic::error(format!("the Dockerfile {} does not exist", path.display())),
                ),
                Err(error) => Err(Diagnostic::error(format!(
                    "the Dockerfile {} cannot be read: {error}",
                    path.display()
                ))),
            }
        };
        let file = inputs.sources.add(&path, "");
        inputs.recipes.insert(
            name.clone(),
            Recipe {
                service: name.clone(),
                path,
                file,
                parsed,
                target: None,
            },
        );
    }
    let mut open = vec![(root, 0)];
    while let Some((directory, depth)) = open.pop() {
        let mut entries = list(&directory);
        entries.sort();
        for (path, is_directory) in entries {
            let name = path
                .file_name()
                .map(|n| n.to_string_lossy().into_owned())
                .unwrap_or_default();
            if is_directory {
                if depth < 4 && !SKIPPED.contains(&name.as_str()) {
                    open.push((path, depth + 1));
                }
            } else if let Some(prose) = kind(&path, &name)
                && let Ok(Ok(text)) = files.read(&path).map(String::from_utf8)
                && text.len() <= LARGEST
            {
                let file = inputs.sources.add(&path, text);
                inputs.texts.push(TextFile { file, prose });
            }
        }
    }
    inputs
}

/// Whether a file is text that may name ports: prose, or not.
fn kind(path: &Path, name: &str) -> Option<bool> {
    let in_workflow = path
        .parent()
        .is_some_and(|p| p.ends_with(".github/workflows"));
    match name {
        "Makefile" | "makefile" | "justfile" | ".gitlab-ci.yml" | "tasks.json" | "launch.json" => {
            return Some(false);
        }
        _ => {}
    }
    match path.extension().and_then(|e| e.to_str()) {
        Some("sh" | "bash" | "mk") => Some(false),
        Some("yml" | "yaml") if in_workflow => Some(false),
        Some("md" | "rst" | "txt") => Some(true),
        _ => None,
    }
}
