//! Which keys there are and what may stand in them.
//!
//! The shapes follow the Compose Specification's JSON schema (version of Docker Compose 2.40). One
//! table serves validation, suggestions and the table of verdicts, so no key exists in one of them
//! only.

use phoenix_source::Diagnostic;

use crate::node::{Node, Route, Value};

/// What may stand at a place.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    Any,
    String,
    Int,
    Number,
    Bool,
    Null,
    /// One of these strings.
    Words(&'static [&'static str]),
    /// A string that the check accepts, and how to say what it wants.
    Text(fn(&str) -> bool, &'static str),
    /// Numbers in a range.
    Between(i64, i64),
    List(&'static Shape),
    /// A list without repetitions.
    Set(&'static Shape),
    Record(&'static Record),
    /// Any keys, one shape.
    MapOf(&'static Shape),
    /// Keys that are names (`[a-zA-Z0-9._-]+`), one shape.
    Named(&'static Shape),
    OneOf(&'static [Shape]),
}

/// A mapping with known keys.
#[derive(Debug)]
pub struct Record {
    /// What it is, with its article: "a service".
    pub what: &'static str,
    pub fields: &'static [(&'static str, Shape)],
    pub required: &'static [&'static str],
    /// Whether `x-…` may stand in it.
    pub extensions: bool,
}

use Shape::{
    Any, Between, Bool, Int, List, MapOf, Named, Null, Number, OneOf, Set, String, Text, Words,
};

const BOOL: Shape = OneOf(&[Bool, String]);
const INT: Shape = OneOf(&[Int, String]);
const NUMBER: Shape = OneOf(&[Number, String]);
const STRINGS: Shape = List(&String);
const STRING_SET: Shape = Set(&String);
const STRING_OR_LIST: Shape = OneOf(&[String, STRING_SET]);
const SCALAR: Shape = OneOf(&[String, Number, Bool, Null]);
const LIST_OR_MAP: Shape = OneOf(&[MapOf(&SCALAR), STRING_SET]);
const COMMAND: Shape = OneOf(&[Null, String, STRINGS]);
const HOSTS: Shape = OneOf(&[MapOf(&OneOf(&[String, STRINGS])), STRING_SET]);
const OPTIONS: Shape = MapOf(&OneOf(&[String, Number]));
const NUMBERED_SET: Shape = Set(&OneOf(&[String, Number]));

macro_rules! record {
    ($name:ident, $what:literal, ext: $ext:literal, required: [$($req:literal),*], { $($key:literal : $shape:expr),+ $(,)? }) => {
        pub static $name: Record = Record {
            what: $what,
            fields: &[$(($key, $shape)),+],
            required: &[$($req),*],
            extensions: $ext,
        };
    };
}

record!(PROJECT, "a project", ext: true, required: [], {
    "version": String, "name": String,
    "include": List(&OneOf(&[String, Shape::Record(&INCLUDE)])),
    "services": Named(&Shape::Record(&SERVICE)),
    "models": Named(&Shape::Record(&MODEL)),
    "networks": Named(&OneOf(&[Null, Shape::Record(&NETWORK)])),
    "volumes": Named(&OneOf(&[Null, Shape::Record(&VOLUME)])),
    "secrets": Named(&Shape::Record(&SECRET)),
    "configs": Named(&Shape::Record(&CONFIG)),
});

record!(INCLUDE, "an include", ext: false, required: [], {
    "path": STRING_OR_LIST, "env_file": STRING_OR_LIST, "project_directory": String,
});

record!(SERVICE, "a service", ext: true, required: [], {
    "annotations": LIST_OR_MAP, "attach": BOOL,
    "build": OneOf(&[String, Shape::Record(&BUILD)]),
    "blkio_config": Shape::Record(&BLKIO),
    "cap_add": STRING_SET, "cap_drop": STRING_SET,
    "cgroup": Words(&["host", "private"]), "cgroup_parent": String,
    "command": COMMAND, "configs": FILE_MOUNTS,
    "container_name": Text(container_name, "a name of letters, digits, `_`, `.` and `-`"),
    "cpu_count": OneOf(&[String, Between(0, i64::MAX)]), "cpu_percent": OneOf(&[String, Between(0, 100)]),
    "cpu_shares": NUMBER, "cpu_quota": NUMBER, "cpu_period": NUMBER, "cpu_rt_period": NUMBER,
    "cpu_rt_runtime": NUMBER, "cpus": NUMBER, "cpuset": String,
    "credential_spec": Shape::Record(&CREDENTIAL_SPEC),
    "depends_on": OneOf(&[STRING_SET, Named(&Shape::Record(&DEPENDENCY))]),
    "deploy": OneOf(&[Null, Shape::Record(&DEPLOY)]),
    "develop": OneOf(&[Null, Shape::Record(&DEVELOP)]),
    "device_cgroup_rules": STRING_SET,
    "devices": List(&OneOf(&[String, Shape::Record(&DEVICE)])),
    "dns": STRING_OR_LIST, "dns_opt": STRING_SET, "dns_search": STRING_OR_LIST, "domainname": String,
    "entrypoint": COMMAND,
    "env_file": OneOf(&[String, List(&OneOf(&[String, Shape::Record(&ENV_FILE)]))]),
    "environment": LIST_OR_MAP, "expose": NUMBERED_SET,
    "extends": OneOf(&[String, Shape::Record(&EXTENDS)]),
    "external_links": STRING_SET, "extra_hosts": HOSTS,
    "gpus": OneOf(&[Words(&["all"]), List(&Shape::Record(&GPU))]),
    "group_add": NUMBERED_SET, "healthcheck": Shape::Record(&HEALTHCHECK), "hostname": String,
    "image": String, "init": BOOL, "ipc": String, "isolation": String, "labels": LIST_OR_MAP,
    "label_file": OneOf(&[String, STRINGS]), "links": STRING_SET,
    "logging": Shape::Record(&LOGGING), "mac_address": String,
    "mem_limit": NUMBER, "mem_reservation": OneOf(&[String, Int]), "mem_swappiness": INT,
    "memswap_limit": NUMBER,
    "models": OneOf(&[STRING_SET, Named(&OneOf(&[Null, Shape::Record(&SERVICE_MODEL)]))]),
    "network_mode": String,
    "networks": OneOf(&[STRING_SET, Named(&OneOf(&[Null, Shape::Record(&SERVICE_NETWORK)]))]),
    "oom_kill_disable": BOOL, "oom_score_adj": OneOf(&[String, Between(-1000, 1000)]),
    "pid": OneOf(&[String, Null]), "pids_limit": NUMBER, "platform": String,
    "ports": Set(&OneOf(&[Number, String, Shape::Record(&PORT)])),
    "post_start": List(&Shape::Record(&HOOK)), "pre_stop": List(&Shape::Record(&HOOK)),
    "privileged": BOOL, "profiles": STRING_SET,
    "provider": Shape::Record(&PROVIDER),
    "pull_policy": Text(pull_policy, "`always`, `never`, `missing`, `if_not_present`, `build`, `refresh`, `daily`, `weekly` or `every_<duration>`"),
    "pull_refresh_after": String, "read_only": BOOL, "restart": String, "runtime": String, "scale": INT,
    "secrets": FILE_MOUNTS, "security_opt": STRING_SET, "shm_size": NUMBER, "stdin_open": BOOL,
    "stop_grace_period": String, "stop_signal": String, "storage_opt": MapOf(&Any),
    "sysctls": LIST_OR_MAP, "tmpfs": STRING_OR_LIST, "tty": BOOL, "ulimits": ULIMITS,
    "use_api_socket": Bool, "user": String, "userns_mode": String, "uts": String,
    "volumes": Set(&OneOf(&[String, Shape::Record(&MOUNT)])), "volumes_from": STRING_SET,
    "working_dir": String,
});

record!(BUILD, "a build", ext: true, required: [], {
    "context": String, "dockerfile": String, "dockerfile_inline": String, "entitlements": STRINGS,
    "args": LIST_OR_MAP, "ssh": LIST_OR_MAP, "labels": LIST_OR_MAP, "cache_from": STRINGS, "cache_to": STRINGS,
    "no_cache": BOOL, "additional_contexts": LIST_OR_MAP, "network": String,
    "provenance": OneOf(&[String, Bool]), "sbom": OneOf(&[String, Bool]), "pull": BOOL, "target": String,
    "shm_size": INT, "extra_hosts": HOSTS, "isolation": String, "privileged": BOOL, "secrets": FILE_MOUNTS,
    "tags": STRINGS, "ulimits": ULIMITS, "platforms": STRINGS,
});

record!(BLKIO, "a blkio_config", ext: false, required: [], {
    "device_read_bps": List(&Shape::Record(&BLKIO_LIMIT)), "device_read_iops": List(&Shape::Record(&BLKIO_LIMIT)),
    "device_write_bps": List(&Shape::Record(&BLKIO_LIMIT)), "device_write_iops": List(&Shape::Record(&BLKIO_LIMIT)),
    "weight": INT, "weight_device": List(&Shape::Record(&BLKIO_WEIGHT)),
});
record!(BLKIO_LIMIT, "a limit", ext: false, required: [], { "path": String, "rate": INT });
record!(BLKIO_WEIGHT, "a weight", ext: false, required: [], { "path": String, "weight": INT });
record!(CREDENTIAL_SPEC, "a credential_spec", ext: true, required: [], {
    "config": String, "file": String, "registry": String,
});
record!(DEPENDENCY, "a dependency", ext: true, required: ["condition"], {
    "restart": BOOL, "required": Bool,
    "condition": Words(&["service_started", "service_healthy", "service_completed_successfully"]),
});
record!(DEVICE, "a device", ext: true, required: ["source"], {
    "source": String, "target": String, "permissions": String,
});
record!(ENV_FILE, "an env_file", ext: false, required: ["path"], {
    "path": String, "format": String, "required": BOOL,
});
record!(EXTENDS, "an extends", ext: false, required: ["service"], { "service": String, "file": String });
record!(GPU, "a GPU request", ext: true, required: [], {
    "capabilities": STRING_SET, "count": INT, "device_ids": STRING_SET, "driver": String, "options": LIST_OR_MAP,
});
record!(HEALTHCHECK, "a healthcheck", ext: true, required: [], {
    "disable": BOOL, "interval": String, "retries": NUMBER, "test": OneOf(&[String, STRINGS]),
    "timeout": String, "start_period": String, "start_interval": String,
});
record!(LOGGING, "a logging", ext: true, required: [], {
    "driver": String, "options": MapOf(&OneOf(&[String, Number, Null])),
});
record!(SERVICE_MODEL, "a service's model", ext: true, required: [], { "endpoint_var": String, "model_var": String });
record!(SERVICE_NETWORK, "a service's network", ext: true, required: [], {
    "aliases": STRING_SET, "interface_name": String, "ipv4_address": String, "ipv6_address": String,
    "link_local_ips": STRING_SET, "mac_address": String, "driver_opts": OPTIONS, "priority": Number,
    "gw_priority": Number,
});
record!(PORT, "a port", ext: true, required: [], {
    "name": String, "mode": String, "host_ip": String, "target": INT, "published": INT, "protocol": String,
    "app_protocol": String,
});
record!(HOOK, "a hook", ext: true, required: ["command"], {
    "command": COMMAND, "user": String, "privileged": BOOL, "working_dir": String, "environment": LIST_OR_MAP,
});
record!(PROVIDER, "a provider", ext: true, required: ["type"], {
    "type": String,
    "options": MapOf(&OneOf(&[String, Number, Bool, List(&OneOf(&[String, Number, Bool]))])),
});
record!(MOUNT, "a volume mount", ext: true, required: ["type"], {
    "type": Words(&["bind", "volume", "tmpfs", "cluster", "npipe", "image"]),
    "source": String, "target": String, "read_only": BOOL, "consistency": String,
    "bind": Shape::Record(&MOUNT_BIND), "volume": Shape::Record(&MOUNT_VOLUME),
    "tmpfs": Shape::Record(&MOUNT_TMPFS), "image": Shape::Record(&MOUNT_IMAGE),
});
record!(MOUNT_BIND, "a mount's bind", ext: true, required: [], {
    "propagation": String, "create_host_path": BOOL,
    "recursive": Words(&["enabled", "disabled", "writable", "readonly"]), "selinux": Words(&["z", "Z"]),
});
record!(MOUNT_VOLUME, "a mount's volume", ext: true, required: [], {
    "labels": LIST_OR_MAP, "nocopy": BOOL, "subpath": String,
});
record!(MOUNT_TMPFS, "a mount's tmpfs", ext: true, required: [], {
    "size": OneOf(&[Between(0, i64::MAX), String]), "mode": NUMBER,
});
record!(MOUNT_IMAGE, "a mount's image", ext: true, required: [], { "subpath": String });
record!(FILE_MOUNT, "a secret or config", ext: true, required: [], {
    "source": String, "target": String, "uid": String, "gid": String, "mode": NUMBER,
});
const FILE_MOUNTS: Shape = List(&OneOf(&[String, Shape::Record(&FILE_MOUNT)]));
record!(ULIMIT, "an ulimit", ext: true, required: ["soft", "hard"], { "hard": INT, "soft": INT });
const ULIMITS: Shape = MapOf(&OneOf(&[INT, Shape::Record(&ULIMIT)]));
record!(DEVELOP, "a develop", ext: true, required: [], { "watch": List(&Shape::Record(&WATCH)) });
record!(WATCH, "a watch", ext: true, required: ["path", "action"], {
    "ignore": STRING_OR_LIST, "include": STRING_OR_LIST, "path": String,
    "action": Words(&["rebuild", "sync", "restart", "sync+restart", "sync+exec"]),
    "target": String, "exec": Shape::Record(&HOOK), "initial_sync": Bool,
});
record!(DEPLOY, "a deploy", ext: true, required: [], {
    "mode": String, "endpoint_mode": String, "replicas": INT, "labels": LIST_OR_MAP,
    "rollback_config": Shape::Record(&UPDATE), "update_config": Shape::Record(&UPDATE),
    "resources": Shape::Record(&RESOURCES), "restart_policy": Shape::Record(&RESTART_POLICY),
    "placement": Shape::Record(&PLACEMENT),
});
record!(UPDATE, "an update_config", ext: true, required: [], {
    "parallelism": INT, "delay": String, "failure_action": String, "monitor": String,
    "max_failure_ratio": NUMBER, "order": Words(&["start-first", "stop-first"]),
});
record!(RESOURCES, "resources", ext: true, required: [], {
    "limits": Shape::Record(&LIMITS), "reservations": Shape::Record(&RESERVATIONS),
});
record!(LIMITS, "limits", ext: true, required: [], { "cpus": NUMBER, "memory": String, "pids": INT });
record!(RESERVATIONS, "reservations", ext: true, required: [], {
    "cpus": NUMBER, "memory": String, "generic_resources": List(&Shape::Record(&GENERIC)),
    "devices": List(&Shape::Record(&RESERVED_DEVICE)),
});
record!(GENERIC, "a generic resource", ext: true, required: [], {
    "discrete_resource_spec": Shape::Record(&DISCRETE),
});
record!(DISCRETE, "a discrete resource", ext: true, required: [], { "kind": String, "value": NUMBER });
record!(RESERVED_DEVICE, "a device request", ext: true, required: ["capabilities"], {
    "capabilities": STRING_SET, "count": INT, "device_ids": STRING_SET, "driver": String, "options": LIST_OR_MAP,
});
record!(RESTART_POLICY, "a restart_policy", ext: true, required: [], {
    "condition": String, "delay": String, "max_attempts": INT, "window": String,
});
record!(PLACEMENT, "a placement", ext: true, required: [], {
    "constraints": STRINGS, "preferences": List(&Shape::Record(&PREFERENCE)), "max_replicas_per_node": INT,
});
record!(PREFERENCE, "a preference", ext: true, required: [], { "spread": String });
record!(NETWORK, "a network", ext: true, required: [], {
    "name": String, "driver": String, "driver_opts": OPTIONS, "ipam": Shape::Record(&IPAM),
    "external": EXTERNAL, "internal": BOOL, "enable_ipv4": BOOL, "enable_ipv6": BOOL, "attachable": BOOL,
    "labels": LIST_OR_MAP,
});
record!(EXTERNAL_NAME, "an external", ext: true, required: [], { "name": String });
const EXTERNAL: Shape = OneOf(&[Bool, String, Shape::Record(&EXTERNAL_NAME)]);
record!(IPAM, "an ipam", ext: true, required: [], {
    "driver": String, "config": List(&Shape::Record(&POOL)), "options": MapOf(&String),
});
record!(POOL, "an ipam pool", ext: true, required: [], {
    "subnet": String, "ip_range": String, "gateway": String, "aux_addresses": MapOf(&String),
});
record!(VOLUME, "a volume", ext: true, required: [], {
    "name": String, "driver": String, "driver_opts": OPTIONS, "external": EXTERNAL, "labels": LIST_OR_MAP,
});
record!(SECRET, "a secret", ext: true, required: [], {
    "name": String, "environment": String, "file": String, "external": EXTERNAL, "labels": LIST_OR_MAP,
    "driver": String, "driver_opts": OPTIONS, "template_driver": String,
});
record!(CONFIG, "a config", ext: true, required: [], {
    "name": String, "content": String, "environment": String, "file": String, "external": EXTERNAL,
    "labels": LIST_OR_MAP, "template_driver": String,
});
record!(MODEL, "a model", ext: true, required: ["model"], {
    "name": String, "model": String, "context_size": Int, "runtime_flags": STRINGS,
});

fn container_name(text: &str) -> bool {
    let mut previous = None;
    // The schema's pattern is not anchored: two fitting characters in a row are enough.
    for c in text.chars() {
        if let Some(p) = previous
            && char::is_ascii_alphanumeric(&p)
            && (c.is_ascii_alphanumeric() || "_.-".contains(c))
        {
            return true;
        }
        previous = Some(c);
    }
    false
}

fn pull_policy(text: &str) -> bool {
    [
        "always",
        "never",
        "build",
        "if_not_present",
        "missing",
        "refresh",
        "daily",
        "weekly",
    ]
    .iter()
    .any(|word| text.contains(word))
        || text.split_once("every_").is_some_and(|(_, rest)| {
            let digits = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            digits.len() < rest.len() && digits.starts_with(['w', 'd', 'h', 'm', 's'])
        })
}

/// Everything in the tree that is not a Compose project.
pub fn validate(node: &Node) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    check(node, &Shape::Record(&PROJECT), &Route::ROOT, &mut found);
    found
}

fn check(node: &Node, shape: &Shape, route: &Route<'_>, found: &mut Vec<Diagnostic>) {
    if !fits(node, shape) {
        // Inside an alternative of the right kind the message can be closer to the mistake.
        if let OneOf(options) = shape
            && let Some(option) = options.iter().find(|o| same_kind(node, o))
        {
            return check(node, option, route, found);
        }
        found.push(
            Diagnostic::error(format!(
                "`{route}` must be {}, and it is {}",
                want(shape),
                node.kind()
            ))
            .at(node.origin),
        );
        return;
    }
    match shape {
        OneOf(options) => {
            if let Some(option) = options.iter().find(|o| fits(node, o)) {
                check(node, option, route, found);
            }
        }
        List(item) | Set(item) => {
            let list = node.as_list().unwrap_or_default();
            for (n, child) in list.iter().enumerate() {
                check(child, item, &route.child(&n.to_string()), found);
            }
            if matches!(shape, Set(_)) {
                repeated(list, route, found);
            }
        }
        MapOf(value) | Named(value) => {
            let Some(map) = node.as_map() else { return };
            for (key, entry) in map {
                let is_name = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
                if matches!(shape, Named(_)) && (key.is_empty() || !key.chars().all(is_name)) {
                    // `models` and `networks` also allow any other key, as anything.
                    if route.matches(&["networks"]) || route.matches(&["models"]) {
                        continue;
                    }
                    found.push(
                        Diagnostic::error(format!("`{key}` cannot be a name in `{route}`"))
                            .at(entry.key)
                            .help("use letters, digits, `.`, `_` and `-`"),
                    );
                    continue;
                }
                check(&entry.node, value, &route.child(key), found);
            }
        }
        Shape::Record(record) => in_record(node, record, route, found),
        _ => {}
    }
}

fn in_record(node: &Node, record: &Record, route: &Route<'_>, found: &mut Vec<Diagnostic>) {
    let Some(map) = node.as_map() else { return };
    for (key, entry) in map {
        if let Some((_, shape)) = record.fields.iter().find(|(name, _)| name == key) {
            check(&entry.node, shape, &route.child(key), found);
        } else if !(record.extensions && key.starts_with("x-")) {
            let mut diagnostic = Diagnostic::error(format!("unknown key `{key}`"))
                .at(entry.key)
                .here(format!("not a key of {}", record.what));
            if route.depth() > 0 {
                diagnostic.message = format!("unknown key `{key}` in `{route}`");
            }
            found.push(match suggestion(key, record) {
                Some(name) => diagnostic.help(format!("did you mean `{name}`?")),
                None if record.extensions => {
                    diagnostic.help(format!("remove it, or keep it as `x-{key}`"))
                }
                None => diagnostic.help("remove it"),
            });
        }
    }
    for key in record.required {
        if !map.contains_key(*key) {
            found.push(
                Diagnostic::error(format!("`{route}` has no `{key}`"))
                    .at(node.origin)
                    .help(format!("{} needs it", record.what)),
            );
        }
    }
}

/// The known key that was probably meant.
fn suggestion(key: &str, record: &Record) -> Option<&'static str> {
    let plain = key.to_ascii_lowercase().replace('-', "_");
    record
        .fields
        .iter()
        .map(|(name, _)| (strsim::damerau_levenshtein(&plain, name), *name))
        .filter(|(distance, name)| *distance <= 1 + name.len() / 5)
        .min()
        .map(|(_, name)| name)
}

fn repeated(list: &[Node], route: &Route<'_>, found: &mut Vec<Diagnostic>) {
    let mut seen = std::collections::HashMap::new();
    for item in list {
        let Some(text) = item.scalar_text() else {
            continue;
        };
        let kind = std::mem::discriminant(&item.value);
        if let Some(first) = seen.insert((kind, text.clone()), item.origin) {
            found.push(
                Diagnostic::error(format!("`{text}` is twice in `{route}`"))
                    .at(item.origin)
                    .label(first, "first here")
                    .help("remove one of them"),
            );
            return;
        }
    }
}

fn fits(node: &Node, shape: &Shape) -> bool {
    match shape {
        Any => true,
        String => matches!(node.value, Value::String(_)),
        Int => match node.value {
            Value::Int(_) => true,
            Value::Float(x) => x.fract() == 0.0,
            _ => false,
        },
        Number => matches!(node.value, Value::Int(_) | Value::Float(_)),
        Bool => matches!(node.value, Value::Bool(_)),
        Null => node.is_null(),
        Words(words) => node.as_str().is_some_and(|s| words.contains(&s)),
        Text(accepts, _) => node.as_str().is_some_and(accepts),
        Between(low, high) => matches!(node.value, Value::Int(n) if (*low..=*high).contains(&n)),
        List(_) | Set(_) => node.as_list().is_some(),
        Shape::Record(_) | MapOf(_) | Named(_) => node.as_map().is_some(),
        OneOf(options) => options.iter().any(|o| fits(node, o)),
    }
}

fn same_kind(node: &Node, shape: &Shape) -> bool {
    match shape {
        Words(_) | Text(..) => node.as_str().is_some(),
        Between(..) => matches!(node.value, Value::Int(_)),
        OneOf(options) => options.iter().any(|o| same_kind(node, o)),
        _ => fits(node, shape),
    }
}

fn want(shape: &Shape) -> std::string::String {
    match shape {
        Any => "anything".into(),
        String => "a string".into(),
        Int => "a whole number".into(),
        Number => "a number".into(),
        Bool => "`true` or `false`".into(),
        Null => "empty".into(),
        Words(words) => words
            .iter()
            .map(|w| format!("`{w}`"))
            .collect::<Vec<_>>()
            .join(", "),
        Text(_, what) => (*what).into(),
        Between(low, i64::MAX) => format!("a number from {low}"),
        Between(low, high) => format!("a number from {low} to {high}"),
        List(_) | Set(_) => "a list".into(),
        Shape::Record(_) | MapOf(_) | Named(_) => "a mapping".into(),
        OneOf(options) => {
            let mut wants: Vec<_> = options
                .iter()
                .filter(|o| !matches!(o, Null))
                .map(want)
                .collect();
            wants.dedup();
            wants.join(" or ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use phoenix_source::SourceMap;

    fn messages(text: &str) -> Vec<std::string::String> {
        let mut sources = SourceMap::new();
        let file = sources.add("f", text);
        let node = crate::yaml::parse(text, file).unwrap().remove(0);
        validate(&node)
            .into_iter()
            .map(|d| match d.help {
                Some(help) => format!("{} ({help})", d.message),
                None => d.message,
            })
            .collect()
    }

    #[test]
    fn unknown_keys_get_a_suggestion() {
        assert_eq!(
            messages("services: {web: {imagee: x}}"),
            ["unknown key `imagee` in `services.web` (did you mean `image`?)"]
        );
        assert_eq!(
            messages("services: {web: {depends: [x], network-mode: host}}"),
            [
                "unknown key `depends` in `services.web` (did you mean `depends_on`?)",
                "unknown key `network-mode` in `services.web` (did you mean `network_mode`?)"
            ]
        );
        assert_eq!(
            messages("servces: {}"),
            ["unknown key `servces` (did you mean `services`?)"]
        );
    }

    #[test]
    fn wrong_types_say_what_is_wanted() {
        assert_eq!(
            messages("services: {web: {ports: 80, tty: [1], depends_on: {a: {condition: ready}}}}"),
            [
                "`services.web.ports` must be a list, and it is a number",
                "`services.web.tty` must be `true` or `false` or a string, and it is a list",
                "`services.web.depends_on.a.condition` must be `service_started`, `service_healthy`, `service_completed_successfully`, and it is a string",
            ]
        );
        assert_eq!(
            messages("services: {web: {cap_add: [A, A]}}"),
            ["`A` is twice in `services.web.cap_add` (remove one of them)"]
        );
    }

    #[test]
    fn every_service_key_is_known() {
        assert_eq!(SERVICE.fields.len(), 92);
    }
}
