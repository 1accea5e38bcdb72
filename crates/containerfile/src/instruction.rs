//! Instructions and stages.

use phoenix_source::Span;

use crate::words::Word;

/// Every instruction there is.
pub const KEYWORDS: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// One instruction, with its continuation lines and heredocs.
#[derive(Debug, Clone)]
pub struct Instruction {
    /// In capitals, as it should be written.
    pub keyword: String,
    pub keyword_span: Span,
    /// `--name=value` and `--name`, before the arguments.
    pub flags: Vec<Word>,
    /// The words after the flags, continuation lines joined, comments left out.
    pub words: Vec<Word>,
    /// From the keyword to the last character, without the line break.
    pub span: Span,
    /// After keyword and flags, continuation lines joined by nothing.
    pub arguments: String,
}

impl Instruction {
    pub fn is(&self, keyword: &str) -> bool {
        self.keyword == keyword
    }

    pub fn is_known(&self) -> bool {
        KEYWORDS.contains(&self.keyword.as_str())
    }

    /// The instruction that was probably meant by an unknown one: `kFROM` → `FROM`.
    pub fn suggestion(&self) -> Option<&'static str> {
        KEYWORDS
            .into_iter()
            .map(|known| (strsim::damerau_levenshtein(&self.keyword, known), known))
            .filter(|(distance, known)| *distance <= 1 + known.len() / 4)
            .min()
            .map(|(_, known)| known)
    }

    /// The value of `--name=value`.
    pub fn flag(&self, name: &str) -> Option<(&str, Span)> {
        self.flags.iter().find_map(|flag| {
            let value = flag
                .text
                .strip_prefix("--")?
                .strip_prefix(name)?
                .strip_prefix('=')?;
            let start = flag.span.end as usize - value.len();
            Some((
                value,
                Span::new(flag.span.file, start, flag.span.end as usize),
            ))
        })
    }

    /// What FROM says; an unknown keyword that is close to FROM counts.
    pub fn from(&self) -> Option<From> {
        let meant = self.is("FROM") || (!self.is_known() && self.suggestion() == Some("FROM"));
        let image = self.words.first().filter(|_| meant)?;
        let name = match &self.words[1..] {
            [keyword, name, ..] if keyword.text.eq_ignore_ascii_case("as") => {
                Some(name.text.clone())
            }
            _ => None,
        };
        Some(From {
            image: image.text.clone(),
            image_span: image.span,
            name,
        })
    }
}

/// A stage's beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct From {
    pub image: String,
    pub image_span: Span,
    pub name: Option<String>,
}

/// FROM and what follows it.
#[derive(Debug, Clone)]
pub struct Stage<'a> {
    pub from: From,
    pub head: &'a Instruction,
    pub body: Vec<&'a Instruction>,
}

impl<'a> Stage<'a> {
    /// The last instruction of a kind: the one that counts.
    pub fn last(&self, keyword: &str) -> Option<&'a Instruction> {
        self.body.iter().rev().copied().find(|i| i.is(keyword))
    }

    pub fn all(&self, keyword: &str) -> impl Iterator<Item = &'a Instruction> {
        self.body.iter().copied().filter(move |i| i.is(keyword))
    }
}
