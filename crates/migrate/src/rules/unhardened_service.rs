//! PH008: a service that may do more than it does.

use phoenix_source::Severity;
use serde_json::json;

use crate::families::Family;
use crate::finding::{Finding, put};
use crate::inputs::Inputs;
use crate::rule::{Example, Meta, Rule};

pub(crate) struct UnhardenedService;

static META: Meta = Meta {
    code: "PH008",
    name: "unhardened-service",
    what: "A service keeps privileges that it does not use.",
    why: "The move is the moment to take away what nobody misses: gaining privileges by set-user-id programs, the \
          capabilities of root, a writable root file system. Each has cost somebody a host.",
    fix: "Safe. `no-new-privileges` for every service that is not privileged; `cap_drop: [ALL]` where the program does \
          not run as root afterwards; a read-only root with tmpfs for images whose writes are known. What adds \
          capabilities by itself keeps them. The documents of old recommend `seccomp:unconfined`: that switches a \
          protection off, and is never written here.",
    evidence: &[
        "0.4 % of the projects of 209 product repositories drop capabilities",
        "https://docs.docker.com/engine/security/#linux-kernel-capabilities",
        "https://docs.podman.io/en/latest/markdown/podman-run.1.html#security-opt-option",
    ],
    example: Example::Compose {
        before: "services:\n  db:\n    image: docker.io/library/postgres:17\n    user: \"999:999\"\n  app:\n    image: example.com/app:1\n",
        after: "services:\n  db:\n    image: docker.io/library/postgres:17\n    user: \"999:999\"\n    security_opt: [\"no-new-privileges:true\"]\n    cap_drop: [ALL]\n    read_only: true\n    tmpfs: [\"/var/run/postgresql:mode=1777\", \"/tmp:mode=1777\"]\n  app:\n    image: example.com/app:1\n    security_opt: [\"no-new-privileges:true\"]\n",
    },
};

impl Rule for UnhardenedService {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn check(&self, inputs: &Inputs<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (name, service) in &inputs.project.services {
            if service.privileged || service.provider.is_some() {
                continue;
            }
            let mut changes = Vec::new();
            let mut doing = Vec::new();
            let at = ["services", name.as_str()];
            if !service.security_opt.iter().any(|o| o.starts_with("no-new-privileges")) {
                changes.push(put(&at, "security_opt", json!(["no-new-privileges:true"])));
                doing.push("forbid new privileges");
            }
            let habits = inputs.habits(name);
            let family = habits.as_deref().and_then(Family::of);
            if service.cap_drop.is_empty() && service.cap_add.is_empty() {
                // Without root from the start no capability is needed; with it, those of stepping down.
                let not_root = becomes_unprivileged(inputs, name, family);
                if not_root {
                    changes.push(put(&at, "cap_drop", json!(["ALL"])));
                    doing.push("drop all capabilities");
                } else if let Some(family) = family {
                    changes.push(put(&at, "cap_drop", json!(["ALL"])));
                    changes.push(put(&at, "cap_add", json!(family.root_capabilities)));
                    doing.push("drop the capabilities that the image does not need");
                }
            }
            if let Some(family) = family
                && !service.read_only
                && becomes_unprivileged(inputs, name, Some(family))
            {
                let taken = |path: &str| {
                    service.volumes.iter().any(|m| m.target == path)
                        || service.tmpfs.iter().any(|t| t.split(':').next() == Some(path))
                };
                // A tmpfs belongs to root inside; without the mode nobody else could write.
                let tmpfs: Vec<String> =
                    family.writes.iter().filter(|p| !taken(p)).map(|p| format!("{p}:mode=1777")).collect();
                changes.push(put(&at, "read_only", json!(true)));
                if !tmpfs.is_empty() {
                    changes.push(put(&at, "tmpfs", json!(tmpfs)));
                }
                doing.push("make its root read-only");
            }
            if changes.is_empty() {
                continue;
            }
            let routes: Vec<String> = ["security_opt", "cap_drop", "cap_add", "read_only", "tmpfs"]
                .iter()
                .map(|key| format!("services.{name}.{key}"))
                .collect();
            let routes: Vec<&str> = routes.iter().map(String::as_str).collect();
            findings.push(
                Finding::new(META.code, Severity::Note, format!("`{name}` keeps privileges that it does not use"))
                    .at(inputs.origin(&["services", name]))
                    .of(name)
                    .safe(doing.join(", "), &routes, changes),
            );
        }
        findings
    }
}

/// Whether the service does not run as root once everything is applied.
fn becomes_unprivileged(inputs: &Inputs<'_>, name: &str, family: Option<&Family>) -> bool {
    let service = &inputs.project.services[name];
    if !service.user.is_empty() {
        return !matches!(service.user.split(':').next(), Some("0" | "root"));
    }
    let writable_bind =
        service.volumes.iter().any(|m| m.r#type == "bind" && !m.read_only && !m.source.ends_with(".sock"));
    match inputs.recipe(name) {
        Some(recipe) => {
            let own = recipe.final_stage().and_then(|s| s.last("USER").map(|u| u.arguments.clone()));
            match own {
                Some(user) if !matches!(user.split(':').next(), Some("0" | "root")) => true,
                _ => !writable_bind,
            }
        }
        None => service.build.is_none() && family.is_some() && !writable_bind,
    }
}
