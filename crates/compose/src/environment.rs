//! `env_file` and `label_file`, read into the services that name them.

use std::path::Path;

use phoenix_source::{Diagnostic, FileId, Span};

use crate::Environment;
use crate::dotenv::{self, DotenvError};
use crate::load::Loader;
use crate::project::{Project, Variables};

impl Loader<'_> {
    /// Completes every active service's `environment` and `labels`.
    pub(crate) fn resolve_files(&mut self, project: &mut Project) -> Result<(), Box<Diagnostic>> {
        let outer = project.environment.clone();
        let names: Vec<String> = project.services.keys().cloned().collect();
        for name in names {
            let origins: Vec<Option<Span>> = {
                let service = &project.services[&name];
                (0..service.env_file.len())
                    .map(|n| project.origin(["services", &name, "env_file", &n.to_string()]))
                    .collect()
            };
            let Some(service) = project.services.get_mut(&name) else {
                continue;
            };
            for (key, value) in service.environment.iter_mut() {
                if value.is_none() {
                    *value = outer.get(key).cloned();
                }
            }
            let own = service.environment.clone();
            let mut all: Environment = own
                .iter()
                .filter_map(|(k, v)| Some((k.clone(), v.clone()?)))
                .collect();
            for (file, at) in std::mem::take(&mut service.env_file)
                .into_iter()
                .zip(origins)
            {
                let path = Path::new(&file.path);
                if !self.files.exists(path) && !file.required {
                    continue;
                }
                let format = match file.format.as_str() {
                    "" => dotenv::Format::Compose,
                    "raw" => dotenv::Format::Raw,
                    other => {
                        let mut diagnostic =
                            Diagnostic::error(format!("`{other}` is not a format of env files"))
                                .help("write `raw`, or leave `format` out");
                        diagnostic.span = at;
                        return Err(Box::new(diagnostic));
                    }
                };
                let text = self.text(path, at, "env file")?;
                let id = self.sources.add(path, text.clone());
                let lookup = |name: &str| {
                    outer
                        .get(name)
                        .cloned()
                        .or_else(|| own.get(name).cloned().flatten())
                };
                dotenv::parse(&text, format, &mut all, &lookup)
                    .map_err(|error| Box::new(self.dotenv_error(id, &error)))?;
            }
            let mut merged: Variables =
                Variables(all.into_iter().map(|(k, v)| (k, Some(v))).collect());
            merged.extend(own.0);
            service.environment = merged;

            let mut labels = Environment::new();
            for file in std::mem::take(&mut service.label_file) {
                let text = self.text(Path::new(&file), None, "label file")?;
                let id = self.sources.add(&file, text.clone());
                let known = labels.clone();
                dotenv::parse(&text, dotenv::Format::Compose, &mut labels, &|name| {
                    known.get(name).cloned()
                })
                .map_err(|error| Box::new(self.dotenv_error(id, &error)))?;
            }
            labels.extend(std::mem::take(&mut service.labels.0));
            service.labels.0 = labels;
        }
        Ok(())
    }

    pub(crate) fn dotenv_error(&self, file: FileId, error: &DotenvError) -> Diagnostic {
        let range = self.sources.file(file).line_range(error.line - 1);
        Diagnostic::error(error.message.clone()).at(Span::new(file, range.start, range.end))
    }
}
