//! Podman's socket: the one that listens, or a service of our own.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::net::UnixStream;
use tokio::process::{Child, Command};

use crate::error::{Error, Result};

/// How long a service of our own has to answer.
const START: Duration = Duration::from_secs(20);

/// A `podman system service` that ends with us.
pub(crate) struct OwnService {
    child: Child,
    socket: PathBuf,
    settings: PathBuf,
}

impl Drop for OwnService {
    fn drop(&mut self) {
        // TERM, so that it ends its own children; it holds nothing that would be lost.
        if let Some(pid) = self
            .child
            .id()
            .and_then(|p| rustix::process::Pid::from_raw(p as i32))
        {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = std::fs::remove_file(&self.socket);
        let _ = std::fs::remove_file(&self.settings);
    }
}

/// For a service of our own: the monitor of an exec ends a second after it (long enough to ask for
/// its exit code), instead of staying for the five
/// minutes that Docker gives its clients.
const SETTINGS: &str = "[engine]\nexit_command_delay = 1\n";

pub(crate) async fn find_or_start() -> Result<(PathBuf, Option<OwnService>)> {
    if let Ok(host) = std::env::var("CONTAINER_HOST")
        && !host.is_empty()
    {
        let path = host.strip_prefix("unix://").ok_or_else(|| {
            Error::Absent(format!(
                "CONTAINER_HOST is `{host}`, and only unix:// is spoken here"
            ))
        })?;
        UnixStream::connect(path).await.map_err(|e| {
            Error::Absent(format!(
                "CONTAINER_HOST names {path}, where nobody answers: {e}"
            ))
        })?;
        return Ok((PathBuf::from(path), None));
    }
    let usual = usual_socket();
    if UnixStream::connect(&usual).await.is_ok() {
        return Ok((usual, None));
    }
    start().await.map(|(path, service)| (path, Some(service)))
}

/// Where `podman.socket` of systemd listens.
pub(crate) fn usual_socket() -> PathBuf {
    runtime_directory().join("podman/podman.sock")
}

fn runtime_directory() -> PathBuf {
    if rustix::process::getuid().is_root() {
        return PathBuf::from("/run");
    }
    match std::env::var_os("XDG_RUNTIME_DIR") {
        Some(directory) if !directory.is_empty() => PathBuf::from(directory),
        _ => PathBuf::from(format!("/run/user/{}", rustix::process::getuid().as_raw())),
    }
}

async fn start() -> Result<(PathBuf, OwnService)> {
    let runtime = runtime_directory();
    let directory = if runtime.is_dir() {
        runtime.join("phoenix")
    } else {
        std::env::temp_dir().join("phoenix")
    };
    std::fs::create_dir_all(&directory)
        .map_err(|e| Error::Absent(format!("{} cannot be made: {e}", directory.display())))?;
    sweep(&directory);
    let socket = directory.join(format!("podman-{}.sock", std::process::id()));
    let _ = std::fs::remove_file(&socket);
    let settings = socket.with_extension("conf");
    std::fs::write(&settings, SETTINGS)
        .map_err(|e| Error::Absent(format!("{} cannot be written: {e}", settings.display())))?;
    let mut command = Command::new("podman");
    if std::env::var_os("CONTAINERS_CONF_OVERRIDE").is_none() {
        command.env("CONTAINERS_CONF_OVERRIDE", &settings);
    }
    let mut child = command
        .args(["--log-level=error", "system", "service", "--time=0"])
        .arg(format!("unix://{}", socket.display()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(false)
        // Its own group: a Ctrl-C at the terminal is for us to handle.
        .process_group(0)
        .spawn()
        .map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => {
                Error::Absent("the program `podman` is not in PATH".into())
            }
            _ => Error::Absent(format!("`podman system service` cannot be started: {e}")),
        })?;
    let began = Instant::now();
    let mut pause = Duration::from_millis(2);
    loop {
        if UnixStream::connect(&socket).await.is_ok() {
            return Ok((
                socket.clone(),
                OwnService {
                    child,
                    socket,
                    settings,
                },
            ));
        }
        if let Ok(Some(status)) = child.try_wait() {
            let mut text = String::new();
            if let Some(mut stderr) = child.stderr.take() {
                use tokio::io::AsyncReadExt;
                let _ = stderr.read_to_string(&mut text).await;
            }
            return Err(Error::Absent(format!(
                "`podman system service` ended ({status}): {}",
                text.trim()
            )));
        }
        if began.elapsed() > START {
            let _ = child.start_kill();
            return Err(Error::Absent(
                "`podman system service` does not answer within 20 s".into(),
            ));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// Removes sockets of processes that were killed.
fn sweep(directory: &Path) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid = name.to_string_lossy();
        let pid = pid
            .strip_prefix("podman-")
            .map(|p| p.trim_end_matches(".sock").trim_end_matches(".conf"));
        let Some(pid) = pid else { continue };
        if !Path::new("/proc").join(pid).exists() {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
