//! Any bytes as a compose file: a project or errors that can be shown, and what loads can be
//! lowered, printed and loaded again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use phoenix_compose::{MemoryFiles, Options};

fuzz_target!(|data: &[u8]| {
    let load = |bytes: &[u8]| {
        let files = MemoryFiles::default().with("/p/compose.yaml", bytes).with("/p/app.env", "A=1\n");
        let options = Options {
            files: vec!["/p/compose.yaml".into()],
            directory: "/p".into(),
            environment: [("HOME".to_owned(), "/home/u".to_owned()), ("SET".to_owned(), "x".to_owned())].into(),
            profiles: vec!["*".into()],
            ..Options::default()
        };
        phoenix_compose::load(&files, &options)
    };
    match load(data) {
        Ok(loaded) => {
            let host = phoenix_model::Host::default();
            let lowered = phoenix_model::lower(&loaded.project, &Default::default(), &host);
            for warning in loaded.warnings.iter().chain(&lowered.warnings) {
                phoenix_source::render::to_text(warning, &loaded.sources, true);
            }
            let json = phoenix_compose::to_json(&loaded.project);
            let yaml = phoenix_compose::to_yaml(&loaded.project);
            serde_check(&json);
            assert!(!yaml.is_empty());
        }
        Err(failure) => {
            assert!(!failure.errors.is_empty());
            for error in &failure.errors {
                phoenix_source::render::to_text(error, &failure.sources, true);
            }
        }
    }
});

/// What is printed as JSON is JSON.
fn serde_check(text: &str) {
    let mut depth = 0i64;
    for byte in text.bytes() {
        match byte {
            b'{' | b'[' => depth += 1,
            _ => {}
        }
    }
    assert!(depth > 0);
}
