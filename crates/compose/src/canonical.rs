//! Short forms → long forms, and the values that Compose implies for them.

use phoenix_source::{Diagnostic, Span};

use crate::node::{Entry, Map, Node, Route, Value};
use crate::{short_port, short_volume};

type Done = Result<(), Box<Diagnostic>>;

/// Brings every short form of the tree to its long form.
pub(crate) fn canonical(node: &mut Node) -> Done {
    walk(node, &Route::ROOT)
}

fn walk(node: &mut Node, route: &Route<'_>) -> Done {
    let keys = route.keys();
    match keys.as_slice() {
        ["services", _, key] => match *key {
            "build" => {
                if let Value::String(_) = node.value {
                    let inner = Node {
                        tag: None,
                        ..node.clone()
                    };
                    *node = map(node.origin, [("context", inner)]);
                }
            }
            "depends_on" => return depends_on(node),
            "env_file" => return env_file(node),
            "label_file" | "dns" => one_to_list(node),
            "extends" => {
                if let Value::String(_) = node.value {
                    let inner = node.clone();
                    *node = map(node.origin, [("service", inner)]);
                }
            }
            "gpus" => {
                if let Value::String(_) = node.value {
                    let all = map(node.origin, [("count", Node::string("all", node.origin))]);
                    node.value = Value::List(vec![all]);
                }
                return Ok(());
            }
            "networks" | "models" => {
                names_to_map(node);
                return Ok(());
            }
            "ports" => return ports(node),
            _ => {}
        },
        ["services", _, "volumes", _] => return volume(node),
        ["services", _, "devices", _] => return device(node),
        ["services", _, "secrets" | "configs", _] | ["services", _, "build", "secrets", _] => {
            if let Value::String(_) = node.value {
                let inner = node.clone();
                *node = map(node.origin, [("source", inner)]);
            }
            return Ok(());
        }
        ["services", _, "build", "additional_contexts"] => return key_values(node),
        ["services", _, "build", "ssh"] => return ssh(node),
        ["services", _, "develop", "watch", _, "ignore" | "include"] => one_to_list(node),
        ["services", _, "build", "provenance" | "sbom"] => {
            if let Some(text) = node.scalar_text() {
                node.value = Value::String(text);
            }
        }
        ["volumes" | "networks" | "secrets" | "configs", _] => return external(node, route),
        ["include", _] => {
            if let Value::String(_) = node.value {
                let inner = node.clone();
                *node = map(node.origin, [("path", inner)]);
            }
            return Ok(());
        }
        _ => {}
    }
    match &mut node.value {
        Value::Map(map) => {
            for (key, entry) in map {
                walk(&mut entry.node, &route.child(key))?;
            }
        }
        Value::List(list) => {
            for (n, item) in list.iter_mut().enumerate() {
                walk(item, &route.child(&n.to_string()))?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn map<const N: usize>(origin: Span, entries: [(&str, Node); N]) -> Node {
    let map = entries
        .into_iter()
        .map(|(key, node)| {
            (
                key.to_owned(),
                Entry {
                    key: node.origin,
                    node,
                },
            )
        })
        .collect();
    Node::new(Value::Map(map), origin)
}

fn boolean(value: bool, origin: Span) -> Node {
    Node::new(Value::Bool(value), origin)
}

fn one_to_list(node: &mut Node) {
    if let Value::String(_) = node.value {
        let inner = node.clone();
        node.value = Value::List(vec![inner]);
    }
}

fn names_to_map(node: &mut Node) {
    if let Value::List(list) = &node.value {
        let map: Map = list
            .iter()
            .filter_map(|item| {
                let name = item.as_str()?.to_owned();
                Some((
                    name,
                    Entry {
                        key: item.origin,
                        node: Node::new(Value::Null, item.origin),
                    },
                ))
            })
            .collect();
        node.value = Value::Map(map);
    }
}

fn depends_on(node: &mut Node) -> Done {
    let started = |at| Node::string("service_started", at);
    match &mut node.value {
        Value::List(list) => {
            let map: Map = list
                .iter()
                .filter_map(|item| {
                    let at = item.origin;
                    let entry = map(
                        at,
                        [("condition", started(at)), ("required", boolean(true, at))],
                    );
                    Some((
                        item.as_str()?.to_owned(),
                        Entry {
                            key: at,
                            node: entry,
                        },
                    ))
                })
                .collect();
            node.value = Value::Map(map);
        }
        Value::Map(map) => {
            for entry in map.values_mut() {
                let at = entry.node.origin;
                if entry.node.get("condition").is_none() {
                    entry.node.set("condition", started(at));
                }
                if entry.node.get("required").is_none() {
                    entry.node.set("required", boolean(true, at));
                }
            }
        }
        _ => {}
    }
    Ok(())
}

fn env_file(node: &mut Node) -> Done {
    let long = |item: &Node| match &item.value {
        Value::String(_) => map(
            item.origin,
            [
                ("path", item.clone()),
                ("required", boolean(true, item.origin)),
            ],
        ),
        _ => {
            let mut item = item.clone();
            if item.get("required").is_none() {
                item.set("required", boolean(true, item.origin));
            }
            item
        }
    };
    node.value = match &node.value {
        Value::String(_) => Value::List(vec![long(node)]),
        Value::List(list) => Value::List(list.iter().map(long).collect()),
        other => other.clone(),
    };
    Ok(())
}

fn ports(node: &mut Node) -> Done {
    let Value::List(list) = &mut node.value else {
        return Ok(());
    };
    let mut long = Vec::with_capacity(list.len());
    for item in std::mem::take(list) {
        let Some(text) = item.scalar_text() else {
            long.push(item);
            continue;
        };
        let at = item.origin;
        let ports = short_port::parse(&text).map_err(|message| {
            Box::new(
                Diagnostic::error(message)
                    .at(at)
                    .help("write `HOST:CONTAINER`, `IP:HOST:CONTAINER` or `CONTAINER`, with `/udp` at the end for UDP"),
            )
        })?;
        for port in ports {
            let mut node = map(at, [("mode", Node::string("ingress", at))]);
            if !port.host_ip.is_empty() {
                node.set("host_ip", Node::string(port.host_ip, at));
            }
            node.set("target", Node::new(Value::Int(port.target.into()), at));
            if !port.published.is_empty() {
                node.set("published", Node::string(port.published, at));
            }
            node.set("protocol", Node::string(port.protocol, at));
            long.push(node);
        }
    }
    *list = long;
    Ok(())
}

fn volume(node: &mut Node) -> Done {
    let Some(text) = node.as_str() else {
        return Ok(());
    };
    let at = node.origin;
    let short = short_volume::parse(text).map_err(|message| {
        Box::new(
            Diagnostic::error(message)
                .at(at)
                .help("write `SOURCE:TARGET` or `SOURCE:TARGET:OPTIONS`"),
        )
    })?;
    let mut long = map(at, [("type", Node::string(short.kind, at))]);
    if !short.source.is_empty() {
        long.set("source", Node::string(short.source, at));
    }
    long.set(
        "target",
        Node::string(crate::paths::clean(&short.target), at),
    );
    if short.read_only {
        long.set("read_only", boolean(true, at));
    }
    let mut bind = map(at, []);
    if let Some(selinux) = short.selinux {
        bind.set("selinux", Node::string(selinux, at));
    }
    if let Some(propagation) = short.propagation {
        bind.set("propagation", Node::string(propagation, at));
    }
    if short.kind == "bind" {
        bind.set("create_host_path", boolean(true, at));
    }
    if bind.as_map().is_some_and(|m| !m.is_empty()) {
        long.set("bind", bind);
    }
    if short.kind == "volume" || short.nocopy {
        let mut volume = map(at, []);
        if short.nocopy {
            volume.set("nocopy", boolean(true, at));
        }
        long.set("volume", volume);
    }
    *node = long;
    Ok(())
}

fn device(node: &mut Node) -> Done {
    let Some(text) = node.as_str() else {
        return Ok(());
    };
    let at = node.origin;
    let parts: Vec<&str> = text.split(':').collect();
    let (source, target, permissions) = match parts.as_slice() {
        [source] => (*source, "", "rwm"),
        [source, target] => (*source, *target, "rwm"),
        [source, target, permissions] => (*source, *target, *permissions),
        _ => {
            return Err(Box::new(
                Diagnostic::error(format!("`{text}` is not a device"))
                    .at(at)
                    .help("write `SOURCE:TARGET:PERMISSIONS`, or the long form where a path holds a colon"),
            ));
        }
    };
    let target = if target.is_empty() { source } else { target };
    *node = map(
        at,
        [
            ("source", Node::string(source, at)),
            ("target", Node::string(target, at)),
            ("permissions", Node::string(permissions, at)),
        ],
    );
    Ok(())
}

fn key_values(node: &mut Node) -> Done {
    let Value::List(list) = &node.value else {
        return Ok(());
    };
    let mut map = Map::new();
    for item in list {
        let text = item.as_str().unwrap_or_default();
        let Some((key, value)) = text.split_once('=') else {
            return Err(Box::new(
                Diagnostic::error(format!("`{text}` is not `KEY=VALUE`")).at(item.origin),
            ));
        };
        map.insert(
            key.to_owned(),
            Entry {
                key: item.origin,
                node: Node::string(value, item.origin),
            },
        );
    }
    node.value = Value::Map(map);
    Ok(())
}

fn ssh(node: &mut Node) -> Done {
    let Value::List(list) = &node.value else {
        return Ok(());
    };
    let mut map = Map::new();
    for item in list {
        let text = item.as_str().unwrap_or_default();
        let (id, value) = match text.split_once('=') {
            Some((id, path)) => (id, Value::String(path.to_owned())),
            None if text == "default" => (text, Value::Null),
            None => {
                return Err(Box::new(
                    Diagnostic::error(format!("`{text}` is not an SSH key"))
                        .at(item.origin)
                        .help("write `default` or `ID=PATH`"),
                ));
            }
        };
        map.insert(
            id.to_owned(),
            Entry {
                key: item.origin,
                node: Node::new(value, item.origin),
            },
        );
    }
    node.value = Value::Map(map);
    Ok(())
}

/// `external: {name: x}` is the old way to write `external: true` and `name: x`.
fn external(node: &mut Node, route: &Route<'_>) -> Done {
    let Some(external) = node.get("external") else {
        return Ok(());
    };
    let (at, old) = (external.origin, external.clone());
    if let Value::Map(_) = old.value {
        if let Some(name) = old.get("name") {
            if let Some(outer) = node.get("name")
                && !outer.same(name)
            {
                return Err(Box::new(
                    Diagnostic::error(format!("`{route}` has two names"))
                        .at(name.origin)
                        .label(outer.origin, "the other one")
                        .help("keep `name` and write `external: true`"),
                ));
            }
            node.set("name", name.clone());
        }
        node.set("external", boolean(true, at));
    }
    Ok(())
}

/// Values that Compose fills in once all files are merged.
pub(crate) fn defaults(node: &mut Node) {
    let Some(services) = node.get_mut("services").and_then(Node::as_map_mut) else {
        return;
    };
    for entry in services.values_mut() {
        let service = &mut entry.node;
        if let Some(build) = service.get_mut("build")
            && build.as_map().is_some()
            && build.get("context").is_none()
        {
            let at = build.origin;
            build.set("context", Node::string(".", at));
        }
        for secret in items(service, "secrets") {
            if secret.get("target").is_none()
                && let Some(source) = secret.get("source").and_then(Node::scalar_text)
            {
                let at = secret.origin;
                secret.set("target", Node::string(format!("/run/secrets/{source}"), at));
            }
        }
        for port in items(service, "ports") {
            let at = port.origin;
            if port.get("protocol").is_none() {
                port.set("protocol", Node::string("tcp", at));
            }
            if port.get("mode").is_none() {
                port.set("mode", Node::string("ingress", at));
            }
        }
        let all = |device: &mut Node| {
            if device.get("count").is_none() && device.get("device_ids").is_none() {
                let at = device.origin;
                device.set("count", Node::string("all", at));
            }
        };
        items(service, "gpus").for_each(all);
        let reserved = ["deploy", "resources", "reservations"]
            .iter()
            .try_fold(service, |node, key| node.get_mut(key));
        if let Some(reserved) = reserved {
            items(reserved, "devices").for_each(all);
        }
    }
}

fn items<'a>(node: &'a mut Node, key: &str) -> impl Iterator<Item = &'a mut Node> {
    let list = match node.get_mut(key).map(|n| &mut n.value) {
        Some(Value::List(list)) => list.as_mut_slice(),
        _ => &mut [],
    };
    list.iter_mut().filter(|n| n.as_map().is_some())
}
