//! What is done to the repository itself: `cargo xtask docs`, `cargo xtask bench`.

mod bench;
mod docs;

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
        ["bench", rest @ ..] => bench::run(rest),
        _ => bail!("cargo xtask docs | bench DIRECTORY [--rounds N] [--slow-rounds N]"),
    }
}
