//! Variables in every value of a tree, and the casts that follow.
//!
//! Keys are left alone. A value at one of [`CASTS`] was perhaps a variable where a number or a
//! boolean belongs; it becomes one.

use phoenix_source::{Diagnostic, Span};

use crate::Environment;
use crate::node::{Node, Route, Value};
use crate::template::{self, Lookup, TemplateError};

#[derive(Clone, Copy)]
enum Cast {
    Int,
    Float,
    Bool,
}

/// Where Compose casts after interpolation (compose-go's `interpolateTypeCastMapping`).
const CASTS: &[(&[&str], Cast)] = &[
    (&["services", "*", "cpu_count"], Cast::Int),
    (&["services", "*", "cpu_percent"], Cast::Float),
    (&["services", "*", "cpu_period"], Cast::Int),
    (&["services", "*", "cpu_quota"], Cast::Int),
    (&["services", "*", "cpu_rt_period"], Cast::Int),
    (&["services", "*", "cpu_rt_runtime"], Cast::Int),
    (&["services", "*", "cpus"], Cast::Float),
    (&["services", "*", "cpu_shares"], Cast::Int),
    (&["services", "*", "init"], Cast::Bool),
    (&["services", "*", "deploy", "replicas"], Cast::Int),
    (
        &["services", "*", "deploy", "update_config", "parallelism"],
        Cast::Int,
    ),
    (
        &[
            "services",
            "*",
            "deploy",
            "update_config",
            "max_failure_ratio",
        ],
        Cast::Float,
    ),
    (
        &["services", "*", "deploy", "rollback_config", "parallelism"],
        Cast::Int,
    ),
    (
        &[
            "services",
            "*",
            "deploy",
            "rollback_config",
            "max_failure_ratio",
        ],
        Cast::Float,
    ),
    (
        &["services", "*", "deploy", "restart_policy", "max_attempts"],
        Cast::Int,
    ),
    (
        &[
            "services",
            "*",
            "deploy",
            "placement",
            "max_replicas_per_node",
        ],
        Cast::Int,
    ),
    (&["services", "*", "healthcheck", "retries"], Cast::Int),
    (&["services", "*", "healthcheck", "disable"], Cast::Bool),
    (&["services", "*", "oom_kill_disable"], Cast::Bool),
    (&["services", "*", "oom_score_adj"], Cast::Int),
    (&["services", "*", "pids_limit"], Cast::Int),
    (&["services", "*", "ports", "*", "target"], Cast::Int),
    (&["services", "*", "privileged"], Cast::Bool),
    (&["services", "*", "read_only"], Cast::Bool),
    (&["services", "*", "scale"], Cast::Int),
    (&["services", "*", "stdin_open"], Cast::Bool),
    (&["services", "*", "tty"], Cast::Bool),
    (&["services", "*", "ulimits", "*"], Cast::Int),
    (&["services", "*", "ulimits", "*", "hard"], Cast::Int),
    (&["services", "*", "ulimits", "*", "soft"], Cast::Int),
    (&["services", "*", "volumes", "*", "read_only"], Cast::Bool),
    (
        &["services", "*", "volumes", "*", "volume", "nocopy"],
        Cast::Bool,
    ),
    (&["networks", "*", "external"], Cast::Bool),
    (&["networks", "*", "internal"], Cast::Bool),
    (&["networks", "*", "attachable"], Cast::Bool),
    (&["networks", "*", "enable_ipv4"], Cast::Bool),
    (&["networks", "*", "enable_ipv6"], Cast::Bool),
    (&["volumes", "*", "external"], Cast::Bool),
    (&["secrets", "*", "external"], Cast::Bool),
    (&["configs", "*", "external"], Cast::Bool),
];

/// Fills in variables everywhere below `node`. Names without a value go to `warnings`, once each.
pub(crate) fn interpolate(
    node: &mut Node,
    environment: &Environment,
    warnings: &mut Vec<Diagnostic>,
) -> Result<(), Box<Diagnostic>> {
    walk(node, &Route::ROOT, environment, warnings)
}

fn walk(
    node: &mut Node,
    route: &Route<'_>,
    environment: &Environment,
    warnings: &mut Vec<Diagnostic>,
) -> Result<(), Box<Diagnostic>> {
    let origin = node.origin;
    match &mut node.value {
        Value::Map(map) => {
            for (key, entry) in map {
                walk(&mut entry.node, &route.child(key), environment, warnings)?;
            }
        }
        Value::List(list) => {
            for (n, item) in list.iter_mut().enumerate() {
                walk(item, &route.child(&n.to_string()), environment, warnings)?;
            }
        }
        Value::String(text) => {
            if text.contains('$') {
                let mut names = Names {
                    environment,
                    at: origin,
                    warnings,
                };
                *text = template::substitute(text, &mut names)
                    .map_err(|error| Box::new(explain(&error, route, origin)))?;
            }
            if let Some((_, cast)) = CASTS.iter().find(|(pattern, _)| route.matches(pattern)) {
                node.value = apply(*cast, text).ok_or_else(|| {
                    let want = match cast {
                        Cast::Int => "a whole number",
                        Cast::Float => "a number",
                        Cast::Bool => "`true` or `false`",
                    };
                    Box::new(
                        Diagnostic::error(format!("`{route}` must be {want}, and it is `{text}`"))
                            .at(origin),
                    )
                })?;
            }
        }
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => {}
    }
    Ok(())
}

struct Names<'a> {
    environment: &'a Environment,
    at: Span,
    warnings: &'a mut Vec<Diagnostic>,
}

impl Lookup for Names<'_> {
    fn value(&self, name: &str) -> Option<String> {
        self.environment.get(name).cloned()
    }

    fn missing(&mut self, name: &str) {
        let message = format!("the variable `{name}` is not set and becomes an empty string");
        if self.warnings.iter().all(|w| w.message != message) {
            self.warnings.push(
                Diagnostic::warning(message)
                    .at(self.at)
                    .help(format!("set it in `.env`, or write `${{{name}:-default}}`")),
            );
        }
    }
}

fn explain(error: &TemplateError, route: &Route<'_>, at: Span) -> Diagnostic {
    let diagnostic = Diagnostic::error(error.to_string())
        .at(at)
        .here(format!("in `{route}`"));
    match error {
        TemplateError::Invalid { .. } => {
            diagnostic.help("a dollar sign that is meant as such is written `$$`")
        }
        TemplateError::Required { name, .. } => {
            diagnostic.help(format!("set `{name}` in the environment or in `.env`"))
        }
    }
}

fn apply(cast: Cast, text: &str) -> Option<Value> {
    match cast {
        Cast::Int => text
            .strip_prefix('+')
            .unwrap_or(text)
            .parse()
            .ok()
            .map(Value::Int),
        Cast::Float => text.parse().ok().map(Value::Float),
        Cast::Bool => boolean(text).map(Value::Bool),
    }
}

/// Booleans as Compose reads them from strings.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "y" | "yes" | "on" => Some(true),
        "false" | "n" | "no" | "off" => Some(false),
        _ => None,
    }
}
