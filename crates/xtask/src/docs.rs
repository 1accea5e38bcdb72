//! The pages that are made from the source: docs/rules.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use fs_err as fs;
use phoenix_migrate::Meta;

/// Writes every generated page, and removes those of rules that are gone.
pub(crate) fn write() -> Result<()> {
    let directory = directory();
    fs::create_dir_all(&directory)?;
    let pages = pages();
    for entry in fs::read_dir(&directory)?.flatten() {
        if !pages.contains_key(&entry.file_name().to_string_lossy().into_owned()) {
            fs::remove_file(entry.path())?;
        }
    }
    for (name, text) in pages {
        fs::write(directory.join(name), text)?;
    }
    Ok(())
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rules")
}

fn file_name(meta: &Meta) -> String {
    format!("{}-{}.md", meta.code, meta.name)
}

/// File name → text.
fn pages() -> BTreeMap<String, String> {
    let mut pages = BTreeMap::new();
    let mut index = String::from(
        "# Rules\n\nWhat `phoenix migrate` looks for. `phoenix explain PHnnn` prints the same pages.\n\n\
         | Code | Name | What goes wrong |\n| --- | --- | --- |\n",
    );
    for rule in phoenix_migrate::all() {
        let meta = rule.meta();
        let file = file_name(meta);
        index.push_str(&format!(
            "| [{}]({file}) | {} | {} |\n",
            meta.code,
            meta.name,
            meta.what.replace('|', "\\|")
        ));
        pages.insert(file, meta.page());
    }
    pages.insert("README.md".into(), index);
    pages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_its_page_and_every_page_its_rule() {
        let there: BTreeMap<String, String> = fs::read_dir(directory())
            .expect("docs/rules")
            .flatten()
            .map(|e| {
                (
                    e.file_name().to_string_lossy().into_owned(),
                    fs::read_to_string(e.path()).expect("a page"),
                )
            })
            .collect();
        let wanted = pages();
        assert_eq!(
            there.keys().collect::<Vec<_>>(),
            wanted.keys().collect::<Vec<_>>(),
            "write them with ./dev docs"
        );
        for (name, text) in wanted {
            assert_eq!(
                there[&name], text,
                "{name} is old: write it with ./dev docs"
            );
        }
    }
}
