//! A project in its canonical form.

use serde_json::{Map, Value};

use crate::project::{FileObject, Project};

/// The value that `docker compose config --format json` prints, before `$` is doubled.
fn to_value(project: &Project) -> Value {
    let mut out = Map::new();
    let json = |value: &dyn erased::Json| value.json();
    out.insert("name".into(), Value::String(project.name.clone()));
    out.insert("services".into(), json(&project.services));
    for (key, section) in [
        ("networks", json(&project.networks)),
        ("volumes", json(&project.volumes)),
    ] {
        insert_filled(&mut out, key, section);
    }
    let secrets: std::collections::BTreeMap<_, _> = project
        .secrets
        .iter()
        // A secret's value is never shown.
        .map(|(name, secret)| {
            (
                name,
                FileObject {
                    content: String::new(),
                    ..secret.clone()
                },
            )
        })
        .collect();
    insert_filled(&mut out, "secrets", json(&secrets));
    let configs: std::collections::BTreeMap<_, _> = project
        .configs
        .iter()
        .map(|(name, config)| {
            let content = if config.environment.is_empty() {
                config.content.clone()
            } else {
                String::new()
            };
            (
                name,
                FileObject {
                    content,
                    ..config.clone()
                },
            )
        })
        .collect();
    insert_filled(&mut out, "configs", json(&configs));
    for (key, value) in &project.extensions {
        out.insert(key.clone(), value.clone());
    }
    Value::Object(out)
}

fn insert_filled(out: &mut Map<String, Value>, key: &str, section: Value) {
    if section.as_object().is_some_and(|s| !s.is_empty()) {
        out.insert(key.into(), section);
    }
}

mod erased {
    pub(super) trait Json {
        fn json(&self) -> serde_json::Value;
    }
    impl<T: serde::Serialize> Json for T {
        fn json(&self) -> serde_json::Value {
            // Our own types have string keys and no failing serialisers.
            serde_json::to_value(self).unwrap_or_default()
        }
    }
}

/// JSON, indented by two, `$` doubled so that the output is a compose file again.
pub fn to_json(project: &Project) -> String {
    let text = serde_json::to_string_pretty(&numbers(to_value(project))).unwrap_or_default();
    text.replace('$', "$$")
}

/// Whole floats print without a fraction, as Go prints them.
fn numbers(value: Value) -> Value {
    match value {
        Value::Number(n) if n.is_f64() => crate::format::json_float(n.as_f64().unwrap_or_default()),
        Value::Array(list) => Value::Array(list.into_iter().map(numbers).collect()),
        Value::Object(map) => {
            Value::Object(map.into_iter().map(|(k, v)| (k, numbers(v))).collect())
        }
        other => other,
    }
}

/// YAML with sorted keys and `$` doubled.
pub fn to_yaml(project: &Project) -> String {
    let mut value = numbers(to_value(project));
    // As in Docker Compose's YAML, a command that is the image's own is not shown.
    if let Some(services) = value.get_mut("services").and_then(Value::as_object_mut) {
        for service in services.values_mut().filter_map(Value::as_object_mut) {
            service.retain(|key, value| {
                !(matches!(key.as_str(), "command" | "entrypoint") && value.is_null())
            });
        }
    }
    let mut out = String::new();
    write_yaml(&value, 0, &mut out);
    out.replace('$', "$$")
}

fn write_yaml(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Object(map) if map.is_empty() => out.push_str("{}\n"),
        Value::Array(list) if list.is_empty() => out.push_str("[]\n"),
        Value::Object(map) => {
            let mut keys: Vec<_> = map.iter().collect();
            // The name first, the rest by the alphabet.
            keys.sort_by_key(|(k, _)| (indent != 0 || *k != "name", k.as_str()));
            for (n, (key, value)) in keys.into_iter().enumerate() {
                if n > 0 {
                    out.push_str(&" ".repeat(indent));
                }
                out.push_str(&scalar(key));
                out.push(':');
                nested(value, indent, out);
            }
        }
        Value::Array(list) => {
            for (n, item) in list.iter().enumerate() {
                if n > 0 {
                    out.push_str(&" ".repeat(indent));
                }
                out.push_str("- ");
                write_yaml(item, indent + 2, out);
            }
        }
        Value::String(text) => {
            out.push_str(&scalar(text));
            out.push('\n');
        }
        other => {
            out.push_str(&other.to_string());
            out.push('\n');
        }
    }
}

fn nested(value: &Value, indent: usize, out: &mut String) {
    let filled = match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(list) => !list.is_empty(),
        _ => false,
    };
    if filled {
        out.push('\n');
        out.push_str(&" ".repeat(indent + 2));
        write_yaml(value, indent + 2, out);
    } else {
        out.push(' ');
        write_yaml(value, indent, out);
    }
}

/// A string as YAML reads it back: plain where nothing else could be meant.
fn scalar(text: &str) -> String {
    let plain = !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_./-$ =:,@+".contains(c))
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '_')
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
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
