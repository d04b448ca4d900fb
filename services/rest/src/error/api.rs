//! Requests that cannot be answered as they are: `PGRST1xx`.

use http::StatusCode;

/// What is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ApiError {
    #[error("{message}")]
    Query { message: String, details: String },
    #[error("Cannot use the {0} method on RPC")]
    CallMethod(String),
    #[error("{0}")]
    Body(String),
    #[error("Requested range not satisfiable")]
    Range(RangeError),
    #[error("Filters must include all and only primary key columns with 'eq' operators")]
    UpsertFilters,
    #[error("Invalid schema: {name}")]
    Schema { name: String, exposed: String },
    #[error("None of these media types are available: {0}")]
    MediaType(String),
    #[error("'{0}' is not an embedded resource in this request")]
    NotEmbedded(String),
    #[error(
        "response.headers guc must be a JSON array composed of objects with a single key and a string value"
    )]
    ResponseHeaders,
    #[error("response.status guc must be a valid status code")]
    ResponseStatus,
    #[error("limit/offset querystring parameters are not allowed for PUT")]
    UpsertRange,
    #[error("Payload values do not match URL in primary key column(s)")]
    UpsertKey,
    #[error("Cannot coerce the result to a single JSON object")]
    NotSingular { rows: i64 },
    #[error("Unsupported HTTP method: {0}")]
    Method(String),
    #[error("A related order on '{target}' is not possible")]
    RelatedOrder { origin: String, target: String },
    #[error("Bad operator on the '{0}' embedded resource")]
    EmbedFilter(String),
    #[error("Could not parse JSON in the \"RAISE SQLSTATE 'PGRST'\" error")]
    Raise { details: String, hint: &'static str },
    #[error("Invalid preferences given with handling=strict")]
    Preferences(Vec<String>),
    #[error("Query result exceeds max-affected preference constraint")]
    MaxAffected { rows: i64 },
    #[error("Invalid path specified in request URL")]
    Path,
    #[error(
        "Function must return SETOF or TABLE when max-affected preference is used with handling=strict"
    )]
    MaxAffectedCall,
    #[error("Use of aggregate functions is not allowed")]
    AggregatesNotAllowed,
    #[error("Feature not implemented")]
    NotImplemented(&'static str),
    /// The configuration has the description of the API off.
    #[error("Root endpoint metadata is disabled")]
    DescriptionDisabled,
}

/// Why a range holds no rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RangeError {
    NegativeLimit,
    LowerAboveUpper,
    OutOfBounds { offset: i64, total: i64 },
}

impl ApiError {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::CallMethod(_) | Self::UpsertFilters | Self::Method(_) => {
                StatusCode::METHOD_NOT_ALLOWED
            }
            Self::Range(_) => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::Schema { .. } | Self::MediaType(_) | Self::NotSingular { .. } => {
                StatusCode::NOT_ACCEPTABLE
            }
            Self::ResponseHeaders | Self::ResponseStatus | Self::Raise { .. } => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            Self::Path | Self::DescriptionDisabled => StatusCode::NOT_FOUND,
            Self::Query { .. }
            | Self::Body(_)
            | Self::NotEmbedded(_)
            | Self::UpsertRange
            | Self::UpsertKey
            | Self::RelatedOrder { .. }
            | Self::EmbedFilter(_)
            | Self::Preferences(_)
            | Self::MaxAffected { .. }
            | Self::MaxAffectedCall
            | Self::AggregatesNotAllowed
            | Self::NotImplemented(_) => StatusCode::BAD_REQUEST,
        }
    }

    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Query { .. } => "PGRST100",
            Self::CallMethod(_) => "PGRST101",
            Self::Body(_) => "PGRST102",
            Self::Range(_) => "PGRST103",
            Self::UpsertFilters => "PGRST105",
            Self::Schema { .. } => "PGRST106",
            Self::MediaType(_) => "PGRST107",
            Self::NotEmbedded(_) => "PGRST108",
            Self::ResponseHeaders => "PGRST111",
            Self::ResponseStatus => "PGRST112",
            Self::UpsertRange => "PGRST114",
            Self::UpsertKey => "PGRST115",
            Self::NotSingular { .. } => "PGRST116",
            Self::Method(_) => "PGRST117",
            Self::RelatedOrder { .. } => "PGRST118",
            Self::EmbedFilter(_) => "PGRST120",
            Self::Raise { .. } => "PGRST121",
            Self::Preferences(_) => "PGRST122",
            Self::AggregatesNotAllowed => "PGRST123",
            Self::MaxAffected { .. } => "PGRST124",
            Self::Path => "PGRST125",
            Self::DescriptionDisabled => "PGRST126",
            Self::NotImplemented(_) => "PGRST127",
            Self::MaxAffectedCall => "PGRST128",
        }
    }

    pub(crate) fn details(&self) -> Option<String> {
        match self {
            Self::Query { details, .. } | Self::Raise { details, .. } => Some(details.clone()),
            Self::Range(error) => Some(error.details()),
            Self::NotSingular { rows } => Some(format!("The result contains {rows} rows")),
            Self::RelatedOrder { origin, target } => Some(format!(
                "'{origin}' and '{target}' do not form a many-to-one or one-to-one relationship"
            )),
            Self::NotImplemented(feature) => Some((*feature).to_owned()),
            Self::EmbedFilter(_) => Some(
                "Only is null or not is null filters are allowed on embedded resources".to_owned(),
            ),
            Self::Preferences(invalid) => {
                Some(format!("Invalid preferences: {}", invalid.join(", ")))
            }
            Self::MaxAffected { rows } => Some(format!("The query affects {rows} rows")),
            Self::CallMethod(_)
            | Self::Body(_)
            | Self::UpsertFilters
            | Self::Schema { .. }
            | Self::MediaType(_)
            | Self::NotEmbedded(_)
            | Self::ResponseHeaders
            | Self::ResponseStatus
            | Self::UpsertRange
            | Self::UpsertKey
            | Self::Method(_)
            | Self::Path
            | Self::MaxAffectedCall
            | Self::AggregatesNotAllowed
            | Self::DescriptionDisabled => None,
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::NotEmbedded(resource) => Some(format!(
                "Verify that '{resource}' is included in the 'select' query parameter."
            )),
            Self::Schema { exposed, .. } => {
                Some(format!("Only the following schemas are exposed: {exposed}"))
            }
            Self::Raise { hint, .. } => Some((*hint).to_owned()),
            Self::Query { .. }
            | Self::CallMethod(_)
            | Self::Body(_)
            | Self::Range(_)
            | Self::UpsertFilters
            | Self::MediaType(_)
            | Self::ResponseHeaders
            | Self::ResponseStatus
            | Self::UpsertRange
            | Self::UpsertKey
            | Self::NotSingular { .. }
            | Self::Method(_)
            | Self::RelatedOrder { .. }
            | Self::EmbedFilter(_)
            | Self::Preferences(_)
            | Self::MaxAffected { .. }
            | Self::Path
            | Self::MaxAffectedCall
            | Self::AggregatesNotAllowed
            | Self::DescriptionDisabled
            | Self::NotImplemented(_) => None,
        }
    }
}

impl RangeError {
    fn details(self) -> String {
        match self {
            Self::NegativeLimit => "Limit should be greater than or equal to zero.".to_owned(),
            Self::LowerAboveUpper => "The lower boundary must be lower than or equal to the upper boundary in the Range header.".to_owned(),
            Self::OutOfBounds { offset, total } => format!(
                "An offset of {offset} was requested, but there are only {total} rows."
            ),
        }
    }
}
