//! Domains that are shown otherwise than stored: casts between a domain and `json` or `text`, which
//! Postgres itself does not apply to domains, say how its values are written and read.

use std::collections::HashMap;

use serde::Deserialize;

use super::QualifiedName;
use super::table::{Table, TypeName};

/// The functions of a domain's casts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Representation {
    /// From the domain to `json`: how answers show a value.
    pub shown: Option<QualifiedName>,
    /// From `json`: how bodies write one.
    pub from_json: Option<QualifiedName>,
    /// From `text`: how filters do.
    pub from_text: Option<QualifiedName>,
}

/// The catalogue's casts and computed columns of domains.
#[derive(Debug, Deserialize)]
pub(super) struct FoundDomains {
    casts: Vec<FoundCast>,
    computed: Vec<FoundColumn>,
}

#[derive(Debug, Deserialize)]
struct FoundCast {
    domain: TypeName,
    direction: Direction,
    function: QualifiedName,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Direction {
    Shown,
    FromJson,
    FromText,
}

/// A function of a row that returns a domain.
#[derive(Debug, Deserialize)]
struct FoundColumn {
    table: QualifiedName,
    name: String,
    domain: TypeName,
}

/// All of them, by the type of a column.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Representations {
    by_domain: HashMap<String, Representation>,
    computed: HashMap<(QualifiedName, String), TypeName>,
}

impl Representations {
    /// How values of a column, or of a function of the row, are shown and read.
    pub(crate) fn of(&self, table: &Table, column: &str) -> Option<&Representation> {
        if self.by_domain.is_empty() {
            return None;
        }
        let known = table.column(column).map(|column| &column.type_name);
        let computed = || {
            let key = (table.name.clone(), column.to_owned());
            self.computed.get(&key)
        };
        let type_name = known.or_else(computed)?;
        self.by_domain.get(type_name.as_str())
    }

    /// Whether answers show any column of `table` otherwise than it is stored.
    pub(crate) fn changes(&self, table: &Table) -> bool {
        let mut columns = table.columns.iter();
        columns.any(|column| {
            let known = self.by_domain.get(column.type_name.as_str());
            known.is_some_and(|known| known.shown.is_some())
        })
    }
}

impl From<FoundDomains> for Representations {
    fn from(found: FoundDomains) -> Self {
        let mut by_domain: HashMap<String, Representation> = HashMap::new();
        for cast in found.casts {
            let domain = cast.domain.as_str().to_owned();
            let known = by_domain.entry(domain).or_default();
            let slot = match cast.direction {
                Direction::Shown => &mut known.shown,
                Direction::FromJson => &mut known.from_json,
                Direction::FromText => &mut known.from_text,
            };
            *slot = Some(cast.function);
        }
        let computed = found.computed.into_iter();
        let computed = computed.map(|column| ((column.table, column.name), column.domain));
        Self {
            by_domain,
            computed: computed.collect(),
        }
    }
}
