//! A read whose rows are taken as they come, and kept aside until they are all there.

use pg::pipeline::{Row, RowStream};

use super::{Outcome, Prepared, statement};
use crate::access::Caller;
use crate::app::App;
use crate::error::{DatabaseError, Error};
use crate::plan::Plan;
use crate::request::ApiRequest;
use crate::schema_cache::SchemaCache;
use crate::spool::Spool;
use crate::sql::Sql;
use crate::sql::lines::columns;
use http::request::Parts;

/// Runs `lines`, which stand for `plan`'s own statement; the outcome has no body, the spool has.
/// What Postgres gives is taken as fast as it comes: a client that reads slowly holds a file, no
/// connection.
pub(crate) async fn stream(
    app: &App,
    cache: &SchemaCache,
    asked: (&Caller, &Parts),
    (request, plan): (&ApiRequest, &Plan),
    lines: Sql,
) -> Result<(Outcome, Spool), Error> {
    let caller = asked.0;
    let mut prepared = Prepared::new(app, cache, asked, request, plan);
    prepared.batch.statements.truncate(prepared.main);
    prepared.batch.statements.push(statement(lines));
    let refused = |error| DatabaseError::of_pipeline(error, caller.authenticated);
    let pipeline = app.pipeline(caller);
    let mut rows: RowStream = pipeline
        .stream(&prepared.context, &prepared.batch)
        .await
        .map_err(refused)?;
    let mut gathered = Gathered::default();
    while let Some(some) = rows.next().await.map_err(refused)? {
        for row in some.iter() {
            gathered.add(&row)?;
        }
        gathered.spool.settle().await?;
    }
    if gathered.outcome.rows == 0 {
        gathered.spool.write(b"\n");
    }
    Ok((gathered.outcome, gathered.spool))
}

#[derive(Default)]
struct Gathered {
    outcome: Outcome,
    spool: Spool,
}

impl Gathered {
    fn add(&mut self, row: &Row<'_>) -> Result<(), Error> {
        let Some(line) = row.get(columns::LINE) else {
            let text = |column| -> Result<Option<String>, Error> {
                let value = row.get(column).map(<[u8]>::to_vec).map(String::from_utf8);
                value.transpose().map_err(|_| Error::Shape("not UTF-8"))
            };
            self.outcome.headers = text(columns::HEADERS)?;
            self.outcome.status = text(columns::STATUS)?;
            return Ok(());
        };
        self.outcome.rows += 1;
        if let Some(names) = row.get(columns::NAMES) {
            self.spool.write(names);
        }
        self.spool.write(b"\n");
        self.spool.write(line);
        Ok(())
    }
}
