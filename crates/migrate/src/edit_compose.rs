//! Structural changes of a compose file → edits of its text: comments, order, anchors and style stay.

use std::collections::BTreeMap;

use phoenix_compose::{Map, Node, Value as Yaml};
use phoenix_source::{Edit, FileId, SourceMap, Span};
use serde_json::Value;

use crate::finding::Change;

/// The raw tree of one compose file.
pub(crate) struct Document {
    pub(crate) file: FileId,
    pub(crate) tree: Node,
}

/// Edits that make the changes, in the files that the routes are written in. `Err` names a change
/// that has no place.
pub(crate) fn edits(
    documents: &[Document],
    sources: &SourceMap,
    changes: &[Change],
) -> Result<Vec<Edit>, String> {
    let mut edits = Vec::new();
    // Keys put into one mapping are put together, lists under one key joined.
    let mut puts: BTreeMap<Vec<String>, Vec<(String, Value)>> = BTreeMap::new();
    for change in changes {
        match change {
            Change::Edit(edit) => edits.push(edit.clone()),
            Change::Remove { route } => edits.extend(remove(documents, sources, route)),
            Change::Put { route, key, value } => {
                let entries = puts.entry(route.clone()).or_default();
                match entries.iter_mut().find(|(k, _)| k == key) {
                    Some((_, Value::Array(list))) => match value {
                        Value::Array(more) => list.extend(
                            more.iter()
                                .filter(|v| !list.contains(v))
                                .cloned()
                                .collect::<Vec<_>>(),
                        ),
                        other => list.push(other.clone()),
                    },
                    Some((_, Value::Object(map))) if value.is_object() => {
                        map.extend(value.as_object().cloned().unwrap_or_default());
                    }
                    Some((_, old)) => *old = value.clone(),
                    None => entries.push((key.clone(), value.clone())),
                }
            }
        }
    }
    for (route, entries) in puts {
        let document = documents
            .iter()
            .find(|d| d.tree.at(route.iter().map(String::as_str)).is_some())
            .or_else(|| documents.first().filter(|_| route.len() <= 1));
        let Some(document) = document else {
            return Err(format!(
                "`{}` is not written in a file that is migrated",
                route.join(".")
            ));
        };
        put(document, sources, &route, entries, &mut edits)?;
    }
    Ok(edits)
}

fn put(
    document: &Document,
    sources: &SourceMap,
    route: &[String],
    entries: Vec<(String, Value)>,
    edits: &mut Vec<Edit>,
) -> Result<(), String> {
    let text = sources.file(document.file).text().clone();
    let node = document.tree.at(route.iter().map(String::as_str));
    let unit = indent_unit(document, sources);
    match node {
        None => {
            // A section that is not there yet, at the end of the file.
            let [section] = route else {
                return Err(format!("`{}` is not there", route.join(".")));
            };
            let value = Value::Object(entries.into_iter().collect());
            let lead = if text.ends_with('\n') { "\n" } else { "\n\n" };
            let body = block(&serde_json::json!({ section: value }), 0, unit);
            edits.push(Edit::insert(
                document.file,
                text.len(),
                format!("{lead}{body}"),
            ));
            Ok(())
        }
        Some(node) => match &node.value {
            Yaml::Map(map) => {
                let mut fresh = Vec::new();
                for (key, value) in entries {
                    match map.get(&key) {
                        None => fresh.push((key, value)),
                        Some(entry) => existing(
                            document, sources, node, &key, entry, value, unit, &mut fresh, edits,
                        )?,
                    }
                }
                // The project's name stands first.
                if route.is_empty()
                    && let Some(at) = fresh.iter().position(|(k, _)| k == "name")
                {
                    let (_, name) = fresh.remove(at);
                    let first = map.values().map(|e| e.key.start).min().unwrap_or(0) as usize;
                    edits.push(Edit::insert(
                        document.file,
                        first,
                        format!("name: {}\n\n", flow(&name)),
                    ));
                }
                insert(document, sources, node, map, fresh, unit, edits);
                Ok(())
            }
            Yaml::Null => {
                let key_span = key_of(document, route)
                    .ok_or_else(|| format!("`{}` has no key", route.join(".")))?;
                let column = column(&text, key_span.start as usize);
                let at = line_end(&text, key_span.end as usize);
                let value = Value::Object(entries.into_iter().collect());
                let body = block(&value, column + unit, unit);
                edits.push(Edit::insert(
                    document.file,
                    at,
                    format!("\n{}", body.trim_end_matches('\n')),
                ));
                Ok(())
            }
            _ => Err(format!("`{}` is not a mapping", route.join("."))),
        },
    }
}

