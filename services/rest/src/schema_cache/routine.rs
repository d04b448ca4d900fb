//! Functions.

use serde::Deserialize;

use super::QualifiedName;
use super::table::TypeName;
use crate::request::media_type::MediaType;

/// A function of an exposed schema.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Routine {
    #[serde(flatten)]
    pub name: QualifiedName,
    pub description: Option<String>,
    /// The parameters that take arguments, in order.
    pub parameters: Vec<Parameter>,
    pub returns: Returned,
    pub volatility: Volatility,
    /// What the function sets for its own run, which has to hold for the whole request too.
    pub settings: Vec<(String, String)>,
}

/// A parameter.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Parameter {
    /// Empty where it has no name.
    pub name: String,
    #[serde(rename = "type")]
    pub type_name: TypeName,
    pub required: bool,
    pub variadic: bool,
}

/// What comes back.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Returned {
    pub kind: ReturnKind,
    /// Whether any number of it.
    pub set: bool,
    /// The type; a table's name where its rows are returned.
    #[serde(rename = "type")]
    pub type_name: QualifiedName,
}

/// The kind of one returned value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReturnKind {
    Void,
    Scalar,
    Composite,
}

/// What a function may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Volatility {
    Immutable,
    Stable,
    Volatile,
}

impl Returned {
    /// The media type that the domain of the one value is called like.
    pub(crate) fn media_type(&self) -> Option<MediaType> {
        let name = self.type_name.name.as_str();
        let is_media = |name: &str| match name.split_once('/') {
            Some((kind, subtype)) => {
                let fits = |part: &str, others: &str| {
                    let mut characters = part.chars();
                    let known = |one: char| one.is_ascii_alphanumeric() || others.contains(one);
                    !part.is_empty() && characters.all(known)
                };
                fits(kind, ".-") && fits(subtype, ".+-")
            }
            None => false,
        };
        let made =
            !self.set && self.kind == ReturnKind::Scalar && (name == "*/*" || is_media(name));
        made.then(|| MediaType::parse(name))
    }
}

impl Routine {
    /// One value that is no row.
    pub(crate) fn returns_scalar(&self) -> bool {
        !self.returns.set && self.returns.kind != ReturnKind::Composite
    }

    /// Any number of values that are no rows.
    pub(crate) fn returns_scalars(&self) -> bool {
        self.returns.set && self.returns.kind != ReturnKind::Composite
    }

    /// One row.
    pub(crate) fn returns_one_row(&self) -> bool {
        !self.returns.set && self.returns.kind == ReturnKind::Composite
    }

    /// `schema.name(parameter => type, …)`.
    pub(crate) fn signature(&self) -> String {
        let parameters: Vec<String> = self
            .parameters
            .iter()
            .map(|parameter| format!("{} => {}", parameter.name, parameter.type_name.as_str()))
            .collect();
        let QualifiedName { schema, name } = &self.name;
        format!("{schema}.{name}({})", parameters.join(", "))
    }
}
