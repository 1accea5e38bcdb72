//! Text → tree, with YAML 1.1's merge keys and Compose's tags.
//!
//! Scalars resolve as in the YAML library that Docker Compose uses (`true`, `TRUE`; `yes` stays a
//! string; `0777` is octal). A repeated key is an error; an alias may not refer to what holds it;
//! what aliases expand to is bounded.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle};
use phoenix_source::{Diagnostic, FileId, Span};

use crate::node::{Entry, Map, Node, Tag, Value};

/// Deepest nesting. Real files stay below 15; a stack must hold the walk.
const MAX_DEPTH: usize = 96;
/// Most nodes that aliases may add, so that a few lines cannot become gigabytes.
const MAX_ALIAS_NODES: usize = 200_000;

/// The documents of a file. `text` must be what `file` holds in the source map.
pub fn parse(text: &str, file: FileId) -> Result<Vec<Node>, Box<Diagnostic>> {
    let mut builder = Builder {
        file,
        stack: Vec::new(),
        anchors: HashMap::new(),
        aliased: 0,
        documents: Vec::new(),
    };
    // A byte order mark is not content.
    let (text, shift) = match text.strip_prefix('\u{feff}') {
        Some(rest) => (rest, 3),
        None => (text, 0),
    };
    let mut index = Offsets::new(text, shift);
    for next in Parser::new_from_str(text) {
        let (event, span) = next.map_err(|error| {
            let at = index.of(error.marker());
            let message = error.info();
            let message = message
                .split(" at byte")
                .next()
                .unwrap_or(&message)
                .to_owned();
            let length = text
                .get(at - shift..)
                .and_then(|t| t.chars().next())
                .map_or(0, char::len_utf8);
            Box::new(
                Diagnostic::error(format!("this is not YAML: {message}"))
                    .at(Span::new(file, at, at + length))
                    .help("check indentation, quotes and colons on this line and the one before"),
            )
        })?;
        let start = index.of(&span.start);
        let end = index.of(&span.end).max(start);
        builder.event(event, Span::new(file, start, end))?;
    }
    Ok(builder.documents)
}

/// Byte offsets of the parser's marks.
struct Offsets<'a> {
    text: &'a str,
    shift: usize,
    /// The last answer, as (character index, byte offset): marks come in order.
    last: (usize, usize),
}

impl<'a> Offsets<'a> {
    fn new(text: &'a str, shift: usize) -> Self {
        Self {
            text,
            shift,
            last: (0, 0),
        }
    }

    fn of(&mut self, mark: &granit_parser::Marker) -> usize {
        if let Some(byte) = mark.byte_offset() {
            return byte.min(self.text.len()) + self.shift;
        }
        let want = mark.index();
        let (mut at, mut byte) = if want >= self.last.0 {
            self.last
        } else {
            (0, 0)
        };
        for c in self.text[byte..].chars() {
            if at == want {
                break;
            }
            at += 1;
            byte += c.len_utf8();
        }
        self.last = (at, byte);
        byte + self.shift
    }
}

enum Frame {
    List {
        items: Vec<Node>,
        anchor: usize,
        start: Span,
        tag: Option<Tag>,
    },
    Map {
        map: Map,
        merges: Vec<Node>,
        key: Option<(Key, Span)>,
        anchor: usize,
        start: Span,
        tag: Option<Tag>,
    },
}

enum Key {
    Name(String),
    Merge,
}

struct Builder {
    file: FileId,
    stack: Vec<Frame>,
    anchors: HashMap<usize, (Node, usize)>,
    aliased: usize,
    documents: Vec<Node>,
}

type Result_<T> = Result<T, Box<Diagnostic>>;

impl Builder {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result_<()> {
        match event {
            Event::DocumentStart(..) => {
                self.anchors.clear();
                Ok(())
            }
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.as_deref().map(|t| t.to_string());
                let own = compose_tag(tag.as_deref());
                let plain = style == ScalarStyle::Plain;
                if plain
                    && text == "<<"
                    && tag.as_deref().is_none_or(|t| t.ends_with("merge"))
                    && self.wants_key()
                {
                    return self.key(Key::Merge, span);
                }
                let value = resolve(&text, plain, tag.as_deref());
                let mut node = Node::new(value, span);
                node.tag = own;
                self.finish(node, anchor, 1)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.deeper(span)?;
                let tag = compose_tag(tag.as_deref().map(ToString::to_string).as_deref());
                self.stack.push(Frame::List {
                    items: Vec::new(),
                    anchor,
                    start: span,
                    tag,
                });
                Ok(())
            }
            Event::MappingStart(_, anchor, tag) => {
                self.deeper(span)?;
                let tag = compose_tag(tag.as_deref().map(ToString::to_string).as_deref());
                self.stack.push(Frame::Map {
                    map: Map::new(),
                    merges: Vec::new(),
                    key: None,
                    anchor,
                    start: span,
                    tag,
                });
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(id) => {
                let Some((node, size)) = self.anchors.get(&id) else {
                    return Err(Box::new(
                        Diagnostic::error("an alias refers to a value that holds the alias itself")
                            .at(span)
                            .help("give the anchor to a value that ends before this line"),
                    ));
                };
                let size = *size;
                self.aliased += size;
                if self.aliased > MAX_ALIAS_NODES {
                    return Err(Box::new(
                        Diagnostic::error(format!(
                            "aliases expand to more than {MAX_ALIAS_NODES} values"
                        ))
                        .at(span)
                        .help(
                            "aliases of aliases multiply; write the values out or split the file",
                        ),
                    ));
                }
                let node = node.clone();
                self.finish(node, 0, size)
            }
            _ => Ok(()),
        }
    }

