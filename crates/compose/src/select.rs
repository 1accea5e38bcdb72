//! Some of a project's services, with what they need.

use std::collections::BTreeSet;

use phoenix_source::Diagnostic;

use crate::project::Project;

/// Which services a command is about.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Empty for all.
    pub services: Vec<String>,
    /// Leave out what they depend on (`--no-deps`).
    pub without_dependencies: bool,
}

impl Project {
    /// Keeps the selected services. A named service is active even if its profile is not.
    pub fn select(&mut self, selection: &Selection) -> Result<(), Box<Diagnostic>> {
        if selection.services.is_empty() {
            return Ok(());
        }
        for name in &selection.services {
            if let Some(service) = self.disabled_services.remove(name) {
                self.services.insert(name.clone(), service);
            } else if !self.services.contains_key(name) {
                let known = self.services.keys().chain(self.disabled_services.keys());
                let close = known.min_by_key(|k| strsim::damerau_levenshtein(name, k));
                return Err(Box::new(
                    Diagnostic::error(format!("no such service: `{name}`")).help(match close {
                        Some(close) => format!(
                            "did you mean `{close}`? `phoenix config --services` lists them"
                        ),
                        None => "this project has no services".into(),
                    }),
                ));
            }
        }
        let mut wanted: BTreeSet<String> = BTreeSet::new();
        let mut open: Vec<String> = selection.services.clone();
        while let Some(name) = open.pop() {
            if !wanted.insert(name.clone()) || selection.without_dependencies {
                continue;
            }
            if let Some(service) = self.services.get(&name) {
                open.extend(
                    service
                        .depends_on
                        .keys()
                        .filter(|d| self.services.contains_key(*d))
                        .cloned(),
                );
            }
        }
        let (keep, rest) = std::mem::take(&mut self.services)
            .into_iter()
            .partition(|(name, _)| wanted.contains(name));
        self.services = keep;
        self.disabled_services
            .extend::<std::collections::BTreeMap<_, _>>(rest);
        for service in self.services.values_mut() {
            service.depends_on.retain(|name, _| wanted.contains(name));
        }
        Ok(())
    }

    /// Drops networks, volumes, secrets, configs and models that no active service uses.
    pub fn drop_unused(&mut self) {
        let services = || self.services.values();
        let networks: BTreeSet<&String> = services().flat_map(|s| s.networks.keys()).collect();
        self.networks.retain(|name, _| networks.contains(name));
        let volumes: BTreeSet<&String> = services()
            .flat_map(|s| &s.volumes)
            .filter(|v| v.r#type == "volume")
            .map(|v| &v.source)
            .collect();
        self.volumes.retain(|name, _| volumes.contains(name));
        let secrets: BTreeSet<&String> = services()
            .flat_map(|s| {
                s.secrets
                    .iter()
                    .chain(s.build.iter().flat_map(|b| &b.secrets))
            })
            .map(|s| &s.source)
            .collect();
        self.secrets.retain(|name, _| secrets.contains(name));
        let configs: BTreeSet<&String> = services()
            .flat_map(|s| &s.configs)
            .map(|c| &c.source)
            .collect();
        self.configs.retain(|name, _| configs.contains(name));
        let models: BTreeSet<&String> = services().flat_map(|s| s.models.keys()).collect();
        self.models.retain(|name, _| models.contains(name));
    }
}
