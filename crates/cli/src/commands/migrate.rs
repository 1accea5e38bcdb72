//! `phoenix migrate` (placeholder until the crate is there).
use crate::args::{Global, Migrate};
use crate::failure::{Failure, Outcome};
use crate::printer::Printer;
pub(crate) fn run(_: &Global, _: &Migrate, _: &Printer) -> Result<Outcome, Failure> {
    Ok(Outcome::Done)
}
