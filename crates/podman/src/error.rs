//! What can go wrong between us and Podman.

/// A failed call. `Display` gives Podman's own words and the call; [`Error::hint`] the next step.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    #[error("no Podman here: {0}")]
    Absent(String),
    #[error("Podman {found} is too old: {needed} or newer is needed")]
    TooOld { found: String, needed: String },
    #[error("{message} ({call}: {status})")]
    Refused {
        call: String,
        status: u16,
        message: String,
    },
    #[error("Podman stopped answering: {message} ({call})")]
    Gone { call: String, message: String },
    #[error("Podman's answer was not understood: {message} ({call})")]
    Strange { call: String, message: String },
    #[error("{0}")]
    Failed(String),
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub fn status(&self) -> Option<u16> {
        match self {
            Error::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    pub fn is_missing(&self) -> bool {
        self.status() == Some(404)
    }

    /// What to do, where the message is one that people meet often.
    pub fn hint(&self) -> Option<String> {
        let text = self.to_string();
        let known: &[(&str, &str)] = &[
            (
                "cannot expose privileged port",
                "`phoenix migrate` moves ports below 1024; or lower the sysctl net.ipv4.ip_unprivileged_port_start",
            ),
            (
                "address already in use",
                "another program has the port: `ss -ltnp` shows which; Docker may still run the project",
            ),
            (
                "short-name",
                "write the registry into the image's name; `phoenix migrate` does it",
            ),
            (
                "is already in use",
                "a container that is not of this project has the name: rename or remove it with `podman rm`",
            ),
            (
                "no such image",
                "pull or build it first: `phoenix pull`, `phoenix build`",
            ),
            (
                "unable to find network",
                "the network was removed in between; run `phoenix up` again",
            ),
            (
                "controller `pids` is not available",
                "set `pids_limit = 0` in containers.conf, or boot with cgroup v2",
            ),
            (
                "newuidmap",
                "install `uidmap` and give the user ranges: `usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER`",
            ),
            (
                "no space left",
                "free disk space: `podman system df`, `podman system prune`",
            ),
            (
                "connection refused",
                "the registry cannot be reached; check the network or the image's name",
            ),
            (
                "no such host",
                "the registry cannot be reached; check the network or the image's name",
            ),
            (
                "toomanyrequests",
                "Docker Hub limits anonymous pulls: `podman login docker.io`",
            ),
        ];
        let lower = text.to_lowercase();
        if let Some((_, hint)) = known
            .iter()
            .find(|(part, _)| lower.contains(&part.to_lowercase()))
        {
            return Some((*hint).to_owned());
        }
        match self {
            Error::Absent(_) => Some(
                "install Podman 4.9 or newer: `apt install podman uidmap passt catatonit`".into(),
            ),
            Error::TooOld { .. } => Some("use a newer distribution's Podman".into()),
            Error::Gone { .. } => {
                Some("look at `journalctl --user -n 50`, then run the command again".into())
            }
            _ => None,
        }
    }
}
