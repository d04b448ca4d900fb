//! One thing a listener asked to hear of: an operation on tables, with a filter.

use serde::Serialize;

use super::filter::{Filter, FilterError};
use crate::protocol::ChangeRequest;
use crate::replication::{Change, Operation};

/// One thing a listener asked to hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The number the client knows it by. The same for the same request, so that the frames of
    /// all who asked for the same are the same.
    pub id: u32,
    /// The operation; all of them where `None`.
    pub operation: Option<Operation>,
    /// The schema, or `*`.
    pub schema: String,
    /// The table, or `*`.
    pub table: String,
    /// The conditions.
    pub filter: Filter,
    /// The columns to send; all where `None`.
    pub select: Option<Vec<String>>,
}

/// The client's request with the id it is given: what the reply to a join echoes.
#[derive(Debug, Clone, Serialize)]
pub struct BoundRequest {
    /// The number the client will know it by.
    pub id: u32,
    /// What it asked for, as it asked.
    #[serde(flatten)]
    pub request: ChangeRequest,
}

impl BoundRequest {
    /// The request with its id.
    pub fn new(request: &ChangeRequest) -> Self {
        Self {
            id: id(request),
            request: request.clone(),
        }
    }
}

/// A request that cannot be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BindingError {
    /// A filter that cannot be used.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// A filter on all tables.
    #[error("a filter needs a table")]
    FilterWithoutTable,
}

const EVERYTHING: &str = "*";

impl Binding {
    /// Reads a client's request.
    pub fn new(request: &ChangeRequest) -> Result<Self, BindingError> {
        let event = request.event.as_deref().unwrap_or(EVERYTHING);
        let operation = match event.to_ascii_uppercase().as_str() {
            EVERYTHING => None,
            "INSERT" => Some(Operation::Insert),
            "UPDATE" => Some(Operation::Update),
            "DELETE" => Some(Operation::Delete),
            // As everywhere that this protocol is spoken.
            _ => None,
        };
        let name = |text: &Option<String>, default: &str| {
            let text = text.as_deref().filter(|text| !text.is_empty());
            text.unwrap_or(default).to_owned()
        };
        let filter = Filter::parse(request.filter.as_deref().unwrap_or_default())?;
        let table = name(&request.table, EVERYTHING);
        if table == EVERYTHING && !filter.0.is_empty() {
            return Err(BindingError::FilterWithoutTable);
        }
        Ok(Self {
            id: id(request),
            operation,
            schema: name(&request.schema, "public"),
            table,
            filter,
            select: request.select.clone().filter(|columns| !columns.is_empty()),
        })
    }

    /// The table, where the binding is of a single one.
    pub fn single_table(&self) -> Option<(&str, &str)> {
        let single = self.schema != EVERYTHING && self.table != EVERYTHING;
        single.then_some((self.schema.as_str(), self.table.as_str()))
    }

    /// Whether something was asked of a table.
    pub fn concerns(&self, schema: &str, table: &str) -> bool {
        let is = |asked: &str, found: &str| asked == EVERYTHING || asked == found;
        is(&self.schema, schema) && is(&self.table, table)
    }

    /// Whether the change is what was asked for.
    pub fn matches(&self, change: &Change) -> bool {
        let relation = &change.relation;
        self.operation
            .is_none_or(|operation| operation == change.operation)
            && self.concerns(&relation.schema, &relation.table)
            && self.filter.matches(relation, change.subject())
    }
}

/// FNV-1a over the request: the same on every node and after every restart.
fn id(request: &ChangeRequest) -> u32 {
    let text = serde_json::to_string(request).unwrap_or_default();
    text.bytes().fold(0x811c_9dc5, |hash: u32, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_with_their_defaults() {
        let request = ChangeRequest::default();
        let binding = Binding::new(&request).expect("a binding");
        assert_eq!(
            (binding.schema.as_str(), binding.table.as_str()),
            ("public", "*")
        );
        assert_eq!(binding.operation, None);
        assert_eq!(binding.single_table(), None);
        let other = ChangeRequest {
            event: Some("insert".to_owned()),
            table: Some("todos".to_owned()),
            ..request.clone()
        };
        let binding = Binding::new(&other).expect("a binding");
        assert_eq!(binding.operation, Some(Operation::Insert));
        assert_eq!(binding.single_table(), Some(("public", "todos")));
        assert_ne!(binding.id, id(&request));
    }

    #[test]
    fn what_cannot_be_served_is_refused() {
        let filter = ChangeRequest {
            filter: Some("id=eq.1".to_owned()),
            ..ChangeRequest::default()
        };
        assert_eq!(Binding::new(&filter), Err(BindingError::FilterWithoutTable));
    }
}