/// A key that is there: lists grow, mappings grow, anything else is replaced.
#[expect(
    clippy::too_many_arguments,
    reason = "one call, all of it the place of an edit"
)]
fn existing(
    document: &Document,
    sources: &SourceMap,
    parent: &Node,
    key: &str,
    entry: &phoenix_compose::Entry,
    value: Value,
    unit: usize,
    fresh: &mut Vec<(String, Value)>,
    edits: &mut Vec<Edit>,
) -> Result<(), String> {
    let text = sources.file(document.file).text().clone();
    let own = within(entry.key, parent.origin);
    let aliased = !within(entry.node.origin, parent.origin);
    match (&entry.node.value, value) {
        // From an anchor: an own key with all of it, so that nobody else changes.
        (Yaml::List(old), Value::Array(new)) if !own => {
            let mut all: Vec<Value> = old.iter().map(Node::to_json).collect();
            all.extend(
                new.into_iter()
                    .filter(|v| !old.iter().any(|o| o.to_json() == *v)),
            );
            fresh.push((key.to_owned(), Value::Array(all)));
            Ok(())
        }
        (_, value) if !own => {
            fresh.push((key.to_owned(), value));
            Ok(())
        }
        (_, _) if aliased => Err(format!(
            "`{key}` is an alias of something written elsewhere"
        )),
        (Yaml::List(old), Value::Array(new)) => {
            let new: Vec<Value> = new
                .into_iter()
                .filter(|v| !old.iter().any(|o| o.to_json() == *v))
                .collect();
            append(document, &text, &entry.node, old, &new, edits);
            Ok(())
        }
        (Yaml::Map(map), Value::Object(new)) => {
            let mut inner = Vec::new();
            for (k, v) in new {
                match map.get(&k) {
                    None => inner.push((k, v)),
                    Some(e) => existing(
                        document,
                        sources,
                        &entry.node,
                        &k,
                        e,
                        v,
                        unit,
                        &mut inner,
                        edits,
                    )?,
                }
            }
            insert(document, sources, &entry.node, map, inner, unit, edits);
            Ok(())
        }
        (Yaml::Null, value) => {
            let column = column(&text, entry.key.start as usize);
            let at = line_end(&text, entry.key.end as usize);
            let body = match &value {
                Value::Object(_) | Value::Array(_) => format!(
                    "\n{}",
                    block(&value, column + unit, unit).trim_end_matches('\n')
                ),
                scalar => format!(" {}", flow(scalar)),
            };
            let at = if matches!(value, Value::Object(_) | Value::Array(_)) {
                at
            } else {
                entry.key.end as usize + 1
            };
            edits.push(Edit::insert(document.file, at, body));
            Ok(())
        }
        (_, value) => {
            edits.push(Edit::replace(entry.node.origin, flow(&value)));
            Ok(())
        }
    }
}

fn within(inner: Span, outer: Span) -> bool {
    inner.file == outer.file && inner.start >= outer.start && inner.end <= outer.end
}

fn insert(
    document: &Document,
    sources: &SourceMap,
    node: &Node,
    map: &Map,
    entries: Vec<(String, Value)>,
    unit: usize,
    edits: &mut Vec<Edit>,
) {
    if entries.is_empty() {
        return;
    }
    let text = sources.file(document.file).text().clone();
    if text[node.origin.range()].starts_with('{') {
        let inner: Vec<String> = entries
            .iter()
            .map(|(k, v)| format!("{}: {}", scalar(k), flow(v)))
            .collect();
        let close = node.origin.start as usize + text[node.origin.range()].rfind('}').unwrap_or(1);
        let comma = if map.is_empty() { "" } else { ", " };
        // Before blanks that stand in front of the brace.
        let at = text[..close].trim_end().len();
        edits.push(Edit::insert(
            document.file,
            at,
            format!("{comma}{}", inner.join(", ")),
        ));
        return;
    }
    let own: Vec<(&String, &phoenix_compose::Entry)> = map
        .iter()
        .filter(|(_, e)| within(e.key, node.origin))
        .collect();
    let column = own.first().map_or_else(
        || column(&text, node.origin.start as usize),
        |(_, e)| column(&text, e.key.start as usize),
    );
    let end = own
        .iter()
        .map(|(_, e)| content_end(&text, e.key, &e.node, node.origin))
        .max()
        .unwrap_or(node.origin.start as usize);
    // `<<: *anchor` is no entry of the map, and may be the last line.
    let end = end.max(last_merge(&text, node, column));
    let at = line_end(&text, end);
    let mut body = String::new();
    for (key, value) in entries {
        body.push('\n');
        body.push_str(
            block(&serde_json::json!({ key: value }), column, unit).trim_end_matches('\n'),
        );
    }
    edits.push(Edit::insert(document.file, at, body));
}

