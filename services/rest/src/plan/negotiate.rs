//! In which form the rows are answered.

use crate::request::media_type::{MediaType, Nulls};

/// The form of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    ArrayStripped,
    /// The one row as an object.
    Object(Nulls),
    Csv,
}

impl Format {
    /// The form that `media` asks for, where there is one.
    pub(crate) fn of(media: &MediaType) -> Option<Self> {
        match media {
            MediaType::Any | MediaType::Json => Some(Self::Json),
            MediaType::Object(nulls) => Some(Self::Object(*nulls)),
            MediaType::ArrayStripped => Some(Self::ArrayStripped),
            MediaType::Csv => Some(Self::Csv),
            MediaType::OpenApi
            | MediaType::UrlEncoded
            | MediaType::Text
            | MediaType::Xml
            | MediaType::OctetStream
            | MediaType::Other(_) => None,
        }
    }

    /// The media type of the body.
    pub(crate) fn media_type(self) -> MediaType {
        match self {
            Self::Json => MediaType::Json,
            Self::ArrayStripped => MediaType::ArrayStripped,
            Self::Object(nulls) => MediaType::Object(nulls),
            Self::Csv => MediaType::Csv,
        }
    }
}
