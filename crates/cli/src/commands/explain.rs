//! `phoenix explain` (placeholder until the crate is there).
use crate::args::Explain;
use crate::failure::{Failure, Outcome};
use crate::printer::Printer;
pub(crate) fn run(_: &Explain, _: &Printer) -> Result<Outcome, Failure> {
    Ok(Outcome::Done)
}
