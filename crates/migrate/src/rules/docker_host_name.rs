//! PH004: the host by its name in Docker Desktop.

use phoenix_source::Severity;
use serde_json::json;

use crate::finding::{Finding, put};
use crate::inputs::Inputs;
use crate::rule::{Example, Meta, Rule};

pub(crate) struct DockerHostName;

static META: Meta = Meta {
    code: "PH004",
    name: "docker-host-name",
    what: "A service reaches the host as `host.docker.internal` without declaring it.",
    why: "Docker Desktop gives that name to every container; engines on Linux give it to nobody who does not ask. \
          Podman resolves `host-gateway` since 4.7 and reaches the host by it since 5.3. What listens on the host's \
          127.0.0.1 alone stays out of reach of a rootless container.",
    fix: "Safe. The name is declared: `extra_hosts: [\"host.docker.internal:host-gateway\"]`.",
    evidence: &[
        "7.6 % of the projects of 209 product repositories",
        "https://github.com/containers/podman/issues/22881",
        "https://github.com/containers/podman/issues/24260",
    ],
    example: Example::Compose {
        before: "services:\n  app:\n    image: x\n    environment:\n      API: http://host.docker.internal:9000\n",
        after: "services:\n  app:\n    image: x\n    environment:\n      API: http://host.docker.internal:9000\n    extra_hosts: [\"host.docker.internal:host-gateway\"]\n",
    },
};

const NAME: &str = "host.docker.internal";

impl Rule for DockerHostName {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn check(&self, inputs: &Inputs<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (name, service) in &inputs.project.services {
            if service.extra_hosts.0.contains_key(NAME) || service.network_mode == "host" {
                continue;
            }
            let variable = service.environment.iter().find(|(_, v)| v.as_ref().is_some_and(|v| v.contains(NAME)));
            let in_command = [&service.command, &service.entrypoint]
                .iter()
                .any(|c| c.0.iter().flatten().any(|word| word.contains(NAME)));
            let origin = match variable {
                Some((key, _)) => inputs.origin(&["services", name, "environment", key]),
                None if in_command => inputs.origin(&["services", name, "command"]),
                None => continue,
            };
            findings.push(
                Finding::new(META.code, Severity::Warning, format!("`{name}` uses `{NAME}`, a name that only Docker Desktop gives by itself"))
                    .at(origin)
                    .of(name)
                    .help("what listens on the host's 127.0.0.1 alone cannot be reached; let it listen on another address")
                    .safe(
                        "declare the name",
                        &[&format!("services.{name}.extra_hosts")],
                        vec![put(&["services", name], "extra_hosts", json!([format!("{NAME}:host-gateway")]))],
                    ),
            );
        }
        findings
    }
}
