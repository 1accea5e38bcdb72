//! Dockerfiles and Containerfiles, losslessly: instructions with the spans of their parts, so that
//! an edit touches only what it means. Printing is the text itself.
//!
//! Malformed lines do not stop the reading: an unknown instruction is kept, with the one that was
//! probably meant.

mod instruction;
mod parse;
mod words;

pub use instruction::{From, Instruction, KEYWORDS, Stage};
pub use parse::parse;
pub use words::{Word, exec_form};

use phoenix_source::FileId;

/// A parsed file.
#[derive(Debug, Clone)]
pub struct Containerfile {
    pub file: FileId,
    /// In the order of the text; comments and blank lines are between them.
    pub instructions: Vec<Instruction>,
    /// `\`, or what `# escape=` says.
    pub escape: char,
    /// The value of `# syntax=`.
    pub syntax: Option<(String, phoenix_source::Span)>,
}

impl Containerfile {
    /// Stages in order. What stands before the first FROM belongs to none.
    pub fn stages(&self) -> Vec<Stage<'_>> {
        let mut stages: Vec<Stage<'_>> = Vec::new();
        for instruction in &self.instructions {
            if let Some(from) = instruction.from() {
                stages.push(Stage {
                    from,
                    head: instruction,
                    body: Vec::new(),
                });
            } else if let Some(stage) = stages.last_mut() {
                stage.body.push(instruction);
            }
        }
        stages
    }

    /// Unknown instructions.
    pub fn malformed(&self) -> impl Iterator<Item = &Instruction> {
        self.instructions.iter().filter(|i| !i.is_known())
    }
}
