//! The modules a function imports: all there, and none outside of its own folder.

use common::BoxError;
use serde::Deserialize;

use crate::domain::diagnostic::{Check, Diagnostic};
use crate::runtime::deno::tools::Bench;

#[derive(Deserialize)]
struct Graph {
    #[serde(default)]
    modules: Vec<Module>,
}

#[derive(Deserialize)]
struct Module {
    specifier: String,
    error: Option<String>,
    #[serde(default)]
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    specifier: String,
    code: Option<Resolved>,
    r#type: Option<Resolved>,
}

#[derive(Deserialize)]
struct Resolved {
    specifier: Option<String>,
    error: Option<String>,
    span: Option<Span>,
}

#[derive(Deserialize)]
struct Span {
    start: Position,
}

/// Both from 0 on.
#[derive(Deserialize)]
struct Position {
    line: u32,
    character: u32,
}

/// Looks at the graph of modules; packages are left to be fetched.
pub(super) async fn check(bench: &Bench<'_>) -> Result<Vec<Diagnostic>, BoxError> {
    let mut arguments =
        bench.arguments(&["info", "--json", "--no-lock", "--no-remote", "--no-npm"]);
    arguments.push(bench.entry());
    let said = bench.run(&arguments, &[]).await?;
    let root = bench.root_text();
    match serde_json::from_str::<Graph>(&said.output) {
        Ok(graph) => Ok(look(&graph, &root)),
        Err(_) => Ok(vec![super::of_text(&said.errors, Check::Graph, &root)]),
    }
}

fn is_package(specifier: &str) -> bool {
    ["npm:", "jsr:", "https://", "http://"]
        .iter()
        .any(|scheme| specifier.starts_with(scheme))
}

fn look(graph: &Graph, root: &str) -> Vec<Diagnostic> {
    let inside = format!("file://{root}/");
    let mut found = Vec::new();
    for module in &graph.modules {
        if module.specifier.starts_with("file:") && !module.specifier.starts_with(&inside) {
            let outside = without_copies(&module.specifier, root);
            let message = format!("{outside} is outside of the function");
            found.push(at_import(graph, module, &message, root));
        } else if let Some(error) = &module.error
            && !is_package(&module.specifier)
        {
            let check = if error.contains("could not be parsed") || error.contains("Expected") {
                Check::Parse
            } else {
                Check::Graph
            };
            let message = error.replace(&inside, "");
            let mut diagnostic = at_import(graph, module, &message, root);
            diagnostic.check = check;
            found.push(diagnostic);
        }
        found.extend(unresolved(module, root));
    }
    found
}

/// `specifier`, a file's, without the folder that holds `root`: where the copy lies that is looked
/// at is not for the function's author.
fn without_copies(specifier: &str, root: &str) -> String {
    let copies = root.rsplit_once('/').map_or(root, |(copies, _)| copies);
    let inside = specifier.strip_prefix("file://");
    match inside.and_then(|path| path.strip_prefix(copies)) {
        Some(path) => format!("file://{path}"),
        None => specifier.to_owned(),
    }
}

/// Imports that name nothing at all.
fn unresolved<'a>(module: &'a Module, root: &'a str) -> impl Iterator<Item = Diagnostic> + 'a {
    module.dependencies.iter().filter_map(move |dependency| {
        let resolved = dependency.code.as_ref()?;
        let error = resolved.error.as_deref()?;
        if is_package(&dependency.specifier) {
            return None;
        }
        let diagnostic = Diagnostic::error(Check::Graph, error).at(&module.specifier, root);
        Some(placed(diagnostic, resolved))
    })
}

/// A diagnostic at the first import of `module`; in itself where nobody imports it.
fn at_import(graph: &Graph, module: &Module, message: &str, root: &str) -> Diagnostic {
    let imports = graph.modules.iter().flat_map(|importer| {
        let dependencies = importer.dependencies.iter();
        dependencies
            .flat_map(|each| each.code.iter().chain(&each.r#type))
            .map(move |resolved| (importer, resolved))
    });
    let mut imports =
        imports.filter(|(_, resolved)| resolved.specifier.as_ref() == Some(&module.specifier));
    let diagnostic = Diagnostic::error(Check::Graph, message);
    if let Some((importer, resolved)) = imports.next() {
        return placed(diagnostic.at(&importer.specifier, root), resolved);
    }
    // A parser's message ends with the place.
    let place = message.rsplit_once(" at ").map(|(_, place)| place);
    diagnostic.at(place.unwrap_or(&module.specifier), root)
}

fn placed(mut diagnostic: Diagnostic, resolved: &Resolved) -> Diagnostic {
    if let Some(span) = &resolved.span {
        diagnostic.line = Some(span.start.line + 1);
        diagnostic.column = Some(span.start.character + 1);
    }
    diagnostic
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_or_outside_is_told_where_it_is_imported() {
        let text = r#"{ "modules": [
            { "specifier": "file:///etc/passwd", "kind": "external" },
            { "specifier": "file:///r/code/nope.ts", "error": "Module not found \"file:///r/code/nope.ts\"." },
            { "specifier": "npm:x", "error": "npm specifiers were requested" },
            { "specifier": "file:///r/code/a.ts", "dependencies": [
                { "specifier": "/etc/passwd", "code": { "specifier": "file:///etc/passwd", "span": { "start": { "line": 0, "character": 14 } } } },
                { "specifier": "./nope.ts", "code": { "specifier": "file:///r/code/nope.ts", "span": { "start": { "line": 1, "character": 4 } } } },
                { "specifier": "bare", "code": { "error": "not prefixed", "span": { "start": { "line": 2, "character": 0 } } } }
            ] } ] }"#;
        let graph: Graph = serde_json::from_str(text).expect("a graph");
        let found: Vec<_> = look(&graph, "/r/code")
            .into_iter()
            .map(|each| (each.message, each.file, each.line, each.column))
            .collect();
        let at = |message: &str, line, column| {
            let file = Some("a.ts".to_owned());
            (message.to_owned(), file, Some(line), Some(column))
        };
        assert_eq!(
            found,
            [
                at("file:///etc/passwd is outside of the function", 1, 15),
                at("Module not found \"nope.ts\".", 2, 5),
                at("not prefixed", 3, 1),
            ]
        );
        let told = |specifier: &str| without_copies(specifier, "/tmp/fn/7/code");
        assert_eq!(told("file:///tmp/fn/7/etc/passwd"), "file:///etc/passwd");
        assert_eq!(told("file:///etc/passwd"), "file:///etc/passwd");
    }
}
