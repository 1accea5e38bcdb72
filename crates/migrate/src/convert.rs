//! Findings → the migrated files, in memory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use phoenix_compose::{Files, Node};
use phoenix_source::{Applicability, Edit, FileId, apply_edits};

use crate::edit_compose::{self, Document};
use crate::finding::{Change, Finding, put};
use crate::inputs::Inputs;
use crate::{DIRECTORY, guard, rebase, report};

/// A file to be written, below the project's root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutFile {
    pub path: PathBuf,
    pub content: Content,
    pub executable: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    Text(String),
    /// A symbolic link with this target.
    Link(String),
}

/// What `--apply` would write.
#[derive(Debug, Clone)]
pub struct Converted {
    pub files: Vec<OutFile>,
    /// Whether each finding's fix is in it.
    pub applied: Vec<bool>,
    /// Fixes that were refused, and why.
    pub refused: Vec<(usize, String)>,
}

/// Makes the migrated files of the findings' fixes; doubtful ones only with `with_unsafe`. A fix
/// whose edits would change anything else is left out and said.
pub fn convert(
    inputs: &Inputs<'_>,
    findings: &[Finding],
    with_unsafe: bool,
    files: &dyn Files,
) -> Result<Converted, String> {
    let work = Work::new(inputs)?;
    let candidates: Vec<usize> = findings
        .iter()
        .enumerate()
        .filter(|(_, f)| {
            f.fix
                .as_ref()
                .is_some_and(|fix| with_unsafe || fix.applicability == Applicability::Safe)
        })
        .map(|(n, _)| n)
        .collect();
    let mut refused = Vec::new();
    let mut chosen = candidates.clone();
    if work.check(findings, &chosen, files).is_err() {
        // One of them is not right: each on its own, on top of those that are.
        work.check(findings, &[], files)?;
        chosen.clear();
        for n in candidates {
            chosen.push(n);
            if let Err(why) = work.check(findings, &chosen, files) {
                chosen.pop();
                refused.push((n, why));
            }
        }
    }
    let texts = work.texts(findings, &chosen)?;
    let mut applied = vec![false; findings.len()];
    for n in chosen {
        applied[n] = true;
    }
    let mut out: Vec<OutFile> = texts
        .into_iter()
        .map(|(path, text, executable)| OutFile {
            path,
            content: Content::Text(text),
            executable,
        })
        .collect();
    let directory = Path::new(DIRECTORY);
    if files.exists(&inputs.root.join(".env")) {
        // Variables stay in one place, for every tool that looks beside the compose file.
        out.push(OutFile {
            path: directory.join(".env"),
            content: Content::Link("../../.env".into()),
            executable: false,
        });
    }
    if let Some(script) = report::volume_script(inputs, findings, &applied) {
        out.push(OutFile {
            path: directory.join("setup-volumes.sh"),
            content: Content::Text(script),
            executable: true,
        });
    }
    let text = report::migration(inputs, findings, &applied, &refused);
    out.push(OutFile {
        path: directory.join("MIGRATION.md"),
        content: Content::Text(text),
        executable: false,
    });
    out.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Converted {
        files: out,
        applied,
        refused,
    })
}

struct Work<'a> {
    inputs: &'a Inputs<'a>,
    documents: Vec<Document>,
    /// Changes that every migration makes: paths, names, Containerfiles.
    base: Vec<Change>,
    base_routes: Vec<String>,
}

impl<'a> Work<'a> {
    fn new(inputs: &'a Inputs<'a>) -> Result<Self, String> {
        let mut documents = Vec::new();
        for path in &inputs.project.compose_files {
            let (file, text) = inputs
                .sources
                .iter()
                .find(|(_, f)| f.path() == path)
                .map(|(id, f)| (id, f.text().clone()))
                .ok_or_else(|| format!("{} was not read", path.display()))?;
            let mut trees =
                phoenix_compose::yaml::parse(&text, file).map_err(|d| d.message.clone())?;
            if trees.len() != 1 {
                return Err(format!(
                    "{} has several YAML documents; write one",
                    path.display()
                ));
            }
            documents.push(Document {
                file,
                tree: trees.remove(0),
            });
        }
        let mut work = Self {
            inputs,
            documents,
            base: Vec::new(),
            base_routes: Vec::new(),
        };
        for document in &work.documents {
            let (edits, unclear) = rebase::edits(inputs, document);
            if let Some(span) = unclear.first() {
                return Err(format!(
                    "the path at {} begins with a variable, and whether it is relative cannot be known; give it an absolute default",
                    inputs.sources.locate(*span)
                ));
            }
            work.base.extend(edits.into_iter().map(Change::Edit));
        }
        if work.documents.iter().all(|d| d.tree.get("name").is_none()) {
            // Its directory gave the name, and the directory changes.
            let name = serde_json::Value::String(inputs.project.name.clone());
            work.base.push(put(&[], "name", name));
        }
        work.recipes();
        Ok(work)
    }

