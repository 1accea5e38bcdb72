//! PH005: a bind mount that SELinux keeps a container from.

use std::collections::BTreeMap;
use std::path::Path;

use phoenix_source::{Edit, Severity};
use serde_json::json;

use crate::finding::{Change, Finding, put};
use crate::inputs::Inputs;
use crate::rule::{Example, Meta, Rule};

pub(crate) struct UnlabelledBind;

static META: Meta = Meta {
    code: "PH005",
    name: "unlabelled-bind",
    what: "A file or directory of the project is mounted without an SELinux label.",
    why: "On Fedora, RHEL and their kin Podman confines containers, and a container may only read files that carry \
          its label: \"permission denied\" in spite of fitting modes. Docker there mostly runs without.",
    fix: "Safe; without SELinux it means nothing. `:Z` where one container uses the path, `:z` where several do. Only \
          paths inside the project are labelled, never home or system directories.",
    evidence: &[
        "52 % of 1,912 public compose files have bind mounts",
        "https://github.com/containers/podman/issues/10779",
        "https://github.com/internetarchive/openlibrary/issues/11944",
    ],
    example: Example::Compose {
        before: "services:\n  a:\n    image: x\n    volumes:\n      - ./data/a:/a\n      - ./data/shared:/s:ro\n  b:\n    image: x\n    volumes:\n      - ./data/shared:/s:ro\n      - type: bind\n        source: ./data/b\n        target: /b\n",
        after: "services:\n  a:\n    image: x\n    volumes:\n      - ./data/a:/a:Z\n      - ./data/shared:/s:ro,z\n  b:\n    image: x\n    volumes:\n      - ./data/shared:/s:ro,z\n      - type: bind\n        source: ./data/b\n        target: /b\n        bind:\n          selinux: Z\n",
    },
};

impl Rule for UnlabelledBind {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn check(&self, inputs: &Inputs<'_>) -> Vec<Finding> {
        let mut users: BTreeMap<&str, usize> = BTreeMap::new();
        for service in inputs.project.services.values() {
            for mount in service.volumes.iter().filter(|m| m.r#type == "bind") {
                *users.entry(mount.source.as_str()).or_default() += usize::try_from(service.replicas()).unwrap_or(1).max(1);
            }
        }
        let mut findings = Vec::new();
        for (name, service) in &inputs.project.services {
            let unconfined = service.privileged || service.security_opt.iter().any(|o| o.starts_with("label") && o.ends_with("disable"));
            for (n, mount) in service.volumes.iter().enumerate() {
                let labelled = mount.bind.as_ref().is_some_and(|b| !b.selinux.is_empty());
                let source = Path::new(&mount.source);
                // A mount of the whole project would relabel its git directory too; a socket has no label.
                let inside = source.starts_with(&inputs.root) && source != inputs.root;
                if mount.r#type != "bind" || labelled || unconfined || !inside || mount.source.ends_with(".sock") {
                    continue;
                }
                let label = if users.get(mount.source.as_str()).copied().unwrap_or(1) > 1 { "z" } else { "Z" };
                let index = n.to_string();
                let Some(origin) = inputs.project.origin(["services", name, "volumes", &index]) else { continue };
                let text = inputs.sources.text(origin);
                let short = inputs.project.origin(["services", name, "volumes", &index, "source"]) == Some(origin);
                let change = if short {
                    let (span, inner) = inputs.inner(origin);
                    let options = inner.rsplit(':').next().unwrap_or_default();
                    let has_options = inner.matches(':').count() > inner.matches(":-").count() + 1 && !options.starts_with('/');
                    let lead = if has_options { "," } else { ":" };
                    Change::Edit(Edit::insert(span.file, span.end as usize, format!("{lead}{label}")))
                } else {
                    put(&["services", name, "volumes", &index], "bind", json!({ "selinux": label }))
                };
                let _ = text;
                findings.push(
                    Finding::new(META.code, Severity::Note, format!("`{name}` mounts `{}` without an SELinux label", mount.target))
                        .at(Some(origin))
                        .of(name)
                        .safe(format!("label it `{label}`"), &[&format!("services.{name}.volumes")], vec![change]),
                );
            }
        }
        findings
    }
}
