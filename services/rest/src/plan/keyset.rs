//! Pages that begin after a row: `after=`.

use super::field::Column;
use super::negotiate::Format;
use super::read::{Order, ReadPlan};
use crate::error::KeysetError;
use crate::request::ApiRequest;
use crate::request::bookmark::Bookmark;
use crate::request::order::{Direction, Nulls};
use crate::schema_cache::table::Table;

/// A total order of rows, and where in it the page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Keyset {
    /// Never empty; the last ones are the primary key.
    pub terms: Vec<Term>,
    /// The values of the row to begin after, one for each term; `None` at the first page.
    pub after: Option<Vec<Option<String>>>,
    /// What the order is of, and its terms: a cursor of another one is of no use here.
    pub order: String,
}

/// One term of the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Term {
    pub column: Column,
    pub descending: bool,
    pub nulls_first: bool,
    /// Whether its values may be null.
    pub nullable: bool,
}

impl Keyset {
    /// The keyset of a read of `table`, and its order in full; `None` without `after`.
    pub(super) fn of(
        request: &ApiRequest,
        table: Option<&Table>,
        read: &ReadPlan,
    ) -> Result<Option<Self>, KeysetError> {
        let Some(after) = &request.query.after else {
            return Ok(None);
        };
        // A view may show a row of its key's table many times.
        let keyed = |table: &&Table| !table.primary_key.is_empty() && !table.is_view;
        let table = table.filter(keyed);
        let table = table.ok_or(KeysetError::NoKey)?;
        if request.range.offset > 0 {
            return Err(KeysetError::Combined("an offset"));
        }
        if read.is_aggregated() {
            return Err(KeysetError::Combined("aggregates"));
        }
        let mut terms = Vec::new();
        for order in &read.order {
            if order.embed.is_some() {
                return Err(KeysetError::Combined("an order by an embedded resource"));
            }
            terms.push(Term::of(order, table));
        }
        // In one direction an index can follow the whole order.
        let descending = !terms.is_empty() && terms.iter().all(|term| term.descending);
        for name in &table.primary_key {
            let is_it = |term: &Term| term.column.name == *name && term.column.path.is_empty();
            if !terms.iter().any(is_it) {
                terms.push(Term::of_key(name, descending));
            }
        }
        let order = description(table, &terms);
        let after = match after.as_str() {
            "" => None,
            text => {
                let bookmark = Bookmark::decode(text).ok_or(KeysetError::Unreadable)?;
                let fits = bookmark.order == order && bookmark.values.len() == terms.len();
                Some(fits.then_some(bookmark.values).ok_or(KeysetError::Other)?)
            }
        };
        Ok(Some(Self {
            terms,
            after,
            order,
        }))
    }

    /// The order in full.
    pub(super) fn ordered(&self) -> Vec<Order> {
        let terms = self.terms.iter();
        let terms = terms.map(|term| Order {
            embed: None,
            column: term.column.clone(),
            direction: Some(if term.descending {
                Direction::Descending
            } else {
                Direction::Ascending
            }),
            nulls: term.nullable.then_some(if term.nulls_first {
                Nulls::First
            } else {
                Nulls::Last
            }),
        });
        terms.collect()
    }

    /// Whether the rows after a row are those whose terms, as one value, are greater: or less,
    /// where [`Term::descending`].
    pub(crate) fn is_uniform(&self) -> bool {
        let mut terms = self.terms.iter();
        let first = terms.next().map(|term| term.descending);
        let plain = |term: &Term| !term.nullable && Some(term.descending) == first;
        self.terms.iter().all(plain)
    }

    /// The cursor of the page after the one that ended with `values`, a JSON list of texts.
    pub(crate) fn next(&self, values: &str) -> Result<String, KeysetError> {
        let values = serde_json::from_str(values).map_err(|_| KeysetError::Unreadable)?;
        let order = self.order.clone();
        let bookmark = Bookmark { order, values };
        bookmark.encode().ok_or(KeysetError::TooLong)
    }
}

impl Term {
    fn of(order: &Order, table: &Table) -> Self {
        let descending = order.direction == Some(Direction::Descending);
        let known = table.column(&order.column.name);
        Self {
            column: order.column.clone(),
            descending,
            nulls_first: order
                .nulls
                .map_or(descending, |nulls| nulls == Nulls::First),
            nullable: !order.column.path.is_empty() || known.is_none_or(|column| column.nullable),
        }
    }

    fn of_key(name: &str, descending: bool) -> Self {
        Self {
            column: Column {
                name: name.to_owned(),
                path: Vec::new(),
                to_jsonb: false,
                shown: None,
            },
            descending,
            nulls_first: false,
            nullable: false,
        }
    }
}

fn description(table: &Table, terms: &[Term]) -> String {
    let terms: Vec<_> = terms
        .iter()
        .map(|term| (&term.column, term.descending, term.nulls_first))
        .collect();
    let whole = format!("{}.{} {terms:?}", table.name.schema, table.name.name);
    crate::idempotency::digest([whole.as_bytes()])
        .chars()
        .take(16)
        .collect()
}

/// Cursors are for rows as JSON.
pub(super) fn check_format(format: &Format) -> Result<(), KeysetError> {
    if matches!(
        format,
        Format::Json | Format::ArrayStripped | Format::Object(_)
    ) {
        return Ok(());
    }
    Err(KeysetError::Combined("this media type"))
}
