//! Several files into one: the specification's merge rules.
//!
//! Maps merge key by key, lists append, scalars replace. The exceptions are in [`special`]: keys
//! with a short form are brought to one form first, commands replace, logging options merge only
//! for one driver.

use phoenix_source::Diagnostic;

use crate::node::{Entry, Map, Node, Route, Tag, Value};

type Merged = Result<Node, Box<Diagnostic>>;

/// `base` with `over` on top.
pub(crate) fn merge(base: Node, over: Node) -> Merged {
    merge_at(base, over, &Route::ROOT)
}

/// A service with what it extends below it.
pub(crate) fn merge_service(base: Node, over: Node) -> Merged {
    let services = Route::ROOT.child("services");
    merge_at(base, over, &services.child("x"))
}

fn merge_at(base: Node, over: Node, route: &Route<'_>) -> Merged {
    if let Some(rule) = special(route) {
        return rule(base, over, route);
    }
    if over.is_null() {
        return Ok(base);
    }
    match (base.value, over.value) {
        (Value::Map(map), Value::Map(other)) => {
            let map = mappings(map, other, route)?;
            Ok(Node {
                value: Value::Map(map),
                origin: over.origin,
                tag: base.tag,
            })
        }
        (Value::List(mut list), Value::List(other)) => {
            list.extend(other);
            Ok(Node {
                value: Value::List(list),
                origin: over.origin,
                tag: base.tag,
            })
        }
        (Value::Map(_) | Value::List(_), value) => {
            let over = Node {
                value,
                ..Node::new(Value::Null, over.origin)
            };
            Err(Box::new(
                Diagnostic::error(format!("`{route}` cannot be overridden by {}", over.kind()))
                    .at(over.origin)
                    .label(base.origin, "the value below it")
                    .help("use the same form in both places, or `!override`"),
            ))
        }
        (_, value) => Ok(Node {
            value,
            origin: over.origin,
            tag: over.tag,
        }),
    }
}

fn mappings(mut base: Map, over: Map, route: &Route<'_>) -> Result<Map, Box<Diagnostic>> {
    for (key, entry) in over {
        let merged = match base.get_mut(&key) {
            Some(below) => {
                let old = std::mem::replace(&mut below.node, Node::new(Value::Null, entry.key));
                Entry {
                    key: entry.key,
                    node: merge_at(old, entry.node, &route.child(&key))?,
                }
            }
            None => entry,
        };
        base.insert(key, merged);
    }
    Ok(base)
}

type Rule = fn(Node, Node, &Route<'_>) -> Merged;

fn special(route: &Route<'_>) -> Option<Rule> {
    let keys: [&str; 6] = {
        if route.depth() < 2 || route.depth() > 6 {
            return None;
        }
        let mut keys = [""; 6];
        for (slot, key) in keys.iter_mut().zip(route.keys()) {
            *slot = key;
        }
        keys
    };
    let rule: Rule = match keys {
        ["networks", _, "ipam", "config", "", ""] => ipam,
        ["networks" | "volumes", _, "labels", "", "", ""] => sequence,
        ["services", _, key, "", "", ""] => match key {
            "build" => build,
            "command" | "entrypoint" => replace,
            "depends_on" => depends_on,
            "annotations" | "dns" | "dns_opt" | "dns_search" | "env_file" | "label_file"
            | "environment" | "labels" | "sysctls" | "tmpfs" => sequence,
            "extra_hosts" => extra_hosts,
            "logging" => logging,
            "models" | "networks" => names,
            _ => return None,
        },
        ["services", _, "build", key, "", ""] => match key {
            "args" | "additional_contexts" | "labels" => sequence,
            "extra_hosts" => extra_hosts,
            _ => return None,
        },
        ["services", _, "deploy", "labels", "", ""] => sequence,
        ["services", _, "healthcheck", "test", "", ""] => replace,
        ["services", _, "ulimits", _, "", ""] => replace,
        ["services", _, "volumes", _, "volume", "labels"] => sequence,
        _ => return None,
    };
    Some(rule)
}

fn replace(_: Node, over: Node, _: &Route<'_>) -> Merged {
    Ok(over)
}

fn sequence(base: Node, over: Node, _: &Route<'_>) -> Merged {
    let origin = over.origin;
    let mut list = into_sequence(base);
    list.extend(into_sequence(over));
    Ok(Node::new(Value::List(list), origin))
}

fn extra_hosts(base: Node, over: Node, _: &Route<'_>) -> Merged {
    let origin = over.origin;
    let mut list = into_sequence(base);
    for host in into_sequence(over) {
        if !list.iter().any(|h| h.same(&host)) {
            list.push(host);
        }
    }
    Ok(Node::new(Value::List(list), origin))
}

/// `{a: 1, b: }` as `["a=1", "b"]`, sorted; a list stays; a string is a list of one.
pub(crate) fn into_sequence(node: Node) -> Vec<Node> {
    match node.value {
        Value::List(list) => list,
        Value::String(_) => vec![node],
        Value::Map(map) => {
            let mut list = Vec::with_capacity(map.len());
            for (key, entry) in map {
                let origin = entry.node.origin;
                match entry.node.value {
                    Value::Null => list.push(Node::string(key, entry.key)),
                    Value::List(values) => list.extend(values.into_iter().map(|v| {
                        let text = v.scalar_text().unwrap_or_default();
                        Node::string(format!("{key}={text}"), v.origin)
                    })),
                    _ => {
                        let text = entry.node.scalar_text().unwrap_or_default();
                        list.push(Node::string(format!("{key}={text}"), origin));
                    }
                }
            }
            list.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
            list
        }
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => Vec::new(),
    }
}

/// `[a, b]` as `{a: default, b: default}`.
fn into_mapping(node: Node, default: &dyn Fn(&Node) -> Value) -> Option<Map> {
    match node.value {
        Value::Map(map) => Some(map),
        Value::List(list) => {
            let mut map = Map::new();
            for item in list {
                let name = item.as_str()?.to_owned();
                let value = Node::new(default(&item), item.origin);
                map.insert(
                    name,
                    Entry {
                        key: item.origin,
                        node: value,
                    },
                );
            }
            Some(map)
        }
        _ => None,
    }
}

fn converted(
    base: Node,
    over: Node,
    route: &Route<'_>,
    default: &dyn Fn(&Node) -> Value,
) -> Merged {
    let origin = over.origin;
    if over.is_null() {
        return Ok(base);
    }
    let map = match (into_mapping(base, default), into_mapping(over, default)) {
        (Some(base), Some(over)) => mappings(base, over, route)?,
        // Something of another type: the schema says so with its place.
        (_, over) => over.unwrap_or_default(),
    };
    Ok(Node::new(Value::Map(map), origin))
}

fn names(base: Node, over: Node, route: &Route<'_>) -> Merged {
    converted(base, over, route, &|_| Value::Null)
}

fn depends_on(base: Node, over: Node, route: &Route<'_>) -> Merged {
    converted(base, over, route, &|item| {
        let entry = |value| Entry {
            key: item.origin,
            node: Node::new(value, item.origin),
        };
        Value::Map(Map::from_iter([
            (
                "condition".to_owned(),
                entry(Value::String("service_started".into())),
            ),
            ("required".to_owned(), entry(Value::Bool(true))),
        ]))
    })
}

fn build(base: Node, over: Node, route: &Route<'_>) -> Merged {
    let to_map = |node: Node| match node.value {
        Value::String(_) => {
            let entry = Entry {
                key: node.origin,
                node: Node { tag: None, ..node },
            };
            Map::from_iter([("context".to_owned(), entry)])
        }
        Value::Map(map) => map,
        _ => Map::new(),
    };
    let origin = over.origin;
    Ok(Node::new(
        Value::Map(mappings(to_map(base), to_map(over), route)?),
        origin,
    ))
}

/// Options merge only where both name the same driver, or one of them none.
fn logging(base: Node, over: Node, route: &Route<'_>) -> Merged {
    let driver = |n: &Node| n.get("driver").and_then(Node::scalar_text);
    let same = match (driver(&base), driver(&over)) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    };
    match (same, base.value, over.value) {
        (true, Value::Map(map), Value::Map(other)) => Ok(Node::new(
            Value::Map(mappings(map, other, route)?),
            over.origin,
        )),
        (_, _, value) => Ok(Node::new(value, over.origin)),
    }
}

