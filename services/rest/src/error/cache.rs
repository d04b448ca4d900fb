//! What a request names and the schema cache lacks, or has more than once: `PGRST2xx`.

use http::StatusCode;
use serde_json::{Value, json};

use crate::request::media_type::MediaType;
use crate::schema_cache::relationship::{Cardinality, Computed, Relationship};
use crate::schema_cache::routine::Routine;

/// A name that does not lead to one thing.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum CacheError {
    #[error("Could not find a relationship between '{origin}' and '{target}' in the schema cache")]
    NoRelationship {
        origin: String,
        target: String,
        hint: Option<String>,
        schema: String,
        suggestion: Option<String>,
    },
    #[error(
        "Could not embed because more than one relationship was found for '{origin}' and '{target}'"
    )]
    AmbiguousRelationship {
        origin: String,
        target: String,
        found: Vec<Relationship>,
    },
    #[error("Could not find the function {}", .0.message())]
    NoFunction(Box<MissingFunction>),
    #[error("Could not choose the best candidate function between: {}", signatures(.0))]
    AmbiguousFunction(Vec<Routine>),
    #[error("Could not find the '{column}' column of '{table}' in the schema cache")]
    NoColumn { table: String, column: String },
    #[error("Could not find the table '{schema}.{table}' in the schema cache")]
    NoTable {
        schema: String,
        table: String,
        suggestion: Option<String>,
    },
}

/// A call that fits no function.
#[derive(Debug, Clone)]
pub(crate) struct MissingFunction {
    pub schema: String,
    pub name: String,
    /// The names of the arguments, sorted.
    pub arguments: Vec<String>,
    /// The type of the body of a call by POST.
    pub posted: Option<MediaType>,
    pub suggestion: Option<String>,
}

impl MissingFunction {
    fn takes_only_body(&self) -> bool {
        matches!(
            self.posted,
            Some(MediaType::Text | MediaType::Xml | MediaType::OctetStream)
        )
    }

    fn message(&self) -> String {
        let function = format!("{}.{}", self.schema, self.name);
        let arguments = if self.takes_only_body() {
            String::new()
        } else if self.arguments.is_empty() {
            " without parameters".to_owned()
        } else {
            format!("({})", self.arguments.join(", "))
        };
        format!("{function}{arguments} in the schema cache")
    }

    fn details(&self) -> String {
        let named = match self.arguments.as_slice() {
            [] => " without parameters".to_owned(),
            [one] => format!(" with parameter {one}"),
            more => format!(" with parameters {}", more.join(", ")),
        };
        let sought = match &self.posted {
            Some(MediaType::Text) => " with a single unnamed text parameter".to_owned(),
            Some(MediaType::Xml) => " with a single unnamed xml parameter".to_owned(),
            Some(MediaType::OctetStream) => " with a single unnamed bytea parameter".to_owned(),
            Some(MediaType::Json) => {
                format!("{named} or with a single unnamed json/jsonb parameter")
            }
            Some(_) | None => named,
        };
        format!(
            "Searched for the function {}.{}{sought}, but no matches were found in the schema cache.",
            self.schema, self.name
        )
    }
}

fn signatures(routines: &[Routine]) -> String {
    let all: Vec<String> = routines.iter().map(Routine::signature).collect();
    all.join(", ")
}

impl CacheError {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::AmbiguousRelationship { .. } | Self::AmbiguousFunction(_) => {
                StatusCode::MULTIPLE_CHOICES
            }
            Self::NoRelationship { .. } | Self::NoColumn { .. } => StatusCode::BAD_REQUEST,
            Self::NoFunction(_) | Self::NoTable { .. } => StatusCode::NOT_FOUND,
        }
    }

    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::NoRelationship { .. } => "PGRST200",
            Self::AmbiguousRelationship { .. } => "PGRST201",
            Self::NoFunction(_) => "PGRST202",
            Self::AmbiguousFunction(_) => "PGRST203",
            Self::NoColumn { .. } => "PGRST204",
            Self::NoTable { .. } => "PGRST205",
        }
    }

    pub(crate) fn details(&self) -> Option<Value> {
        match self {
            Self::NoRelationship {
                origin,
                target,
                hint,
                schema,
                ..
            } => {
                let using = hint
                    .as_ref()
                    .map_or_else(String::new, |hint| format!("' using the hint '{hint}"));
                Some(Value::from(format!(
                    "Searched for a foreign key relationship between '{origin}' and '{target}{using}' in the schema '{schema}', but no matches were found."
                )))
            }
            Self::AmbiguousRelationship { found, .. } => {
                Some(Value::Array(found.iter().map(outline).collect()))
            }
            Self::NoFunction(missing) => Some(Value::from(missing.details())),
            Self::AmbiguousFunction(_) | Self::NoColumn { .. } | Self::NoTable { .. } => None,
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::NoRelationship { suggestion, .. } | Self::NoTable { suggestion, .. } => {
                suggestion.clone()
            }
            Self::AmbiguousRelationship { target, found, .. } => {
                let choices: Vec<String> = found.iter().map(choice).collect();
                Some(format!(
                    "Try changing '{target}' to one of the following: {}. Find the desired relationship in the 'details' key.",
                    choices.join(", ")
                ))
            }
            Self::NoFunction(missing) => missing.suggestion.clone(),
            Self::AmbiguousFunction(_) => Some(
                "Try renaming the parameters or the function itself in the database so function overloading can be resolved"
                    .to_owned(),
            ),
            Self::NoColumn { .. } => None,
        }
    }
}

fn outline(relationship: &Relationship) -> Value {
    let (table, foreign) = (&relationship.table.name, &relationship.foreign_table.name);
    let list = |columns: Vec<&str>| format!("({})", columns.join(", "));
    let (cardinality, described) = match &relationship.cardinality {
        Cardinality::ManyToMany(junction) => (
            "many-to-many",
            format!(
                "{} using {}{} and {}{}",
                junction.table.name,
                junction.constraint,
                list(
                    junction
                        .source
                        .iter()
                        .map(|pair| pair.foreign.as_str())
                        .collect()
                ),
                junction.foreign_constraint,
                list(
                    junction
                        .target
                        .iter()
                        .map(|pair| pair.foreign.as_str())
                        .collect()
                ),
            ),
        ),
        Cardinality::Computed(Computed { function, .. }) => (
            if relationship.is_to_one() {
                "many-to-one"
            } else {
                "one-to-many"
            },
            format!("{}.{}({table})", function.schema, function.name),
        ),
        Cardinality::ManyToOne(key) => ("many-to-one", key.describe(table, foreign)),
        Cardinality::OneToMany(key) => ("one-to-many", key.describe(table, foreign)),
        Cardinality::OneToOne(key) => ("one-to-one", key.describe(table, foreign)),
    };
    json!({
        "cardinality": cardinality,
        "embedding": format!("{table} with {foreign}"),
        "relationship": described,
    })
}

fn choice(relationship: &Relationship) -> String {
    let by = match &relationship.cardinality {
        Cardinality::Computed(_) => return format!("'{}'", relationship.target()),
        Cardinality::ManyToMany(junction) => &junction.table.name,
        Cardinality::ManyToOne(key) | Cardinality::OneToMany(key) | Cardinality::OneToOne(key) => {
            &key.constraint
        }
    };
    format!("'{}!{by}'", relationship.foreign_table.name)
}
