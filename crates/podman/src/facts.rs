//! Facts about the host that decide what containers may have, read from the kernel.

use std::path::PathBuf;

use phoenix_model::{Host, Version};

/// The host as it is now, for a Podman of this version.
pub fn host(podman: Version) -> Host {
    let uid = rustix::process::getuid().as_raw();
    let rootless = uid != 0;
    let slice = if rootless {
        PathBuf::from(format!(
            "/sys/fs/cgroup/user.slice/user-{uid}.slice/user@{uid}.service"
        ))
    } else {
        PathBuf::from("/sys/fs/cgroup")
    };
    let read = |path: PathBuf| std::fs::read_to_string(path).unwrap_or_default();
    Host {
        podman,
        rootless,
        uid,
        cgroup_controllers: read(slice.join("cgroup.controllers"))
            .split_whitespace()
            .map(str::to_owned)
            .collect(),
        selinux: read(PathBuf::from("/sys/fs/selinux/enforce")).trim() == "1",
        unprivileged_port_start: read(PathBuf::from(
            "/proc/sys/net/ipv4/ip_unprivileged_port_start",
        ))
        .trim()
        .parse()
        .unwrap_or(1024),
        socket: crate::service::usual_socket()
            .to_string_lossy()
            .into_owned(),
    }
}
