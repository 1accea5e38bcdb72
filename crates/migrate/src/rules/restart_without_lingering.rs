//! PH012: a restart policy that ends with the login.

use phoenix_source::Severity;

use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::rule::{Example, Meta, Rule};

pub(crate) struct RestartWithoutLingering;

static META: Meta = Meta {
    code: "PH012",
    name: "restart-without-lingering",
    what: "Services are to restart always, and the user's services end with the login.",
    why: "Docker's daemon starts at boot and restarts what should run. Rootless containers belong to the user's \
          session: without lingering systemd ends them at logout, and nothing starts them after a reboot.",
    fix: "None in the files: `loginctl enable-linger` once on the host, and the units of production for the start at boot.",
    evidence: &[
        "57 % of 1,912 public compose files have a restart policy",
        "https://github.com/containers/podman/issues/12376",
        "https://github.com/ublue-os/ucore/issues/188",
    ],
    example: Example::Reported {
        compose: "services:\n  web:\n    image: x\n    restart: always\n",
        message: "`web` should restart always, and this user's services end at logout",
    },
};

impl Rule for RestartWithoutLingering {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn check(&self, inputs: &Inputs<'_>) -> Vec<Finding> {
        if inputs.facts.lingering {
            return Vec::new();
        }
        let restarts = |s: &phoenix_compose::Service| matches!(s.restart.as_str(), "always" | "unless-stopped");
        let names: Vec<&str> =
            inputs.project.services.iter().filter(|(_, s)| restarts(s)).map(|(n, _)| n.as_str()).collect();
        let Some(first) = names.first() else { return Vec::new() };
        let who = match names.len() {
            1 => format!("`{first}` should"),
            n => format!("`{first}` and {} more should", n - 1),
        };
        vec![
            Finding::new(META.code, Severity::Warning, format!("{who} restart always, and this user's services end at logout"))
                .at(inputs.origin(&["services", first, "restart"]))
                .help("run `loginctl enable-linger` once"),
        ]
    }
}
