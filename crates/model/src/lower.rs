//! The project as a whole: what exists once, and the order of services.

use std::collections::{BTreeMap, BTreeSet};

use phoenix_compose::{FileObject, Project};
use phoenix_source::Diagnostic;
use sha2::{Digest, Sha256};

use crate::desired::{Desired, Directory, Secret, Volume};
use crate::host::Host;
use crate::{container, label, networks};

/// Podman's own limit for a secret, in bytes.
const SECRET_LIMIT: usize = 512_000;

/// Files that secrets and configs name, by path. A directory, or a file that cannot be read, is
/// absent and is mounted in place.
pub type FileContents = BTreeMap<String, Vec<u8>>;

/// The result of [`lower`].
#[derive(Debug, Clone)]
pub struct Lowered {
    pub desired: Desired,
    /// What Podman cannot do as it was asked.
    pub warnings: Vec<Diagnostic>,
}

/// Paths whose contents [`lower`] wants to know.
pub fn wanted_files(project: &Project) -> Vec<String> {
    let objects = project.secrets.values().chain(project.configs.values());
    objects
        .filter(|o| !o.external && !o.file.is_empty())
        .map(|o| o.file.clone())
        .collect()
}

/// Makes every choice about Podman for the active services of a project.
pub fn lower(project: &Project, contents: &FileContents, host: &Host) -> Lowered {
    let mut context = Context {
        project,
        host,
        contents,
        warnings: Vec::new(),
        secrets: BTreeMap::new(),
    };
    let networks = networks::lower(&mut context);
    let volumes = volumes(&context);
    let services = order(project)
        .into_iter()
        .filter_map(|name| container::lower_service(&mut context, name))
        .collect();
    let secrets = context.secrets.into_values().collect();
    let desired = Desired {
        project: project.name.clone(),
        networks,
        volumes,
        secrets,
        services,
    };
    Lowered {
        desired,
        warnings: context.warnings,
    }
}

/// What lowering one project knows.
pub(crate) struct Context<'a> {
    pub(crate) project: &'a Project,
    pub(crate) host: &'a Host,
    contents: &'a FileContents,
    pub(crate) warnings: Vec<Diagnostic>,
    secrets: BTreeMap<String, Secret>,
}

impl Context<'_> {
    /// Says that a key does not do what it says, at its place.
    pub(crate) fn warn(
        &mut self,
        route: &[&str],
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let mut diagnostic = Diagnostic::warning(message).help(help);
        diagnostic.span = (1..=route.len())
            .rev()
            .find_map(|n| self.project.origin(route[..n].iter().copied()));
        self.warnings.push(diagnostic);
    }

    /// The Podman secret for a secret or config of the project, or `None` where the file itself
    /// must be mounted. `kind` is `secret` or `config`.
    pub(crate) fn secret(&mut self, kind: &str, key: &str, object: &FileObject) -> Option<String> {
        if object.external {
            return Some(object.name.clone());
        }
        let data = if object.file.is_empty() {
            object.content.clone().into_bytes()
        } else {
            self.contents.get(&object.file)?.clone()
        };
        if data.len() > SECRET_LIMIT || data.is_empty() {
            return None;
        }
        let name = format!("{}_{kind}_{key}_{}", self.project.name, &hash(&data)[..12]);
        let labels = own_labels(&self.project.name);
        self.secrets.entry(name.clone()).or_insert(Secret {
            name: name.clone(),
            labels,
            data,
        });
        Some(name)
    }
}

/// The labels on everything of a project.
pub(crate) fn own_labels(project: &str) -> BTreeMap<String, String> {
    BTreeMap::from([
        (label::PROJECT.to_owned(), project.to_owned()),
        (label::PODMAN_PROJECT.to_owned(), project.to_owned()),
    ])
}

pub(crate) fn hash(data: &[u8]) -> String {
    Sha256::digest(data)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

pub(crate) fn hash_of(value: &impl serde::Serialize) -> String {
    hash(serde_json::to_string(value).unwrap_or_default().as_bytes())
}

fn volumes(context: &Context<'_>) -> Vec<Volume> {
    let project = context.project;
    project
        .volumes
        .iter()
        .map(|(key, volume)| {
            let phoenix_compose::Volume {
                name,
                driver,
                driver_opts,
                external,
                labels,
            } = volume;
            let mut labels = labels.0.clone();
            labels.extend(own_labels(&project.name));
            labels.insert(label::VOLUME.into(), key.clone());
            let driver = if driver.is_empty() { "local" } else { driver };
            // A local volume that is a bind mount in disguise needs its directory.
            let binds = driver_opts
                .get("o")
                .is_some_and(|o| o.split(',').any(|o| o == "bind" || o == "rbind"));
            let device = driver_opts
                .get("device")
                .filter(|_| binds && driver == "local");
            // `x-phoenix` says more: written by `phoenix migrate`, or by hand.
            let extension = |name: &str| {
                project
                    .tree()
                    .at(["volumes", key, "x-phoenix", name])
                    .and_then(phoenix_compose::Node::scalar_text)
            };
            let directory = device.map(|path| Directory {
                path: path.clone(),
                owner: extension("owner").unwrap_or_default(),
                mode: extension("mode")
                    .and_then(|m| u32::from_str_radix(&m, 8).ok())
                    .unwrap_or(0o755),
            });
            let mut volume = Volume {
                key: key.clone(),
                name: name.clone(),
                external: *external,
                driver: driver.into(),
                options: driver_opts.0.clone(),
                labels,
                directory,
                hash: String::new(),
            };
            volume.hash = hash_of(&volume);
            volume
        })
        .collect()
}

/// Active services, dependencies first; names decide among equals.
fn order(project: &Project) -> Vec<&str> {
    let mut ordered: Vec<&str> = Vec::with_capacity(project.services.len());
    let mut done: BTreeSet<&str> = BTreeSet::new();
    for name in project.services.keys() {
        let mut stack = vec![(name.as_str(), false)];
        while let Some((name, visited)) = stack.pop() {
            if done.contains(name) {
                continue;
            }
            let Some(service) = project.services.get(name) else {
                continue;
            };
            if visited {
                done.insert(name);
                ordered.push(name);
                continue;
            }
            stack.push((name, true));
            stack.extend(
                service
                    .depends_on
                    .keys()
                    .rev()
                    .map(|d| (d.as_str(), false))
                    .filter(|(d, _)| !done.contains(d)),
            );
        }
    }
    ordered
}
