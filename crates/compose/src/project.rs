//! A loaded project: every key of the Compose Specification, typed.
//!
//! Fields have the names of their keys. What is absent is empty, zero or `None`. Serialised, the
//! types give the canonical form of `docker compose config --format json`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use phoenix_source::{Diagnostic, Span};
use serde::{Serialize, Serializer};

use crate::bind::{Bound, Field, record, wrong};
use crate::node::{Node, Route, Value};
use crate::scalars::{self, Bytes, Duration, FileMode};

/// What one set of compose files describes.
#[derive(Debug, Clone)]
pub struct Project {
    pub name: String,
    /// Absolute; relative paths of the files were relative to it.
    pub working_dir: PathBuf,
    /// Absolute, in the order of merging.
    pub compose_files: Vec<PathBuf>,
    /// Active services.
    pub services: BTreeMap<String, Service>,
    /// Services of profiles that are not active.
    pub disabled_services: BTreeMap<String, Service>,
    pub networks: BTreeMap<String, Network>,
    pub volumes: BTreeMap<String, Volume>,
    pub secrets: BTreeMap<String, FileObject>,
    pub configs: BTreeMap<String, FileObject>,
    pub models: BTreeMap<String, Model>,
    /// Top-level `x-…`.
    pub extensions: BTreeMap<String, serde_json::Value>,
    /// What interpolation saw.
    pub environment: crate::Environment,
    pub(crate) tree: Node,
}

impl Project {
    /// Where the value at a route of keys was written: `["services", "web", "ports", "0"]`.
    pub fn origin<'k>(&self, route: impl IntoIterator<Item = &'k str>) -> Option<Span> {
        self.tree.at(route).map(|n| n.origin)
    }

    /// The tree that the types were bound from, with origins.
    pub fn tree(&self) -> &Node {
        &self.tree
    }
}

record! {
    /// One service.
    pub struct Service {
        pub profiles: Vec<String>,
        pub annotations: Mapping,
        pub attach: Option<bool>,
        pub build: Option<Build>,
        pub develop: Option<Develop>,
        pub blkio_config: Option<BlkioConfig>,
        pub cap_add: Vec<String>,
        pub cap_drop: Vec<String>,
        pub cgroup_parent: String,
        pub cgroup: String,
        pub cpu_count: i64,
        pub cpu_percent: f64,
        pub cpu_period: i64,
        pub cpu_quota: i64,
        pub cpu_rt_period: i64,
        pub cpu_rt_runtime: i64,
        pub cpus: f64,
        pub cpuset: String,
        pub cpu_shares: i64,
        pub command: Command,
        pub configs: Vec<FileMount>,
        pub container_name: String,
        pub credential_spec: Option<CredentialSpec>,
        pub depends_on: BTreeMap<String, Dependency>,
        pub deploy: Option<Deploy>,
        pub device_cgroup_rules: Vec<String>,
        pub devices: Vec<Device>,
        pub dns: Vec<String>,
        pub dns_opt: Vec<String>,
        pub dns_search: Vec<String>,
        pub domainname: String,
        pub entrypoint: Command,
        pub provider: Option<Provider>,
        pub environment: Variables,
        pub env_file: Vec<EnvFile>,
        pub expose: Vec<String>,
        pub external_links: Vec<String>,
        pub extra_hosts: Hosts,
        pub group_add: Vec<String>,
        pub gpus: Vec<DeviceRequest>,
        pub hostname: String,
        pub healthcheck: Option<Healthcheck>,
        pub image: String,
        pub init: Option<bool>,
        pub ipc: String,
        pub isolation: String,
        pub labels: Labels,
        pub label_file: Vec<String>,
        pub links: Vec<String>,
        pub logging: Option<Logging>,
        pub mem_limit: Bytes,
        pub mem_reservation: Bytes,
        pub memswap_limit: Bytes,
        pub mem_swappiness: Bytes,
        pub mac_address: String,
        pub models: BTreeMap<String, Option<ServiceModel>>,
        pub network_mode: String,
        pub networks: BTreeMap<String, Option<ServiceNetwork>>,
        pub oom_kill_disable: bool,
        pub oom_score_adj: i64,
        pub pid: String,
        pub pids_limit: i64,
        pub platform: String,
        pub ports: Vec<Port>,
        pub privileged: bool,
        pub pull_policy: String,
        pub read_only: bool,
        pub restart: String,
        pub runtime: String,
        pub scale: Option<i64>,
        pub secrets: Vec<FileMount>,
        pub security_opt: Vec<String>,
        pub shm_size: Bytes,
        pub stdin_open: bool,
        pub stop_grace_period: Option<Duration>,
        pub stop_signal: String,
        pub storage_opt: Options,
        pub sysctls: Mapping,
        pub tmpfs: Vec<String>,
        pub tty: bool,
        pub ulimits: BTreeMap<String, Ulimit>,
        pub use_api_socket: bool,
        pub user: String,
        pub userns_mode: String,
        pub uts: String,
        pub volumes: Vec<Mount>,
        pub volumes_from: Vec<String>,
        pub working_dir: String,
        pub post_start: Vec<Hook>,
        pub pre_stop: Vec<Hook>,
    }
}

