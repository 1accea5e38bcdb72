//! The plan that takes a project down. It needs no compose file: labels tell what belongs to it.

use std::collections::BTreeMap;

use crate::observed::{Container, Observed};
use crate::step::{Action, Plan, StepId};

/// Which images go too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rmi {
    /// Those that were built without a name of their own.
    Local,
    All,
}

#[derive(Debug, Clone, Default)]
pub struct DownOptions {
    pub volumes: bool,
    pub rmi: Option<Rmi>,
    pub remove_orphans: bool,
    /// Seconds; `None` for each container's own.
    pub timeout: Option<u64>,
    /// Services the file knows; `None` without a file: everything goes.
    pub services: Option<Vec<String>>,
    /// Only these, and no networks.
    pub only: Vec<String>,
    /// Images of the services, with whether they were built without a name of their own.
    pub images: Vec<(String, bool)>,
    /// Hooks before a stop, by service.
    pub pre_stop: BTreeMap<String, Vec<phoenix_model::Hook>>,
    pub project: String,
}

/// Plans `down`: dependents first, then what they depend on, then networks and the rest.
pub fn down(observed: &Observed, options: &DownOptions) -> Plan {
    let mut plan = Plan {
        project: options.project.clone(),
        ..Plan::default()
    };
    let wanted = |c: &&Container| {
        if !options.only.is_empty() {
            return options.only.contains(&c.service);
        }
        match &options.services {
            Some(known) if !options.remove_orphans => known.contains(&c.service),
            _ => true,
        }
    };
    let (going, staying): (Vec<&Container>, Vec<&Container>) =
        observed.containers.iter().partition(wanted);
    let mut steps: BTreeMap<&str, StepId> = BTreeMap::new();
    // Repeatedly those on which nobody left depends; a circle ends the order, not the work.
    let mut open = going.clone();
    while !open.is_empty() {
        let needed = |c: &Container| {
            open.iter().any(|o| {
                o.service != c.service && o.depends_on.iter().any(|(s, ..)| *s == c.service)
            })
        };
        let mut free: Vec<&Container> = open.iter().copied().filter(|c| !needed(c)).collect();
        if free.is_empty() {
            free = open.clone();
        }
        open.retain(|c| !free.iter().any(|f| f.id == c.id));
        for container in free {
            let after = going
                .iter()
                .filter(|o| o.depends_on.iter().any(|(s, ..)| *s == container.service))
                .filter_map(|o| steps.get(o.id.as_str()).copied())
                .collect();
            let action = Action::RemoveContainer {
                name: container.name.clone(),
                timeout: options.timeout,
                volumes: options.volumes,
                pre_stop: match container.state {
                    crate::State::Running => options
                        .pre_stop
                        .get(&container.service)
                        .cloned()
                        .unwrap_or_default(),
                    _ => Vec::new(),
                },
            };
            let id = plan.push(action, after, "the project goes down");
            steps.insert(&container.id, id);
        }
    }
    let removed: Vec<StepId> = steps.values().copied().collect();
    let whole = options.only.is_empty();
    if whole && staying.is_empty() {
        for network in observed.networks.iter().filter(|n| n.owned) {
            plan.push(
                Action::RemoveNetwork {
                    name: network.name.clone(),
                },
                removed.clone(),
                "the project goes down",
            );
        }
        for secret in observed.secrets.iter().filter(|s| s.owned) {
            plan.push(
                Action::RemoveSecret {
                    name: secret.name.clone(),
                },
                removed.clone(),
                "the project goes down",
            );
        }
    } else if whole {
        let names: Vec<_> = staying.iter().map(|c| format!("`{}`", c.name)).collect();
        plan.notes.push(format!(
            "{} belong to services that the project no longer has and stay, with the networks; `--remove-orphans` removes them",
            names.join(", ")
        ));
    }
    if whole && options.volumes {
        for volume in observed.volumes.iter().filter(|v| v.owned) {
            plan.push(
                Action::RemoveVolume {
                    name: volume.name.clone(),
                },
                removed.clone(),
                "`--volumes` was given",
            );
        }
    }
    if let Some(rmi) = options.rmi {
        for (image, unnamed) in &options.images {
            if (rmi == Rmi::All || *unnamed) && observed.images.contains_key(image) {
                plan.push(
                    Action::RemoveImage {
                        image: image.clone(),
                    },
                    removed.clone(),
                    "`--rmi` was given",
                );
            }
        }
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::Network;

    fn container(name: &str, depends_on: &[&str]) -> Container {
        Container {
            id: name.into(),
            name: name.into(),
            service: name.into(),
            depends_on: depends_on
                .iter()
                .map(|d| ((*d).into(), "service_started".into(), false))
                .collect(),
            ..Container::default()
        }
    }

    fn show(plan: &Plan) -> Vec<String> {
        plan.steps
            .iter()
            .map(|s| format!("{} {:?}", s.action.describe().2, s.after))
            .collect()
    }

    #[test]
    fn dependents_go_first_and_the_network_last() {
        let observed = Observed {
            containers: vec![
                container("db", &[]),
                container("web", &["db"]),
                container("cron", &["db"]),
            ],
            networks: vec![Network {
                name: "net".into(),
                owned: true,
                ..Network::default()
            }],
            ..Observed::default()
        };
        let plan = down(&observed, &DownOptions::default());
        assert_eq!(
            show(&plan),
            ["web []", "cron []", "db [0, 1]", "net [0, 1, 2]"]
        );
    }

    #[test]
    fn circles_and_strangers_do_not_hang() {
        let observed = Observed {
            containers: vec![
                container("a", &["b"]),
                container("b", &["a"]),
                container("orphan", &[]),
            ],
            networks: vec![Network {
                name: "net".into(),
                owned: true,
                ..Network::default()
            }],
            ..Observed::default()
        };
        let options = DownOptions {
            services: Some(vec!["a".into(), "b".into()]),
            ..DownOptions::default()
        };
        let plan = down(&observed, &options);
        assert_eq!(plan.steps.len(), 2);
        assert!(plan.notes[0].contains("`orphan`"));
    }
}
