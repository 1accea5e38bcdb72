//! The plan that brings a project up.

use std::collections::{BTreeMap, BTreeSet};

use phoenix_model::{Condition, Container, Desired, Pull, Service};

use crate::observed::{self, Observed, State};
use crate::step::{Action, Plan, StepId};

/// When a container is made anew.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Recreate {
    /// Its configuration or image differs.
    #[default]
    Changed,
    Always,
    Never,
}

#[derive(Debug, Clone, Default)]
pub struct UpOptions {
    pub recreate: Recreate,
    /// Build images that are there already.
    pub build: bool,
    /// Leave images that are missing to fail.
    pub no_build: bool,
    /// Create only.
    pub no_start: bool,
    /// Wait at the end until everything runs and is healthy.
    pub wait: bool,
    pub remove_orphans: bool,
    /// Seconds a container has to stop, instead of its own time.
    pub timeout: Option<u64>,
    /// Services of the project that are not active: their containers are no orphans.
    pub known_services: BTreeSet<String>,
}

/// Plans `up`.
pub fn up(desired: &Desired, observed: &Observed, options: &UpOptions) -> Plan {
    let mut planner = Planner {
        desired,
        observed,
        options,
        plan: Plan {
            project: desired.project.clone(),
            ..Plan::default()
        },
        ready: BTreeMap::new(),
        started: BTreeMap::new(),
        waits: BTreeMap::new(),
        recreated: BTreeSet::new(),
        base: Vec::new(),
        image_steps: BTreeMap::new(),
    };
    planner.orphans();
    let stale = planner.networks();
    planner.volumes();
    planner.secrets();
    for service in &desired.services {
        planner.image(service);
    }
    for service in &desired.services {
        planner.service(service, &stale);
    }
    if options.wait && !options.no_start {
        for service in &desired.services {
            planner.wait_ready(service);
        }
    }
    planner.unused_secrets();
    planner.plan
}

struct Planner<'a> {
    desired: &'a Desired,
    observed: &'a Observed,
    options: &'a UpOptions,
    plan: Plan,
    /// Steps after which a service's containers exist as wanted and run.
    ready: BTreeMap<&'a str, Vec<StepId>>,
    /// Step that starts a container, by name.
    started: BTreeMap<&'a str, StepId>,
    /// Wait steps, by container and kind.
    waits: BTreeMap<(&'a str, Condition), StepId>,
    /// Services of which a container is made anew or restarted.
    recreated: BTreeSet<&'a str>,
    /// Networks, volumes, secrets: what every container waits for.
    base: Vec<StepId>,
    image_steps: BTreeMap<&'a str, StepId>,
}

enum Verdict {
    Keep,
    Start(String),
    Create(String),
    Recreate(String),
}

