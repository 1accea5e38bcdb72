//! A container in our words → libpod's `SpecGenerator`.

use phoenix_model::{Container, ContainerSpec, Health, Mount, NetworkMode};
use serde_json::{Map, Value, json};

use crate::signal;

/// The body of `POST /containers/create`.
pub(crate) fn to_libpod(container: &Container, image_health: Option<&Health>) -> Value {
    let spec = &container.spec;
    let mut out = Map::new();
    let mut set = |key: &str, value: Value| {
        let empty = match &value {
            Value::Null => true,
            Value::String(s) => s.is_empty(),
            Value::Array(a) => a.is_empty(),
            Value::Object(o) => o.is_empty(),
            Value::Bool(b) => !b,
            Value::Number(_) => false,
        };
        if !empty {
            out.insert(key.to_owned(), value);
        }
    };
    set("name", json!(container.name));
    set("image", json!(spec.image));
    set("env", json!(spec.env));
    set("labels", json!(spec.labels));
    set("annotations", json!(spec.annotations));
    set("hostname", json!(spec.hostname));
    set("user", json!(spec.user));
    set("groups", json!(spec.groups));
    set("work_dir", json!(spec.work_dir));
    set("stdin", json!(spec.stdin));
    set("terminal", json!(spec.terminal));
    set("init", json!(spec.init));
    set("image_volume_mode", json!("anonymous"));
    set("device_cgroup_rule", device_rules(spec));
    set(
        "devices",
        spec.devices.iter().map(|d| json!({ "path": d })).collect(),
    );
    set("volumes_from", json!(spec.volumes_from));
    set("expose", json!(spec.expose));
    set("dns_server", json!(spec.dns));
    set("dns_option", json!(spec.dns_options));
    set("dns_search", json!(spec.dns_search));
    set("hostadd", json!(spec.hosts));
    set("cap_add", json!(spec.cap_add));
    set("cap_drop", json!(spec.cap_drop));
    set("privileged", json!(spec.privileged));
    set("read_only_filesystem", json!(spec.read_only));
    set("no_new_privileges", json!(spec.no_new_privileges));
    set("seccomp_profile_path", json!(spec.seccomp_profile));
    set("apparmor_profile", json!(spec.apparmor_profile));
    set("selinux_opts", json!(spec.selinux_options));
    set("mask", json!(spec.mask));
    set("unmask", json!(spec.unmask));
    set("sysctl", json!(spec.sysctls));
    set("cgroup_parent", json!(spec.cgroup_parent));
    set("oci_runtime", json!(spec.runtime));
    set("storage_opts", json!(spec.storage_options));
    set("stop_timeout", json!(spec.stop_timeout));
    set("stop_signal", json!(signal::number(&spec.stop_signal)));
    set("r_limits", limits(spec));
    set("resource_limits", resources(spec));
    set("oom_score_adj", json!(spec.limits.oom_score_adj));
    if spec.limits.shm_size > 0 {
        set("shm_size", json!(spec.limits.shm_size));
    }
    if spec.restart.name != "no" {
        set("restart_policy", json!(spec.restart.name));
        set("restart_tries", json!(spec.restart.retries));
    }
    let secrets = spec.secrets.iter().map(|s| {
        json!({ "Source": s.name, "Target": s.target, "UID": s.uid, "GID": s.gid, "Mode": s.mode })
    });
    set("secrets", secrets.collect());
    for (key, value) in [
        ("ipcns", &spec.ipc),
        ("pidns", &spec.pid),
        ("utsns", &spec.uts),
        ("userns", &spec.userns),
        ("cgroupns", &spec.cgroupns),
    ] {
        set(key, namespace(value));
    }
    let (mounts, volumes, images) = mounts(spec);
    set("mounts", mounts);
    set("volumes", volumes);
    set("image_volumes", images);
    if !spec.log_driver.is_empty() || !spec.log_options.is_empty() {
        let mut options = spec.log_options.clone();
        let mut log = json!({ "driver": spec.log_driver });
        if let Some(size) = options.remove("max-size").and_then(|s| bytes(&s)) {
            log["size"] = json!(size);
        }
        if let Some(path) = options.remove("path") {
            log["path"] = json!(path);
        }
        log["options"] = json!(options);
        set("log_configuration", log);
    }
    // What must be there although it is empty: an empty command clears the image's.
    if let Some(command) = &spec.command {
        out.insert("command".into(), json!(command));
    }
    if let Some(entrypoint) = &spec.entrypoint {
        out.insert("entrypoint".into(), json!(entrypoint));
        if entrypoint.is_empty() && spec.command.is_none() {
            // Without an entrypoint the image's command still counts, as in Docker.
            out.remove("entrypoint");
            out.insert("entrypoint".into(), json!([""]));
        }
    }
    network(spec, &mut out);
    health(spec.health.as_ref(), image_health, &mut out);
    Value::Object(out)
}