    fn deeper(&self, span: Span) -> Result_<()> {
        if self.stack.len() < MAX_DEPTH {
            return Ok(());
        }
        Err(Box::new(
            Diagnostic::error(format!("values are nested more than {MAX_DEPTH} deep")).at(span),
        ))
    }

    fn wants_key(&self) -> bool {
        matches!(self.stack.last(), Some(Frame::Map { key: None, .. }))
    }

    fn key(&mut self, new: Key, span: Span) -> Result_<()> {
        let Some(Frame::Map { map, key, .. }) = self.stack.last_mut() else {
            return Ok(());
        };
        if let Key::Name(name) = &new
            && let Some(first) = map.get(name)
        {
            return Err(Box::new(
                Diagnostic::error(format!("the key `{name}` is written twice"))
                    .at(span)
                    .here("again here")
                    .label(first.key, "first here")
                    .help("keep one of them; YAML mappings have each key once"),
            ));
        }
        *key = Some((new, span));
        Ok(())
    }

    fn close(&mut self, end: Span) -> Result_<()> {
        let whole = |start: Span| Span {
            end: end.end.max(start.end),
            ..start
        };
        match self.stack.pop() {
            Some(Frame::List {
                items,
                anchor,
                start,
                tag,
            }) => {
                let size = items.len() + 1;
                let node = Node {
                    value: Value::List(items),
                    origin: whole(start),
                    tag,
                };
                self.finish(node, anchor, size)
            }
            Some(Frame::Map {
                mut map,
                merges,
                anchor,
                start,
                tag,
                ..
            }) => {
                // Explicit keys win, and among merged maps the earlier one.
                for merged in merges {
                    if let Value::Map(other) = merged.value {
                        for (name, entry) in other {
                            map.entry(name).or_insert(entry);
                        }
                    }
                }
                let node = Node {
                    value: Value::Map(map),
                    origin: whole(start),
                    tag,
                };
                self.finish(node, anchor, 1)
            }
            None => Ok(()),
        }
    }

    /// A complete node goes to its parent. `size` is how many nodes an alias to it would add.
    fn finish(&mut self, node: Node, anchor: usize, size: usize) -> Result_<()> {
        if anchor != 0 {
            let size = size.max(count(&node));
            self.anchors.insert(anchor, (node.clone(), size));
        }
        match self.stack.last_mut() {
            None => self.documents.push(node),
            Some(Frame::List { items, .. }) => items.push(node),
            Some(Frame::Map {
                map, merges, key, ..
            }) => match key.take() {
                None => {
                    let name = match &node.value {
                        Value::String(name) => name.clone(),
                        _ => {
                            return Err(Box::new(
                                Diagnostic::error(format!(
                                    "a key must be a string, and this is {}",
                                    node.kind()
                                ))
                                .at(node.origin)
                                .help("put it in quotes"),
                            ));
                        }
                    };
                    return self.key(Key::Name(name), node.origin);
                }
                Some((Key::Name(name), key)) => {
                    map.insert(name, Entry { key, node });
                }
                Some((Key::Merge, at)) => match node.value {
                    Value::Map(_) => merges.push(node),
                    Value::List(list) if list.iter().all(|n| n.as_map().is_some()) => {
                        merges.extend(list)
                    }
                    _ => {
                        return Err(Box::new(
                            Diagnostic::error(format!(
                                "`<<` merges mappings, and this is {}",
                                node.kind()
                            ))
                            .at(at)
                            .label(node.origin, "written here")
                            .help("give it `*anchor` or a list of them"),
                        ));
                    }
                },
            },
        }
        let _ = self.file;
        Ok(())
    }
}

fn count(node: &Node) -> usize {
    1 + match &node.value {
        Value::List(list) => list.iter().map(count).sum(),
        Value::Map(map) => map.values().map(|e| count(&e.node)).sum(),
        _ => 0,
    }
}

fn compose_tag(tag: Option<&str>) -> Option<Tag> {
    match tag? {
        "!reset" => Some(Tag::Reset),
        "!override" => Some(Tag::Override),
        _ => None,
    }
}

