//! Any text as a Dockerfile: spans lie within it, and nothing panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use phoenix_source::SourceMap;

fuzz_target!(|text: &str| {
    let mut sources = SourceMap::new();
    let file = sources.add("Dockerfile", text);
    match phoenix_containerfile::parse(text, file) {
        Ok(parsed) => {
            for instruction in &parsed.instructions {
                assert!(text.get(instruction.span.range()).is_some());
                assert!(text.get(instruction.keyword_span.range()).is_some());
                for word in instruction.words.iter().chain(&instruction.flags) {
                    assert!(text.get(word.span.range()).is_some());
                }
                phoenix_containerfile::exec_form(&instruction.arguments);
            }
            assert!(!parsed.stages().is_empty());
        }
        Err(diagnostic) => {
            phoenix_source::render::to_text(&diagnostic, &sources, false);
        }
    }
});
