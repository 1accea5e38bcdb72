//! Facts about the host, captured once.

use serde::Serialize;

/// A Podman version; what follows the patch number does not count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Version {
    pub major: u32,
    pub minor: u32,
    pub patch: u32,
}

impl Version {
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self {
            major,
            minor,
            patch,
        }
    }

    /// Reads `5.4.2`, `5.8`, `6.0.0-rc1`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.trim_start_matches('v').split('.').map(|part| {
            let digits = part
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(part.len());
            part[..digits].parse().ok()
        });
        let major = numbers.next()??;
        Some(Self {
            major,
            minor: numbers.next().flatten().unwrap_or(0),
            patch: numbers.next().flatten().unwrap_or(0),
        })
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// What the machine offers to containers of this user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Host {
    pub podman: Version,
    pub rootless: bool,
    /// The user's own id, which is root inside rootless containers.
    pub uid: u32,
    /// Controllers that containers may use (`cpu`, `memory`, `pids`, …).
    pub cgroup_controllers: Vec<String>,
    pub selinux: bool,
    /// Ports from here on need no privilege (`net.ipv4.ip_unprivileged_port_start`).
    pub unprivileged_port_start: u16,
    /// Where Podman's API socket is, for `use_api_socket`.
    pub socket: String,
}

impl Default for Host {
    fn default() -> Self {
        Self {
            podman: Version::new(5, 4, 2),
            rootless: true,
            uid: 1000,
            cgroup_controllers: ["cpu", "memory", "pids"].map(String::from).to_vec(),
            selinux: false,
            unprivileged_port_start: 1024,
            socket: "/run/user/1000/podman/podman.sock".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_their_numbers() {
        assert_eq!(Version::parse("5.4.2"), Some(Version::new(5, 4, 2)));
        assert_eq!(Version::parse("6.0.0-rc1"), Some(Version::new(6, 0, 0)));
        assert_eq!(Version::parse("5.10"), Some(Version::new(5, 10, 0)));
        assert_eq!(Version::parse("x"), None);
        assert!(Version::new(5, 10, 0) > Version::new(5, 8, 6));
    }
}
