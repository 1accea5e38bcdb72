//! PH006: a service that runs as root inside its container.

use phoenix_source::{Edit, Severity};
use serde_json::json;

use crate::families::Family;
use crate::finding::{Change, Finding, put};
use crate::inputs::{Inputs, Recipe};
use crate::rule::{Example, Meta, Rule};

pub(crate) struct RootUser;

static META: Meta = Meta {
    code: "PH006",
    name: "root-user",
    what: "A service runs as root inside its container, and need not.",
    why: "Root inside a rootless container is the user outside: whoever breaks out has all of that user's files. Under \
          Docker it was root of the whole host, which few images need and most have. A user of its own in the \
          container is another, powerless id on the host.",
    fix: "Safe. Images whose habits are known get their own user (`user:`). A Containerfile of ours gets `USER`, and \
          that user owns the working directory and the volumes it writes to; ports below 1024 inside stay usable by a \
          sysctl of the container. Services with writable bind mounts are only reported: their files belong to \
          somebody already. Unknown images stay as they are.",
    evidence: &[
        "80 % of 472 Dockerfiles that compose files build have no USER",
        "https://github.com/containers/podman/issues/3990",
        "https://docs.podman.io/en/latest/markdown/podman-run.1.html#user-u-user-group",
    ],
    example: Example::Recipe {
        before: "FROM docker.io/library/debian:12\nWORKDIR /app\nCOPY app /app/\nVOLUME /data\nCMD [\"/app/app\"]\n",
        after: "FROM docker.io/library/debian:12\nWORKDIR /app\nCOPY app /app/\nVOLUME /data\nRUN mkdir -p /app /data && chown 10001:10001 /app /data\nUSER 10001:10001\nCMD [\"/app/app\"]\n",
    },
};

/// The user of images whose base knows none for the purpose; above what distributions give away.
pub(crate) const OWN_USER: &str = "10001:10001";

