//! What is done to the repository itself: `cargo xtask docs`, `bench`, `picture`.

mod bench;
mod docs;
mod picture;

use anyhow::{Result, bail};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["docs"] => docs::write(),
        ["picture", file] => picture::write(file),
        ["bench", rest @ ..] => bench::run(rest),
        _ => bail!(
            "cargo xtask docs | picture FILE.svg | bench DIRECTORY [--rounds N] [--slow-rounds N]"
        ),
    }
}
