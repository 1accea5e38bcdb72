//! What Podman should hold for a project. Nothing here is left for execution to decide.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A whole project.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Desired {
    pub project: String,
    pub networks: Vec<Network>,
    pub volumes: Vec<Volume>,
    pub secrets: Vec<Secret>,
    /// In an order that starts dependencies first.
    pub services: Vec<Service>,
}

/// A network to have, or one that must exist.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Network {
    /// The key in the compose file.
    pub key: String,
    pub name: String,
    pub external: bool,
    pub driver: String,
    pub internal: bool,
    pub ipv6: bool,
    pub options: BTreeMap<String, String>,
    pub labels: BTreeMap<String, String>,
    pub subnets: Vec<Subnet>,
    pub hash: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Subnet {
    pub subnet: String,
    pub gateway: Option<String>,
    /// First and last address to give out.
    pub lease_range: Option<(String, String)>,
}

/// A volume to have, or one that must exist.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Volume {
    pub key: String,
    pub name: String,
    pub external: bool,
    pub driver: String,
    pub options: BTreeMap<String, String>,
    pub labels: BTreeMap<String, String>,
    /// A directory of this host that must exist before the volume is used.
    pub directory: Option<Directory>,
    pub hash: String,
}

/// A directory for a volume, with whom it must belong to inside and its permissions.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Directory {
    pub path: String,
    /// `uid:gid` inside the container; empty for the user's own.
    pub owner: String,
    pub mode: u32,
}

/// A file that Podman keeps and puts into containers: a secret or a config.
#[derive(Clone, Default, PartialEq, Serialize)]
pub struct Secret {
    /// Holds a hash of the content: another content is another secret.
    pub name: String,
    pub labels: BTreeMap<String, String>,
    /// Never printed, never serialised.
    #[serde(skip)]
    pub data: Vec<u8>,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secret")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Service {
    pub name: String,
    pub image: Image,
    pub dependencies: Vec<Dependency>,
    pub containers: Vec<Container>,
    /// Whether `up` in the foreground shows its output.
    pub attach: bool,
}

/// Where a service's image comes from.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Image {
    /// Fully qualified.
    pub name: String,
    /// A local name that also counts, for short names of images built by hand.
    pub local: Option<String>,
    pub pull: Pull,
    pub build: Option<Build>,
    /// `linux/amd64`; empty for the host's own.
    pub platform: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Pull {
    #[default]
    Missing,
    Always,
    Never,
    /// Build it each time.
    Build,
}

/// How to build an image.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Build {
    /// A directory, or a URL that Podman fetches.
    pub context: String,
    /// Relative to the context, or absolute.
    pub dockerfile: String,
    pub dockerfile_inline: String,
    pub args: BTreeMap<String, Option<String>>,
    pub target: String,
    pub tags: Vec<String>,
    pub labels: BTreeMap<String, String>,
    pub cache_from: Vec<String>,
    pub cache_to: Vec<String>,
    pub no_cache: bool,
    pub pull: bool,
    pub network: String,
    pub shm_size: i64,
    pub extra_hosts: Vec<String>,
    pub platforms: Vec<String>,
    pub additional_contexts: BTreeMap<String, String>,
    /// (id, file): build secrets.
    pub secrets: Vec<(String, String)>,
    pub ssh: Vec<String>,
    pub ulimits: Vec<String>,
    /// The Docker format keeps HEALTHCHECK, SHELL and ONBUILD, which OCI drops.
    pub docker_format: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Dependency {
    pub service: String,
    pub condition: Condition,
    /// Without it, a dependency that fails or is absent is only mentioned.
    pub required: bool,
    /// Restart with it.
    pub restart: bool,
    /// Shares a namespace or volumes of it: must be made anew when it is.
    pub bound: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    Started,
    Healthy,
    Completed,
}

/// One container, completely described.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Container {
    pub name: String,
    pub service: String,
    pub number: u32,
    /// Over everything below, and over the contents of its secrets and configs.
    pub hash: String,
    pub spec: ContainerSpec,
}

