//! `phoenix rollback` (placeholder until the crate is there).
use crate::args::Rollback;
use crate::failure::{Failure, Outcome};
use crate::printer::Printer;
pub(crate) fn run(_: &Rollback, _: &Printer) -> Result<Outcome, Failure> {
    Ok(Outcome::Done)
}