impl Rule for RootUser {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn check(&self, inputs: &Inputs<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (name, service) in &inputs.project.services {
            if !service.user.is_empty() || service.privileged || service.provider.is_some() {
                continue;
            }
            let writable_bind = service
                .volumes
                .iter()
                .any(|m| m.r#type == "bind" && !m.read_only && !m.source.ends_with(".sock"));
            let finding = Finding::new(META.code, Severity::Warning, format!("`{name}` runs as root inside"))
                .at(inputs.origin(&["services", name]))
                .of(name);
            let keep = "it writes into directories of the host; give it a `user` that owns them, or `userns_mode: keep-id`";
            match inputs.recipe(name) {
                Some(recipe) => {
                    let Some(stage) = recipe.final_stage() else { continue };
                    if stage.last("USER").is_some_and(|u| !is_root(&u.arguments)) {
                        continue;
                    }
                    let finding = finding.at(Some(stage.head.span));
                    if writable_bind {
                        findings.push(finding.help(keep));
                        continue;
                    }
                    let mut changes = in_recipe(inputs, name, recipe);
                    let mut routes = Vec::new();
                    changes.extend(low_ports(inputs, name, recipe, &mut routes));
                    let routes: Vec<&str> = routes.iter().map(String::as_str).collect();
                    findings.push(finding.safe("give it a user of its own", &routes, changes));
                }
                None if service.build.is_some() => {}
                None => match Family::of(&service.image) {
                    Some(_) if writable_bind => findings.push(finding.help(keep)),
                    Some(family) => {
                        let routes = [format!("services.{name}.user"), format!("services.{name}.sysctls")];
                        let mut changes = vec![put(&["services", name], "user", json!(family.user))];
                        if service.ports.iter().any(|p| p.target < 1024) || family.name == "nginx" {
                            changes.push(put(&["services", name], "sysctls", low_port_sysctl()));
                        }
                        findings.push(finding.safe(
                            format!("run it as the image's own user `{}`", family.user_name),
                            &[&routes[0], &routes[1]],
                            changes,
                        ));
                    }
                    None => {}
                },
            }
        }
        findings
    }
}

fn low_port_sysctl() -> serde_json::Value {
    json!({ "net.ipv4.ip_unprivileged_port_start": "0" })
}

fn is_root(user: &str) -> bool {
    matches!(user.split(':').next().unwrap_or_default().trim(), "root" | "0")
}

/// The user and what it needs, before the instruction that starts the program.
fn in_recipe(inputs: &Inputs<'_>, service: &str, recipe: &Recipe) -> Vec<Change> {
    let Some(stage) = recipe.final_stage() else { return Vec::new() };
    let base = recipe.base().unwrap_or_default();
    let family = Family::of(&base);
    let (user, owner) = match family {
        Some(family) => (family.user_name.to_owned(), format!("{0}:{0}", family.user_name)),
        None => (OWN_USER.to_owned(), OWN_USER.to_owned()),
    };
    let mut directories: Vec<String> = Vec::new();
    let mut add = |path: &str| {
        let literal = path.starts_with('/') && path != "/" && !path.contains('$');
        if literal && !directories.iter().any(|d| d == path) {
            directories.push(path.to_owned());
        }
    };
    match family {
        Some(family) => {
            // What the family writes to is tmpfs when the root is read-only, and its own otherwise.
            for path in family.writes.iter().filter(|p| **p != "/tmp" && **p != "/run") {
                add(path);
            }
        }
        None => {
            if let Some(workdir) = stage.last("WORKDIR") {
                add(workdir.arguments.trim_matches('"'));
            }
        }
    }
    for volume in stage.all("VOLUME") {
        match phoenix_containerfile::exec_form(&volume.arguments) {
            Some(paths) => paths.iter().for_each(|p| add(p)),
            None => volume.words.iter().for_each(|w| add(&w.text)),
        }
    }
    if let Some(service) = inputs.project.services.get(service) {
        for mount in service.volumes.iter().filter(|m| m.r#type == "volume" && !m.read_only) {
            add(&mount.target);
        }
    }
    let mut text = String::new();
    // There is no shell in an image from scratch; its files can only be copied with an owner.
    if !directories.is_empty() && base != "scratch" {
        let list = directories.join(" ");
        text.push_str(&format!("RUN mkdir -p {list} && chown {owner} {list}\n"));
    }
    text.push_str(&format!("USER {user}\n"));
    let source = inputs.sources.file(recipe.file).text();
    let start = stage.body.iter().position(|i| matches!(i.keyword.as_str(), "CMD" | "ENTRYPOINT"));
    // Nothing may run as this user that needed root: behind the last instruction that does.
    let last_root = stage.body.iter().rposition(|i| matches!(i.keyword.as_str(), "RUN" | "COPY" | "ADD" | "WORKDIR" | "VOLUME" | "USER"));
    let at = match (start, last_root) {
        (Some(start), last) if last.is_none_or(|l| l < start) => stage.body[start].span.start as usize,
        (_, Some(last)) => next_line(source, stage.body[last].span.end as usize),
        (_, None) => next_line(source, stage.head.span.end as usize),
    };
    if at > 0 && !source[..at].ends_with('\n') {
        text.insert(0, '\n');
    }
    let mut changes = vec![Change::Edit(Edit::insert(recipe.file, at, text))];
    if base == "scratch" {
        for copy in stage.body.iter().filter(|i| matches!(i.keyword.as_str(), "COPY" | "ADD")) {
            if copy.flag("chown").is_none() {
                let at = copy.keyword_span.end as usize;
                changes.push(Change::Edit(Edit::insert(recipe.file, at, format!(" --chown={OWN_USER}"))));
            }
        }
    }
    changes
}

fn next_line(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |n| at + n + 1)
}

/// A program that listens below 1024 may go on doing so.
fn low_ports(inputs: &Inputs<'_>, name: &str, recipe: &Recipe, routes: &mut Vec<String>) -> Option<Change> {
    let service = inputs.project.services.get(name)?;
    let exposed = recipe.final_stage().is_some_and(|s| {
        s.all("EXPOSE").flat_map(|e| &e.words).any(|w| {
            w.text.split('/').next().and_then(|p| p.parse::<u16>().ok()).is_some_and(|p| p < 1024)
        })
    });
    let published = service.ports.iter().any(|p| p.target < 1024);
    let family = recipe.base().as_deref().and_then(Family::of).is_some_and(|f| f.name == "nginx");
    if !(exposed || published || family) || service.network_mode == "host" {
        return None;
    }
    routes.push(format!("services.{name}.sysctls"));
    Some(put(&["services", name], "sysctls", low_port_sysctl()))
}
