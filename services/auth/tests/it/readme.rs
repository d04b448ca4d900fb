//! The README's table of endpoints: all of them, each with tests that are there.

use crate::matrix::declared;

const README: &str = include_str!("../../README.md");

/// The table's rows: what is asked, and what tests it.
fn rows() -> Vec<(&'static str, &'static str)> {
    let (_, table) = README
        .split_once("| endpoint | test |\n|---|---|\n")
        .expect("a table");
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    let cells = rows.filter_map(|row| row.trim_matches('|').rsplit_once(" | "));
    cells.collect()
}

/// The texts between backticks.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// `GET|PUT /x/{a,b}` are four endpoints; a path alone has the method before it.
fn endpoints(cell: &str) -> Vec<String> {
    let mut methods = "";
    let mut all = Vec::new();
    for span in code(cell) {
        let path = match span.split_once(' ') {
            Some((before, path)) => {
                methods = before;
                path
            }
            None => span,
        };
        let path = path.split('?').next().unwrap_or_default();
        if methods.is_empty() || !path.starts_with('/') {
            continue;
        }
        for method in methods.split('\\').map(|method| method.trim_matches('|')) {
            all.extend(paths(path).iter().map(|path| format!("{method} {path}")));
        }
    }
    all
}

/// The paths of a path with alternatives; what stands for an id is `{}`.
fn paths(path: &str) -> Vec<String> {
    let Some((before, rest)) = path.split_once('{') else {
        return vec![path.to_owned()];
    };
    let (group, after) = rest.split_once('}').expect("a brace's end");
    let names: Vec<&str> = group.split(',').collect();
    let mut all = Vec::new();
    for after in paths(after) {
        match names.as_slice() {
            [_] => all.push(format!("{before}{{}}{after}")),
            names => all.extend(names.iter().map(|name| format!("{before}{name}{after}"))),
        }
    }
    all
}

#[test]
fn every_endpoint_is_named_with_its_test() {
    let mut named: Vec<String> = rows()
        .iter()
        .flat_map(|(cell, _)| endpoints(cell))
        .collect();
    named.sort();
    named.dedup();
    let declared = declared();
    let mut known: Vec<String> = declared
        .iter()
        .flat_map(|route| {
            let (method, path) = route.split_once(' ').expect("a method");
            let paths = paths(path);
            paths
                .into_iter()
                .map(move |path| format!("{method} {path}"))
        })
        .collect();
    known.sort();
    assert_eq!(named, known);
}

#[test]
fn the_tests_it_names_are_there() {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for (cell, tests) in rows() {
        let mut count = 0;
        for test in code(tests) {
            count += 1;
            let ours = here.join(format!("tests/it/{test}.rs"));
            let clients = here.join(format!("../../{test}.test.mjs"));
            let file = here.join(format!("../../{test}"));
            let is_there = [ours, clients, file].iter().any(|path| path.is_file());
            assert!(is_there, "{cell}: {test}");
        }
        assert!(count > 0, "{cell}: no test");
    }
}
