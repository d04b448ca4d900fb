//! `deno check`: TypeScript's own checks. It has no output for programs, so its text is read.

use common::BoxError;

use crate::domain::diagnostic::{Check, Diagnostic};
use crate::runtime::deno::tools::Bench;

/// Checks the types of the entry and of what it imports. Packages were fetched before; they are
/// found again in the same folder.
pub(super) async fn check(bench: &Bench<'_>) -> Result<Vec<Diagnostic>, BoxError> {
    let mut arguments = bench.arguments(&["check", "--no-lock", "--allow-import"]);
    arguments.push(bench.entry());
    let said = bench.run(&arguments, &[]).await?;
    if said.success {
        return Ok(Vec::new());
    }
    let root = bench.root_text();
    let found = read(&said.errors, &root);
    if found.is_empty() {
        return Ok(vec![super::of_text(&said.errors, Check::Types, &root)]);
    }
    Ok(found)
}

/// Reads blocks of `TS2322 [ERROR]: message`, code and markers, `at file:///…:line:column`.
fn read(text: &str, root: &str) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut current: Option<Diagnostic> = None;
    for line in text.lines().map(str::trim) {
        if let Some((code, message)) = line.split_once(" [ERROR]: ") {
            let mut diagnostic = Diagnostic::error(Check::Types, message);
            diagnostic.code = Some(code.to_owned());
            current = Some(diagnostic);
        } else if let Some(place) = line.strip_prefix("at file:")
            && let Some(diagnostic) = current.take()
        {
            found.push(diagnostic.at(&format!("file:{place}"), root));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_read_with_their_places() {
        let text = "Check a.ts\nTS7006 [ERROR]: Parameter 'a' implicitly has an 'any' type.\nexport default function h(a) {\n                          ^\n    at file:///r/a.ts:1:27\n\nerror: Type checking failed.";
        let found = read(text, "/r");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].code.as_deref(), Some("TS7006"));
        assert_eq!((found[0].line, found[0].column), (Some(1), Some(27)));
    }
}