/// The end of the last `<<:` line of a block mapping, or 0.
fn last_merge(text: &str, node: &Node, column: usize) -> usize {
    let lead = format!("{}<<:", " ".repeat(column));
    let mut last = 0;
    let mut at = text[..node.origin.start as usize]
        .rfind('\n')
        .map_or(0, |n| n + 1);
    for line in text[at..].split_inclusive('\n') {
        if at > node.origin.end as usize {
            break;
        }
        if line.starts_with(&lead) {
            last = at + line.trim_end().len();
        }
        at += line.len();
    }
    last
}

fn append(
    document: &Document,
    text: &str,
    node: &Node,
    old: &[Node],
    new: &[Value],
    edits: &mut Vec<Edit>,
) {
    if new.is_empty() {
        return;
    }
    let start = node.origin.start as usize;
    if text[start..].starts_with('[') {
        let close = start + text[node.origin.range()].rfind(']').unwrap_or(1);
        let items: Vec<String> = new.iter().map(flow).collect();
        let comma = if old.is_empty() { "" } else { ", " };
        edits.push(Edit::insert(
            document.file,
            text[..close].trim_end().len(),
            format!("{comma}{}", items.join(", ")),
        ));
        return;
    }
    let Some(last) = old.last() else { return };
    let line = text[..last.origin.start as usize]
        .rfind('\n')
        .map_or(0, |n| n + 1);
    let dash = text[line..].find('-').unwrap_or(0);
    let at = line_end(text, content_end(text, last.origin, last, node.origin));
    let items: String = new
        .iter()
        .map(|v| format!("\n{}- {}", " ".repeat(dash), flow(v)))
        .collect();
    edits.push(Edit::insert(document.file, at, items));
}

fn remove(documents: &[Document], sources: &SourceMap, route: &[String]) -> Option<Edit> {
    let (last, parents) = route.split_last()?;
    documents.iter().find_map(|document| {
        let parent = document.tree.at(parents.iter().map(String::as_str))?;
        let entry = parent.as_map()?.get(last)?;
        let text = sources.file(document.file).text();
        let start = text[..entry.key.start as usize]
            .rfind('\n')
            .map_or(0, |n| n + 1);
        let end = line_end(
            text,
            content_end(text, entry.key, &entry.node, parent.origin),
        );
        let end = (end + 1).min(text.len());
        Some(Edit::replace(Span::new(document.file, start, end), ""))
    })
}

/// Where the text of a value ends, without what follows it.
fn content_end(text: &str, key: Span, node: &Node, parent: Span) -> usize {
    // An alias's value is written elsewhere: the line of the key is what counts.
    if !within(node.origin, parent) {
        return line_end(text, key.end as usize);
    }
    let raw = match &node.value {
        Yaml::Null if node.origin.is_empty() || node.origin.start < key.end => key.end as usize,
        Yaml::Map(map) if !text[node.origin.start as usize..].starts_with('{') => map
            .values()
            .filter(|e| within(e.key, node.origin))
            .map(|e| content_end(text, e.key, &e.node, node.origin))
            .max()
            .unwrap_or(key.end as usize),
        Yaml::List(list) if !text[node.origin.start as usize..].starts_with('[') => list
            .iter()
            .filter(|n| within(n.origin, node.origin))
            .map(|n| content_end(text, n.origin, n, node.origin))
            .max()
            .unwrap_or(key.end as usize),
        _ => node.origin.end as usize,
    };
    // Block scalars end with their line break.
    text[..raw].trim_end().len().max(key.end as usize)
}

fn key_of(document: &Document, route: &[String]) -> Option<Span> {
    let (last, parents) = route.split_last()?;
    Some(
        document
            .tree
            .at(parents.iter().map(String::as_str))?
            .as_map()?
            .get(last)?
            .key,
    )
}

fn column(text: &str, at: usize) -> usize {
    at - text[..at].rfind('\n').map_or(0, |n| n + 1)
}

fn line_end(text: &str, at: usize) -> usize {
    let end = at + text[at..].find('\n').unwrap_or(text.len() - at);
    if text[..end].ends_with('\r') {
        end - 1
    } else {
        end
    }
}

/// How far the file indents: the column of the first service.
fn indent_unit(document: &Document, sources: &SourceMap) -> usize {
    let text = sources.file(document.file).text();
    let sections = document.tree.as_map().into_iter().flatten();
    sections
        .filter_map(|(_, e)| {
            e.node
                .as_map()?
                .values()
                .next()
                .map(|first| column(text, first.key.start as usize))
        })
        .find(|n| (1..=8).contains(n))
        .unwrap_or(2)
}

