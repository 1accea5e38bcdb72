//! A terminal's output as a picture: `docs/pictures/record.sh | cargo xtask picture FILE.svg`.

use std::io::Read;

use anyhow::Result;
use fs_err as fs;

pub(crate) fn write(file: &str) -> Result<()> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let svg = anstyle_svg::Term::new().render_svg(text.trim_end());
    fs::write(file, svg)?;
    Ok(())
}
