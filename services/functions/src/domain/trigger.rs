//! When a function wants to be called: its export `triggers`.

mod filter;
mod schedule;

use serde::Deserialize;
use serde_json::Value;

pub(crate) use filter::Condition;
pub(crate) use schedule::Schedule;

/// The most triggers of one function.
const MOST: usize = 100;
const OPERATIONS: [&str; 3] = ["INSERT", "UPDATE", "DELETE"];
/// Schemas that are not users' own.
const CLOSED: [&str; 10] = [
    "auth",
    "storage",
    "realtime",
    "functions",
    "selfdb",
    "extensions",
    "vault",
    "cron",
    "net",
    "information_schema",
];

/// One way a function is called.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Trigger {
    /// By clients; with `method` where only that one is answered.
    Http {
        method: Option<String>,
    },
    Schedule {
        name: String,
        schedule: Box<Schedule>,
    },
    Database {
        schema: String,
        table: String,
        operations: Vec<String>,
        filter: Vec<Condition>,
    },
    Event(String),
    Webhook,
    Once,
}

/// A trigger that says nothing that can be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TriggerError {
    #[error("`triggers` is no list of objects with a `type`")]
    Shape,
    #[error("there are more than {MOST} triggers")]
    TooMany,
    #[error("there is no trigger of type {0:?}")]
    Kind(String),
    #[error("the trigger of type {0} lacks {1:?}")]
    Lacks(&'static str, &'static str),
    #[error("{0:?} is no schedule: {1}")]
    Cron(String, String),
    #[error("{0:?} is no time zone, such as Europe/Berlin")]
    TimeZone(String),
    #[error("{0:?} is no operation: use INSERT, UPDATE or DELETE")]
    Operation(String),
    #[error("tables of the schema {0:?} have no triggers of functions")]
    Schema(String),
    #[error("{0:?} is no filter: use column=eq.value, and commas or a list for several")]
    Filter(String),
}

#[derive(Deserialize)]
struct Written {
    r#type: String,
    method: Option<String>,
    name: Option<String>,
    #[serde(alias = "schedule")]
    cron: Option<String>,
    #[serde(alias = "timeZone", alias = "tz")]
    timezone: Option<String>,
    schema: Option<String>,
    table: Option<String>,
    #[serde(alias = "events")]
    operations: Option<Vec<String>>,
    filter: Option<Value>,
    event: Option<String>,
}

/// Reads what a module exports as `triggers`; a function that exports none is for HTTP.
pub(crate) fn read(exported: Option<&Value>) -> Result<Vec<Trigger>, TriggerError> {
    let Some(exported) = exported.filter(|value| !value.is_null()) else {
        return Ok(Vec::new());
    };
    let written: Vec<Written> = Vec::deserialize(exported).map_err(|_| TriggerError::Shape)?;
    if written.len() > MOST {
        return Err(TriggerError::TooMany);
    }
    written.into_iter().map(Trigger::of).collect()
}

impl Trigger {
    fn of(written: Written) -> Result<Self, TriggerError> {
        match written.r#type.as_str() {
            "http" => Ok(Self::Http {
                method: written.method.map(|method| method.to_uppercase()),
            }),
            "schedule" => {
                let cron = written
                    .cron
                    .ok_or(TriggerError::Lacks("schedule", "cron"))?;
                let schedule = Schedule::parse(&cron, written.timezone.as_deref())?;
                let name = written.name.unwrap_or_else(|| cron.clone());
                Ok(Self::Schedule {
                    name,
                    schedule: Box::new(schedule),
                })
            }
            "database" => Self::database(written),
            "event" => {
                let event = written.event.ok_or(TriggerError::Lacks("event", "event"))?;
                Ok(Self::Event(event_name(&event)))
            }
            "webhook" => Ok(Self::Webhook),
            "once" => Ok(Self::Once),
            other => Err(TriggerError::Kind(other.to_owned())),
        }
    }

    fn database(written: Written) -> Result<Self, TriggerError> {
        let table = written
            .table
            .ok_or(TriggerError::Lacks("database", "table"))?;
        let (schema, table) = match (written.schema, table.split_once('.')) {
            (Some(schema), _) => (schema, table),
            (None, Some((schema, table))) => (schema.to_owned(), table.to_owned()),
            (None, None) => ("public".to_owned(), table),
        };
        if CLOSED.contains(&schema.as_str()) || schema.starts_with("pg_") {
            return Err(TriggerError::Schema(schema));
        }
        let operations = written.operations.unwrap_or_default();
        let mut operations: Vec<_> = operations.iter().map(|one| one.to_uppercase()).collect();
        if operations.is_empty() || operations.iter().any(|one| one == "*") {
            operations = OPERATIONS.map(str::to_owned).to_vec();
        }
        if let Some(unknown) = operations
            .iter()
            .find(|one| !OPERATIONS.contains(&one.as_str()))
        {
            return Err(TriggerError::Operation(unknown.clone()));
        }
        Ok(Self::Database {
            schema,
            table,
            operations,
            filter: filter::read(written.filter.as_ref())?,
        })
    }
}

