//! The tree between text and types: values with the place where each was written.

use std::fmt;

use indexmap::IndexMap;
use phoenix_source::Span;

/// A value and its origin.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub value: Value,
    pub origin: Span,
    pub tag: Option<Tag>,
}

/// Compose's own YAML tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tag {
    /// `!reset`: take the key away from what is merged below.
    Reset,
    /// `!override`: replace instead of merging.
    Override,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    String(String),
    List(Vec<Node>),
    Map(Map),
}

/// A value in a map, with the origin of its key.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub key: Span,
    pub node: Node,
}

pub type Map = IndexMap<String, Entry>;

impl Node {
    pub fn new(value: Value, origin: Span) -> Self {
        Self {
            value,
            origin,
            tag: None,
        }
    }

    pub fn string(text: impl Into<String>, origin: Span) -> Self {
        Self::new(Value::String(text.into()), origin)
    }

    pub fn as_map(&self) -> Option<&Map> {
        match &self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    pub fn as_map_mut(&mut self) -> Option<&mut Map> {
        match &mut self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    pub fn as_list(&self) -> Option<&[Node]> {
        match &self.value {
            Value::List(list) => Some(list),
            _ => None,
        }
    }

    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// The child of a map.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?.get(key).map(|e| &e.node)
    }

    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.as_map_mut()?.get_mut(key).map(|e| &mut e.node)
    }

    /// Puts a value into a map, with the map's own origin for a key that nobody wrote.
    pub fn set(&mut self, key: &str, node: Node) {
        let implied = self.origin;
        if let Value::Map(map) = &mut self.value {
            match map.get_mut(key) {
                Some(entry) => entry.node = node,
                None => {
                    map.insert(key.to_owned(), Entry { key: implied, node });
                }
            }
        }
    }

    pub fn remove(&mut self, key: &str) -> Option<Node> {
        self.as_map_mut()?.shift_remove(key).map(|e| e.node)
    }

    /// The node at a route of keys and list positions.
    pub fn at<'k>(&self, route: impl IntoIterator<Item = &'k str>) -> Option<&Node> {
        let mut node = self;
        for key in route {
            node = match &node.value {
                Value::Map(map) => &map.get(key)?.node,
                Value::List(list) => list.get(key.parse::<usize>().ok()?)?,
                _ => return None,
            };
        }
        Some(node)
    }

    /// Equal but for origins, tags and the order of keys.
    pub fn same(&self, other: &Node) -> bool {
        match (&self.value, &other.value) {
            (Value::Map(a), Value::Map(b)) => {
                a.len() == b.len()
                    && a.iter()
                        .all(|(k, e)| b.get(k).is_some_and(|o| e.node.same(&o.node)))
            }
            (Value::List(a), Value::List(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(x, y)| x.same(y))
            }
            (a, b) => a == b,
        }
    }

    /// What the value is, for messages.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "a boolean",
            Value::Int(_) | Value::Float(_) => "a number",
            Value::String(_) => "a string",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }

    /// A scalar as Compose writes it where it wants a string: numbers as Go prints them.
    pub fn scalar_text(&self) -> Option<String> {
        Some(match &self.value {
            Value::Bool(b) => b.to_string(),
            Value::Int(n) => n.to_string(),
            Value::Float(x) => crate::format::float(*x),
            Value::String(text) => text.clone(),
            Value::Null | Value::List(_) | Value::Map(_) => return None,
        })
    }

    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(b) => Json::Bool(*b),
            Value::Int(n) => Json::from(*n),
            Value::Float(x) => crate::format::json_float(*x),
            Value::String(text) => Json::String(text.clone()),
            Value::List(list) => Json::Array(list.iter().map(Node::to_json).collect()),
            Value::Map(map) => Json::Object(
                map.iter()
                    .map(|(k, e)| (k.clone(), e.node.to_json()))
                    .collect(),
            ),
        }
    }
}

/// Where a node stands in the tree: keys and list positions from the root, built on the stack
/// while walking.
#[derive(Clone, Copy)]
pub struct Route<'a> {
    parent: Option<&'a Route<'a>>,
    key: &'a str,
    depth: usize,
}

impl<'a> Route<'a> {
    pub const ROOT: Route<'static> = Route {
        parent: None,
        key: "",
        depth: 0,
    };

    pub fn child(&'a self, key: &'a str) -> Route<'a> {
        Route {
            parent: Some(self),
            key,
            depth: self.depth + 1,
        }
    }

    pub fn depth(&self) -> usize {
        self.depth
    }

    /// The last key.
    pub fn key(&self) -> &'a str {
        self.key
    }

    /// Whether the route is the pattern's, where `*` stands for any key or position.
    pub fn matches(&self, pattern: &[&str]) -> bool {
        if self.depth != pattern.len() {
            return false;
        }
        let mut here = self;
        for want in pattern.iter().rev() {
            if *want != "*" && *want != here.key {
                return false;
            }
            match here.parent {
                Some(parent) => here = parent,
                None => return true,
            }
        }
        true
    }

    pub fn keys(&self) -> Vec<&'a str> {
        let mut keys = Vec::with_capacity(self.depth);
        let mut here = *self;
        while let Some(parent) = here.parent {
            keys.push(here.key);
            here = *parent;
        }
        keys.reverse();
        keys
    }
}

impl fmt::Display for Route<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.keys().join("."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_match_patterns_of_their_own_length() {
        let services = Route::ROOT.child("services");
        let web = services.child("web");
        let ports = web.child("ports");
        assert!(ports.matches(&["services", "*", "ports"]));
        assert!(!ports.matches(&["services", "*"]));
        assert!(!ports.matches(&["networks", "*", "ports"]));
        assert_eq!(ports.to_string(), "services.web.ports");
        assert!(Route::ROOT.matches(&[]));
    }
}