impl Service {
    /// How many containers it has.
    pub fn replicas(&self) -> i64 {
        self.scale
            .or(self.deploy.as_ref().and_then(|d| d.replicas))
            .unwrap_or(1)
    }
}

record! {
    pub struct Build {
        pub context: String,
        pub dockerfile: String,
        pub dockerfile_inline: String,
        pub entitlements: Vec<String>,
        pub args: Variables,
        pub provenance: String,
        pub sbom: String,
        pub ssh: SshKeys,
        pub labels: Labels,
        pub cache_from: Vec<String>,
        pub cache_to: Vec<String>,
        pub no_cache: bool,
        pub additional_contexts: Mapping,
        pub pull: bool,
        pub extra_hosts: Hosts,
        pub isolation: String,
        pub network: String,
        pub target: String,
        pub secrets: Vec<FileMount>,
        pub shm_size: Bytes,
        pub tags: Vec<String>,
        pub ulimits: BTreeMap<String, Ulimit>,
        pub platforms: Vec<String>,
        pub privileged: bool,
    }
}

record! {
    pub struct BlkioConfig {
        pub weight: i64,
        pub weight_device: Vec<WeightDevice>,
        pub device_read_bps: Vec<ThrottleDevice>,
        pub device_read_iops: Vec<ThrottleDevice>,
        pub device_write_bps: Vec<ThrottleDevice>,
        pub device_write_iops: Vec<ThrottleDevice>,
    }
}
record! { pub struct WeightDevice { pub path: String, pub weight: i64, } }
record! { pub struct ThrottleDevice { pub path: String, pub rate: Bytes, } }
record! { pub struct CredentialSpec { pub config: String, pub file: String, pub registry: String, } }
record! { pub struct Device { pub source: String, pub target: String, pub permissions: String, } }
record! { pub struct Provider { pub r#type: String, pub options: MultiOptions, } }
record! { pub struct Logging { pub driver: String, pub options: Options, } }
record! {
    pub struct Deploy {
        pub mode: String,
        pub replicas: Option<i64>,
        pub labels: Labels,
        pub update_config: Option<UpdateConfig>,
        pub rollback_config: Option<UpdateConfig>,
        pub resources: Resources,
        pub restart_policy: Option<RestartPolicy>,
        pub placement: Placement,
        pub endpoint_mode: String,
    }
}
record! {
    pub struct UpdateConfig {
        pub parallelism: Option<i64>,
        pub delay: Duration,
        pub failure_action: String,
        pub monitor: Duration,
        pub max_failure_ratio: f64,
        pub order: String,
    }
}
record! { pub struct Resources { pub limits: Option<Resource>, pub reservations: Option<Resource>, } }
record! {
    pub struct Resource {
        pub cpus: f64,
        pub memory: Bytes,
        pub pids: i64,
        pub devices: Vec<DeviceRequest>,
        pub generic_resources: Vec<GenericResource>,
    }
}
record! { pub struct GenericResource { pub discrete_resource_spec: Option<DiscreteResource>, } }
record! { pub struct DiscreteResource { pub kind: String, pub value: i64, } }
record! {
    pub struct RestartPolicy {
        pub condition: String,
        pub delay: Option<Duration>,
        pub max_attempts: Option<i64>,
        pub window: Option<Duration>,
    }
}
record! {
    pub struct Placement {
        pub constraints: Vec<String>,
        pub preferences: Vec<Preference>,
        pub max_replicas_per_node: i64,
    }
}
record! { pub struct Preference { pub spread: String, } }
record! {
    pub struct DeviceRequest {
        pub capabilities: Vec<String>,
        pub driver: String,
        /// -1 for all.
        pub count: DeviceCount,
        pub device_ids: Vec<String>,
        pub options: Mapping,
    }
}
record! {
    pub struct ServiceNetwork {
        pub aliases: Vec<String>,
        pub driver_opts: Options,
        pub gw_priority: i64,
        pub interface_name: String,
        pub ipv4_address: String,
        pub ipv6_address: String,
        pub link_local_ips: Vec<String>,
        pub mac_address: String,
        pub priority: i64,
    }
}
record! { pub struct ServiceModel { pub endpoint_var: String, pub model_var: String, } }
record! {
    pub struct Port {
        pub name: String,
        pub mode: String,
        pub host_ip: String,
        pub target: i64,
        /// A port, a range, or empty for any free one.
        pub published: String,
        pub protocol: String,
        pub app_protocol: String,
    }
}
record! {
    pub struct Mount {
        /// `bind`, `volume`, `tmpfs`, `image`, `npipe`, `cluster`.
        pub r#type: String,
        pub source: String,
        pub target: String,
        pub read_only: bool,
        pub consistency: String,
        pub bind: Option<MountBind>,
        pub volume: Option<MountVolume>,
        pub tmpfs: Option<MountTmpfs>,
        pub image: Option<MountImage>,
    }
}
record! {
    pub struct MountBind {
        pub selinux: String,
        pub propagation: String,
        pub create_host_path: bool,
        pub recursive: String,
    }
}
record! { pub struct MountVolume { pub labels: Mapping, pub nocopy: bool, pub subpath: String, } }
record! { pub struct MountTmpfs { pub size: Bytes, pub mode: i64, } }
record! { pub struct MountImage { pub subpath: String, } }
record! {
    /// A secret or a config in a service.
    pub struct FileMount {
        pub source: String,
        pub target: String,
        pub uid: String,
        pub gid: String,
        pub mode: Option<FileMode>,
    }
}
record! { pub struct Develop { pub watch: Vec<Watch>, } }
record! {
    pub struct Watch {
        pub path: String,
        pub action: String,
        pub target: String,
        pub exec: Hook,
        pub include: Vec<String>,
        pub ignore: Vec<String>,
        pub initial_sync: bool,
    }
}
record! {
    pub struct Hook {
        pub command: Command,
        pub user: String,
        pub privileged: bool,
        pub working_dir: String,
        pub environment: Variables,
    }
}
record! {
    pub struct Healthcheck {
        pub test: HealthTest,
        pub timeout: Option<Duration>,
        pub interval: Option<Duration>,
        pub retries: Option<i64>,
        pub start_period: Option<Duration>,
        pub start_interval: Option<Duration>,
        pub disable: bool,
    }
}
record! {
    pub struct Dependency {
        pub condition: String,
        pub restart: bool,
        pub required: Always,
    }
}
record! {
    pub struct Network {
        pub name: String,
        pub driver: String,
        pub driver_opts: Options,
        pub ipam: Ipam,
        pub external: bool,
        pub internal: bool,
        pub attachable: bool,
        pub labels: Labels,
        pub enable_ipv4: Option<bool>,
        pub enable_ipv6: Option<bool>,
    }
}
record! { pub struct Ipam { pub driver: String, pub config: Vec<IpamPool>, } }
record! {
    pub struct IpamPool {
        pub subnet: String,
        pub gateway: String,
        pub ip_range: String,
        pub aux_addresses: Mapping,
    }
}
record! {
    pub struct Volume {
        pub name: String,
        pub driver: String,
        pub driver_opts: Options,
        pub external: bool,
        pub labels: Labels,
    }
}
record! {
    /// A secret or a config of the project.
    pub struct FileObject {
        pub name: String,
        pub file: String,
        pub environment: String,
        pub content: String,
        pub external: bool,
        pub labels: Labels,
        pub driver: String,
        pub driver_opts: Options,
        pub template_driver: String,
    }
}
record! {
    pub struct Model {
        pub name: String,
        pub model: String,
        pub context_size: i64,
        pub runtime_flags: Vec<String>,
    }
}

/// A boolean that the output always has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Always(pub bool);

impl Field for Always {
    fn bind(node: &Node, route: &Route<'_>) -> Bound<Self> {
        bool::bind(node, route).map(Always)
    }
    fn omitted(&self) -> bool {
        false
    }
}

/// A command line: absent (the image's own), or words; no words clear the image's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Command(pub Option<Vec<String>>);

impl Field for Command {
    fn bind(node: &Node, route: &Route<'_>) -> Bound<Self> {
        match &node.value {
            Value::Null => Ok(Command(None)),
            Value::String(text) => match scalars::words(text) {
                Some(words) => Ok(Command(Some(words))),
                None => Err(Box::new(
                    Diagnostic::error(format!(
                        "the quotes or parentheses of `{route}` do not close"
                    ))
                    .at(node.origin)
                    .help("write it as a list: `[\"program\", \"argument\"]`"),
                )),
            },
            Value::List(_) => Vec::bind(node, route).map(|words| Command(Some(words))),
            _ => wrong(node, route, "a string or a list"),
        }
    }
    fn omitted(&self) -> bool {
        false
    }
}

/// `[CMD, …]`, `[CMD-SHELL, …]` or `[NONE]`; a string is a shell's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct HealthTest(pub Vec<String>);

impl Field for HealthTest {
    fn bind(node: &Node, route: &Route<'_>) -> Bound<Self> {
        match &node.value {
            Value::String(text) => Ok(HealthTest(vec!["CMD-SHELL".into(), text.clone()])),
            _ => Vec::bind(node, route).map(HealthTest),
        }
    }
    fn omitted(&self) -> bool {
        self.0.is_empty()
    }
}

/// Number of devices; -1 for `all`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct DeviceCount(pub i64);

impl Field for DeviceCount {
    fn bind(node: &Node, route: &Route<'_>) -> Bound<Self> {
        match node.as_str() {
            Some(text) if text.eq_ignore_ascii_case("all") => Ok(DeviceCount(-1)),
            _ => i64::bind(node, route).map(DeviceCount),
        }
    }
    fn omitted(&self) -> bool {
        self.0 == 0
    }
}

macro_rules! string_map {
    ($(#[$meta:meta])* $name:ident<$value:ty>) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
        pub struct $name(pub BTreeMap<String, $value>);

        impl std::ops::Deref for $name {
            type Target = BTreeMap<String, $value>;
            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }

        impl std::ops::DerefMut for $name {
            fn deref_mut(&mut self) -> &mut Self::Target {
                &mut self.0
            }
        }
    };
}

string_map!(
    /// `KEY=value` pairs, or a map; without a value the string is empty.
    Mapping<String>
);
string_map!(
    /// Labels: as [`Mapping`].
    Labels<String>
);
string_map!(
    /// Driver options.
    Options<String>
);
string_map!(
    /// Environment variables and build arguments; `None` is a name without a value.
    Variables<Option<String>>
);
string_map!(
    /// Options of a provider, each perhaps several times.
    MultiOptions<Vec<String>>
);

fn pairs(node: &Node, route: &Route<'_>) -> Bound<Vec<(String, Option<String>)>> {
    match &node.value {
        Value::Map(map) => Ok(map
            .iter()
            .map(|(k, e)| (k.clone(), e.node.scalar_text()))
            .collect()),
        Value::List(list) => Ok(list
            .iter()
            .filter_map(Node::scalar_text)
            .map(|text| match text.split_once('=') {
                Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
                None => (text, None),
            })
            .collect()),
        _ => wrong(node, route, "a list or a mapping"),
    }
}

macro_rules! pairs_with_empty {
    ($($name:ident),+) => {$(
        impl Field for $name {
            fn bind(node: &Node, route: &Route<'_>) -> Bound<Self> {
                let pairs = pairs(node, route)?;
                Ok($name(pairs.into_iter().map(|(k, v)| (k, v.unwrap_or_default())).collect()))
            }
            fn omitted(&self) -> bool {
                self.0.is_empty()
            }
        }
    )+};
}
pairs_with_empty!(Mapping, Labels, Options);

impl Field for Variables {
    fn bind(node: &Node, route: &Route<'_>) -> Bound<Self> {
        let pairs = pairs(node, route)?;
        if node.as_list().is_some()
            && let Some((key, _)) = pairs.iter().find(|(k, _)| k.ends_with(char::is_whitespace))
        {
            return Err(Box::new(
                Diagnostic::error(format!(
                    "the variable `{key}` in `{route}` has a blank before `=`"
                ))
                .at(node.origin)
                .help("write `NAME=value` without blanks around `=`"),
            ));
        }
        Ok(Variables(pairs.into_iter().collect()))
    }
    fn omitted(&self) -> bool {
        self.0.is_empty()
    }
}

impl Field for MultiOptions {
    fn bind(node: &Node, route: &Route<'_>) -> Bound<Self> {
        let Some(map) = node.as_map() else {
            return wrong(node, route, "a mapping");
        };
        let options = map.iter().map(|(key, entry)| {
            let values = match &entry.node.value {
                Value::List(list) => list.iter().filter_map(Node::scalar_text).collect(),
                _ => entry.node.scalar_text().into_iter().collect(),
            };
            (key.clone(), values)
        });
        Ok(MultiOptions(options.collect()))
    }
    fn omitted(&self) -> bool {
        self.0.is_empty()
    }
}

/// Host names and their addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts(pub BTreeMap<String, Vec<String>>);

impl Field for Hosts {
    fn bind(node: &Node, route: &Route<'_>) -> Bound<Self> {
        let mut hosts: BTreeMap<String, Vec<String>> = BTreeMap::new();
        match &node.value {
            Value::Map(map) => {
                for (host, entry) in map {
                    let addresses = match &entry.node.value {
                        Value::List(list) => list.iter().filter_map(Node::scalar_text).collect(),
                        _ => vec![entry.node.scalar_text().unwrap_or_default()],
                    };
                    hosts.insert(host.clone(), addresses);
                }
            }
            Value::List(list) => {
                for item in list {
                    let text = item.scalar_text().unwrap_or_default();
                    let Some((host, addresses)) =
                        text.split_once('=').or_else(|| text.split_once(':'))
                    else {
                        return Err(Box::new(
                            Diagnostic::error(format!("`{text}` in `{route}` has no address"))
                                .at(item.origin)
                                .help("write `NAME=ADDRESS`"),
                        ));
                    };
                    hosts
                        .entry(host.to_owned())
                        .or_default()
                        .extend(addresses.split(',').map(str::to_owned));
                }
            }
            _ => return wrong(node, route, "a list or a mapping"),
        }
        if let Some(bad) = hosts
            .keys()
            .find(|h| h.is_empty() || h.contains([':', '=']))
        {
            return Err(Box::new(
                Diagnostic::error(format!("`{bad}` in `{route}` is not a host name"))
                    .at(node.origin),
            ));
        }
        for address in hosts.values_mut().flatten() {
            if address.len() > 2
                && let Some(inner) = address.strip_prefix('[').and_then(|a| a.strip_suffix(']'))
            {
                *address = inner.to_owned();
            }
        }
        Ok(Hosts(hosts))
    }
    fn omitted(&self) -> bool {
        self.0.is_empty()
    }
}

impl Hosts {
    /// `name=address`, sorted.
    pub fn entries(&self) -> Vec<String> {
        let mut list: Vec<String> = self
            .0
            .iter()
            .flat_map(|(host, addresses)| addresses.iter().map(move |a| format!("{host}={a}")))
            .collect();
        list.sort();
        list
    }
}

impl Serialize for Hosts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.entries())
    }
}