/// Pools merge by subnet.
fn ipam(base: Node, over: Node, route: &Route<'_>) -> Merged {
    let (Value::List(below), Value::List(above)) = (base.value, over.value) else {
        return Err(Box::new(
            Diagnostic::error(format!("`{route}` must be a list")).at(over.origin),
        ));
    };
    let subnet = |n: &Node| n.get("subnet").and_then(Node::scalar_text);
    let mut pools: Vec<Node> = Vec::new();
    for original in below {
        for other in &above {
            if subnet(other) != subnet(&original)
                && pools.iter().all(|p| subnet(p) != subnet(other))
            {
                pools.push(other.clone());
                continue;
            }
            let (Value::Map(a), Value::Map(b)) = (original.value.clone(), other.value.clone())
            else {
                continue;
            };
            let merged = Node::new(Value::Map(mappings(a, b, route)?), other.origin);
            match pools.iter_mut().find(|p| subnet(p) == subnet(&merged)) {
                Some(pool) => *pool = merged,
                None => pools.push(merged),
            }
        }
    }
    Ok(Node::new(Value::List(pools), over.origin))
}

/// Takes the values tagged `!reset` out of a tree and returns the routes of all tagged ones: what
/// stands there in the files below is dropped before merging.
pub(crate) fn take_tags(node: &mut Node) -> Vec<Vec<String>> {
    fn walk(node: &mut Node, route: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
        match &mut node.value {
            Value::Map(map) => {
                for (key, entry) in map.iter_mut() {
                    route.push(key.clone());
                    match entry.node.tag {
                        Some(_) => found.push(route.clone()),
                        None => walk(&mut entry.node, route, found),
                    }
                    route.pop();
                }
                map.retain(|_, e| e.node.tag != Some(Tag::Reset));
                for entry in map.values_mut() {
                    entry.node.tag = None;
                }
            }
            Value::List(list) => {
                for (n, item) in list.iter_mut().enumerate() {
                    route.push(n.to_string());
                    match item.tag {
                        Some(_) => found.push(route.clone()),
                        None => walk(item, route, found),
                    }
                    route.pop();
                }
                list.retain(|item| item.tag != Some(Tag::Reset));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(node, &mut Vec::new(), &mut found);
    found
}

/// Drops what stands at the routes.
pub(crate) fn drop_routes(node: &mut Node, routes: &[Vec<String>]) {
    for route in routes {
        let Some((last, parents)) = route.split_last() else {
            continue;
        };
        let mut here = Some(&mut *node);
        for key in parents {
            here = here.and_then(|n| n.get_mut(key));
        }
        if let Some(parent) = here {
            parent.remove(last);
        }
    }
}