fn bytes(text: &str) -> Option<i64> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let number: f64 = text[..digits].parse().ok()?;
    let power = match text[digits..].trim().to_ascii_lowercase().chars().next() {
        None | Some('b') => 0,
        Some('k') => 1,
        Some('m') => 2,
        Some('g') => 3,
        Some(_) => return None,
    };
    Some((number * 1024f64.powi(power)) as i64)
}

fn device_rules(spec: &ContainerSpec) -> Value {
    let rules = spec.device_cgroup_rules.iter().filter_map(|rule| {
        let mut words = rule.split_whitespace();
        let kind = words.next()?;
        let (major, minor) = words.next()?.split_once(':')?;
        let number = |n: &str| {
            if n == "*" {
                Some(-1)
            } else {
                n.parse::<i64>().ok()
            }
        };
        Some(json!({
            "allow": true, "type": kind, "major": number(major)?, "minor": number(minor)?,
            "access": words.next().unwrap_or("rwm"),
        }))
    });
    rules.collect()
}

fn limits(spec: &ContainerSpec) -> Value {
    let unlimited = |n: i64| u64::try_from(n).unwrap_or(u64::MAX);
    spec.ulimits
        .iter()
        .map(|l| json!({ "type": format!("RLIMIT_{}", l.name.to_uppercase()), "soft": unlimited(l.soft), "hard": unlimited(l.hard) }))
        .collect()
}

fn resources(spec: &ContainerSpec) -> Value {
    let l = &spec.limits;
    let mut resources = Map::new();
    let mut cpu = Map::new();
    if l.cpu_quota != 0 {
        cpu.insert("quota".into(), json!(l.cpu_quota));
    }
    if l.cpu_period != 0 {
        cpu.insert("period".into(), json!(l.cpu_period));
    }
    if l.cpu_shares != 0 {
        cpu.insert("shares".into(), json!(l.cpu_shares));
    }
    if !l.cpuset_cpus.is_empty() {
        cpu.insert("cpus".into(), json!(l.cpuset_cpus));
    }
    let mut memory = Map::new();
    if l.memory != 0 {
        memory.insert("limit".into(), json!(l.memory));
    }
    if l.memory_reservation != 0 {
        memory.insert("reservation".into(), json!(l.memory_reservation));
    }
    if l.memory_swap != 0 {
        memory.insert("swap".into(), json!(l.memory_swap));
    }
    if let Some(swappiness) = l.memory_swappiness {
        memory.insert("swappiness".into(), json!(swappiness));
    }
    if l.oom_kill_disable {
        memory.insert("disableOOMKiller".into(), json!(true));
    }
    for (key, map) in [("cpu", cpu), ("memory", memory)] {
        if !map.is_empty() {
            resources.insert(key.into(), Value::Object(map));
        }
    }
    if let Some(pids) = l.pids {
        resources.insert("pids".into(), json!({ "limit": pids }));
    }
    if let Some(weight) = l.blkio_weight {
        resources.insert("blockIO".into(), json!({ "weight": weight }));
    }
    Value::Object(resources)
}

/// `host`, `private`, `container:x`, `keep-id:uid=1`.
fn namespace(text: &str) -> Value {
    if text.is_empty() {
        return Value::Null;
    }
    match text.split_once(':') {
        Some((mode, value)) => json!({ "nsmode": mode, "value": value }),
        None => json!({ "nsmode": text }),
    }
}

