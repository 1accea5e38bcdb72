//! Tree → types.

use std::collections::BTreeMap;

use phoenix_source::Diagnostic;

use crate::interpolate::boolean;
use crate::node::{Node, Route, Value};
use crate::scalars::{Bytes, Duration, FileMode};

pub(crate) type Bound<T> = Result<T, Box<Diagnostic>>;

/// A type that a place of the tree becomes.
pub(crate) trait Field: Sized {
    fn bind(node: &Node, route: &Route<'_>) -> Bound<Self>;
    /// Whether the canonical output leaves it out.
    fn omitted(&self) -> bool;
}

pub(crate) fn wrong<T>(node: &Node, route: &Route<'_>, want: &str) -> Bound<T> {
    let shown = match node.scalar_text() {
        Some(text) => format!("`{text}`"),
        None => node.kind().to_owned(),
    };
    Err(Box::new(
        Diagnostic::error(format!("`{route}` must be {want}, and it is {shown}")).at(node.origin),
    ))
}

/// Declares a type with its binding and its canonical output: a field's key is its name, a field
/// that is omitted does not appear.
macro_rules! record {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$doc:meta])* pub $field:ident: $type:ty,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct $name { $($(#[$doc])* pub $field: $type,)+ }

        impl $crate::bind::Field for $name {
            fn bind(node: &$crate::node::Node, route: &$crate::node::Route<'_>) -> $crate::bind::Bound<Self> {
                let mut value = Self::default();
                $(
                    let key = stringify!($field).trim_start_matches("r#");
                    if let Some(child) = node.get(key).filter(|n| !n.is_null()) {
                        value.$field = <$type as $crate::bind::Field>::bind(child, &route.child(key))?;
                    }
                )+
                Ok(value)
            }
            fn omitted(&self) -> bool { false }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeMap;
                let Self { $($field),+ } = self;
                let mut map = serializer.serialize_map(None)?;
                $(
                    if !$crate::bind::Field::omitted($field) {
                        map.serialize_entry(stringify!($field).trim_start_matches("r#"), $field)?;
                    }
                )+
                map.end()
            }
        }
    };
}
pub(crate) use record;

impl Field for String {
    fn bind(node: &Node, route: &Route<'_>) -> Bound<Self> {
        match node.scalar_text() {
            Some(text) => Ok(text),
            None if node.is_null() => Ok(String::new()),
            None => wrong(node, route, "a string"),
        }
    }
    fn omitted(&self) -> bool {
        self.is_empty()
    }
}

impl Field for bool {
    fn bind(node: &Node, route: &Route<'_>) -> Bound<Self> {
        match &node.value {
            Value::Bool(b) => Ok(*b),
            Value::String(text) => match boolean(text) {
                Some(b) => Ok(b),
                None => wrong(node, route, "`true` or `false`"),
            },
            _ => wrong(node, route, "`true` or `false`"),
        }
    }
    fn omitted(&self) -> bool {
        !self
    }
}

impl Field for i64 {
    fn bind(node: &Node, route: &Route<'_>) -> Bound<Self> {
        match &node.value {
            Value::Int(n) => Ok(*n),
            Value::Float(x) => Ok(*x as i64),
            Value::String(text) => match text.parse() {
                Ok(n) => Ok(n),
                Err(_) => wrong(node, route, "a whole number"),
            },
            _ => wrong(node, route, "a whole number"),
        }
    }
    fn omitted(&self) -> bool {
        *self == 0
    }
}

impl Field for f64 {
    fn bind(node: &Node, route: &Route<'_>) -> Bound<Self> {
        match &node.value {
            Value::Int(n) => Ok(*n as f64),
            Value::Float(x) => Ok(*x),
            Value::String(text) => match text.parse() {
                Ok(x) => Ok(x),
                Err(_) => wrong(node, route, "a number"),
            },
            _ => wrong(node, route, "a number"),
        }
    }
    fn omitted(&self) -> bool {
        *self == 0.0
    }
}

impl Field for Bytes {
    fn bind(node: &Node, route: &Route<'_>) -> Bound<Self> {
        match &node.value {
            Value::Int(n) => Ok(Bytes(*n)),
            Value::String(text) => match Bytes::parse(text) {
                Some(bytes) => Ok(bytes),
                None => wrong(node, route, "a size such as `512m` or `1.5g`"),
            },
            // Compose reads a fraction of bytes as nothing.
            _ => Ok(Bytes(0)),
        }
    }
    fn omitted(&self) -> bool {
        self.0 == 0
    }
}

impl Field for Duration {
    fn bind(node: &Node, route: &Route<'_>) -> Bound<Self> {
        match node.scalar_text().as_deref().and_then(Duration::parse) {
            Some(duration) => Ok(duration),
            None => wrong(node, route, "a duration such as `30s` or `1m30s`"),
        }
    }
    fn omitted(&self) -> bool {
        self.0 == 0
    }
}

impl Field for FileMode {
    fn bind(node: &Node, route: &Route<'_>) -> Bound<Self> {
        let mode = match &node.value {
            Value::Int(n) => u32::try_from(*n).ok(),
            Value::String(text) => u32::from_str_radix(text, 8).ok(),
            _ => None,
        };
        match mode {
            Some(mode) => Ok(FileMode(mode)),
            None => wrong(node, route, "a mode such as `0440`"),
        }
    }
    fn omitted(&self) -> bool {
        false
    }
}

impl<T: Field> Field for Option<T> {
    fn bind(node: &Node, route: &Route<'_>) -> Bound<Self> {
        if node.is_null() {
            Ok(None)
        } else {
            T::bind(node, route).map(Some)
        }
    }
    fn omitted(&self) -> bool {
        self.is_none()
    }
}

impl<T: Field> Field for Vec<T> {
    fn bind(node: &Node, route: &Route<'_>) -> Bound<Self> {
        match &node.value {
            Value::List(list) => list
                .iter()
                .enumerate()
                .map(|(n, item)| T::bind(item, &route.child(&n.to_string())))
                .collect(),
            Value::String(_) => Ok(vec![T::bind(node, route)?]),
            _ => wrong(node, route, "a list"),
        }
    }
    fn omitted(&self) -> bool {
        self.is_empty()
    }
}

/// Named things: `{a: {…}}`.
impl<T: Field> Field for BTreeMap<String, T> {
    fn bind(node: &Node, route: &Route<'_>) -> Bound<Self> {
        match &node.value {
            Value::Map(map) => map
                .iter()
                .map(|(key, entry)| Ok((key.clone(), T::bind(&entry.node, &route.child(key))?)))
                .collect(),
            _ => wrong(node, route, "a mapping"),
        }
    }
    fn omitted(&self) -> bool {
        self.is_empty()
    }
}

impl Field for serde_json::Value {
    fn bind(node: &Node, _: &Route<'_>) -> Bound<Self> {
        Ok(node.to_json())
    }
    fn omitted(&self) -> bool {
        self.is_null()
    }
}
