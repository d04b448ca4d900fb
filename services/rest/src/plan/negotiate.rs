//! In which form the rows are answered: what the client accepts, and what Postgres can make.

use super::tree::Values;
use crate::error::ApiError;
use crate::request::media_type::{Explain, MediaType, Nulls};
use crate::schema_cache::QualifiedName;
use crate::schema_cache::media::{MediaAggregate, MediaHandlers};
use crate::schema_cache::routine::Routine;

/// The form of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    ArrayStripped,
    /// The one row as an object.
    Object(Nulls),
    Csv,
    GeoJson,
    /// The one value as it is: a function wrote it as its media type.
    Value,
    /// What an aggregate of the database makes of the rows.
    Aggregate(MediaAggregate),
}

impl Format {
    /// Domains have a form of their own in JSON only.
    pub(crate) fn values(&self) -> Values {
        match self {
            Self::Json | Self::ArrayStripped | Self::Object(_) | Self::GeoJson => {
                Values::Represented
            }
            Self::Csv | Self::Value | Self::Aggregate(_) => Values::Stored,
        }
    }
}

/// What the answer will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Negotiated {
    pub format: Format,
    /// What `Content-Type` says.
    pub media: MediaType,
    /// Where not the body itself is wanted, but how it is made.
    pub explain: Option<Explain>,
}

/// What there is to choose from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Offer<'a> {
    pub handlers: &'a MediaHandlers,
    pub origin: Origin<'a>,
    /// Whether the columns are those of the origin, as its own handlers expect.
    pub whole_rows: bool,
    pub explained: Explained,
}

/// Where the body comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Origin<'a> {
    /// Rows of this table, view or type.
    Rows(&'a QualifiedName),
    /// The one value of a function.
    Value(&'a Routine),
}

/// Whether clients may see execution plans (`PGRST_DB_PLAN_ENABLED`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Explained {
    Allowed,
    Refused,
}

impl Offer<'_> {
    /// The first of what is accepted that there is.
    pub(crate) fn negotiate(&self, accepts: &[MediaType]) -> Result<Negotiated, ApiError> {
        let chosen = accepts.iter().find_map(|media| self.choose(media));
        chosen.ok_or_else(|| {
            let names: Vec<String> = accepts.iter().map(ToString::to_string).collect();
            ApiError::MediaType(names.join(", "))
        })
    }

    fn choose(&self, accepted: &MediaType) -> Option<Negotiated> {
        let MediaType::Explain(explain) = accepted else {
            let (format, media) = self.find(accepted)?;
            return Some(Negotiated {
                format,
                media,
                explain: None,
            });
        };
        if self.explained == Explained::Refused {
            return None;
        }
        let (format, _) = self.find(&explain.shown)?;
        Some(Negotiated {
            format,
            media: accepted.clone(),
            explain: Some((**explain).clone()),
        })
    }

    /// The forms of this protocol's own media types are nobody else's; any other may come from
    /// the database instead.
    fn find(&self, media: &MediaType) -> Option<(Format, MediaType)> {
        if let MediaType::Object(nulls) = media {
            return Some((Format::Object(*nulls), media.clone()));
        }
        if *media == MediaType::ArrayStripped {
            return Some((Format::ArrayStripped, media.clone()));
        }
        let own = if self.whole_rows {
            self.of_origin(media)
        } else {
            None
        };
        own.or_else(|| aggregate(self.handlers.of_any(media)))
            .or_else(|| built_in(media))
            .or_else(|| self.as_it_is(media))
    }

    fn of_origin(&self, media: &MediaType) -> Option<(Format, MediaType)> {
        match self.origin {
            Origin::Rows(table) => aggregate(self.handlers.of_table(table, media)),
            Origin::Value(routine) => {
                let made = routine.returns.media_type()?;
                if made == MediaType::Any {
                    return Some((Format::Value, MediaType::OctetStream));
                }
                (made == *media).then_some((Format::Value, made))
            }
        }
    }

    /// Text, XML and bytes need no handler to be answered as what they are.
    fn as_it_is(&self, media: &MediaType) -> Option<(Format, MediaType)> {
        let Origin::Value(routine) = self.origin else {
            return None;
        };
        let QualifiedName { schema, name } = &routine.returns.type_name;
        let fits = matches!(
            (media, name.as_str()),
            (MediaType::Text, "text" | "varchar")
                | (MediaType::Xml, "xml")
                | (MediaType::OctetStream, "bytea")
        );
        (fits && schema == "pg_catalog").then(|| (Format::Value, media.clone()))
    }
}

fn aggregate(found: Option<&(MediaAggregate, MediaType)>) -> Option<(Format, MediaType)> {
    let (aggregate, media) = found?;
    Some((Format::Aggregate(aggregate.clone()), media.clone()))
}

fn built_in(media: &MediaType) -> Option<(Format, MediaType)> {
    let offered = [
        (MediaType::Any, Format::Json, MediaType::Json),
        (MediaType::Json, Format::Json, MediaType::Json),
        (MediaType::Csv, Format::Csv, MediaType::Csv),
        (MediaType::GeoJson, Format::GeoJson, MediaType::GeoJson),
    ];
    let found = offered.into_iter().find(|(asked, ..)| asked == media);
    found.map(|(_, format, media)| (format, media))
}