/// A value in block style at a column, lines ended.
fn block(value: &Value, column: usize, unit: usize) -> String {
    let lead = " ".repeat(column);
    let mut out = String::new();
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::Object(inner) if !inner.is_empty() => {
                        out.push_str(&format!(
                            "{lead}{}:\n{}",
                            scalar(key),
                            block(value, column + unit, unit)
                        ));
                    }
                    Value::Array(inner)
                        if !inner.is_empty()
                            && inner.iter().all(|v| !v.is_object())
                            && !short(inner) =>
                    {
                        out.push_str(&format!(
                            "{lead}{}:\n{}",
                            scalar(key),
                            block(value, column + unit, unit)
                        ));
                    }
                    other => out.push_str(&format!("{lead}{}: {}\n", scalar(key), flow(other))),
                }
            }
        }
        Value::Array(list) => {
            for item in list {
                out.push_str(&format!("{lead}- {}\n", flow(item)));
            }
        }
        other => out.push_str(&format!("{lead}{}\n", flow(other))),
    }
    out
}

/// Lists that people write on one line.
fn short(list: &[Value]) -> bool {
    list.iter().map(|v| flow(v).len() + 2).sum::<usize>() <= 72
}

/// A value in flow style.
fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Array(list) => format!("[{}]", list.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let inner: Vec<String> = map
                .iter()
                .map(|(k, v)| format!("{}: {}", scalar(k), flow(v)))
                .collect();
            format!("{{{}}}", inner.join(", "))
        }
        other => other.to_string(),
    }
}

/// A string as YAML reads it back in any place.
pub(crate) fn scalar(text: &str) -> String {
    let plain = !text.is_empty()
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '_' || c == '.')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_./-".contains(c))
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
        );
    if plain {
        text.to_owned()
    } else {
        serde_json::to_string(text).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::put;
    use phoenix_source::apply_edits;
    use serde_json::json;

    fn change(text: &str, changes: &[Change]) -> String {
        let mut sources = SourceMap::new();
        let file = sources.add("compose.yaml", text);
        let tree = phoenix_compose::yaml::parse(text, file).unwrap().remove(0);
        let documents = [Document { file, tree }];
        let edits = edits(&documents, &sources, changes).unwrap();
        apply_edits(&sources, file, &edits).unwrap()
    }

    #[test]
    fn keys_go_behind_the_last_one_and_comments_stay() {
        let text = "services:\n  web:\n    image: nginx # ours\n    # the gateway\n    ports:\n      - \"80:80\" # http\n\n  db: # data\n    image: pg\nvolumes:\n  data:\n";
        let out = change(
            text,
            &[
                put(&["services", "web"], "user", json!("101:101")),
                put(
                    &["services", "web"],
                    "security_opt",
                    json!(["no-new-privileges:true"]),
                ),
                put(
                    &["services", "web"],
                    "security_opt",
                    json!(["label=disable"]),
                ),
                put(&["services", "db"], "cap_drop", json!(["ALL"])),
                put(&["volumes", "data"], "driver", json!("local")),
                put(
                    &["networks"],
                    "net",
                    json!({ "ipam": { "config": [{ "subnet": "10.1.0.0/24" }] } }),
                ),
            ],
        );
        assert_eq!(
            out,
            "services:\n  web:\n    image: nginx # ours\n    # the gateway\n    ports:\n      - \"80:80\" # http\n    user: \"101:101\"\n    security_opt: [\"no-new-privileges:true\", \"label=disable\"]\n\n  db: # data\n    image: pg\n    cap_drop: [ALL]\nvolumes:\n  data:\n    driver: local\n\nnetworks:\n  net:\n    ipam:\n      config: [{subnet: \"10.1.0.0/24\"}]\n"
        );
    }

    #[test]
    fn flow_style_stays_flow_style_and_lists_grow() {
        let out = change(
            "services: {web: {image: x, cap_add: [A]}, db: {image: y, cap_add: []}}\n",
            &[
                put(&["services", "web"], "cap_add", json!(["B", "A"])),
                put(&["services", "web"], "user", json!("1")),
                put(&["services", "db"], "cap_add", json!(["B"])),
            ],
        );
        assert_eq!(
            out,
            "services: {web: {image: x, cap_add: [A, B], user: \"1\"}, db: {image: y, cap_add: [B]}}\n"
        );
    }

    #[test]
    fn what_an_anchor_gives_is_not_changed_for_others() {
        let text = "x-c: &c\n  security_opt: [a]\nservices:\n  web:\n    image: x\n    <<: *c\n  db:\n    <<: *c\n    image: y\n";
        let out = change(
            text,
            &[put(&["services", "web"], "security_opt", json!(["b"]))],
        );
        assert_eq!(
            out,
            "x-c: &c\n  security_opt: [a]\nservices:\n  web:\n    image: x\n    <<: *c\n    security_opt: [a, b]\n  db:\n    <<: *c\n    image: y\n"
        );
    }

    #[test]
    fn keys_are_removed_with_their_line() {
        let out = change(
            "# c\nversion: \"3\" # old\nservices: {}\n",
            &[Change::Remove {
                route: vec!["version".into()],
            }],
        );
        assert_eq!(out, "# c\nservices: {}\n");
    }
}
