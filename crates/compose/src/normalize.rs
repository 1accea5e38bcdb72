//! Values that follow from others: names, the default network, dependencies that links imply.

use phoenix_source::Span;

use crate::Environment;
use crate::node::{Entry, Map, Node, Value};
use crate::paths;

/// Completes a merged tree of the project `name`.
pub(crate) fn normalize(tree: &mut Node, name: &str, environment: &Environment) {
    let at = tree.origin;
    default_network(tree);
    if let Some(services) = tree.get_mut("services").and_then(Node::as_map_mut) {
        for entry in services.values_mut() {
            if entry.node.as_map().is_some() {
                service(&mut entry.node, environment);
            }
        }
    }
    for section in ["networks", "volumes", "configs", "secrets"] {
        let Some(resources) = tree.get_mut(section).and_then(Node::as_map_mut) else {
            continue;
        };
        for (key, entry) in resources {
            let resource = &mut entry.node;
            if resource.is_null() {
                resource.value = Value::Map(Map::new());
            }
            if resource.get("name").is_none_or(Node::is_null) {
                let external = matches!(
                    resource.get("external").map(|n| &n.value),
                    Some(Value::Bool(true))
                );
                let full = if external {
                    key.clone()
                } else {
                    format!("{name}_{key}")
                };
                resource.set("name", Node::string(full, entry.key));
            }
        }
    }
    tree.set("name", Node::string(name, at));
}

fn default_network(tree: &mut Node) {
    let mut used = false;
    if let Some(services) = tree.get_mut("services").and_then(Node::as_map_mut) {
        for entry in services.values_mut() {
            let service = &mut entry.node;
            if service.as_map().is_none()
                || service.get("provider").is_some()
                || service.get("network_mode").is_some()
            {
                continue;
            }
            let at = service.origin;
            match service.get("networks").map(|n| &n.value) {
                Some(Value::Map(networks)) if !networks.is_empty() => {
                    used |= networks.contains_key("default");
                }
                _ => {
                    let default = Entry {
                        key: at,
                        node: Node::new(Value::Null, at),
                    };
                    let map = Map::from_iter([("default".to_owned(), default)]);
                    service.set("networks", Node::new(Value::Map(map), at));
                    used = true;
                }
            }
        }
    }
    if used {
        let at = tree.origin;
        if tree.get("networks").is_none_or(Node::is_null) {
            tree.set("networks", Node::new(Value::Map(Map::new()), at));
        }
        if let Some(networks) = tree.get_mut("networks")
            && networks.get("default").is_none()
        {
            networks.set("default", Node::new(Value::Null, at));
        }
    }
}

fn service(service: &mut Node, environment: &Environment) {
    let at = service.origin;
    if service.get("pull_policy").and_then(Node::as_str) == Some("if_not_present") {
        service.set("pull_policy", Node::string("missing", at));
    }
    if let Some(build) = service.get_mut("build") {
        let at = build.origin;
        if build.get("context").is_none_or(Node::is_null) {
            build.set("context", Node::string(".", at));
        }
        let absent = |key: &str| build.get(key).is_none_or(Node::is_null);
        if absent("dockerfile") && absent("dockerfile_inline") {
            build.set("dockerfile", Node::string("Dockerfile", at));
        }
        if let Some(args) = build.get_mut("args") {
            fill(args, environment, false);
        }
    }
    if let Some(variables) = service.get_mut("environment") {
        fill(variables, environment, true);
    }
    for (name, restart, at) in implied_dependencies(service) {
        if service.get("depends_on").is_none_or(Node::is_null) {
            service.set("depends_on", Node::new(Value::Map(Map::new()), at));
        }
        let Some(depends_on) = service.get_mut("depends_on") else {
            continue;
        };
        if depends_on.get(&name).is_none() {
            let mut dependency = Node::new(Value::Map(Map::new()), at);
            dependency.set("condition", Node::string("service_started", at));
            dependency.set("restart", Node::new(Value::Bool(restart), at));
            dependency.set("required", Node::new(Value::Bool(true), at));
            depends_on.set(&name, dependency);
        }
    }
    if let Some(Value::List(volumes)) = service.get_mut("volumes").map(|n| &mut n.value) {
        for volume in volumes {
            if let Some(Value::String(target)) = volume.get_mut("target").map(|n| &mut n.value) {
                *target = paths::clean(target);
                if target.is_empty() {
                    *target = ".".into();
                }
            }
        }
    }
}

/// Services that others are mentioned by, without `depends_on`: (name, restart with it, where).
fn implied_dependencies(service: &Node) -> Vec<(String, bool, Span)> {
    let mut found = Vec::new();
    for link in service
        .get("links")
        .and_then(Node::as_list)
        .unwrap_or_default()
    {
        let text = link.as_str().unwrap_or_default();
        let name = match text.split(':').collect::<Vec<_>>().as_slice() {
            [name, _] => name,
            _ => text,
        };
        found.push((name.to_owned(), true, link.origin));
    }
    for key in ["network_mode", "ipc", "pid", "uts", "cgroup"] {
        if let Some(node) = service.get(key)
            && let Some(name) = node.as_str().and_then(|s| s.strip_prefix("service:"))
        {
            found.push((name.to_owned(), true, node.origin));
        }
    }
    for from in service
        .get("volumes_from")
        .and_then(Node::as_list)
        .unwrap_or_default()
    {
        let text = from.as_str().unwrap_or_default();
        if !text.starts_with("container:") {
            let name = text.split(':').next().unwrap_or_default();
            found.push((name.to_owned(), false, from.origin));
        }
    }
    found
}

/// Gives bare names their value from the environment; `keep` says whether a name without one stays.
fn fill(node: &mut Node, environment: &Environment, keep: bool) {
    match &mut node.value {
        Value::List(list) => {
            list.retain_mut(|item| {
                let Value::String(text) = &mut item.value else {
                    return true;
                };
                if text.contains('=') {
                    return true;
                }
                match environment.get(text.as_str()) {
                    Some(value) => {
                        *text = format!("{text}={value}");
                        true
                    }
                    None => keep,
                }
            });
        }
        Value::Map(map) => {
            map.retain(|name, entry| {
                if !entry.node.is_null() {
                    return true;
                }
                match environment.get(name) {
                    Some(value) => {
                        entry.node.value = Value::String(value.clone());
                        true
                    }
                    None => keep,
                }
            });
        }
        _ => {}
    }
}
