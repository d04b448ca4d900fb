//! What is wrong with a function's code, before it is deployed: Deno's own linter, graph of modules
//! and type checker say so, run in the sandbox on the very binary that will run the function.

mod graph;
mod lint;
mod types;

use common::BoxError;

use crate::domain::code::Code;
use crate::domain::diagnostic::{Check, Diagnostic};
use crate::domain::version::Sign;
use crate::runtime::deno::DenoRuntime;

/// Which looks are taken, beside that at the modules.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Looks {
    pub(crate) lint: bool,
    pub(crate) types: bool,
}

/// Looks at `code`; what its packages need is fetched first, so that they are there when it runs.
pub(crate) async fn check(
    runtime: &DenoRuntime,
    code: &Code,
    looks: Looks,
) -> Result<Vec<Diagnostic>, BoxError> {
    let bench = runtime.bench(code).await?;
    let mut found = graph::check(&bench).await?;
    if looks.lint {
        // What cannot be read is told by the graph as well, and better placed here.
        let linted = lint::check(&bench).await?;
        if linted.iter().any(Diagnostic::is_error) {
            found.retain(|one| one.check != Check::Parse);
        }
        found.extend(linted);
    }
    let broken = found.iter().any(Diagnostic::is_error);
    if !broken && code.traits().show(Sign::Packages) {
        let said = bench.fetch_packages().await?;
        if !said.success {
            found.push(of_text(&said.errors, Check::Graph, &bench.root_text()));
        }
    }
    if looks.types && !found.iter().any(Diagnostic::is_error) {
        found.extend(types::check(&bench).await?);
    }
    Ok(found)
}

/// A diagnostic of what Deno prints for people: `error: …` and, on a line of its own, `at <place>`.
fn of_text(text: &str, check: Check, root: &str) -> Diagnostic {
    let mut lines = text.lines().map(str::trim);
    let message = lines
        .find_map(|line| line.strip_prefix("error: "))
        .unwrap_or_else(|| text.trim());
    let found = Diagnostic::error(check, message.trim_end_matches("Stack backtrace:").trim());
    match lines.find_map(|line| line.strip_prefix("at ")) {
        Some(place) => found.at(place, root),
        None => found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn denos_errors_have_a_message_and_a_place() {
        let text = "Download x\nerror: JSR package manifest failed to load.\n    at file:///r/a.ts:1:30\n\nStack backtrace:\n 0: x";
        let found = of_text(text, Check::Graph, "/r");
        assert_eq!(found.message, "JSR package manifest failed to load.");
        assert_eq!((found.file.as_deref(), found.line), (Some("a.ts"), Some(1)));
    }
}