/// An event's name as the platform announces it: `USER_CREATED` and `auth.signup` are
/// `user.created`.
fn event_name(text: &str) -> String {
    let plain = text.trim().to_lowercase().replace([':', '-'], ".");
    match plain.as_str() {
        "signup" | "sign.up" | "user.signup" | "user.sign.up" | "user.signed.up"
        | "auth.signup" | "user_created" | "user_signup" | "user.signed_up" => {
            "user.created".to_owned()
        }
        "login" | "user.login" | "auth.login" | "user_login" | "user.signed.in" => {
            "user.signed_in".to_owned()
        }
        "upload" | "file.upload" | "storage.upload" | "file_uploaded" | "file.created"
        | "object.created" => "file.uploaded".to_owned(),
        "user.signed_in" => plain,
        other => other.replace('_', "."),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn one(trigger: &Value) -> Result<Trigger, TriggerError> {
        read(Some(&json!([trigger]))).map(|mut all| all.remove(0))
    }

    #[test]
    fn each_type_is_read() {
        assert_eq!(read(None), Ok(Vec::new()));
        let method = Some("POST".to_owned());
        assert_eq!(
            one(&json!({ "type": "http", "method": "post" })),
            Ok(Trigger::Http { method })
        );
        assert_eq!(one(&json!({ "type": "once" })), Ok(Trigger::Once));
        assert_eq!(one(&json!({ "type": "webhook" })), Ok(Trigger::Webhook));
        for event in ["USER_CREATED", "user.created", "signup", "user:signup"] {
            let read = one(&json!({ "type": "event", "event": event }));
            assert_eq!(
                read,
                Ok(Trigger::Event("user.created".to_owned())),
                "{event}"
            );
        }
        let database = one(
            &json!({ "type": "database", "table": "todos", "operations": ["insert"], "filter": "done=eq.true" }),
        );
        let Ok(Trigger::Database {
            schema,
            table,
            operations,
            filter,
        }) = database
        else {
            panic!("{database:?}");
        };
        assert_eq!((schema.as_str(), table.as_str()), ("public", "todos"));
        assert_eq!((operations, filter.len()), (vec!["INSERT".to_owned()], 1));
        assert!(matches!(
            one(&json!({ "type": "schedule", "cron": "0 9 * * mon-fri", "timezone": "Europe/Berlin" })),
            Ok(Trigger::Schedule { name, .. }) if name == "0 9 * * mon-fri"
        ));
    }

    #[test]
    fn nonsense_is_refused() {
        for nonsense in [
            json!({ "type": "moon" }),
            json!({ "type": "schedule" }),
            json!({ "type": "schedule", "cron": "every day" }),
            json!({ "type": "schedule", "cron": "* * * * *", "timezone": "Mars/Base" }),
            json!({ "type": "database" }),
            json!({ "type": "database", "table": "auth.users" }),
            json!({ "type": "database", "table": "t", "operations": ["DROP"] }),
            json!({ "type": "database", "table": "t", "filter": "done" }),
            json!({ "type": "event" }),
            json!("http"),
        ] {
            assert!(one(&nonsense).is_err(), "{nonsense}");
        }
        assert_eq!(read(Some(&json!({}))), Err(TriggerError::Shape));
    }
}