fn mounts(spec: &ContainerSpec) -> (Value, Value, Value) {
    let (mut mounts, mut volumes, mut images) = (Vec::new(), Vec::new(), Vec::new());
    for mount in &spec.mounts {
        match mount {
            Mount::Bind {
                source,
                target,
                options,
                create: _,
            } => mounts.push(json!({
                "Type": "bind", "Source": source, "Destination": target, "Options": options,
            })),
            Mount::Volume {
                name,
                target,
                options,
                subpath,
            } => {
                let mut volume = json!({ "Dest": target, "Options": options });
                if name.is_empty() {
                    volume["IsAnonymous"] = json!(true);
                } else {
                    volume["Name"] = json!(name);
                }
                if !subpath.is_empty() {
                    volume["SubPath"] = json!(subpath);
                }
                volumes.push(volume);
            }
            Mount::Tmpfs { target, options } => mounts.push(json!({
                "Type": "tmpfs", "Source": "tmpfs", "Destination": target, "Options": options,
            })),
            Mount::Image {
                image,
                target,
                subpath,
            } => {
                let mut volume = json!({ "Source": image, "Destination": target });
                if !subpath.is_empty() {
                    volume["SubPath"] = json!(subpath);
                }
                images.push(volume);
            }
        }
    }
    (
        Value::Array(mounts),
        Value::Array(volumes),
        Value::Array(images),
    )
}

fn network(spec: &ContainerSpec, out: &mut Map<String, Value>) {
    let namespace = match &spec.network_mode {
        NetworkMode::Bridge if spec.networks.is_empty() => json!({ "nsmode": "none" }),
        NetworkMode::Bridge => json!({ "nsmode": "bridge" }),
        NetworkMode::Host => json!({ "nsmode": "host" }),
        NetworkMode::None => json!({ "nsmode": "none" }),
        NetworkMode::Container(name) => json!({ "nsmode": "container", "value": name }),
        NetworkMode::Other(mode) => {
            let (mode, options) = mode.split_once(':').unwrap_or((mode, ""));
            if !options.is_empty() {
                let options: Vec<&str> = options.split(',').collect();
                out.insert("network_options".into(), json!({ mode: options }));
            }
            json!({ "nsmode": mode })
        }
    };
    out.insert("netns".into(), namespace);
    let networks: Map<String, Value> = spec
        .networks
        .iter()
        .map(|n| {
            let mut options = json!({ "aliases": n.aliases });
            if !n.static_ips.is_empty() {
                options["static_ips"] = json!(n.static_ips);
            }
            if !n.static_mac.is_empty() {
                options["static_mac"] = json!(n.static_mac);
            }
            if !n.interface_name.is_empty() {
                options["interface_name"] = json!(n.interface_name);
            }
            if !n.options.is_empty() {
                options["options"] = json!(n.options);
            }
            (n.name.clone(), options)
        })
        .collect();
    if !networks.is_empty() {
        out.insert("Networks".into(), Value::Object(networks));
    }
    let ports: Vec<Value> = spec
        .ports
        .iter()
        .map(|p| {
            let mut port = json!({ "container_port": p.container_port, "protocol": p.protocol });
            if !p.host_ip.is_empty() {
                port["host_ip"] = json!(p.host_ip);
            }
            // 0 lets Podman choose; of a range the first is taken.
            port["host_port"] = json!(p.host_port);
            port
        })
        .collect();
    if !ports.is_empty() {
        out.insert("portmappings".into(), json!(ports));
    }
}

/// How long before the first check that counts the start period ends, in nanoseconds: its timer is
/// exact to a second.
const FIRST_CHECK_MARGIN: i64 = 1_500_000_000;

/// The check of the file over the image's.
fn health(own: Option<&Health>, image: Option<&Health>, out: &mut Map<String, Value>) {
    let Some(own) = own else { return };
    if own.disabled {
        out.insert("healthconfig".into(), json!({ "Test": ["NONE"] }));
        return;
    }
    let empty = Health::default();
    let image = image.unwrap_or(&empty);
    let Some(test) = own.test.as_ref().or(image.test.as_ref()) else {
        return;
    };
    // Docker's defaults: 30 s, 30 s, 3.
    let interval = own.interval.or(image.interval).unwrap_or(30_000_000_000);
    let timeout = own.timeout.or(image.timeout).unwrap_or(30_000_000_000);
    // Compose checks for the first time one interval after the start; Podman's timer does so at
    // once, when nothing can be ready, and counts it against `retries`. Within the start period it
    // does not count, so that period lasts until just before the first check that should.
    let first = interval - FIRST_CHECK_MARGIN.min(interval / 4);
    let start_period = own
        .start_period
        .or(image.start_period)
        .unwrap_or(0)
        .max(first);
    out.insert(
        "healthconfig".into(),
        json!({
            "Test": test,
            "Interval": interval,
            "Timeout": timeout,
            "StartPeriod": start_period,
            "Retries": own.retries.or(image.retries).unwrap_or(3),
        }),
    );
}