fn resolve(text: &str, plain: bool, tag: Option<&str>) -> Value {
    match tag.map(|t| {
        t.trim_start_matches("tag:yaml.org,2002:")
            .trim_start_matches("!!")
    }) {
        Some("str" | "!" | "binary") => return Value::String(text.to_owned()),
        Some("int") => {
            return integer(text).map_or_else(|| Value::String(text.to_owned()), Value::Int);
        }
        Some("float") => {
            return float(text).map_or_else(|| Value::String(text.to_owned()), Value::Float);
        }
        Some("bool") => {
            return boolean(text).map_or_else(|| Value::String(text.to_owned()), Value::Bool);
        }
        _ if !plain => return Value::String(text.to_owned()),
        _ => {}
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        _ => {}
    }
    if let Some(b) = boolean(text) {
        return Value::Bool(b);
    }
    if text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        if let Some(n) = integer(text) {
            return Value::Int(n);
        }
        if let Some(x) = float(text) {
            return Value::Float(x);
        }
    }
    Value::String(text.to_owned())
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

fn integer(text: &str) -> Option<i64> {
    let plain = text.replace('_', "");
    let (negative, digits) = match plain.as_bytes().first()? {
        b'-' => (true, &plain[1..]),
        b'+' => (false, &plain[1..]),
        _ => (false, plain.as_str()),
    };
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let lower = digits.to_ascii_lowercase();
    let magnitude = if let Some(hex) = lower.strip_prefix("0x") {
        i128::from_str_radix(hex, 16)
    } else if let Some(binary) = lower.strip_prefix("0b") {
        i128::from_str_radix(binary, 2)
    } else if let Some(octal) = lower.strip_prefix("0o") {
        i128::from_str_radix(octal, 8)
    } else if digits.len() > 1 && digits.starts_with('0') {
        i128::from_str_radix(&digits[1..], 8)
    } else {
        digits.parse()
    }
    .ok()?;
    i64::try_from(if negative { -magnitude } else { magnitude }).ok()
}

fn float(text: &str) -> Option<f64> {
    match text {
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Some(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Some(f64::NEG_INFINITY),
        ".nan" | ".NaN" | ".NAN" => return Some(f64::NAN),
        _ => {}
    }
    let plain = text.replace('_', "");
    let body = plain.trim_start_matches(['+', '-']);
    if plain.len() - body.len() > 1 {
        return None;
    }
    let (mantissa, exponent) = match body.find(['e', 'E']) {
        Some(at) => (&body[..at], Some(&body[at + 1..])),
        None => (body, None),
    };
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let mantissa_ok = match mantissa.split_once('.') {
        None => digits(mantissa),
        Some(("", fraction)) => digits(fraction),
        Some((whole, fraction)) => digits(whole) && (fraction.is_empty() || digits(fraction)),
    };
    let exponent_ok = exponent.is_none_or(|e| digits(e.trim_start_matches(['+', '-'])));
    (mantissa_ok && exponent_ok)
        .then(|| plain.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use phoenix_source::SourceMap;

    fn tree(text: &str) -> Result<Node, String> {
        let mut sources = SourceMap::new();
        let file = sources.add("f", text);
        parse(text, file)
            .map(|mut d| d.remove(0))
            .map_err(|d| d.message)
    }

    #[test]
    fn scalars_resolve_as_in_go_yaml() {
        let node = tree("[true, TRUE, yes, on, 0777, 0o17, 0x1f, 1_000, 1.5, 1e3, ~, null, '1', 12:34, 1.2.3, -5, .5, +.inf, 08]").unwrap();
        let json = serde_json::to_string(&node.to_json()).unwrap();
        assert_eq!(
            json,
            r#"[true,true,"yes","on",511,15,31,1000,1.5,1000,null,null,"1","12:34","1.2.3",-5,0.5,null,8]"#
        );
    }

    #[test]
    fn merge_keys_yield_to_explicit_ones_and_to_earlier_maps() {
        let node =
            tree("a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc:\n  <<: [*a, *b]\n  x: 0\n").unwrap();
        assert_eq!(
            node.get("c").unwrap().to_json().to_string(),
            r#"{"x":0,"y":1,"z":2}"#
        );
    }

    #[test]
    fn origins_are_byte_spans_of_the_values() {
        let text = "é: 1\nservices:\n  web:\n    image: nginx # x\n    ports: [\"80:80\"]\n";
        let node = tree(text).unwrap();
        let image = node.at(["services", "web", "image"]).unwrap();
        assert_eq!(&text[image.origin.range()], "nginx");
        let port = node.at(["services", "web", "ports", "0"]).unwrap();
        assert_eq!(&text[port.origin.range()], "\"80:80\"");
    }

    #[test]
    fn laughs_repeats_loops_and_depth_are_refused() {
        let mut bomb = String::from("a: &a [x,x,x,x,x,x,x,x,x,x]\n");
        for (from, to) in ["ab", "bc", "cd", "de", "ef", "fg"]
            .iter()
            .map(|p| p.split_at(1))
        {
            let alias = format!("*{from},");
            bomb.push_str(&format!("{to}: &{to} [{}]\n", alias.repeat(10)));
        }
        assert!(tree(&bomb).unwrap_err().contains("aliases expand"));
        assert!(tree("a: 1\na: 2\n").unwrap_err().contains("written twice"));
        assert!(
            tree("a: &a [*a]\n")
                .unwrap_err()
                .contains("holds the alias")
        );
        assert!(tree(&"[".repeat(5000)).is_err());
        assert!(tree("1: x\n").unwrap_err().contains("must be a string"));
    }
}