/// A container as libpod will be asked for it, in our own words.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ContainerSpec {
    pub image: String,
    /// `None` keeps the image's.
    pub command: Option<Vec<String>>,
    pub entrypoint: Option<Vec<String>>,
    pub env: BTreeMap<String, String>,
    /// Names whose value the image gives and that must not be there.
    pub unset_env: Vec<String>,
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    pub hostname: String,
    pub user: String,
    pub groups: Vec<String>,
    pub work_dir: String,
    pub stdin: bool,
    pub terminal: bool,
    pub init: Option<bool>,
    pub mounts: Vec<Mount>,
    pub secrets: Vec<SecretMount>,
    pub devices: Vec<String>,
    pub device_cgroup_rules: Vec<String>,
    pub volumes_from: Vec<String>,
    pub networks: Vec<NetworkAttachment>,
    pub network_mode: NetworkMode,
    pub ports: Vec<PortMapping>,
    pub expose: BTreeMap<u16, String>,
    pub dns: Vec<String>,
    pub dns_options: Vec<String>,
    pub dns_search: Vec<String>,
    /// `name:address`
    pub hosts: Vec<String>,
    pub cap_add: Vec<String>,
    pub cap_drop: Vec<String>,
    pub privileged: bool,
    pub read_only: bool,
    pub no_new_privileges: bool,
    pub seccomp_profile: Option<String>,
    pub apparmor_profile: Option<String>,
    pub selinux_options: Vec<String>,
    pub unmask: Vec<String>,
    pub mask: Vec<String>,
    pub sysctls: BTreeMap<String, String>,
    pub ulimits: Vec<Limit>,
    pub limits: Limits,
    pub restart: RestartPolicy,
    pub health: Option<Health>,
    pub stop_signal: String,
    /// Seconds.
    pub stop_timeout: Option<u64>,
    pub log_driver: String,
    pub log_options: BTreeMap<String, String>,
    pub ipc: String,
    pub pid: String,
    pub uts: String,
    pub userns: String,
    pub cgroupns: String,
    pub cgroup_parent: String,
    pub runtime: String,
    pub storage_options: BTreeMap<String, String>,
    pub post_start: Vec<Hook>,
    pub pre_stop: Vec<Hook>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Mount {
    Bind {
        source: String,
        target: String,
        /// As mount(8) has them: `ro`, `z`, `rslave`.
        options: Vec<String>,
        /// Make the directory where it is missing.
        create: bool,
    },
    Volume {
        /// Empty for an anonymous one.
        name: String,
        target: String,
        options: Vec<String>,
        subpath: String,
    },
    Tmpfs {
        target: String,
        options: Vec<String>,
    },
    Image {
        image: String,
        target: String,
        subpath: String,
    },
}

impl Mount {
    pub fn target(&self) -> &str {
        match self {
            Mount::Bind { target, .. }
            | Mount::Volume { target, .. }
            | Mount::Tmpfs { target, .. }
            | Mount::Image { target, .. } => target,
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SecretMount {
    pub name: String,
    pub target: String,
    pub uid: u32,
    pub gid: u32,
    pub mode: u32,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct NetworkAttachment {
    pub name: String,
    pub aliases: Vec<String>,
    pub static_ips: Vec<String>,
    pub static_mac: String,
    pub interface_name: String,
    pub options: BTreeMap<String, String>,
}

/// Which network namespace.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NetworkMode {
    /// On the networks of [`ContainerSpec::networks`].
    #[default]
    Bridge,
    Host,
    None,
    /// Of another container, by name.
    Container(String),
    /// `pasta` with its options, or `slirp4netns`, as written.
    Other(String),
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct PortMapping {
    pub host_ip: String,
    /// 0 for any free port.
    pub host_port: u16,
    /// With `range` host ports from `host_port` on, any free one of them.
    pub host_range: u16,
    pub container_port: u16,
    pub protocol: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Limit {
    /// `nofile`, `nproc`, …
    pub name: String,
    /// -1 for no limit.
    pub soft: i64,
    pub hard: i64,
}

/// cgroup limits; zero or absent for none.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Limits {
    /// Microseconds of CPU in `cpu_period` microseconds.
    pub cpu_quota: i64,
    pub cpu_period: u64,
    pub cpu_shares: u64,
    pub cpuset_cpus: String,
    /// Bytes.
    pub memory: i64,
    pub memory_reservation: i64,
    /// Memory and swap together; -1 for no limit.
    pub memory_swap: i64,
    pub memory_swappiness: Option<u64>,
    pub oom_kill_disable: bool,
    pub oom_score_adj: Option<i64>,
    pub pids: Option<i64>,
    pub shm_size: i64,
    pub blkio_weight: Option<u16>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct RestartPolicy {
    /// `no`, `always`, `on-failure`, `unless-stopped`.
    pub name: String,
    /// For `on-failure`; `None` for no limit.
    pub retries: Option<u64>,
}

/// A health check, with the image's values where a field is `None`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// No check at all, not even the image's.
    pub disabled: bool,
    /// `[CMD, …]` or `[CMD-SHELL, …]`; `None` for the image's.
    pub test: Option<Vec<String>>,
    /// Nanoseconds, as the rest.
    pub interval: Option<i64>,
    pub timeout: Option<i64>,
    pub start_period: Option<i64>,
    pub start_interval: Option<i64>,
    pub retries: Option<u64>,
}

/// A command in the running container.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Hook {
    pub command: Vec<String>,
    pub user: String,
    pub privileged: bool,
    pub work_dir: String,
    pub env: Vec<String>,
}
