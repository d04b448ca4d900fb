//! The second stage: a request and the schema cache as what is to be done. Pure; every name that
//! has to exist was looked up, and no SQL is written yet.

pub(crate) mod call;
pub(crate) mod embed;
pub(crate) mod field;
pub(crate) mod guard;
pub(crate) mod keyset;
pub(crate) mod mutate;
pub(crate) mod negotiate;
pub(crate) mod plain;
pub(crate) mod read;
pub(crate) mod tree;

use crate::error::{ApiError, CacheError, Error};
use crate::request::preferences::{Count, Handling, Representation, TransactionEnd};
use crate::request::select::SelectItem;
use crate::request::target::Target;
use crate::request::{Action, Answer, ApiRequest, Invocation};
use crate::schema_cache::routine::{Routine, Volatility};
use crate::schema_cache::table::Table;
use crate::schema_cache::{QualifiedName, SchemaCache};
use call::Call;
use guard::Guard;
use mutate::Mutation;
use negotiate::{Explained, Negotiated, Offer, Origin};
use plain::RowForm;
use read::ReadPlan;

/// What a request comes to.
#[derive(Debug)]
pub(crate) struct Plan {
    pub work: Work,
    pub negotiated: Negotiated,
    pub access: Access,
    pub count: Option<Count>,
    pub guard: Guard,
    pub end: TransactionEnd,
    /// Settings of the function that is called.
    pub settings: Vec<(String, String)>,
}

/// The statement to run.
#[derive(Debug)]
pub(crate) enum Work {
    Read {
        read: ReadPlan,
        answer: Answer,
        rows: RowForm,
    },
    Mutate {
        mutation: Mutation,
        read: ReadPlan,
        representation: Representation,
    },
    Call {
        call: Call,
        read: ReadPlan,
        routine: Box<Routine>,
        answer: Answer,
    },
}

/// Whether the transaction may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    ReadOnly,
    ReadWrite,
}

/// What the configuration says about plans.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// The most rows a read answers.
    pub max_rows: Option<i64>,
    pub aggregates: Aggregates,
    pub explained: Explained,
    /// How a transaction ends where the client does not choose.
    pub end: TransactionEnd,
}

/// Whether clients may ask what many rows come to, which may read all of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aggregates {
    Allowed,
    Refused,
}

impl Plan {
    /// Plans a read, a write or a call.
    pub(crate) fn new(
        request: &ApiRequest,
        cache: &SchemaCache,
        limits: Limits,
    ) -> Result<Self, Error> {
        let preferences = &request.preferences;
        if preferences.handling == Some(Handling::Strict) && !preferences.invalid.is_empty() {
            return Err(ApiError::Preferences(preferences.invalid.clone()).into());
        }
        let (work, access, negotiated) = match (&request.target, request.action) {
            (Target::Function(name), Action::Call(invocation)) => {
                call_work(request, cache, limits, name, invocation)?
            }
            (Target::Relation(name), action) => {
                let table = find_table(cache, &request.schema, name)?;
                relation_work(request, cache, limits, table, action)?
            }
            (Target::Root | Target::Function(_), _) => return Err(ApiError::Path.into()),
        };
        if let Work::Read { read, .. } = &work
            && read.keyset.is_some()
        {
            keyset::check_format(&negotiated.format)?;
        }
        let guard = Guard::of(request, &work, &negotiated)?;
        let settings = match &work {
            Work::Call { routine, .. } => routine.settings.clone(),
            Work::Read { .. } | Work::Mutate { .. } => Vec::new(),
        };
        Ok(Self {
            work,
            negotiated,
            access,
            count: preferences.count,
            guard,
            end: preferences.transaction.unwrap_or(limits.end),
            settings,
        })
    }
}

/// The table or view of that name.
pub(crate) fn find_table<'c>(
    cache: &'c SchemaCache,
    schema: &str,
    name: &str,
) -> Result<&'c Table, CacheError> {
    let qualified = QualifiedName::new(schema, name);
    cache.table(&qualified).ok_or_else(|| {
        let similar = cache.similar_table(schema, name);
        CacheError::NoTable {
            schema: schema.to_owned(),
            table: name.to_owned(),
            suggestion: similar
                .map(|table| format!("Perhaps you meant the table '{schema}.{table}'")),
        }
    })
}

fn relation_work(
    request: &ApiRequest,
    cache: &SchemaCache,
    limits: Limits,
    table: &Table,
    action: Action,
) -> Result<(Work, Access, Negotiated), Error> {
    let negotiated = negotiate(request, cache, limits, Origin::Rows(&table.name))?;
    let values = negotiated.format.values();
    if let Action::Read(answer) = action {
        let builder = tree::Builder::reading(request, cache, limits);
        let read = builder.with_values(values).build(&table.name)?;
        let rows = match answer {
            Answer::Body => RowForm::of(&read, &negotiated, table),
            Answer::HeadersOnly => RowForm::Gathered,
        };
        let work = Work::Read { read, answer, rows };
        return Ok((work, Access::ReadOnly, negotiated));
    }
    let representation = request
        .preferences
        .representation
        .unwrap_or(Representation::Minimal);
    let builder = tree::Builder::returning(request, cache, limits);
    let read = builder.with_values(values).build(&table.name)?;
    let target = mutate::Known {
        table,
        representations: &cache.representations,
    };
    let mutation = Mutation::plan(request, target, &read, representation)?;
    let work = Work::Mutate {
        mutation,
        read,
        representation,
    };
    Ok((work, Access::ReadWrite, negotiated))
}

fn call_work(
    request: &ApiRequest,
    cache: &SchemaCache,
    limits: Limits,
    name: &str,
    invocation: Invocation,
) -> Result<(Work, Access, Negotiated), Error> {
    let name = QualifiedName::new(&request.schema, name);
    let routine = call::find(cache, request, &name, invocation)?;
    let origin = if routine.returns_scalar() {
        Origin::Value(routine)
    } else {
        Origin::Rows(&routine.returns.type_name)
    };
    let negotiated = negotiate(request, cache, limits, origin)?;
    // The rows of a function that returns a table's rows are related like the table's.
    let builder = tree::Builder::calling(request, cache, limits);
    let builder = builder.with_values(negotiated.format.values());
    let read = builder.build(&routine.returns.type_name)?;
    let rows = cache.table(&routine.returns.type_name);
    let call = Call::plan(request, routine, (&read, rows));
    let (access, answer) = match invocation {
        Invocation::Read(answer) => (Access::ReadOnly, answer),
        Invocation::Post if routine.volatility == Volatility::Volatile => {
            (Access::ReadWrite, Answer::Body)
        }
        Invocation::Post => (Access::ReadOnly, Answer::Body),
    };
    let work = Work::Call {
        call,
        read,
        routine: Box::new(routine.clone()),
        answer,
    };
    Ok((work, access, negotiated))
}

fn negotiate(
    request: &ApiRequest,
    cache: &SchemaCache,
    limits: Limits,
    origin: Origin<'_>,
) -> Result<Negotiated, ApiError> {
    let offer = Offer {
        handlers: &cache.handlers,
        origin,
        whole_rows: request.query.select == [SelectItem::All],
        explained: limits.explained,
    };
    offer.negotiate(&request.accepts)
}
