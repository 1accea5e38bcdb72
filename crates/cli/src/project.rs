//! Finding, loading and lowering the project that a command is about.

use std::path::{Path, PathBuf};

use phoenix_compose::{Disk, Loaded, Options, Project, Selection};
use phoenix_model::{Host, Lowered};
use phoenix_source::SourceMap;

use crate::args::Global;
use crate::failure::Failure;
use crate::printer::Printer;

/// Loads the project that the arguments mean, with the selected services.
pub(crate) fn load(
    global: &Global,
    selection: &Selection,
    printer: &Printer,
) -> Result<Loaded, Failure> {
    let mut loaded = load_all(global, printer)?;
    loaded
        .project
        .select(selection)
        .map_err(|error| Failure::Diagnosed {
            list: vec![*error],
            sources: Box::new(SourceMap::new()),
        })?;
    Ok(loaded)
}

/// Loads the whole project and shows its warnings.
pub(crate) fn load_all(global: &Global, printer: &Printer) -> Result<Loaded, Failure> {
    let start = std::env::current_dir()
        .map_err(|e| Failure::failed(format!("the current directory cannot be read: {e}")))?;
    let mut global = global.clone();
    let migrated = migrated(&start, &global);
    if !migrated.is_empty() {
        let names: Vec<String> = migrated
            .iter()
            .map(|f| f.strip_prefix(&start).unwrap_or(f).display().to_string())
            .collect();
        printer.say(&format!(
            "using {} (from `phoenix migrate`; `-f` chooses another file)",
            names.join(" and ")
        ));
        global.files = migrated;
    }
    let mut environment: phoenix_compose::Environment = std::env::vars_os()
        .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
        .collect();
    environment
        .entry("PWD".into())
        .or_insert_with(|| start.display().to_string());
    let mut sources = SourceMap::new();
    let found = phoenix_compose::discover(
        &Disk,
        &mut sources,
        &start,
        &global.files,
        global.project_directory.as_deref(),
        &global.env_files,
        &environment,
    )
    .map_err(|error| Failure::Diagnosed {
        list: vec![*error],
        sources: Box::new(sources),
    })?;
    printer.diagnostics(&found.warnings, &SourceMap::new());
    let mut profiles = global.profiles.clone();
    if profiles.is_empty()
        && let Some(named) = found.environment.get("COMPOSE_PROFILES")
    {
        profiles = named
            .split(',')
            .filter(|p| !p.is_empty())
            .map(str::to_owned)
            .collect();
    }
    let stdin = if found.files.iter().any(|f| f == Path::new("-")) {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut std::io::stdin(), &mut text)?;
        Some(text)
    } else {
        None
    };
    let options = Options {
        files: found.files,
        directory: found.directory,
        environment: found.environment,
        name: global.project_name.clone(),
        profiles,
        stdin,
        skip_env_files: false,
    };
    let loaded = phoenix_compose::load(&Disk, &options)?;
    printer.diagnostics(&loaded.warnings, &loaded.sources);
    Ok(loaded)
}

/// The migrated files of the project whose root this is, in the order in which they are merged;
/// none where files were chosen.
fn migrated(start: &Path, global: &Global) -> Vec<PathBuf> {
    if !global.files.is_empty() || std::env::var_os("COMPOSE_FILE").is_some() {
        return Vec::new();
    }
    (0..)
        .map(|n| start.join(phoenix_migrate::compose_file(n)))
        .take_while(|f| f.is_file())
        .collect()
}

/// The project in Podman's terms, with its warnings shown.
pub(crate) fn lower(loaded: &Loaded, host: &Host, printer: &Printer) -> phoenix_model::Desired {
    let contents = phoenix_model::wanted_files(&loaded.project)
        .into_iter()
        .filter_map(|path| {
            let content = std::fs::read(&path).ok()?;
            Some((path, content))
        })
        .collect();
    let Lowered { desired, warnings } = phoenix_model::lower(&loaded.project, &contents, host);
    printer.diagnostics(&warnings, &loaded.sources);
    desired
}

/// The project's name, for commands that need no more: from the arguments, or the project itself.
pub(crate) fn name(
    global: &Global,
    printer: &Printer,
) -> Result<(String, Option<Project>), Failure> {
    if let (Some(name), true) = (&global.project_name, global.files.is_empty()) {
        return match load_all(global, printer) {
            Ok(loaded) => Ok((name.clone(), Some(loaded.project))),
            // A name alone is enough where there is no file.
            Err(_) => Ok((name.clone(), None)),
        };
    }
    let loaded = load_all(global, printer)?;
    Ok((loaded.project.name.clone(), Some(loaded.project)))
}
