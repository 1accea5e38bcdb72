//! Writing the migrated files: all of them or none, and back again byte for byte.
//!
//! Everything that will change is kept first, then the journal says so, then files are written
//! beside their place and renamed. A kill at any moment leaves one of three states, and each is
//! told apart by the journal: nothing happened (no journal), something may have (`applying`, undone
//! from what was kept), all happened (`applied`).

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use fs_err as fs;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::convert::{Content, OutFile};

/// Our state in a project; git does not see it.
const STATE: &str = ".phoenix";

/// Why a migration or its undoing did not happen.
#[derive(Debug)]
pub enum ApplyError {
    AlreadyMigrated,
    NothingToRollBack,
    /// Files that were changed since the migration.
    Changed(Vec<PathBuf>),
    Io(String),
}

impl std::fmt::Display for ApplyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ApplyError::AlreadyMigrated => f.write_str("the project is migrated already"),
            ApplyError::NothingToRollBack => f.write_str("there is no migration to undo here"),
            ApplyError::Changed(paths) => {
                let names: Vec<String> =
                    paths.iter().map(|p| format!("`{}`", p.display())).collect();
                write!(f, "{} changed since the migration", names.join(", "))
            }
            ApplyError::Io(message) => f.write_str(message),
        }
    }
}

impl From<std::io::Error> for ApplyError {
    fn from(error: std::io::Error) -> Self {
        ApplyError::Io(error.to_string())
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Journal {
    version: u32,
    state: State,
    entries: Vec<Entry>,
    /// Directories that were made, parents first.
    directories: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Applying,
    Applied,
    RollingBack,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    path: PathBuf,
    /// What was there: a file that is kept under this number, or nothing.
    kept: Option<usize>,
    mode: u32,
    /// A link's target, where a link was.
    link: Option<String>,
    /// SHA-256 of what was written; of the target for links.
    written: String,
}

/// The migration of one project.
#[derive(Debug)]
pub struct Transaction {
    root: PathBuf,
}

impl Transaction {
    pub fn of(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    fn directory(&self) -> PathBuf {
        self.root.join(STATE).join("migration")
    }

    fn journal_path(&self) -> PathBuf {
        self.directory().join("journal.json")
    }

    fn journal(&self) -> Result<Option<Journal>, ApplyError> {
        match fs::read(self.journal_path()) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|e| {
                ApplyError::Io(format!("{} is damaged: {e}", self.journal_path().display()))
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether a migration is in place.
    pub fn is_applied(&self) -> Result<bool, ApplyError> {
        Ok(self.journal()?.is_some_and(|j| j.state == State::Applied))
    }

    /// Whether a run was killed in the middle, so that files may be half old, half new.
    pub fn is_interrupted(&self) -> Result<bool, ApplyError> {
        Ok(self.journal()?.is_some_and(|j| j.state != State::Applied))
    }

    /// Undoes what an interrupted run left, before anything is read for a new one.
    pub fn recover(&self) -> Result<(), ApplyError> {
        match self.journal()? {
            Some(journal) if journal.state != State::Applied => self.restore(journal, true),
            _ => Ok(()),
        }
    }

    /// Writes the files, or nothing.
    pub fn apply(&self, files: &[OutFile]) -> Result<(), ApplyError> {
        match self.journal()? {
            Some(journal) if journal.state == State::Applied => {
                return Err(ApplyError::AlreadyMigrated);
            }
            _ => self.recover()?,
        }
        let result = self.write(files);
        if result.is_err() {
            // Half a migration is none.
            match self.journal() {
                Ok(Some(journal)) => self.restore(journal, true)?,
                _ => self.forget()?,
            }
        }
        result
    }

    fn write(&self, files: &[OutFile]) -> Result<(), ApplyError> {
        let directory = self.directory();
        self.forget()?;
        fs::create_dir_all(directory.join("kept"))?;
        fs::write(self.root.join(STATE).join(".gitignore"), "*\n")?;
        checkpoint("prepared");
        let mut journal = Journal {
            version: 1,
            state: State::Applying,
            entries: Vec::new(),
            directories: Vec::new(),
        };
        for file in files {
            let full = self.root.join(&file.path);
            let mut missing: Vec<PathBuf> = Vec::new();
            for parent in file.path.ancestors().skip(1) {
                if parent.as_os_str().is_empty()
                    || self.root.join(parent).exists()
                    || journal.directories.iter().any(|d| d == parent)
                {
                    break;
                }
                missing.push(parent.to_owned());
            }
            journal.directories.extend(missing.into_iter().rev());
            let mut entry = Entry {
                path: file.path.clone(),
                kept: None,
                mode: 0o644,
                link: None,
                written: digest(&file.content),
            };
            match fs::symlink_metadata(&full) {
                Ok(metadata) if metadata.is_symlink() => {
                    entry.link = Some(fs::read_link(&full)?.to_string_lossy().into_owned());
                }
                Ok(metadata) if metadata.is_dir() => {
                    return Err(ApplyError::Io(format!(
                        "{} is a directory, and a file belongs there",
                        full.display()
                    )));
                }
                Ok(metadata) => {
                    let number = journal.entries.len();
                    entry.kept = Some(number);
                    entry.mode = metadata.permissions().mode() & 0o7777;
                    write_synced(
                        &directory.join("kept").join(number.to_string()),
                        &fs::read(&full)?,
                        0o600,
                    )?;
                }
                Err(_) => {}
            }
            journal.entries.push(entry);
            checkpoint("kept");
        }
        self.record(&journal)?;
        checkpoint("journal");
        for made in &journal.directories {
            fs::create_dir_all(self.root.join(made))?;
        }
        checkpoint("directories");
        for (file, entry) in files.iter().zip(&journal.entries) {
            let full = self.root.join(&file.path);
            match &file.content {
                Content::Text(text) => {
                    let mode = match (entry.kept, file.executable) {
                        (Some(_), _) => entry.mode,
                        (None, true) => 0o755,
                        (None, false) => 0o644,
                    };
                    replace(&full, text.as_bytes(), mode)?;
                }
                Content::Link(target) => replace_link(&full, target)?,
            }
            checkpoint("written");
        }
        journal.state = State::Applied;
        self.record(&journal)?;
        checkpoint("applied");
        Ok(())
    }

    /// Puts everything back. Files that were changed since are only overwritten with `force`, and
    /// then kept beside as `NAME.migrated`.
    pub fn rollback(&self, force: bool) -> Result<usize, ApplyError> {
        let Some(journal) = self.journal()? else {
            // A run that was killed before its journal changed nothing.
            let there = self.directory().exists();
            self.forget()?;
            return if there {
                Ok(0)
            } else {
                Err(ApplyError::NothingToRollBack)
            };
        };
        let count = journal.entries.len();
        self.restore(journal, force)?;
        Ok(count)
    }

    fn restore(&self, mut journal: Journal, force: bool) -> Result<(), ApplyError> {
        if journal.state == State::Applied {
            let changed: Vec<PathBuf> = journal
                .entries
                .iter()
                .filter(|e| current(&self.root.join(&e.path)).is_some_and(|now| now != e.written))
                .map(|e| e.path.clone())
                .collect();
            if !changed.is_empty() && !force {
                return Err(ApplyError::Changed(changed));
            }
            for path in changed {
                let full = self.root.join(&path);
                let mut beside = full.clone().into_os_string();
                beside.push(".migrated");
                fs::copy(&full, PathBuf::from(beside))?;
            }
        }
        journal.state = State::RollingBack;
        self.record(&journal)?;
        checkpoint("rolling-back");
        for entry in journal.entries.iter().rev() {
            let full = self.root.join(&entry.path);
            // What a kill between writing and renaming left.
            remove(&beside(&full))?;
            match (entry.kept, &entry.link) {
                (Some(number), _) => {
                    let kept = fs::read(self.directory().join("kept").join(number.to_string()))?;
                    replace(&full, &kept, entry.mode)?;
                }
                (None, Some(target)) => replace_link(&full, target)?,
                (None, None) => remove(&full)?,
            }
            checkpoint("restored");
        }
        for made in journal.directories.iter().rev() {
            // One that holds something else now stays.
            let _ = fs::remove_dir(self.root.join(made));
        }
        self.forget()
    }

    fn record(&self, journal: &Journal) -> Result<(), ApplyError> {
        let bytes =
            serde_json::to_vec_pretty(journal).map_err(|e| ApplyError::Io(e.to_string()))?;
        replace(&self.journal_path(), &bytes, 0o600)
    }

    fn forget(&self) -> Result<(), ApplyError> {
        // The journal last: while it is there, the rest is needed.
        let directory = self.directory();
        if directory.exists() {
            remove(&self.journal_path())?;
            checkpoint("forgotten");
            fs::remove_dir_all(&directory)?;
        }
        let state = self.root.join(STATE);
        if state.exists() {
            let others = fs::read_dir(&state)?
                .flatten()
                .any(|e| e.file_name() != ".gitignore");
            if !others {
                fs::remove_dir_all(&state)?;
            }
        }
        Ok(())
    }
}

fn digest(content: &Content) -> String {
    match content {
        Content::Text(text) => hex(text.as_bytes()),
        Content::Link(target) => hex(target.as_bytes()),
    }
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

/// The digest of what stands there now; `None` for nothing.
fn current(path: &Path) -> Option<String> {
    let metadata = fs::symlink_metadata(path).ok()?;
    if metadata.is_symlink() {
        return fs::read_link(path)
            .ok()
            .map(|t| hex(t.to_string_lossy().as_bytes()));
    }
    fs::read(path).ok().map(|b| hex(&b))
}

fn beside(path: &Path) -> PathBuf {
    let name = path
        .file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default();
    path.with_file_name(format!(".{name}.phoenix-new"))
}

/// Removes a file; one that cannot be there (its directory is missing, or a file) is gone already.
fn remove(path: &Path) -> Result<(), ApplyError> {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    match fs::remove_file(path) {
        Err(error) if !matches!(error.kind(), NotFound | NotADirectory) => Err(error.into()),
        _ => Ok(()),
    }
}

fn write_synced(path: &Path, bytes: &[u8], mode: u32) -> Result<(), ApplyError> {
    let mut file = fs::File::create(path)?;
    std::io::Write::write_all(&mut file, bytes)?;
    file.set_permissions(std::fs::Permissions::from_mode(mode))?;
    file.sync_all()?;
    Ok(())
}

fn replace(path: &Path, bytes: &[u8], mode: u32) -> Result<(), ApplyError> {
    let new = beside(path);
    write_synced(&new, bytes, mode)?;
    checkpoint("beside");
    fs::rename(&new, path)?;
    if let Some(parent) = path.parent() {
        fs::File::open(parent)?.sync_all()?;
    }
    Ok(())
}

fn replace_link(path: &Path, target: &str) -> Result<(), ApplyError> {
    let new = beside(path);
    remove(&new)?;
    fs_err::os::unix::fs::symlink(target, &new)?;
    fs::rename(&new, path)?;
    Ok(())
}

/// Test builds die here, as by kill -9, when `PHOENIX_KILL_AT` counts down to it.
#[cfg(debug_assertions)]
fn checkpoint(_name: &str) {
    use std::sync::atomic::{AtomicI64, Ordering};
    static LEFT: std::sync::LazyLock<AtomicI64> = std::sync::LazyLock::new(|| {
        AtomicI64::new(
            std::env::var("PHOENIX_KILL_AT")
                .ok()
                .and_then(|v| v.parse().ok())
                .unwrap_or(0),
        )
    });
    if LEFT.load(Ordering::Relaxed) > 0 && LEFT.fetch_sub(1, Ordering::Relaxed) == 1 {
        std::process::abort();
    }
}

#[cfg(not(debug_assertions))]
fn checkpoint(_name: &str) {}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> OutFile {
        OutFile {
            path: path.into(),
            content: Content::Text(text.into()),
            executable: false,
        }
    }

    fn tree(root: &Path) -> Vec<(PathBuf, String, u32)> {
        let mut found = Vec::new();
        let mut open = vec![root.to_owned()];
        while let Some(directory) = open.pop() {
            for entry in fs::read_dir(&directory).unwrap().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    open.push(path.clone());
                    found.push((path, String::new(), 0));
                } else {
                    let mode = fs::metadata(&path).unwrap().permissions().mode();
                    found.push((path.clone(), fs::read_to_string(&path).unwrap(), mode));
                }
            }
        }
        found.sort();
        found
    }

    #[test]
    fn a_migration_is_undone_to_the_byte_and_the_mode() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::write(root.join("run.sh"), "old").unwrap();
        fs::set_permissions(root.join("run.sh"), std::fs::Permissions::from_mode(0o750)).unwrap();
        let before = tree(root);
        let transaction = Transaction::of(root);
        let link = OutFile {
            path: "infra/podman/.env".into(),
            content: Content::Link("../../.env".into()),
            executable: false,
        };
        transaction
            .apply(&[
                file("run.sh", "new"),
                file("infra/podman/a/Containerfile", "FROM x"),
                link,
            ])
            .unwrap();
        assert_eq!(fs::read_to_string(root.join("run.sh")).unwrap(), "new");
        assert!(matches!(
            transaction.apply(&[]),
            Err(ApplyError::AlreadyMigrated)
        ));
        transaction.rollback(false).unwrap();
        assert_eq!(tree(root), before);
        assert!(matches!(
            transaction.rollback(false),
            Err(ApplyError::NothingToRollBack)
        ));
    }

    #[test]
    fn what_was_changed_since_is_not_overwritten_and_with_force_kept() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        let transaction = Transaction::of(root);
        transaction.apply(&[file("a", "new")]).unwrap();
        fs::write(root.join("a"), "mine").unwrap();
        assert!(matches!(
            transaction.rollback(false),
            Err(ApplyError::Changed(_))
        ));
        assert_eq!(fs::read_to_string(root.join("a")).unwrap(), "mine");
        transaction.rollback(true).unwrap();
        assert!(!root.join("a").exists());
        assert_eq!(fs::read_to_string(root.join("a.migrated")).unwrap(), "mine");
    }

    #[test]
    fn a_failure_on_the_way_leaves_the_tree_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::create_dir(root.join("is-a-directory")).unwrap();
        let before = tree(root);
        let result = Transaction::of(root).apply(&[file("a", "new"), file("is-a-directory", "x")]);
        assert!(matches!(result, Err(ApplyError::Io(_))));
        assert_eq!(tree(root), before);
    }
}
