//! Do the references of a project meet, and does nothing contradict itself.

use std::collections::{BTreeMap, BTreeSet};

use phoenix_source::Diagnostic;

use crate::project::{Project, Service};

pub(crate) fn check(project: &Project) -> Vec<Diagnostic> {
    let mut found = Found {
        project,
        list: Vec::new(),
    };
    for (name, service) in &project.services {
        check_service(name, service, &mut found);
    }
    check_containers(&mut found);
    for (name, secret) in &project.secrets {
        if !secret.external
            && secret.file.is_empty()
            && secret.environment.is_empty()
            && secret.driver.is_empty()
        {
            found.push(
                &["secrets", name],
                format!("the secret `{name}` has neither `file` nor `environment`"),
                None,
            );
        }
    }
    check_cycles(&mut found);
    found.list
}

struct Found<'a> {
    project: &'a Project,
    list: Vec<Diagnostic>,
}

impl Found<'_> {
    fn push(&mut self, route: &[&str], message: String, help: Option<String>) {
        // The closest thing that somebody wrote.
        let span = (1..=route.len())
            .rev()
            .find_map(|n| self.project.origin(route[..n].iter().copied()));
        let mut diagnostic = Diagnostic::error(message);
        diagnostic.span = span;
        diagnostic.help = help;
        self.list.push(diagnostic);
    }
}

fn close<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> Option<String> {
    known
        .map(|k| (strsim::damerau_levenshtein(name, k), k))
        .filter(|(distance, k)| *distance <= 1 + k.len() / 4)
        .min()
        .map(|(_, k)| format!("did you mean `{k}`?"))
}

fn check_service(name: &str, service: &Service, found: &mut Found<'_>) {
    let project = found.project;
    if service.build.is_none() && service.image.is_empty() && service.provider.is_none() {
        found.push(
            &["services", name],
            format!("the service `{name}` has neither `image` nor `build`"),
            Some("name an image, or a directory to build one from".into()),
        );
    }
    if let Some(build) = &service.build {
        if !build.dockerfile_inline.is_empty() && !build.dockerfile.is_empty() {
            found.push(
                &["services", name, "build", "dockerfile_inline"],
                format!("the service `{name}` has both `dockerfile` and `dockerfile_inline`"),
                Some("keep one of them".into()),
            );
        }
        for (context, target) in build.additional_contexts.iter() {
            let Some(target) = target.strip_prefix("service:") else {
                continue;
            };
            if project
                .services
                .get(target)
                .is_none_or(|s| s.build.is_none())
            {
                found.push(
                    &["services", name, "build", "additional_contexts", context],
                    format!("the context `{context}` names `{target}`, which is not a service with `build`"),
                    None,
                );
            }
        }
        if !build.platforms.is_empty()
            && !service.platform.is_empty()
            && !build.platforms.contains(&service.platform)
        {
            found.push(
                &["services", name, "platform"],
                format!(
                    "`{}` is not among the platforms that `{name}` is built for",
                    service.platform
                ),
                Some("add it to `build.platforms`".into()),
            );
        }
        for (n, secret) in build.secrets.iter().enumerate() {
            reference(
                found,
                &["services", name, "build", "secrets", &n.to_string()],
                "secret",
                &secret.source,
                &project.secrets,
            );
        }
    }
    if !service.network_mode.is_empty() && !service.networks.is_empty() {
        found.push(
            &["services", name, "network_mode"],
            format!("the service `{name}` has both `network_mode` and `networks`"),
            Some("keep one of them".into()),
        );
    }
    for network in service.networks.keys() {
        reference(
            found,
            &["services", name, "networks", network],
            "network",
            network,
            &project.networks,
        );
    }
    if let Some(healthcheck) = &service.healthcheck
        && let Some(first) = healthcheck.test.0.first()
        && !matches!(first.as_str(), "CMD" | "CMD-SHELL" | "NONE")
    {
        found.push(
            &["services", name, "healthcheck", "test"],
            format!(
                "a health check's list begins with `CMD`, `CMD-SHELL` or `NONE`, not `{first}`"
            ),
            Some(format!("write `[\"CMD\", \"{first}\", …]`")),
        );
    }
    for (other, dependency) in &service.depends_on {
        if project.services.contains_key(other) {
            continue;
        }
        let disabled = project.disabled_services.contains_key(other);
        if disabled && !dependency.required.0 {
            continue;
        }
        let help = if disabled {
            let profiles = &project.disabled_services[other].profiles;
            Some(format!(
                "`{other}` is in the profile `{}`; activate it, or write `required: false`",
                profiles.join("`, `")
            ))
        } else {
            close(other, project.services.keys())
        };
        found.push(
            &["services", name, "depends_on", other],
            format!(
                "the service `{name}` depends on `{other}`, which is not {}",
                if disabled { "active" } else { "a service" }
            ),
            help,
        );
    }
    if let Some(other) = service.network_mode.strip_prefix("service:")
        && !project.services.contains_key(other)
    {
        found.push(
            &["services", name, "network_mode"],
            format!("`network_mode` of `{name}` names `{other}`, which is not a service"),
            close(other, project.services.keys()),
        );
    }
    for (n, volume) in service.volumes.iter().enumerate() {
        if volume.r#type == "volume" && !volume.source.is_empty() {
            reference(
                found,
                &["services", name, "volumes", &n.to_string()],
                "volume",
                &volume.source,
                &project.volumes,
            );
        }
    }
    for (n, config) in service.configs.iter().enumerate() {
        reference(
            found,
            &["services", name, "configs", &n.to_string()],
            "config",
            &config.source,
            &project.configs,
        );
    }
    for (n, secret) in service.secrets.iter().enumerate() {
        reference(
            found,
            &["services", name, "secrets", &n.to_string()],
            "secret",
            &secret.source,
            &project.secrets,
        );
    }
    for model in service.models.keys() {
        reference(
            found,
            &["services", name, "models", model],
            "model",
            model,
            &project.models,
        );
    }
    check_numbers(name, service, found);
    check_targets(name, service, found);
    if let Some(develop) = &service.develop {
        for (n, watch) in develop.watch.iter().enumerate() {
            if watch.target.is_empty() && !matches!(watch.action.as_str(), "rebuild" | "restart") {
                found.push(
                    &["services", name, "develop", "watch", &n.to_string()],
                    format!(
                        "a watch of `{name}` with the action `{}` has no `target`",
                        watch.action
                    ),
                    None,
                );
            }
        }
    }
}

