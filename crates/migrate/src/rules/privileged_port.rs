//! PH002: a published port below 1024.

use std::collections::BTreeSet;

use phoenix_source::{Edit, Severity, Span};

use crate::finding::{Change, Finding};
use crate::inputs::Inputs;
use crate::rule::{Example, Meta, Rule};
use crate::uses;

pub(crate) struct PrivilegedPort;

static META: Meta = Meta {
    code: "PH002",
    name: "privileged-port",
    what: "A port below 1024 is published on the host.",
    why: "Docker's daemon is root and may bind any port. A rootless container is bound by its user's rights: \
          \"rootlessport cannot expose privileged port 80\". The limit is net.ipv4.ip_unprivileged_port_start.",
    fix: "Safe. The host's port moves up by 8000 (80 → 8080, 443 → 8443), to the next free one where that is taken; \
          scripts, tasks and workflows of the project that certainly use it on this host move with it. To keep the \
          port, lower the sysctl instead: `sysctl net.ipv4.ip_unprivileged_port_start=80`.",
    evidence: &[
        "25 % of the projects of 209 product repositories",
        "https://github.com/containers/podman-compose/issues/141",
        "https://github.com/onyx-dot-app/onyx/issues/5560",
    ],
    example: Example::Compose {
        before: "services:\n  web:\n    image: x\n    ports:\n      - \"80:80\"\n      - 127.0.0.1:${TLS:-443}:8443/tcp\n      - {target: 53, published: 53, protocol: udp}\n",
        after: "services:\n  web:\n    image: x\n    ports:\n      - \"8080:80\"\n      - 127.0.0.1:${TLS:-8443}:8443/tcp\n      - {target: 53, published: 8053, protocol: udp}\n",
    },
};

impl Rule for PrivilegedPort {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn check(&self, inputs: &Inputs<'_>) -> Vec<Finding> {
        let limit = inputs.facts.unprivileged_port_start;
        let mut taken: BTreeSet<u16> = inputs
            .project
            .services
            .values()
            .flat_map(|s| &s.ports)
            .filter_map(|p| p.published.parse().ok())
            .collect();
        let mut findings = Vec::new();
        let mut moved: BTreeSet<u16> = BTreeSet::new();
        for (name, service) in &inputs.project.services {
            for (n, port) in service.ports.iter().enumerate() {
                let Ok(old) = port.published.parse::<u16>() else { continue };
                if old == 0 || old >= limit {
                    continue;
                }
                let mut new = old + 8000;
                while !taken.insert(new) {
                    new += 1;
                }
                let index = n.to_string();
                let route = ["services", name.as_str(), "ports", index.as_str()];
                let origin = inputs.project.origin(route);
                let finding = Finding::new(META.code, Severity::Error, format!("`{name}` publishes port {old}, which needs privilege"))
                    .at(origin)
                    .of(name);
                let span = inputs.project.origin(route.into_iter().chain(["published"])).and_then(|span| host_port(inputs, span, old));
                let Some(span) = span else {
                    findings.push(finding.help(format!("publish {new} instead, where the variable is set")));
                    continue;
                };
                let mut changes = vec![Change::Edit(Edit::replace(span, new.to_string()))];
                let mut prose = Vec::new();
                if moved.insert(old) {
                    for found in uses::of_port(inputs, old, new) {
                        if found.prose {
                            prose.push(inputs.sources.locate(found.span));
                        } else {
                            changes.push(Change::Edit(Edit::replace(found.span, found.text)));
                        }
                    }
                }
                let mut finding = finding.safe(
                    format!("publish {new} instead, also in the project's scripts"),
                    &[&format!("services.{name}.ports")],
                    changes,
                );
                if !prose.is_empty() {
                    finding = finding.help(format!("port {old} is also named in {}", prose.join(", ")));
                }
                findings.push(finding);
            }
        }
        findings
    }
}

/// The digits of the host's port in what is written: a short form, a number, or the default of a
/// variable.
fn host_port(inputs: &Inputs<'_>, span: Span, old: u16) -> Option<Span> {
    let (span, text) = inputs.inner(span);
    let digits = old.to_string();
    let place = |at: usize| Span::new(span.file, span.start as usize + at, span.start as usize + at + digits.len());
    if text == digits {
        return Some(place(0));
    }
    // Colons inside `${…}` separate nothing.
    let mut colons = Vec::new();
    let mut depth = 0usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ':' if depth == 0 => colons.push(at),
            _ => {}
        }
    }
    let end = *colons.last()?;
    let start = if colons.len() > 1 { colons[colons.len() - 2] + 1 } else { 0 };
    let host = &text[start..end];
    if host == digits {
        return Some(place(start));
    }
    let default = host.find(":-").map(|n| n + 2)?;
    (host[default..].trim_end_matches('}') == digits).then(|| place(start + default))
}
