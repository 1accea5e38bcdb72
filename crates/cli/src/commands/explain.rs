//! `phoenix explain`: the rules.

use phoenix_migrate::{Meta, all, find};
use serde_json::json;

use crate::args::{Explain, Format};
use crate::failure::{Failure, Outcome};
use crate::printer::{Printer, table};

pub(crate) fn run(args: &Explain, printer: &Printer) -> Result<Outcome, Failure> {
    let value = |meta: &Meta| {
        json!({
            "code": meta.code, "name": meta.name, "what": meta.what, "why": meta.why, "fix": meta.fix,
            "evidence": meta.evidence,
        })
    };
    let Some(wanted) = &args.rule else {
        if args.format == Format::Json {
            printer.json(&all().iter().map(|r| value(r.meta())).collect::<Vec<_>>());
        } else {
            let rows: Vec<Vec<String>> = all()
                .iter()
                .map(|r| {
                    vec![
                        r.meta().code.to_owned(),
                        r.meta().name.to_owned(),
                        r.meta().what.to_owned(),
                    ]
                })
                .collect();
            printer.result(&table(&["CODE", "NAME", "WHAT"], &rows));
        }
        return Ok(Outcome::Done);
    };
    let Some(rule) = find(wanted) else {
        return Err(Failure::usage(
            format!("there is no rule `{wanted}`"),
            "`phoenix explain` lists them",
        ));
    };
    match args.format {
        Format::Json => printer.json(&value(rule.meta())),
        Format::Text => printer.result(&rule.meta().page()),
    }
    Ok(Outcome::Done)
}
