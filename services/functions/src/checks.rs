//! What is wrong with a function's code, before it is deployed: Deno's own linter, graph of modules
//! and type checker say so, run in the sandbox on the very binary that will run the function.

mod graph;
mod lint;
mod types;

use std::sync::Arc;

use common::BoxError;

use crate::domain::code::Code;
use crate::domain::diagnostic::{Check, Diagnostic};
use crate::domain::version::Sign;
use crate::packages::Tree;
use crate::runtime::deno::DenoRuntime;
use crate::runtime::deno::tools::Fetched;

/// Which looks are taken, beside that at the modules.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Looks {
    pub(crate) lint: bool,
    pub(crate) types: bool,
}

/// What was found out about code.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// What it imports from registries.
    pub(crate) packages: Option<Arc<Tree>>,
}

impl Findings {
    /// Whether it cannot be deployed.
    pub(crate) fn are_grave(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// Looks at `code`. Its packages are fetched, so that they are there when it runs, unless they are
/// `known`.
pub(crate) async fn check(
    runtime: &DenoRuntime,
    code: &Code,
    looks: Looks,
    known: Option<Arc<Tree>>,
) -> Result<Findings, BoxError> {
    let bench = runtime.bench(code).await?;
    if let Some(known) = &known {
        // Before any tool makes a cache of its own.
        bench.use_packages(known)?;
    }
    let mut found = Findings {
        diagnostics: graph::check(&bench).await?,
        packages: known,
    };
    if looks.lint {
        // What cannot be read is told by the graph as well, and better placed here.
        let linted = lint::check(&bench).await?;
        if linted.iter().any(Diagnostic::is_error) {
            found.diagnostics.retain(|one| one.check != Check::Parse);
        }
        found.diagnostics.extend(linted);
    }
    let unknown = found.packages.is_none() && code.traits().show(Sign::Packages);
    if unknown && !found.are_grave() {
        match bench.fetch_packages().await? {
            Fetched::Tree(tree) => found.packages = tree,
            Fetched::Refused(said) => {
                let refused = of_text(&said, Check::Graph, &bench.root_text());
                found.diagnostics.push(refused);
            }
        }
    }
    if looks.types && !found.are_grave() {
        found.diagnostics.extend(types::check(&bench).await?);
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
