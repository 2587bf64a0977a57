//! Answers the cases of `tests/oracle/fuzz.py` in the form of `tests/oracle/expect.py`, so that the
//! two implementations of the mapping can be compared line by line. Reads standard input or the
//! file that is named; prints one line of JSON per case. Warnings and traces are left out.

use std::error::Error;
use std::io::{BufRead, BufReader, BufWriter, Write as _};

use countersign::core::attribute::{Attributes, Definition, Definitions, looks_like_a_stored_password};
use countersign::core::mapping::{self, BlockList, Level, Signing, Subject};
use serde::Deserialize;
use serde_json::{Value, json};

/// One line of `fuzz.py`.
#[derive(Deserialize)]
struct Case {
    mapping: String,
    custom: Vec<String>,
    proved: Vec<String>,
    attributes: Attributes,
    disabled: bool,
    verified_only: bool,
    blocked: Vec<String>,
    names: Vec<String>,
    cells: Vec<String>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let input: Box<dyn BufRead> = match std::env::args().nth(1) {
        Some(path) => Box::new(BufReader::new(std::fs::File::open(path)?)),
        None => Box::new(std::io::stdin().lock()),
    };
    let mut output = BufWriter::new(std::io::stdout().lock());
    for line in input.lines() {
        writeln!(output, "{}", answer(&serde_json::from_str(&line?)?)?)?;
    }
    Ok(output.flush()?)
}

fn answer(case: &Case) -> Result<Value, Box<dyn Error>> {
    let mut definitions = Definitions::new();
    for name in &case.custom {
        let proved = case.proved.contains(name);
        definitions.define(name, Definition { proved, ..Definition::default() })?;
    }
    let can_be_new = |name: &String| {
        !definitions.knows(name) && definitions.clone().define(name, Definition::default()).is_ok()
    };
    let names: Vec<bool> = case.names.iter().map(can_be_new).collect();
    let cells: Vec<bool> = case.cells.iter().map(|cell| looks_like_a_stored_password(cell)).collect();
    let checked =
        mapping::check(&case.mapping, &definitions, &countersign::core::catalogue::Catalogue::default());
    let errors = checked.findings.iter().filter(|finding| finding.level == Level::Error);
    let mut findings: Vec<_> = errors.map(|finding| (finding.code, finding.pointer.as_str())).collect();
    findings.sort_unstable();
    let Some(mapping) = &checked.mapping else {
        return Ok(json!({ "findings": findings, "names": names, "cells": cells }));
    };
    let blocked = BlockList::parse(&case.blocked)?;
    let subject = Subject { attributes: &case.attributes, disabled: case.disabled };
    let signing = Signing {
        verified_only: case.verified_only,
        blocked: &blocked,
        attributes: &definitions,
        iat: true,
        exp: true,
    };
    let result = mapping::apply(mapping, &subject, &signing).result;
    if mapping::payload(mapping, &subject, &signing) != result {
        return Err("With and without a trace the answers differ.".into());
    }
    Ok(match result {
        Ok(payload) => json!({ "findings": findings, "names": names, "cells": cells, "payload": payload }),
        Err(refusal) => {
            let mut refused = json!({ "code": refusal.code });
            if let Some(claim) = refusal.claim {
                refused["claim"] = claim.into();
            }
            json!({ "findings": findings, "names": names, "cells": cells, "refused": refused })
        }
    })
}
