//! PH003: Docker's socket in a container.

use phoenix_source::{Edit, Severity};
use serde_json::json;

use crate::finding::{Change, Finding, put};
use crate::inputs::Inputs;
use crate::rule::{Example, Meta, Rule};

pub(crate) struct DockerSocket;

static META: Meta = Meta {
    code: "PH003",
    name: "docker-socket",
    what: "A service mounts Docker's socket.",
    why: "There is no daemon and no /var/run/docker.sock. Podman's own socket speaks the same API (enable it with \
          `systemctl --user enable --now podman.socket`), under the user's runtime directory; SELinux keeps containers \
          from it unless labels are off for that one service. Whoever has the socket controls all containers of the user.",
    fix: "Safe. The source becomes Podman's socket, and labels are disabled for the service.",
    evidence: &[
        "16 % of the projects of 209 product repositories",
        "https://github.com/containers/podman/issues/10770",
        "https://github.com/containers/prometheus-podman-exporter/issues/463",
    ],
    example: Example::Compose {
        before: "services:\n  proxy:\n    image: x\n    volumes:\n      - /var/run/docker.sock:/var/run/docker.sock:ro\n",
        after: "services:\n  proxy:\n    image: x\n    volumes:\n      - ${XDG_RUNTIME_DIR:-/run/user/1000}/podman/podman.sock:/var/run/docker.sock:ro\n    security_opt: [\"label=disable\"]\n",
    },
};

const SOCKETS: [&str; 2] = ["/var/run/docker.sock", "/run/docker.sock"];
const PODMAN: &str = "${XDG_RUNTIME_DIR:-/run/user/1000}/podman/podman.sock";

impl Rule for DockerSocket {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn check(&self, inputs: &Inputs<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (name, service) in &inputs.project.services {
            for (n, mount) in service.volumes.iter().enumerate() {
                if !SOCKETS.contains(&mount.source.as_str()) {
                    continue;
                }
                let index = n.to_string();
                let origin = inputs.project.origin(["services", name, "volumes", &index, "source"]);
                let finding = Finding::new(META.code, Severity::Error, format!("`{name}` mounts Docker's socket"))
                    .at(origin)
                    .of(name);
                let place = origin.map(|o| inputs.inner(o)).filter(|(_, text)| text.starts_with(&mount.source));
                findings.push(match place {
                    Some((span, _)) => {
                        let end = span.start + mount.source.len() as u32;
                        let edit = Edit::replace(phoenix_source::Span { end, ..span }, PODMAN);
                        let volumes = format!("services.{name}.volumes");
                        let options = format!("services.{name}.security_opt");
                        finding.safe(
                            "mount Podman's socket, with labels disabled",
                            &[&volumes, &options],
                            vec![Change::Edit(edit), put(&["services", name], "security_opt", json!(["label=disable"]))],
                        )
                    }
                    None => finding.help(format!("set its source to `{PODMAN}`")),
                });
            }
        }
        findings
    }
}