fn reference<T>(
    found: &mut Found<'_>,
    route: &[&str],
    what: &str,
    source: &str,
    known: &BTreeMap<String, T>,
) {
    if known.contains_key(source) {
        return;
    }
    let help = close(source, known.keys())
        .unwrap_or_else(|| format!("declare it: `{what}s: {{{source}: {{}}}}` at the top level"));
    found.push(
        route,
        format!(
            "the service `{}` refers to the {what} `{source}`, which is not declared",
            route[1]
        ),
        Some(help),
    );
}

fn check_numbers(name: &str, service: &Service, found: &mut Found<'_>) {
    let replicas = service.deploy.as_ref().and_then(|d| d.replicas);
    if let (Some(scale), Some(replicas)) = (service.scale, replicas)
        && scale != replicas
    {
        found.push(
            &["services", name, "scale"],
            format!("`scale` and `deploy.replicas` of `{name}` differ"),
            Some("keep one of them".into()),
        );
    }
    if service.replicas() < 0 {
        found.push(
            &["services", name],
            format!("`{name}` cannot have fewer than no containers"),
            None,
        );
    }
    if service.replicas() > 1 && !service.container_name.is_empty() {
        found.push(
            &["services", name, "container_name"],
            format!(
                "`{name}` has {} containers and one `container_name`",
                service.replicas()
            ),
            Some("remove `container_name`".into()),
        );
    }
    let Some(resources) = service.deploy.as_ref().map(|d| &d.resources) else {
        return;
    };
    let mut differ = |key: &str, other: &str| {
        found.push(
            &["services", name, key],
            format!("`{key}` and `deploy.resources.{other}` of `{name}` differ"),
            Some("keep one of them".into()),
        );
    };
    if let Some(limits) = &resources.limits {
        if service.cpus != 0.0 && (limits.cpus as f32) != (service.cpus as f32) {
            differ("cpus", "limits.cpus");
        }
        if service.mem_limit.0 != 0 && limits.memory != service.mem_limit {
            differ("mem_limit", "limits.memory");
        }
        if service.pids_limit != 0 && limits.pids != service.pids_limit {
            differ("pids_limit", "limits.pids");
        }
    }
    if let Some(reservations) = &resources.reservations
        && service.mem_reservation.0 != 0
        && reservations.memory != service.mem_reservation
    {
        differ("mem_reservation", "reservations.memory");
    }
}

fn check_targets(name: &str, service: &Service, found: &mut Found<'_>) {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let tmpfs = service
        .tmpfs
        .iter()
        .map(|t| ("tmpfs", t.split(':').next().unwrap_or_default()));
    let volumes = service
        .volumes
        .iter()
        .map(|v| ("volumes", v.target.as_str()));
    let mut positions = BTreeMap::new();
    for (section, target) in tmpfs.chain(volumes) {
        let n = positions.entry(section).or_insert(0usize);
        if !seen.insert(target) {
            found.push(
                &["services", name, section, &n.to_string()],
                format!("`{name}` mounts `{target}` twice"),
                Some("remove one of the mounts".into()),
            );
        }
        *n += 1;
    }
}

fn check_containers(found: &mut Found<'_>) {
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    for (service, config) in &found.project.services {
        if config.container_name.is_empty() {
            continue;
        }
        if let Some(other) = names.insert(&config.container_name, service) {
            let message = format!(
                "`{other}` and `{service}` both want the container name `{}`",
                config.container_name
            );
            found.push(&["services", service, "container_name"], message, None);
        }
    }
}

fn check_cycles(found: &mut Found<'_>) {
    let services = &found.project.services;
    // Depth first without recursion: thousands of services in a row are legal.
    let mut done: BTreeSet<&str> = BTreeSet::new();
    for start in services.keys() {
        let mut path: Vec<(&str, Vec<&str>)> = Vec::new();
        let children = |name: &str| -> Vec<&str> {
            services
                .get(name)
                .map(|s| s.depends_on.keys().map(String::as_str).collect())
                .unwrap_or_default()
        };
        if !done.contains(start.as_str()) {
            path.push((start, children(start)));
        }
        while let Some((name, rest)) = path.last_mut() {
            let Some(next) = rest.pop() else {
                done.insert(name);
                path.pop();
                continue;
            };
            if let Some(at) = path.iter().position(|(n, _)| *n == next) {
                let cycle: Vec<&str> = path[at..].iter().map(|(n, _)| *n).collect();
                let message = format!(
                    "services depend on each other in a circle: {} → {next}",
                    cycle.join(" → ")
                );
                let last = (*cycle.last().unwrap_or(&next)).to_owned();
                let next = next.to_owned();
                found.push(
                    &["services", &last, "depends_on", &next],
                    message,
                    Some("remove one of these dependencies".into()),
                );
                return;
            }
            if !done.contains(next) && services.contains_key(next) {
                path.push((next, children(next)));
            }
        }
    }
}
