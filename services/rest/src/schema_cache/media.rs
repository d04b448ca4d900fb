//! Media types that the database makes itself: aggregates that return a domain called like one.

use std::collections::HashMap;

use serde::Deserialize;

use super::QualifiedName;
use crate::request::media_type::MediaType;

/// An aggregate that makes a body of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MediaAggregate {
    pub function: QualifiedName,
    /// The table whose rows it takes; `None` for those of any.
    pub table: Option<QualifiedName>,
}

/// An aggregate as the catalogue has it.
#[derive(Debug, Deserialize)]
pub(super) struct FoundAggregate {
    function: QualifiedName,
    table: Option<QualifiedName>,
    /// The name of the domain: `image/png`, or `*/*` for whatever is asked for.
    media: String,
}

/// Every such aggregate, by whose rows it takes and what it makes of them.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct MediaHandlers(HashMap<Key, (MediaAggregate, MediaType)>);

type Key = (Option<QualifiedName>, MediaType);

impl MediaHandlers {
    /// What makes `media` of the rows of `table` and of no other: first what makes anything.
    pub(crate) fn of_table(
        &self,
        table: &QualifiedName,
        media: &MediaType,
    ) -> Option<&(MediaAggregate, MediaType)> {
        let find = |media| self.0.get(&(Some(table.clone()), media));
        find(MediaType::Any).or_else(|| find(media.clone()))
    }

    /// What makes `media` of any rows.
    pub(crate) fn of_any(&self, media: &MediaType) -> Option<&(MediaAggregate, MediaType)> {
        self.0.get(&(None, media.clone()))
    }
}

impl FromIterator<FoundAggregate> for MediaHandlers {
    fn from_iter<I: IntoIterator<Item = FoundAggregate>>(found: I) -> Self {
        let found = found.into_iter().map(|found| {
            let media = MediaType::parse(&found.media);
            let aggregate = MediaAggregate {
                function: found.function,
                table: found.table.clone(),
            };
            // What can be anything says itself what it is, or is just bytes.
            let shown = if media == MediaType::Any {
                MediaType::OctetStream
            } else {
                media.clone()
            };
            ((found.table, media), (aggregate, shown))
        });
        Self(found.collect())
    }
}
