//! Reads whose rows Postgres sends as they are: the JSON of each value follows from its text, so
//! that nobody has to gather the rows into one value before they are sent.

use super::negotiate::{Format, Negotiated};
use super::read::{ReadPlan, Selected, Shape, Source};
use crate::request::media_type::Nulls;
use crate::schema_cache::table::Table;

/// How rows come from Postgres.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowForm {
    /// One by one, their values as text.
    Plain,
    /// As one value, which is the body.
    Gathered,
}

/// The types of `pg_catalog` whose JSON follows from their text alone, as SQL calls them. What a
/// database defines itself may have a cast to JSON, or be made of parts.
const TYPES: [&str; 28] = [
    "bigint",
    "bit",
    "bit varying",
    "boolean",
    "bytea",
    "character",
    "character varying",
    "cidr",
    "date",
    "double precision",
    "inet",
    "integer",
    "interval",
    "json",
    "jsonb",
    "macaddr",
    "money",
    "name",
    "numeric",
    "oid",
    "real",
    "smallint",
    "text",
    "time with time zone",
    "time without time zone",
    "timestamp with time zone",
    "timestamp without time zone",
    "uuid",
];

impl RowForm {
    /// How the rows of `read`, which are of `table`, are best sent.
    pub(super) fn of(read: &ReadPlan, negotiated: &Negotiated, table: &Table) -> Self {
        let shown = matches!(
            negotiated.format,
            Format::Json | Format::Object(Nulls::Kept)
        );
        let plain = shown
            && negotiated.explain.is_none()
            && read.keyset.is_none()
            && matches!(read.source, Source::Relation(_))
            && read.entries() > 0
            && !read.is_aggregated()
            && read.embeds.iter().all(|embed| embed.shape == Shape::Nested)
            && read.select.iter().all(|selected| is_plain(selected, table));
        if plain { Self::Plain } else { Self::Gathered }
    }
}

fn is_plain(selected: &Selected, table: &Table) -> bool {
    let has_plain_type = |type_name: &str| {
        let element = type_name.strip_suffix("[]").unwrap_or(type_name);
        TYPES.contains(&without_modifier(element).as_str())
    };
    match selected {
        Selected::All => {
            let mut columns = table.columns.iter();
            columns.all(|column| has_plain_type(column.type_name.as_str()))
        }
        Selected::Column {
            column,
            cast: None,
            aggregate: None,
            ..
        } if column.shown.is_none() => {
            let known = table.column(&column.name);
            // Where a path leads is JSON or text.
            known.is_some_and(|known| {
                !column.path.is_empty() || has_plain_type(known.type_name.as_str())
            })
        }
        Selected::Column { .. } | Selected::Rows { .. } => false,
    }
}

/// `numeric(10,2)` as `numeric`, `timestamp(3) with time zone` as `timestamp with time zone`.
fn without_modifier(type_name: &str) -> String {
    match (type_name.split_once('('), type_name.split_once(')')) {
        (Some((before, _)), Some((_, after))) => format!("{before}{after}"),
        _ => type_name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modifiers_are_no_part_of_the_type() {
        for (written, name) in [
            ("integer", "integer"),
            ("numeric(10,2)", "numeric"),
            ("timestamp(3) with time zone", "timestamp with time zone"),
        ] {
            assert_eq!(without_modifier(written), name);
        }
    }
}
