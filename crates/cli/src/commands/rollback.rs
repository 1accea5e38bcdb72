//! `phoenix rollback`: the tree as it was before `migrate --apply`.

use phoenix_migrate::Transaction;

use super::migrate::explain;
use crate::args::Rollback;
use crate::failure::{Failure, Outcome};
use crate::printer::Printer;

pub(crate) fn run(args: &Rollback, printer: &Printer) -> Result<Outcome, Failure> {
    let root = args.path.canonicalize().map_err(|e| {
        Failure::usage(
            format!("{} cannot be opened: {e}", args.path.display()),
            "name a project's directory",
        )
    })?;
    let count = Transaction::of(root)
        .rollback(args.force)
        .map_err(explain)?;
    printer.say(&format!(
        "{count} files are as they were; containers, if any run, go with `phoenix down`"
    ));
    Ok(Outcome::Done)
}
