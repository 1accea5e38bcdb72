//! What tests share: a handle on the lab, and a place for projects.
//!
//! Tests of behaviour run in the lab that `./dev test` started; its name and the directory it
//! shares with the host are in `PHOENIX_LAB` and `PHOENIX_LAB_SHARE`. Without them a test fails: it
//! does not skip itself.

use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The lab's user.
const DEV: u32 = 1000;

/// A project in the lab, removed with its containers at the end.
pub struct LabProject {
    lab: String,
    host: PathBuf,
    name: String,
}

/// What a command in the lab did.
#[derive(Debug)]
#[must_use]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Its output, if it succeeded.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(
            self.code, 0,
            "stdout:\n{}\nstderr:\n{}",
            self.stdout, self.stderr
        );
        self.stdout
    }

    /// Its messages, if it ended with this code.
    #[track_caller]
    pub fn failed_with(self, code: i32) -> String {
        assert_eq!(
            self.code, code,
            "stdout:\n{}\nstderr:\n{}",
            self.stdout, self.stderr
        );
        self.stderr
    }
}

/// The root of the repository.
pub fn repository() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().expect("the repository is there")
}

impl LabProject {
    /// An empty project; `name` is unique among tests.
    #[track_caller]
    pub fn new(name: &str) -> Self {
        let variable = |name: &str| {
            std::env::var(name).unwrap_or_else(|_| {
                panic!("{name} is not set: run the tests with ./dev test, which starts a lab")
            })
        };
        let host = PathBuf::from(variable("PHOENIX_LAB_SHARE")).join(name);
        let _ = std::fs::remove_dir_all(&host);
        std::fs::create_dir_all(&host).expect("a directory in the lab's share");
        chown(&host, Some(DEV), Some(DEV)).expect("the tests run as root or through sudo");
        Self {
            lab: variable("PHOENIX_LAB"),
            host,
            name: name.to_owned(),
        }
    }

    /// Adds a file; directories in front of it are made.
    #[must_use]
    pub fn file(self, path: &str, text: &str) -> Self {
        self.write(path, text);
        self
    }

    /// Writes a file, as the lab's user.
    pub fn write(&self, path: &str, text: &str) {
        let full = self.host.join(path);
        let mut parent = full.parent();
        std::fs::create_dir_all(full.parent().expect("a file has a parent")).expect("directories");
        std::fs::write(&full, text).expect("a file in the lab's share");
        chown(&full, Some(DEV), Some(DEV)).expect("chown");
        while let Some(directory) = parent.filter(|d| d.starts_with(&self.host)) {
            chown(directory, Some(DEV), Some(DEV)).expect("chown");
            parent = directory.parent();
        }
    }

    /// Copies a directory of the repository into it.
    #[must_use]
    pub fn copy_of(self, directory: &str) -> Self {
        fn copy(from: &Path, to: &Path) {
            std::fs::create_dir_all(to).expect("directory");
            chown(to, Some(DEV), Some(DEV)).expect("chown");
            for entry in std::fs::read_dir(from)
                .expect("a directory of the repository")
                .flatten()
            {
                let (source, target) = (entry.path(), to.join(entry.file_name()));
                if source.is_dir() {
                    copy(&source, &target);
                } else {
                    std::fs::copy(&source, &target).expect("copy");
                    let mode = source.metadata().expect("metadata").permissions().mode();
                    std::fs::set_permissions(&target, std::fs::Permissions::from_mode(mode))
                        .expect("chmod");
                    chown(&target, Some(DEV), Some(DEV)).expect("chown");
                }
            }
        }
        copy(&repository().join(directory), &self.host);
        self
    }

    /// Its directory in the lab.
    pub fn directory(&self) -> String {
        format!("/mnt/share/{}", self.name)
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.host.join(path)).expect("a file in the lab's share")
    }

    /// Runs a script of bash in its directory, as the lab's user.
    pub fn run(&self, script: &str) -> Ran {
        let lab = repository().join("lab/lab");
        let output = Command::new(lab)
            .args([
                "exec",
                "-n",
                &self.lab,
                "-w",
                &self.directory(),
                "--",
                "bash",
                "-c",
                script,
            ])
            .output()
            .expect("lab/lab can be run");
        Ran::from(output)
    }
}

impl Drop for LabProject {
    fn drop(&mut self) {
        // Whatever the test left, the next one starts without.
        let script = "phoenix down --volumes --remove-orphans >/dev/null 2>&1; \
                      podman ps -aq --filter label=com.docker.compose.project.working_dir=$PWD | xargs -r podman rm -f -t 0 >/dev/null 2>&1; true";
        let _ = self.run(script);
    }
}

/// A directory with files on this host, for what needs no lab.
pub struct HostProject {
    directory: tempfile::TempDir,
}

impl Default for HostProject {
    fn default() -> Self {
        Self::new()
    }
}

impl HostProject {
    pub fn new() -> Self {
        Self {
            directory: tempfile::tempdir().expect("a temporary directory"),
        }
    }

    #[must_use]
    pub fn file(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        let full = self.path().join(path);
        std::fs::create_dir_all(full.parent().expect("a parent")).expect("directories");
        std::fs::write(full, text).expect("a file");
        self
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Runs a program in it with nothing of the environment but PATH and HOME.
    pub fn run(&self, program: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Ran {
        let output = Command::new(program)
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path())
            .envs(environment.iter().copied())
            .output()
            .expect("the program can be run");
        Ran::from(output)
    }

    /// Every file with its content and mode, links as their targets.
    pub fn tree(&self) -> Vec<(PathBuf, String, u32)> {
        let mut found = Vec::new();
        let mut open = vec![self.path().to_owned()];
        while let Some(directory) = open.pop() {
            for entry in std::fs::read_dir(&directory)
                .expect("a directory")
                .flatten()
            {
                let path = entry.path();
                let metadata = path.symlink_metadata().expect("metadata");
                let name = path.strip_prefix(self.path()).expect("below").to_owned();
                let mode = metadata.permissions().mode();
                if metadata.is_symlink() {
                    found.push((
                        name,
                        std::fs::read_link(&path)
                            .expect("link")
                            .display()
                            .to_string(),
                        0,
                    ));
                } else if metadata.is_dir() {
                    open.push(path);
                    found.push((name, String::new(), mode));
                } else {
                    found.push((
                        name,
                        String::from_utf8_lossy(&std::fs::read(&path).expect("file")).into_owned(),
                        mode,
                    ));
                }
            }
        }
        found.sort();
        found
    }
}
