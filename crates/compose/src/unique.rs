//! Lists whose entries replace one another: two files that mount the same target mount it once.

use phoenix_source::Diagnostic;

use crate::node::{Node, Route, Value};
use crate::short_volume;

type Key = fn(&Node, &Route<'_>) -> Result<String, Box<Diagnostic>>;

/// Keeps, of entries with one key, the last, at the place of the first.
pub(crate) fn enforce(node: &mut Node) -> Result<(), Box<Diagnostic>> {
    walk(node, &Route::ROOT)
}

fn walk(node: &mut Node, route: &Route<'_>) -> Result<(), Box<Diagnostic>> {
    match &mut node.value {
        Value::Map(map) => {
            for (key, entry) in map {
                walk(&mut entry.node, &route.child(key))?;
            }
        }
        Value::List(list) => {
            let Some(key) = key_of(route) else {
                return Ok(());
            };
            let mut seen = std::collections::HashMap::new();
            let mut kept: Vec<Node> = Vec::with_capacity(list.len());
            for item in std::mem::take(list) {
                match seen.get(&key(&item, route)?) {
                    Some(&at) => {
                        let at: usize = at;
                        kept[at] = item;
                    }
                    None => {
                        seen.insert(key(&item, route)?, kept.len());
                        kept.push(item);
                    }
                }
            }
            *list = kept;
        }
        _ => {}
    }
    Ok(())
}

fn key_of(route: &Route<'_>) -> Option<Key> {
    let keys = route.keys();
    Some(match keys.as_slice() {
        ["networks", _, "labels"] | ["networks", _, "ipam", "options"] => name,
        ["services", _, key] => match *key {
            "annotations" | "cap_add" | "cap_drop" | "dns" | "dns_opt" | "dns_search"
            | "environment" | "labels" | "links" | "profiles" | "sysctls" | "tmpfs" => name,
            "env_file" => env_file,
            "expose" => exposed,
            "configs" => config,
            "secrets" => secret,
            "devices" => device,
            "ports" => port,
            "volumes" => volume,
            _ => return None,
        },
        [
            "services",
            _,
            "build",
            "args" | "additional_contexts" | "platform" | "tags" | "labels",
        ]
        | ["services", _, "deploy", "labels"]
        | ["services", _, "networks", _, "aliases" | "link_local_ips"] => name,
        _ => return None,
    })
}

fn wrong(item: &Node, route: &Route<'_>, want: &str) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::error(format!(
            "an entry of `{route}` must be {want}, and this is {}",
            item.kind()
        ))
        .at(item.origin),
    )
}

fn name(item: &Node, route: &Route<'_>) -> Result<String, Box<Diagnostic>> {
    let text = item
        .as_str()
        .ok_or_else(|| wrong(item, route, "a string"))?;
    Ok(text.split('=').next().unwrap_or_default().to_owned())
}

fn exposed(item: &Node, route: &Route<'_>) -> Result<String, Box<Diagnostic>> {
    item.scalar_text()
        .ok_or_else(|| wrong(item, route, "a port"))
}

fn env_file(item: &Node, route: &Route<'_>) -> Result<String, Box<Diagnostic>> {
    match item.get("path") {
        Some(path) => path.scalar_text(),
        None => item.as_str().map(str::to_owned),
    }
    .ok_or_else(|| wrong(item, route, "a path"))
}

fn mount(item: &Node, route: &Route<'_>, default: &str) -> Result<String, Box<Diagnostic>> {
    match &item.value {
        Value::String(name) => Ok(format!("{default}/{name}")),
        Value::Map(_) => Ok(match item.get("target").and_then(Node::scalar_text) {
            Some(target) => target,
            None => {
                let source = item
                    .get("source")
                    .and_then(Node::scalar_text)
                    .unwrap_or_default();
                format!("{default}/{source}")
            }
        }),
        _ => Err(wrong(item, route, "a name or a mapping")),
    }
}

fn config(item: &Node, route: &Route<'_>) -> Result<String, Box<Diagnostic>> {
    mount(item, route, "")
}

fn secret(item: &Node, route: &Route<'_>) -> Result<String, Box<Diagnostic>> {
    mount(item, route, "/run/secrets")
}

fn device(item: &Node, route: &Route<'_>) -> Result<String, Box<Diagnostic>> {
    match &item.value {
        Value::String(text) => {
            let mut parts = text.split(':');
            let source = parts.next().unwrap_or_default();
            Ok(parts.next().unwrap_or(source).to_owned())
        }
        Value::Map(_) => item
            .get("target")
            .and_then(Node::scalar_text)
            .ok_or_else(|| missing(item, route, "target")),
        _ => Ok(String::new()),
    }
}

fn missing(item: &Node, route: &Route<'_>, key: &str) -> Box<Diagnostic> {
    Box::new(Diagnostic::error(format!("an entry of `{route}` has no `{key}`")).at(item.origin))
}

fn volume(item: &Node, route: &Route<'_>) -> Result<String, Box<Diagnostic>> {
    match &item.value {
        Value::String(text) => short_volume::parse(text)
            .map(|v| v.target)
            .map_err(|e| Box::new(Diagnostic::error(e).at(item.origin))),
        Value::Map(_) => item
            .get("target")
            .and_then(Node::scalar_text)
            .ok_or_else(|| missing(item, route, "target")),
        _ => Ok(String::new()),
    }
}

fn port(item: &Node, route: &Route<'_>) -> Result<String, Box<Diagnostic>> {
    let text = |key: &str| item.get(key).and_then(Node::scalar_text);
    match &item.value {
        Value::Map(_) => {
            let target = text("target").ok_or_else(|| missing(item, route, "target"))?;
            Ok(format!(
                "{}:{}:{target}/{}",
                text("host_ip").unwrap_or_else(|| "0.0.0.0".into()),
                text("published").unwrap_or_default(),
                text("protocol").unwrap_or_else(|| "tcp".into())
            ))
        }
        _ => Ok(item.scalar_text().unwrap_or_default()),
    }
}