impl<'a> Planner<'a> {
    fn mine(&self) -> impl Iterator<Item = &'a observed::Container> {
        self.observed.containers.iter().filter(|c| !c.oneoff)
    }

    fn orphans(&mut self) {
        let known: BTreeSet<&str> = self
            .desired
            .services
            .iter()
            .map(|s| s.name.as_str())
            .chain(self.options.known_services.iter().map(String::as_str))
            .collect();
        let orphans: Vec<&observed::Container> = self
            .mine()
            .filter(|c| !known.contains(c.service.as_str()))
            .collect();
        if self.options.remove_orphans {
            for orphan in orphans {
                let reason = format!("the project has no service `{}` any more", orphan.service);
                self.remove(orphan, reason);
            }
        } else if !orphans.is_empty() {
            let names: Vec<_> = orphans.iter().map(|c| format!("`{}`", c.name)).collect();
            self.plan.notes.push(format!(
                "{} belong to services that the project no longer has; `--remove-orphans` removes them",
                names.join(", ")
            ));
        }
    }

    fn remove(&mut self, container: &observed::Container, reason: String) -> StepId {
        let action = Action::RemoveContainer {
            name: container.name.clone(),
            timeout: self.options.timeout,
            volumes: false,
            pre_stop: Vec::new(),
        };
        self.plan.push(action, Vec::new(), reason)
    }

    /// Networks to make; returns the names of those that change under existing containers.
    fn networks(&mut self) -> BTreeSet<&'a str> {
        let mut stale = BTreeSet::new();
        for network in &self.desired.networks {
            let existing = self
                .observed
                .networks
                .iter()
                .find(|n| n.name == network.name);
            match existing {
                Some(_) if network.external => {}
                None if network.external => self.plan.problems.push(format!(
                    "the external network `{}` does not exist; create it with `podman network create {}`",
                    network.name, network.name
                )),
                None => {
                    let action = Action::CreateNetwork { network: network.clone() };
                    let id = self.plan.push(action, Vec::new(), "the project needs it");
                    self.base.push(id);
                }
                Some(found) if found.hash.as_deref().is_some_and(|h| h != network.hash) => {
                    stale.insert(network.name.as_str());
                    let reason = "its configuration changed";
                    let users: Vec<&observed::Container> =
                        self.mine().filter(|c| c.networks.contains(&network.name)).collect();
                    let mut after = Vec::new();
                    for user in users {
                        let why = format!("the network `{}` is made anew", network.name);
                        after.push(self.remove(user, why));
                    }
                    let removed = self.plan.push(Action::RemoveNetwork { name: network.name.clone() }, after, reason);
                    let action = Action::CreateNetwork { network: network.clone() };
                    let id = self.plan.push(action, vec![removed], reason);
                    self.base.push(id);
                }
                Some(found) => {
                    if !found.owned {
                        self.plan.notes.push(format!(
                            "the network `{}` was not made for this project and is used as it is",
                            network.name
                        ));
                    }
                }
            }
        }
        stale
    }

    fn volumes(&mut self) {
        for volume in &self.desired.volumes {
            let existing = self.observed.volumes.iter().find(|v| v.name == volume.name);
            match existing {
                None if volume.external => self.plan.problems.push(format!(
                    "the external volume `{}` does not exist; create it with `podman volume create {}`",
                    volume.name, volume.name
                )),
                None => {
                    let action = Action::CreateVolume { volume: volume.clone() };
                    let id = self.plan.push(action, Vec::new(), "the project needs it");
                    self.base.push(id);
                }
                Some(found) if found.directory_missing && volume.directory.is_some() => {
                    let action = Action::CreateVolume { volume: volume.clone() };
                    let id = self.plan.push(action, Vec::new(), "its directory is gone");
                    self.base.push(id);
                }
                Some(found) if !volume.external && found.options != volume.options => {
                    self.plan.notes.push(format!(
                        "the volume `{}` has other options than the file says and is kept as it is: its data would be lost",
                        volume.name
                    ));
                }
                Some(_) => {}
            }
        }
    }

    fn secrets(&mut self) {
        for secret in &self.desired.secrets {
            if self.observed.secrets.iter().all(|s| s.name != secret.name) {
                let action = Action::CreateSecret {
                    secret: secret.clone(),
                };
                let id = self.plan.push(action, Vec::new(), "a service mounts it");
                self.base.push(id);
            }
        }
    }

    /// Secrets of earlier contents go when everything that used them is gone.
    fn unused_secrets(&mut self) {
        let all: Vec<StepId> = (0..self.plan.steps.len()).collect();
        for secret in &self.observed.secrets {
            let wanted = self.desired.secrets.iter().any(|s| s.name == secret.name);
            // Services that are not active may still use theirs.
            if secret.owned && !wanted && self.options.known_services.is_empty() {
                let action = Action::RemoveSecret {
                    name: secret.name.clone(),
                };
                self.plan.push(
                    action,
                    all.clone(),
                    "its content changed, or nothing uses it",
                );
            }
        }
    }

    /// The image that a service's containers are made from now.
    fn present(&self, service: &Service) -> Option<&'a observed::Image> {
        let image = &service.image;
        let local = image
            .local
            .as_ref()
            .and_then(|l| self.observed.images.get(l));
        self.observed.images.get(&image.name).or(local)
    }

    fn image(&mut self, service: &'a Service) {
        let image = &service.image;
        if self.image_steps.contains_key(image.name.as_str()) {
            return;
        }
        let present = self.present(service).is_some();
        let used_as_is = !self.observed.images.contains_key(&image.name) && present;
        let step = match (&image.build, present) {
            (Some(_), false) if self.options.no_build => {
                self.plan.problems.push(format!(
                    "the image of `{}` is not there and `--no-build` is set; leave it out, or build with `phoenix build {}`",
                    service.name, service.name
                ));
                None
            }
            (Some(build), present)
                if !present || self.options.build || image.pull == Pull::Build =>
            {
                let reason = if present {
                    "building was asked for"
                } else {
                    "the image is not there"
                };
                Some((
                    Action::BuildImage {
                        image: image.name.clone(),
                        build: Box::new(build.clone()),
                    },
                    reason,
                ))
            }
            (None, false) if image.pull == Pull::Never => {
                self.plan.problems.push(format!(
                    "the image `{}` of `{}` is not there, and `pull_policy` is `never`",
                    image.name, service.name
                ));
                None
            }
            (None, present) if !present || (image.pull == Pull::Always && !used_as_is) => {
                let always = image.pull == Pull::Always;
                let reason = if present {
                    "`pull_policy` is `always`"
                } else {
                    "the image is not there"
                };
                Some((
                    Action::PullImage {
                        image: image.name.clone(),
                        platform: image.platform.clone(),
                        always,
                    },
                    reason,
                ))
            }
            _ => None,
        };
        if let Some((action, reason)) = step {
            let id = self.plan.push(action, Vec::new(), reason);
            self.image_steps.insert(&image.name, id);
        }
    }

    fn service(&mut self, service: &'a Service, stale: &BTreeSet<&str>) {
        let mut existing: Vec<&observed::Container> =
            self.mine().filter(|c| c.service == service.name).collect();
        existing.sort_by_key(|c| c.number);
        let restart = service
            .dependencies
            .iter()
            .find(|d| d.restart && self.recreated.contains(d.service.as_str()))
            .map(|d| d.service.as_str());
        let bound = service
            .dependencies
            .iter()
            .find(|d| d.bound && self.recreated.contains(d.service.as_str()))
            .map(|d| d.service.as_str());
        let mut ready = Vec::new();
        let mut matched: BTreeSet<&str> = BTreeSet::new();
        for container in &service.containers {
            let old = existing
                .iter()
                .copied()
                .find(|c| {
                    c.number == container.number || (c.number == 0 && c.name == container.name)
                })
                .or_else(|| existing.iter().copied().find(|c| c.name == container.name));
            if let Some(old) = old {
                matched.insert(&old.id);
            }
            let verdict = match old {
                Some(old) if old.networks.iter().any(|n| stale.contains(n.as_str())) => {
                    // Its removal is part of the network's.
                    Verdict::Create(format!("a network of `{}` is made anew", old.name))
                }
                old => self.verdict(service, container, old, bound, restart),
            };
            ready.extend(self.container(service, container, old, verdict));
        }
        for surplus in existing.iter().filter(|c| !matched.contains(c.id.as_str())) {
            let reason = format!(
                "`{}` has {} containers",
                service.name,
                service.containers.len()
            );
            self.remove(surplus, reason);
        }
        self.ready.insert(&service.name, ready);
    }

    fn verdict(
        &self,
        service: &Service,
        container: &Container,
        old: Option<&observed::Container>,
        bound: Option<&str>,
        restart: Option<&str>,
    ) -> Verdict {
        let Some(old) = old else {
            return Verdict::Create("the project needs it".into());
        };
        let change = match (self.options.recreate, &old.hash) {
            (Recreate::Never, _) => None,
            (Recreate::Always, _) => Some("making it anew was asked for".to_owned()),
            (Recreate::Changed, None) => Some("another tool made it".to_owned()),
            (Recreate::Changed, Some(hash)) if *hash != container.hash => {
                Some("its configuration changed".to_owned())
            }
            (Recreate::Changed, _) => match self.present(service) {
                Some(image) if image.id != old.image_id => Some("its image changed".to_owned()),
                _ => bound.map(|b| {
                    format!("it shares namespaces or volumes with `{b}`, which is made anew")
                }),
            },
        };
        match (change, old.state, restart) {
            (Some(reason), ..) => Verdict::Recreate(reason),
            (None, _, Some(other)) => Verdict::Start(format!("`{other}` is made anew")),
            (None, State::Running | State::Paused | State::Changing, None) => Verdict::Keep,
            (None, State::Created, None) => Verdict::Start("it was never started".into()),
            (None, State::Exited, None) => Verdict::Start("it is stopped".into()),
        }
    }

    fn container(
        &mut self,
        service: &'a Service,
        container: &'a Container,
        old: Option<&observed::Container>,
        verdict: Verdict,
    ) -> Option<StepId> {
        let running = old.is_some_and(|c| c.state == State::Running);
        let (created, reason) = match verdict {
            Verdict::Keep => return None,
            Verdict::Start(reason) => (None, reason),
            Verdict::Create(reason) => {
                let mut after = self.base.clone();
                after.extend(self.image_steps.get(service.image.name.as_str()));
                (
                    Some(self.create(service, container, after, &reason)),
                    reason,
                )
            }
            Verdict::Recreate(reason) => {
                let mut after = self.base.clone();
                after.extend(self.image_steps.get(service.image.name.as_str()));
                if let Some(old) = old {
                    let action = Action::RemoveContainer {
                        name: old.name.clone(),
                        timeout: self.options.timeout,
                        volumes: false,
                        pre_stop: if running {
                            container.spec.pre_stop.clone()
                        } else {
                            Vec::new()
                        },
                    };
                    // Not before everything for the new one is there.
                    let removed = self.plan.push(action, after.clone(), reason.clone());
                    after.push(removed);
                }
                self.recreated.insert(&service.name);
                (
                    Some(self.create(service, container, after, &reason)),
                    reason,
                )
            }
        };
        if self.options.no_start {
            return created;
        }
        let mut after: Vec<StepId> = created.into_iter().collect();
        if created.is_none() && running {
            let action = Action::StopContainer {
                name: container.name.clone(),
                timeout: self.options.timeout,
                pre_stop: container.spec.pre_stop.clone(),
            };
            after.push(self.plan.push(action, Vec::new(), reason.clone()));
            self.recreated.insert(&service.name);
        }
        for dependency in &service.dependencies {
            after.extend(self.dependency(dependency));
        }
        let action = Action::StartContainer {
            name: container.name.clone(),
            post_start: container.spec.post_start.clone(),
        };
        let id = self.plan.push(action, after, reason);
        self.started.insert(&container.name, id);
        Some(id)
    }

    fn create(
        &mut self,
        service: &Service,
        container: &Container,
        after: Vec<StepId>,
        reason: &str,
    ) -> StepId {
        let mut container = container.clone();
        // A short name that only exists as a local image means that image.
        if !self.observed.images.contains_key(&service.image.name)
            && !self.image_steps.contains_key(service.image.name.as_str())
            && let Some(local) = &service.image.local
            && self.observed.images.contains_key(local)
        {
            container.spec.image.clone_from(local);
        }
        // What shares namespaces or volumes needs the other container to exist.
        let mut after = after;
        for dependency in service.dependencies.iter().filter(|d| d.bound) {
            after.extend(
                self.ready
                    .get(dependency.service.as_str())
                    .into_iter()
                    .flatten(),
            );
        }
        self.plan.push(
            Action::CreateContainer {
                container: Box::new(container),
            },
            after,
            reason,
        )
    }

    /// Steps that a start waits for because of one dependency.
    fn dependency(&mut self, dependency: &phoenix_model::Dependency) -> Vec<StepId> {
        let Some(other) = self
            .desired
            .services
            .iter()
            .find(|s| s.name == dependency.service)
        else {
            return Vec::new();
        };
        let mut steps = self
            .ready
            .get(other.name.as_str())
            .cloned()
            .unwrap_or_default();
        for container in &other.containers {
            match dependency.condition {
                Condition::Started => {}
                condition => {
                    let id = self.wait(container, condition, false);
                    // Required by one is required.
                    let step = &mut self.plan.steps[id];
                    step.optional &= !dependency.required;
                    steps.push(id);
                }
            }
        }
        steps
    }

    fn wait(&mut self, container: &'a Container, condition: Condition, or_running: bool) -> StepId {
        if let Some(&id) = self.waits.get(&(container.name.as_str(), condition)) {
            return id;
        }
        let after: Vec<StepId> = self
            .started
            .get(container.name.as_str())
            .copied()
            .into_iter()
            .collect();
        let name = container.name.clone();
        let (action, reason) = match condition {
            Condition::Completed => (
                Action::WaitCompleted { name },
                "others start after it has completed",
            ),
            _ => (
                Action::WaitHealthy {
                    name,
                    health: container.spec.health.clone(),
                    or_running,
                },
                if or_running {
                    "waiting was asked for"
                } else {
                    "others start when it is healthy"
                },
            ),
        };
        let id = self.plan.push(action, after, reason);
        self.plan.steps[id].optional = !or_running;
        self.waits.insert((&container.name, condition), id);
        id
    }

    fn wait_ready(&mut self, service: &'a Service) {
        // What others wait to see completed has no health to wait for.
        let completes = self
            .desired
            .services
            .iter()
            .flat_map(|s| &s.dependencies)
            .any(|d| d.service == service.name && d.condition == Condition::Completed);
        for container in &service.containers {
            if completes {
                let id = self.wait(container, Condition::Completed, true);
                self.plan.steps[id].optional = false;
            } else {
                let id = self.wait(container, Condition::Healthy, true);
                self.plan.steps[id].optional = false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use phoenix_model::{Dependency, Image};

    fn service(name: &str, dependencies: &[(&str, Condition)]) -> Service {
        Service {
            name: name.into(),
            image: Image {
                name: "docker.io/library/x:latest".into(),
                ..Image::default()
            },
            dependencies: dependencies
                .iter()
                .map(|(service, condition)| Dependency {
                    service: (*service).into(),
                    condition: *condition,
                    required: true,
                    restart: true,
                    bound: false,
                })
                .collect(),
            containers: vec![Container {
                name: format!("p-{name}-1"),
                service: name.into(),
                number: 1,
                hash: format!("hash-{name}"),
                ..Container::default()
            }],
            attach: true,
        }
    }

    fn desired(services: Vec<Service>) -> Desired {
        Desired {
            project: "p".into(),
            services,
            ..Desired::default()
        }
    }

    fn running(name: &str, hash: Option<&str>) -> observed::Container {
        observed::Container {
            id: name.into(),
            name: format!("p-{name}-1"),
            service: name.into(),
            number: 1,
            hash: hash.map(str::to_owned),
            image_id: "i1".into(),
            state: State::Running,
            ..observed::Container::default()
        }
    }

    fn with_image(mut observed: Observed) -> Observed {
        let image = observed::Image {
            id: "i1".into(),
            built: false,
        };
        observed
            .images
            .insert("docker.io/library/x:latest".into(), image);
        observed
    }

    fn show(plan: &Plan) -> Vec<String> {
        plan.steps
            .iter()
            .map(|s| {
                let (verb, _, name) = s.action.describe();
                format!("{} {verb} {name} after {:?}", s.id, s.after)
            })
            .collect()
    }

    #[test]
    fn starts_wait_for_health_and_nothing_else() {
        let desired = desired(vec![
            service("db", &[]),
            service("web", &[("db", Condition::Healthy)]),
        ]);
        let plan = up(
            &desired,
            &with_image(Observed::default()),
            &UpOptions::default(),
        );
        assert_eq!(
            show(&plan),
            [
                "0 create p-db-1 after []",
                "1 start p-db-1 after [0]",
                "2 create p-web-1 after []",
                "3 wait until healthy p-db-1 after [1]",
                "4 start p-web-1 after [1, 2, 3]",
            ]
        );
    }

    #[test]
    fn nothing_to_do_is_an_empty_plan() {
        let desired = desired(vec![
            service("db", &[]),
            service("web", &[("db", Condition::Started)]),
        ]);
        let observed = with_image(Observed {
            containers: vec![
                running("db", Some("hash-db")),
                running("web", Some("hash-web")),
            ],
            ..Observed::default()
        });
        assert!(up(&desired, &observed, &UpOptions::default()).is_empty());
    }

    #[test]
    fn only_what_changed_is_made_anew_and_dependents_with_restart_restart() {
        let desired = desired(vec![
            service("db", &[]),
            service("web", &[("db", Condition::Started)]),
            service("other", &[]),
        ]);
        let observed = with_image(Observed {
            containers: vec![
                running("db", Some("old")),
                running("web", Some("hash-web")),
                running("other", Some("hash-other")),
            ],
            ..Observed::default()
        });
        let plan = up(&desired, &observed, &UpOptions::default());
        assert_eq!(
            show(&plan),
            [
                "0 remove p-db-1 after []",
                "1 create p-db-1 after [0]",
                "2 start p-db-1 after [1]",
                "3 stop p-web-1 after []",
                "4 start p-web-1 after [2, 3]",
            ]
        );
        assert_eq!(plan.steps[0].reason, "its configuration changed");
    }

    #[test]
    fn containers_of_other_tools_are_taken_over_and_orphans_only_on_request() {
        let desired = desired(vec![service("db", &[])]);
        let observed = with_image(Observed {
            containers: vec![running("db", None), running("gone", Some("x"))],
            ..Observed::default()
        });
        let plan = up(&desired, &observed, &UpOptions::default());
        assert_eq!(plan.steps[0].reason, "another tool made it");
        assert_eq!(plan.steps.len(), 3);
        assert!(plan.notes[0].contains("p-gone-1"));
        let options = UpOptions {
            remove_orphans: true,
            ..UpOptions::default()
        };
        assert_eq!(up(&desired, &observed, &options).steps.len(), 4);
    }

    #[test]
    fn every_step_waits_only_for_earlier_ones() {
        let services = (0..20)
            .map(|n| {
                let deps: Vec<(String, Condition)> = (0..n)
                    .map(|d| {
                        (
                            format!("s{d}"),
                            if d % 2 == 0 {
                                Condition::Healthy
                            } else {
                                Condition::Completed
                            },
                        )
                    })
                    .collect();
                let deps: Vec<(&str, Condition)> =
                    deps.iter().map(|(n, c)| (n.as_str(), *c)).collect();
                service(&format!("s{n}"), &deps)
            })
            .collect();
        let plan = up(
            &desired(services),
            &Observed::default(),
            &UpOptions {
                wait: true,
                ..UpOptions::default()
            },
        );
        for step in &plan.steps {
            assert!(step.after.iter().all(|a| *a < step.id));
        }
    }
}
