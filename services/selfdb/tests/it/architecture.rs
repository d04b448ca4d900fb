//! The dependency rules of `docs/architecture.md`, held over `cargo metadata`.

use std::collections::BTreeMap;

use cargo_metadata::{DependencyKind, MetadataCommand};

const SERVICES: [&str; 6] = [
    "auth",
    "functions",
    "gateway",
    "realtime",
    "rest",
    "storage",
];
const DRIVERS: [&str; 4] = [
    "postgres-protocol",
    "sqlx",
    "sqlx-postgres",
    "tokio-postgres",
];

/// Each crate of the workspace and what it depends on, tests left out.
fn dependencies() -> BTreeMap<String, Vec<String>> {
    let metadata = MetadataCommand::new()
        .no_deps()
        .exec()
        .expect("cargo metadata");
    let of = |package: &cargo_metadata::Package| {
        let normal = package
            .dependencies
            .iter()
            .filter(|d| d.kind == DependencyKind::Normal);
        normal.map(|dependency| dependency.name.clone()).collect()
    };
    metadata
        .packages
        .iter()
        .map(|package| (package.name.to_string(), of(package)))
        .collect()
}

fn offenders(
    graph: &BTreeMap<String, Vec<String>>,
    forbidden: impl Fn(&str, &str) -> bool,
) -> Vec<String> {
    graph
        .iter()
        .flat_map(|(from, to)| to.iter().map(move |to| (from, to)))
        .filter(|(from, to)| forbidden(from, to))
        .map(|(from, to)| format!("{from} depends on {to}"))
        .collect()
}

#[test]
fn only_the_composition_root_imports_services() {
    let graph = dependencies();
    assert!(
        SERVICES.iter().all(|service| graph.contains_key(*service)),
        "{graph:?}"
    );
    let found = offenders(&graph, |from, to| {
        SERVICES.contains(&to) && from != "selfdb"
    });
    assert_eq!(found, [""; 0]);
}

#[test]
fn the_libraries_stand_in_their_order() {
    let graph = dependencies();
    let workspace = |name: &str| graph.contains_key(name);
    let found = offenders(&graph, |from, to| match from {
        "common" => workspace(to),
        "jwt" | "pg" => workspace(to) && to != "common",
        _ => false,
    });
    assert_eq!(found, [""; 0]);
}

#[test]
fn only_pg_names_a_driver_and_the_gateway_knows_no_database() {
    let graph = dependencies();
    let found = offenders(&graph, |from, to| {
        (DRIVERS.contains(&to) && from != "pg") || (from == "gateway" && to == "pg")
    });
    assert_eq!(found, [""; 0]);
}