    /// Services built from a Dockerfile are built from the Containerfile instead.
    fn recipes(&mut self) {
        for (service, _) in self.inputs.project.services.iter() {
            let build = ["services", service, "build"];
            let maps: Vec<&Node> = self
                .documents
                .iter()
                .filter_map(|d| d.tree.at(build).filter(|n| n.as_map().is_some()))
                .collect();
            let short = self
                .documents
                .iter()
                .any(|d| d.tree.at(build).is_some_and(|n| n.as_str().is_some()));
            if !maps.is_empty() && !short && maps.iter().all(|m| m.get("context").is_none()) {
                // The directory of the file is the context, and that changes.
                self.base.push(put(&build, "context", "../..".into()));
            }
        }
        for service in self.inputs.recipes.keys() {
            if !self.inputs.converts(service) {
                continue;
            }
            let Some(build) = self
                .inputs
                .project
                .services
                .get(service)
                .and_then(|s| s.build.as_ref())
            else {
                continue;
            };
            let target = self.inputs.root.join(containerfile_of(service));
            let dockerfile = relative(Path::new(&build.context), &target);
            let written = self
                .documents
                .iter()
                .find_map(|d| d.tree.at(["services", service, "build"]));
            match written {
                // `build: ./dir` has no room for a file's name.
                Some(node) if node.as_str().is_some() => {
                    let context =
                        relative(&self.inputs.root.join(DIRECTORY), Path::new(&build.context));
                    let text = format!(
                        "{{context: {}, dockerfile: {}}}",
                        edit_compose::scalar(&context),
                        edit_compose::scalar(&dockerfile)
                    );
                    self.base
                        .push(Change::Edit(Edit::replace(node.origin, text)));
                }
                _ => self.base.push(put(
                    &["services", service, "build"],
                    "dockerfile",
                    dockerfile.into(),
                )),
            }
            self.base_routes
                .push(format!("services.{service}.build.dockerfile"));
        }
    }

    fn changes(&self, findings: &[Finding], chosen: &[usize]) -> (Vec<Change>, Vec<String>) {
        let mut changes = self.base.clone();
        let mut routes = self.base_routes.clone();
        for &n in chosen {
            if let Some(fix) = &findings[n].fix {
                changes.extend(fix.changes.iter().cloned());
                routes.extend(fix.routes.iter().cloned());
            }
        }
        (changes, routes)
    }

    fn check(
        &self,
        findings: &[Finding],
        chosen: &[usize],
        files: &dyn Files,
    ) -> Result<(), String> {
        let (_, routes) = self.changes(findings, chosen);
        let texts = self.texts(findings, chosen)?;
        let compose: Vec<(PathBuf, String)> = self
            .compose_paths()
            .into_iter()
            .filter_map(|(_, path)| {
                let (_, text, _) = texts.iter().find(|(p, _, _)| *p == path)?;
                Some((self.inputs.root.join(path), text.clone()))
            })
            .collect();
        // What a script says is as sure as a script can be: it is only text.
        guard::check(
            self.inputs.project,
            files,
            &compose,
            &self.inputs.root.join(DIRECTORY),
            &routes,
        )
    }

    fn compose_paths(&self) -> Vec<(FileId, PathBuf)> {
        self.documents
            .iter()
            .enumerate()
            .map(|(n, d)| (d.file, compose_file(n)))
            .collect()
    }

    /// Path, text and whether it is executable, of every text file that is written.
    fn texts(
        &self,
        findings: &[Finding],
        chosen: &[usize],
    ) -> Result<Vec<(PathBuf, String, bool)>, String> {
        let sources = &self.inputs.sources;
        let (changes, _) = self.changes(findings, chosen);
        let edits = edit_compose::edits(&self.documents, sources, &changes)?;
        let apply = |file: FileId| apply_edits(sources, file, &edits).map_err(|e| e.to_string());
        let mut out = Vec::new();
        for (file, path) in self.compose_paths() {
            out.push((path, apply(file)?, false));
        }
        for (service, recipe) in &self.inputs.recipes {
            if self.inputs.converts(service) {
                out.push((containerfile_of(service), apply(recipe.file)?, false));
            }
        }
        // Everything else that an edit touches is changed in place.
        let ours: Vec<FileId> = self
            .documents
            .iter()
            .map(|d| d.file)
            .chain(self.inputs.recipes.values().map(|r| r.file))
            .collect();
        let mut others: BTreeMap<FileId, ()> = BTreeMap::new();
        for edit in &edits {
            if !ours.contains(&edit.span.file) {
                others.insert(edit.span.file, ());
            }
        }
        for file in others.into_keys() {
            let path = sources.file(file).path();
            if let Ok(path) = path.strip_prefix(&self.inputs.root) {
                out.push((path.to_owned(), apply(file)?, false));
            }
        }
        Ok(out)
    }
}

/// Where the nth compose file of a project goes, below its root.
pub fn compose_file(n: usize) -> PathBuf {
    let name = match n {
        0 => "podman-compose.yaml".to_owned(),
        1 => "podman-compose.override.yaml".to_owned(),
        n => format!("podman-compose.override{n}.yaml"),
    };
    Path::new(DIRECTORY).join(name)
}

/// Where the Containerfile of a service goes.
pub(crate) fn containerfile_of(service: &str) -> PathBuf {
    Path::new(DIRECTORY).join(service).join("Containerfile")
}

/// `to` as seen from the directory `from`; both absolute and clean.
pub(crate) fn relative(from: &Path, to: &Path) -> String {
    let from: Vec<_> = from.components().collect();
    let to: Vec<_> = to.components().collect();
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..".to_owned(), from.len() - common);
    let down = to[common..]
        .iter()
        .map(|c| c.as_os_str().to_string_lossy().into_owned());
    let path = up.chain(down).collect::<Vec<_>>().join("/");
    if path.is_empty() { ".".into() } else { path }
}
