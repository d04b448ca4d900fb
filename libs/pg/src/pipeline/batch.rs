//! What is asked of Postgres in one go.

use std::borrow::Cow;
use std::time::Duration;

/// Statements that run in one transaction, in order. The first that fails undoes them all.
#[derive(Debug, Clone, Default)]
pub struct Batch<'a> {
    /// Whether they may write.
    pub access: Access,
    /// The transaction's isolation.
    pub isolation: Isolation,
    /// Settings of the transaction besides the request's context: `search_path`, `timezone`.
    pub settings: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// The statements.
    pub statements: Vec<Statement<'a>>,
    /// How long the whole batch may take before it is cancelled from this side; the pipeline's
    /// own deadline where `None`.
    pub deadline: Option<Duration>,
}

/// Whether a batch may write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Access {
    /// It may.
    #[default]
    ReadWrite,
    /// Postgres refuses any write (SQLSTATE 25006), also inside functions.
    ReadOnly,
}

/// What becomes of a checked batch, once its results are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It lasts.
    Commit,
    /// It is as if it had not been.
    Rollback,
}

/// Isolation of a transaction. Others than [`Isolation::ReadCommitted`] need a `begin` and a
/// `commit` of their own, which cost a round trip.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Isolation {
    /// Each statement sees what is committed when it begins.
    #[default]
    ReadCommitted,
    /// All statements see one snapshot.
    RepeatableRead,
    /// As if transactions ran one after another.
    Serializable,
}

impl Isolation {
    pub(super) fn begin(self) -> &'static str {
        match self {
            Self::ReadCommitted => "begin isolation level read committed",
            Self::RepeatableRead => "begin isolation level repeatable read",
            Self::Serializable => "begin isolation level serializable",
        }
    }
}

impl<'a> Batch<'a> {
    /// Statements that may write.
    pub fn read_write() -> Self {
        Self::default()
    }

    /// Statements that may not.
    pub fn read_only() -> Self {
        Self {
            access: Access::ReadOnly,
            ..Self::default()
        }
    }

    /// And then `statement`.
    #[must_use]
    pub fn then(mut self, statement: Statement<'a>) -> Self {
        self.statements.push(statement);
        self
    }

    /// With a setting that lasts for this transaction.
    #[must_use]
    pub fn with_setting(
        mut self,
        name: impl Into<Cow<'a, str>>,
        value: impl Into<Cow<'a, str>>,
    ) -> Self {
        self.settings.push((name.into(), value.into()));
        self
    }

    /// With an isolation.
    #[must_use]
    pub fn with_isolation(mut self, isolation: Isolation) -> Self {
        self.isolation = isolation;
        self
    }

    /// With a deadline of its own.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }
}

/// One SQL statement with `$1`, `$2`, … and their values.
#[derive(Debug, Clone)]
pub struct Statement<'a> {
    /// The text: one statement.
    pub sql: Cow<'a, str>,
    /// The values, in order.
    pub parameters: Vec<Parameter<'a>>,
}

/// A value for a statement, in Postgres' text format.
#[derive(Debug, Clone)]
pub struct Parameter<'a> {
    /// The type's OID, or 0 to let Postgres find it from the statement.
    pub type_oid: u32,
    /// The text; `None` is null.
    pub value: Option<Cow<'a, str>>,
}

impl<'a> Statement<'a> {
    /// `sql`, without values yet.
    pub fn new(sql: impl Into<Cow<'a, str>>) -> Self {
        Self {
            sql: sql.into(),
            parameters: Vec::new(),
        }
    }

    /// With the next value, its type found by Postgres.
    #[must_use]
    pub fn bind(self, value: impl Into<Cow<'a, str>>) -> Self {
        self.bind_as(0, Some(value.into()))
    }

    /// With null as the next value.
    #[must_use]
    pub fn bind_null(self) -> Self {
        self.bind_as(0, None)
    }

    /// With the next value, of the type whose OID is `type_oid`.
    #[must_use]
    pub fn bind_as(mut self, type_oid: u32, value: Option<Cow<'a, str>>) -> Self {
        self.parameters.push(Parameter { type_oid, value });
        self
    }
}
