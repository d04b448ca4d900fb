//! `deno lint`, over the function's own files.

use common::BoxError;
use serde::Deserialize;

use crate::domain::diagnostic::{Check, Diagnostic, Severity};
use crate::runtime::deno::tools::Bench;

#[derive(Deserialize)]
struct Report {
    #[serde(default)]
    diagnostics: Vec<Finding>,
    #[serde(default)]
    errors: Vec<Failure>,
}

#[derive(Deserialize)]
struct Finding {
    filename: String,
    range: Option<Range>,
    message: String,
    code: Option<String>,
    hint: Option<String>,
}

#[derive(Deserialize)]
struct Range {
    start: Position,
}

/// The line from 1 on, the column from 0 on.
#[derive(Deserialize)]
struct Position {
    line: u32,
    col: u32,
}

#[derive(Deserialize)]
struct Failure {
    file_path: String,
    message: String,
}

/// Findings of the linter are warnings; what it cannot read is an error.
pub(super) async fn check(bench: &Bench<'_>) -> Result<Vec<Diagnostic>, BoxError> {
    let mut arguments = bench.arguments(&["lint", "--json"]);
    if let Some(at) = arguments.iter().position(|each| each == "--import-map") {
        // The linter knows no import maps, and needs none.
        arguments.drain(at..at + 2);
    }
    arguments.push(".".to_owned());
    let said = bench.run(&arguments, &[]).await?;
    let root = bench.root_text();
    match serde_json::from_str::<Report>(&said.output) {
        Ok(report) => Ok(read(report, &root)),
        // There may be nothing to lint.
        Err(_) if said.errors.contains("No target files") => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

fn read(report: Report, root: &str) -> Vec<Diagnostic> {
    let failures = report.errors.into_iter().map(|failure| {
        let message = failure.message.lines().next().unwrap_or_default();
        let place = failure.message.lines().rev().find_map(|line| {
            let place = line.trim().strip_prefix("at ")?;
            place.starts_with("file:").then_some(place)
        });
        let place = place.unwrap_or(&failure.file_path);
        Diagnostic::error(Check::Parse, message).at(place, root)
    });
    let findings = report.diagnostics.into_iter().map(|finding| {
        let mut found = Diagnostic::error(Check::Lint, finding.message).at(&finding.filename, root);
        found.severity = Severity::Warning;
        found.code = finding.code;
        found.hint = finding.hint;
        found.line = finding.range.as_ref().map(|range| range.start.line);
        found.column = finding.range.map(|range| range.start.col + 1);
        found
    });
    failures.chain(findings).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_and_failures_have_lines_and_columns_from_one() {
        let text = r#"{ "diagnostics": [{ "filename": "file:///r/a.ts", "message": "unused", "code": "no-unused-vars",
              "hint": "remove it", "range": { "start": { "line": 3, "col": 4, "bytePos": 1 } } }],
            "errors": [{ "file_path": "/r/b.ts", "message": "SyntaxError: Expected '('\n  |\n    at file:///r/b.ts:1:25" }] }"#;
        let report: Report = serde_json::from_str(text).expect("a report");
        let found = read(report, "/r");
        assert_eq!(
            (
                found[0].check,
                found[0].file.as_deref(),
                found[0].line,
                found[0].column
            ),
            (Check::Parse, Some("b.ts"), Some(1), Some(25))
        );
        assert_eq!(found[0].message, "SyntaxError: Expected '('");
        assert_eq!(
            (found[1].severity, found[1].line, found[1].column),
            (Severity::Warning, Some(3), Some(5))
        );
    }
}