/// One limit, or a soft and a hard one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ulimit {
    pub soft: i64,
    pub hard: i64,
    /// Written as one number.
    pub single: bool,
}

impl Field for Ulimit {
    fn bind(node: &Node, route: &Route<'_>) -> Bound<Self> {
        if node.as_map().is_none() {
            let both = i64::bind(node, route)?;
            return Ok(Ulimit {
                soft: both,
                hard: both,
                single: true,
            });
        }
        let limit = |key: &str| {
            node.get(key)
                .map_or(Ok(0), |n| i64::bind(n, &route.child(key)))
        };
        Ok(Ulimit {
            soft: limit("soft")?,
            hard: limit("hard")?,
            single: false,
        })
    }
    fn omitted(&self) -> bool {
        false
    }
}

impl Serialize for Ulimit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        if self.single && self.soft != 0 {
            return serializer.serialize_i64(self.soft);
        }
        let mut map = serializer.serialize_map(None)?;
        if self.soft != 0 {
            map.serialize_entry("soft", &self.soft)?;
        }
        if self.hard != 0 {
            map.serialize_entry("hard", &self.hard)?;
        }
        map.end()
    }
}

/// SSH keys of a build: id and path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SshKeys(pub Vec<(String, Option<String>)>);

impl Field for SshKeys {
    fn bind(node: &Node, route: &Route<'_>) -> Bound<Self> {
        match node.as_map() {
            Some(map) => Ok(SshKeys(
                map.iter()
                    .map(|(id, e)| (id.clone(), e.node.scalar_text()))
                    .collect(),
            )),
            None => wrong(node, route, "a list or a mapping"),
        }
    }
    fn omitted(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for SshKeys {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|(id, path)| match path {
            Some(path) => format!("{id}={path}"),
            None => id.clone(),
        }))
    }
}

/// A file with environment variables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EnvFile {
    pub path: String,
    pub required: bool,
    pub format: String,
}

impl Field for EnvFile {
    fn bind(node: &Node, route: &Route<'_>) -> Bound<Self> {
        let text = |key: &str| {
            node.get(key)
                .and_then(Node::scalar_text)
                .unwrap_or_default()
        };
        let required = match node.get("required") {
            Some(required) => bool::bind(required, &route.child("required"))?,
            None => true,
        };
        Ok(EnvFile {
            path: text("path"),
            required,
            format: text("format"),
        })
    }
    fn omitted(&self) -> bool {
        false
    }
}

impl Serialize for EnvFile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        if self.required {
            return serializer.serialize_str(&self.path);
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("path", &self.path)?;
        map.serialize_entry("required", &self.required)?;
        if !self.format.is_empty() {
            map.serialize_entry("format", &self.format)?;
        }
        map.end()
    }
}
