//! PH009: a network whose addresses are left to chance.

use phoenix_source::Severity;
use serde_json::{Map, Value, json};

use crate::finding::{Change, Finding, put};
use crate::inputs::{Facts, Inputs};
use crate::rule::{Example, Meta, Rule};

pub(crate) struct ImplicitSubnet;

static META: Meta = Meta {
    code: "PH009",
    name: "implicit-subnet",
    what: "A bridge network has no subnet, or the project has no network of its own name.",
    why: "Podman gives networks the next free subnet of its own pool, another one on each host and after each \
          removal; firewalls, `trust` lines of databases and static addresses cannot count on it. Docker's pool is a \
          different one, so what was written down no longer holds after the move.",
    fix: "Safe. The network gets a subnet and a gateway that the host does not route yet, always the same for one \
          project name; services without a network get one named after the project, with their names as aliases.",
    evidence: &[
        "4 % of the projects of 209 product repositories write a subnet",
        "https://github.com/containers/podman/issues/11493",
        "https://github.com/containers/podman-compose/issues/1090",
    ],
    example: Example::Compose {
        before: "name: shop\nservices:\n  web:\n    image: x\n",
        after: "name: shop\nservices:\n  web:\n    image: x\n    networks:\n      shop-net:\n        aliases: [web]\n\nnetworks:\n  shop-net:\n    driver: bridge\n    ipam:\n      config: [{subnet: \"10.91.127.0/24\", gateway: \"10.91.127.1\"}]\n",
    },
};

impl Rule for ImplicitSubnet {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn check(&self, inputs: &Inputs<'_>) -> Vec<Finding> {
        let project = inputs.project;
        let mut findings = Vec::new();
        let mut salt = 0u32;
        for (key, network) in &project.networks {
            let bridge = matches!(network.driver.as_str(), "" | "bridge" | "default");
            let written = project.tree().at(["networks", key]).is_some_and(|n| n.origin != project.tree().origin);
            if network.external || !bridge || !network.ipam.config.is_empty() {
                continue;
            }
            salt += 1;
            let Some((subnet, gateway)) = free_subnet(&format!("{}/{key}", project.name), &inputs.facts, &mut salt) else { continue };
            let ipam = json!({ "config": [{ "subnet": subnet, "gateway": gateway }] });
            if key == "default" && !written {
                findings.push(own_network(inputs, ipam));
                continue;
            }
            findings.push(
                Finding::new(META.code, Severity::Note, format!("the network `{key}` has no subnet of its own"))
                    .at(inputs.origin(&["networks", key]))
                    .safe(
                        format!("give it {subnet}"),
                        &[&format!("networks.{key}.ipam")],
                        vec![put(&["networks", key], "ipam", ipam)],
                    ),
            );
        }
        findings
    }
}

/// The implicit default network becomes one with a name.
fn own_network(inputs: &Inputs<'_>, ipam: Value) -> Finding {
    let project = inputs.project;
    let name = format!("{}-net", project.name);
    let mut definition = Map::new();
    definition.insert("driver".into(), json!("bridge"));
    definition.insert("ipam".into(), ipam);
    let mut changes: Vec<Change> = vec![put(&["networks"], &name, Value::Object(definition))];
    let mut routes = vec!["networks".to_owned()];
    for (service, config) in &project.services {
        if !config.networks.contains_key("default") {
            continue;
        }
        routes.push(format!("services.{service}.networks"));
        // Where `default` is written out among others it is one of several.
        let alone = config.networks.len() == 1;
        if alone {
            changes.push(put(&["services", service], "networks", json!({ (name.clone()): { "aliases": [service] } })));
        }
    }
    let routes: Vec<&str> = routes.iter().map(String::as_str).collect();
    let origin = project.services.keys().next().and_then(|s| inputs.origin(&["services", s]));
    Finding::new(META.code, Severity::Note, "the project has no network of its own name")
        .at(origin)
        .safe(format!("give it `{name}`"), &routes, changes)
}

/// A /24 out of 10.90.0.0/15 that the host does not route, chosen by the name.
fn free_subnet(name: &str, facts: &Facts, salt: &mut u32) -> Option<(String, String)> {
    // FNV-1a: small, stable, and good enough to spread names.
    let hash = name.bytes().fold(0x811c_9dc5_u32, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193));
    for step in 0..512u32 {
        let n = hash.wrapping_add(step) % 512;
        let base = (10 << 24) | ((90 + n / 256) << 16) | ((n % 256) << 8);
        let overlaps = facts.routes.iter().any(|(address, bits)| {
            let mask = u32::MAX.checked_shl(32 - (*bits).min(24)).unwrap_or(0);
            *bits > 0 && (address & mask) == (base & mask)
        });
        if !overlaps {
            *salt += step;
            let show = |n: u32| std::net::Ipv4Addr::from(n).to_string();
            return Some((format!("{}/24", show(base)), show(base + 1)));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subnets_avoid_what_the_host_routes() {
        let mut salt = 0;
        let (first, _) = free_subnet("x", &Facts::default(), &mut salt).unwrap();
        let address: std::net::Ipv4Addr = first.trim_end_matches("/24").parse().unwrap();
        let facts = Facts { routes: vec![(u32::from(address), 24)], ..Facts::default() };
        assert_ne!(free_subnet("x", &facts, &mut salt).unwrap().0, first);
        let all = Facts { routes: vec![(10 << 24, 8)], ..Facts::default() };
        assert_eq!(free_subnet("x", &all, &mut salt), None);
    }
}
