//! Relationships of views: a view that shows the columns of a key has the key.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::QualifiedName;
use super::foreign_key::ForeignKey;
use super::relationship::ColumnPair;

/// A column of a view that is a column of a table.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct ViewColumn {
    pub view: QualifiedName,
    pub column: String,
    pub table: QualifiedName,
    /// The column of the table.
    pub origin: String,
    /// How many columns the table's primary key has, where this is one of them.
    pub key: Option<usize>,
}

/// By table and view: which column of the view each column of the table is.
type Shown<'v> = BTreeMap<&'v QualifiedName, BTreeMap<&'v QualifiedName, Names<'v>>>;
type Names<'v> = BTreeMap<&'v str, &'v str>;

/// The keys of `keys`, each also between the views that show all of its columns.
pub(super) fn with_views<'f>(
    keys: &[&ForeignKey],
    columns: impl Iterator<Item = &'f ViewColumn>,
) -> Vec<ForeignKey> {
    let mut shown = Shown::new();
    for column in columns {
        let views = shown.entry(&column.table).or_default();
        let names = views.entry(&column.view).or_default();
        // Of a column that a view shows twice the first one counts.
        names.entry(&column.origin).or_insert(&column.column);
    }
    let mut all = Vec::with_capacity(keys.len());
    for key in keys {
        let own = ends(&shown, &key.table, key, |pair| &pair.own);
        let foreign = ends(&shown, &key.foreign_table, key, |pair| &pair.foreign);
        for (table, own) in &own {
            for (foreign_table, foreign) in &foreign {
                let pairs = own.iter().zip(foreign);
                all.push(ForeignKey {
                    constraint: key.constraint.clone(),
                    table: table.clone(),
                    foreign_table: foreign_table.clone(),
                    columns: pairs
                        .map(|(own, foreign)| ColumnPair {
                            own: own.clone(),
                            foreign: foreign.clone(),
                        })
                        .collect(),
                    unique: key.unique,
                });
            }
        }
    }
    all
}

/// The primary key of each view: those of its tables that it shows all of.
pub(super) fn primary_keys<'f>(
    columns: impl Iterator<Item = &'f ViewColumn>,
) -> BTreeMap<&'f QualifiedName, Vec<String>> {
    let mut parts: BTreeMap<_, (usize, Names<'_>)> = BTreeMap::new();
    for column in columns {
        if let Some(size) = column.key {
            let place = (&column.view, &column.table);
            let (_, names) = parts.entry(place).or_insert((size, Names::new()));
            names.entry(&column.origin).or_insert(&column.column);
        }
    }
    let mut keys: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for ((view, _), (size, names)) in parts {
        if names.len() == size {
            let names = names.into_values().map(str::to_owned);
            keys.entry(view).or_default().extend(names);
        }
    }
    keys
}

/// The table at one end of `key` and the views that show it, with their names of its columns.
fn ends(
    shown: &Shown<'_>,
    table: &QualifiedName,
    key: &ForeignKey,
    side: impl Fn(&ColumnPair) -> &String,
) -> Vec<(QualifiedName, Vec<String>)> {
    let own = key.columns.iter().map(|pair| side(pair).clone()).collect();
    let mut ends = vec![(table.clone(), own)];
    for (view, names) in shown.get(table).into_iter().flatten() {
        let columns = key.columns.iter();
        let columns =
            columns.map(|pair| names.get(side(pair).as_str()).map(|&name| name.to_owned()));
        if let Some(columns) = columns.collect::<Option<Vec<String>>>() {
            ends.push(((*view).clone(), columns));
        }
    }
    ends
}
