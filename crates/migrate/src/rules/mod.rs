//! The rules, one file each. Adding one is adding its file and its line here; the tests below and
//! the page in docs/rules come from what it says about itself.

use crate::rule::Rule;

/// Declares the modules and the table.
macro_rules! rules {
    ($($module:ident::$rule:ident,)+) => {
        $(mod $module;)+
        pub(crate) static TABLE: &[&dyn Rule] = &[$(&$module::$rule,)+];
        #[cfg(test)]
        const MODULES: &[&str] = &[$(stringify!($module),)+];
    };
}

rules! {
    short_image_name::ShortImageName,
    privileged_port::PrivilegedPort,
    docker_socket::DockerSocket,
    docker_host_name::DockerHostName,
    unlabelled_bind::UnlabelledBind,
    root_user::RootUser,
    lost_healthcheck::LostHealthcheck,
    unhardened_service::UnhardenedService,
    implicit_subnet::ImplicitSubnet,
    hidden_volume::HiddenVolume,
    obsolete_version::ObsoleteVersion,
    restart_without_lingering::RestartWithoutLingering,
    malformed_instruction::MalformedInstruction,
    short_base_image::ShortBaseImage,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use phoenix_compose::{MemoryFiles, Options};
    use phoenix_source::apply_edits;

    use crate::edit_compose::{self, Document};
    use crate::rule::{Example, all};
    use crate::{Facts, Finding, Inputs, Rule, read};

    /// The project of an example, at /p.
    fn with_inputs<T>(compose: &str, recipe: &str, then: impl FnOnce(&Inputs<'_>) -> T) -> T {
        let files = MemoryFiles::default()
            .with("/p/compose.yaml", compose)
            .with("/p/Dockerfile", recipe)
            .with("/p/data/x", "")
            .with(
                "/p/run.sh",
                "curl http://localhost:80/x http://localhost/y http://localhost:8000\n",
            );
        let options = Options {
            files: vec!["/p/compose.yaml".into()],
            directory: "/p".into(),
            environment: [("HOME".to_owned(), "/home/u".to_owned())].into(),
            profiles: vec!["*".into()],
            ..Options::default()
        };
        let loaded = phoenix_compose::load(&files, &options)
            .map_err(|f| {
                f.errors
                    .iter()
                    .map(|e| phoenix_source::render::to_text(e, &f.sources, false))
                    .collect::<String>()
            })
            .unwrap_or_else(|e| panic!("{e}\n{compose}"));
        let list = |directory: &Path| {
            let children = files.0.keys().filter(|p| p.parent() == Some(directory));
            children
                .map(|p| (p.clone(), false))
                .collect::<Vec<(PathBuf, bool)>>()
        };
        let facts = Facts {
            lingering: false,
            ..Facts::default()
        };
        then(&read(&loaded, &files, &list, facts))
    }

    fn changed(inputs: &Inputs<'_>, findings: &[Finding], path: &str) -> String {
        let (file, source) = inputs
            .sources
            .iter()
            .find(|(_, f)| f.path() == Path::new(path))
            .unwrap();
        let compose = inputs
            .sources
            .iter()
            .find(|(_, f)| f.path() == Path::new("/p/compose.yaml"))
            .unwrap()
            .0;
        let text = inputs.sources.file(compose).text().clone();
        let tree = phoenix_compose::yaml::parse(&text, compose)
            .unwrap()
            .remove(0);
        let changes: Vec<_> = findings
            .iter()
            .filter_map(|f| f.fix.as_ref())
            .flat_map(|f| f.changes.clone())
            .collect();
        let edits = edit_compose::edits(
            &[Document {
                file: compose,
                tree,
            }],
            &inputs.sources,
            &changes,
        )
        .unwrap();
        let _ = source;
        apply_edits(&inputs.sources, file, &edits).unwrap()
    }

    fn of_rule(rule: &dyn Rule, inputs: &Inputs<'_>) -> Vec<Finding> {
        let findings = rule.check(inputs);
        for finding in &findings {
            assert_eq!(finding.code, rule.meta().code);
            assert!(
                finding.fix.is_some() || finding.help.is_some(),
                "{}: neither fix nor help",
                finding.code
            );
            assert!(
                !finding.message.ends_with('.')
                    && finding.message.starts_with(|c: char| !c.is_uppercase()),
                "{}",
                finding.message
            );
        }
        findings
    }

    #[test]
    fn every_example_is_true() {
        for rule in all() {
            let meta = rule.meta();
            match meta.example {
                Example::Compose { before, after } => with_inputs(before, "FROM x\n", |inputs| {
                    let findings = of_rule(*rule, inputs);
                    assert_eq!(
                        changed(inputs, &findings, "/p/compose.yaml"),
                        after,
                        "{}",
                        meta.code
                    );
                    // What it wrote, it has nothing to say about.
                    with_inputs(after, "FROM x\n", |inputs| {
                        assert_eq!(
                            rule.check(inputs).len(),
                            0,
                            "{} is not satisfied by its own fix",
                            meta.code
                        );
                    });
                }),
                Example::Built {
                    recipe,
                    before,
                    after,
                } => with_inputs(before, recipe, |inputs| {
                    let findings = of_rule(*rule, inputs);
                    assert_eq!(
                        changed(inputs, &findings, "/p/compose.yaml"),
                        after,
                        "{}",
                        meta.code
                    );
                    with_inputs(after, recipe, |inputs| {
                        assert_eq!(
                            rule.check(inputs).len(),
                            0,
                            "{} is not satisfied by its own fix",
                            meta.code
                        );
                    });
                }),
                Example::Recipe { before, after } => {
                    let compose = "services: {app: {build: .}}\n";
                    with_inputs(compose, before, |inputs| {
                        let findings = of_rule(*rule, inputs);
                        assert_eq!(
                            changed(inputs, &findings, "/p/Dockerfile"),
                            after,
                            "{}",
                            meta.code
                        );
                        with_inputs(compose, after, |inputs| {
                            assert_eq!(
                                rule.check(inputs).len(),
                                0,
                                "{} is not satisfied by its own fix",
                                meta.code
                            );
                        });
                    });
                }
                Example::Reported { compose, message } => {
                    with_inputs(compose, "FROM x\n", |inputs| {
                        let findings = of_rule(*rule, inputs);
                        assert_eq!(
                            findings
                                .iter()
                                .map(|f| f.message.as_str())
                                .collect::<Vec<_>>(),
                            [message],
                            "{}",
                            meta.code
                        );
                    })
                }
            }
        }
    }

    #[test]
    fn directory_and_table_agree_and_codes_are_one_row() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules");
        let on_disk: BTreeSet<String> = std::fs::read_dir(directory)
            .unwrap()
            .map(|e| {
                e.unwrap()
                    .path()
                    .file_stem()
                    .unwrap()
                    .to_string_lossy()
                    .into_owned()
            })
            .filter(|n| n != "mod")
            .collect();
        let in_table: BTreeSet<String> = super::MODULES.iter().map(|m| (*m).to_owned()).collect();
        assert_eq!(on_disk, in_table);
        for (n, (rule, module)) in all().iter().zip(super::MODULES).enumerate() {
            let meta = rule.meta();
            assert_eq!(meta.code, format!("PH{:03}", n + 1));
            assert_eq!(meta.name, module.replace('_', "-"));
            for text in [meta.what, meta.why, meta.fix] {
                assert!(text.len() > 20, "{} says too little", meta.code);
            }
            assert!(!meta.evidence.is_empty(), "{} has no evidence", meta.code);
        }
    }

    #[test]
    fn ports_are_moved_where_scripts_use_them() {
        with_inputs(
            "services: {web: {image: x, ports: [\"80:80\"]}}\n",
            "FROM x\n",
            |inputs| {
                let findings = super::privileged_port::PrivilegedPort.check(inputs);
                assert_eq!(
                    changed(inputs, &findings, "/p/run.sh"),
                    "curl http://localhost:8080/x http://localhost:8080/y http://localhost:8000\n"
                );
            },
        );
    }

    #[test]
    fn all_rules_together_on_everything() {
        // No rule panics on a project with every construct, and none contradicts another.
        let compose = "name: all\nservices:\n  web:\n    build: .\n    ports: [\"80:80\", \"127.0.0.1:443:443/tcp\"]\n    volumes: [\"./data:/d\", \"v:/v\", \"/var/run/docker.sock:/var/run/docker.sock\"]\n    restart: always\n  db:\n    image: postgres:17\n    environment: {X: \"http://host.docker.internal:1\"}\n    volumes: [\"v:/var/lib/postgresql/data\"]\nvolumes: {v: }\n";
        with_inputs(
            compose,
            "FROM nginx:1.26\nHEALTHCHECK CMD curl localhost\n",
            |inputs| {
                let findings = crate::examine(inputs);
                assert!(findings.len() > 10);
                changed(inputs, &findings, "/p/compose.yaml");
            },
        );
    }
}
