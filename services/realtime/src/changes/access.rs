//! Who may see which change. Postgres decides, in the listener's role with its claims, by
//! evaluating the table's own policies on the row as the log has it: so a row that was changed or
//! deleted since is decided as well as any, and deletes are decided by the row that was deleted.
//! Where a policy reads a column that the log does not tell, the answer is no.

mod topics;

use std::collections::HashMap;
use std::num::{NonZeroU8, NonZeroUsize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jwt::Identity;
use lru::LruCache;
use pg::pipeline::{Pipeline, PipelineError, PipelineOptions};
use pg::sqlx::{self, Postgres, Transaction};
use pg::{AccessPools, Endpoint, PoolOptions, RequestContext, roles, sqlstate};
use tokio::time::Instant;

use super::plan::{AccessPlan, Question, RowRule};
use crate::replication::{Change, Relation, Row};
use crate::store::access::{self as store, Command};
use crate::store::columns::{self, ReadableColumn};

/// How long a plan is believed. A change of the table's policies or grants comes with a new
/// description of the table and is seen at once; this is for changes of roles and schemas.
const PLAN_LIFETIME: Duration = Duration::from_secs(5);
/// A plan that is in use is read again before its time is over, while it is still believed.
const PLAN_RENEWAL: Duration = Duration::from_secs(3);
/// How long a policy may think: other listeners wait for it.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(3);
const APPLICATION: &str = "selfdb-realtime";
const MAX_PLANS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1023);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[error("policies could not be evaluated")]
pub struct AccessError(#[from] sqlx::Error);

impl AccessError {
    /// Whether Postgres is away and the question can be asked again.
    pub fn is_unavailable(&self) -> bool {
        pg::is_unavailable(&self.0)
    }

    /// Whether the role may not do this at all, or is no role that a request can have.
    fn is_refusal(&self) -> bool {
        let code = sqlstate::of(&self.0);
        matches!(code.as_deref(), Some("42501" | "42704" | "22023" | "28000"))
    }
}

/// What one listener may see of some changes of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Nothing: its role has no privilege for any column.
    Unauthorized,
    /// The marked columns.
    Columns {
        /// For each column of the table, whether the role may read it.
        readable: Arc<[bool]>,
        /// Those of them that are in the primary key.
        key: Arc<[bool]>,
        /// For each change asked about, how much of it may be seen.
        sights: Vec<Sight>,
    },
}

/// How much of a change may be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// Nothing.
    Nothing,
    /// The new row. Of the row that it replaced, which may have been somebody else's, no more than
    /// the primary key.
    NewRow,
    /// All of it.
    Everything,
}

struct CachedPlan {
    relation: Arc<Relation>,
    plan: Arc<AccessPlan>,
    read_at: Instant,
    /// Whether it is being read again.
    renewing: bool,
}

/// A table's oid, and a role.
type PlanKey = (u32, String);

/// Asks Postgres who may see what.
pub struct Access {
    reader: Arc<Reader>,
    /// For the questions about rows: one round trip each.
    user: Pipeline,
    service: Pipeline,
}

/// Reads plans and keeps them.
struct Reader {
    pools: AccessPools,
    plans: Mutex<LruCache<PlanKey, CachedPlan>>,
}

impl Access {
    /// Asks as two logins, one for users and one for the service's own role, through at most so
    /// many connections of each kind. The error is a TLS configuration that cannot be used.
    pub fn new(
        user: &Endpoint,
        service: &Endpoint,
        connections: NonZeroU8,
    ) -> Result<Self, PipelineError> {
        let options = PoolOptions::new(APPLICATION, connections.get().into());
        let asking = PipelineOptions::new(APPLICATION, connections.into());
        Ok(Self {
            reader: Arc::new(Reader {
                pools: AccessPools::new(user, service, &options),
                plans: Mutex::new(LruCache::new(MAX_PLANS)),
            }),
            user: Pipeline::new(user.clone(), asking.clone())?,
            service: Pipeline::new(service.clone(), asking)?,
        })
    }

    /// Decides over `changes` of one table.
    pub async fn decide(
        &self,
        relation: &Arc<Relation>,
        identity: &Identity,
        changes: &[&Change],
    ) -> Result<Answer, AccessError> {
        match self.decide_in_role(relation, identity, changes).await {
            Err(error) if error.is_refusal() => Ok(Answer::Unauthorized),
            decided => decided,
        }
    }

    async fn decide_in_role(
        &self,
        relation: &Arc<Relation>,
        identity: &Identity,
        changes: &[&Change],
    ) -> Result<Answer, AccessError> {
        let plan = self.reader.plan(relation, identity).await?;
        let marked = |names: &[String]| -> Arc<[bool]> {
            let columns = relation.columns.iter();
            let found = columns
                .map(|column| plan.columns.contains(&column.name) && names.contains(&column.name));
            found.collect()
        };
        let readable = marked(&plan.columns);
        if !readable.contains(&true) {
            return Ok(Answer::Unauthorized);
        }
        let sights = match &plan.rows {
            RowRule::All => vec![Sight::Everything; changes.len()],
            RowRule::None => vec![Sight::Nothing; changes.len()],
            RowRule::Ask(question) => self.sights(relation, identity, question, changes).await?,
        };
        Ok(Answer::Columns {
            readable,
            key: marked(&plan.primary_key),
            sights,
        })
    }

    /// Asks about the row that each change is about, and about those that updates replaced.
    async fn sights(
        &self,
        relation: &Relation,
        identity: &Identity,
        question: &Question,
        changes: &[&Change],
    ) -> Result<Vec<Sight>, AccessError> {
        let subjects = changes.iter().map(|change| change.subject());
        let replaced = changes.iter().filter_map(|change| change.replaced());
        let rows: Vec<&Row> = subjects.chain(replaced).collect();
        let mut answers = self.ask(relation, identity, question, &rows).await?;
        let mut replaced = answers.split_off(changes.len()).into_iter();
        let sights = changes.iter().zip(answers).map(|(change, visible)| {
            // One answer is taken for each update, whatever it is.
            let whole = change.replaced().is_none() || replaced.next() == Some(true);
            match (visible, whole) {
                (false, _) => Sight::Nothing,
                (true, false) => Sight::NewRow,
                (true, true) => Sight::Everything,
            }
        });
        Ok(sights.collect())
    }

    /// Forgets what is known of a role's access to a table.
    pub fn forget(&self, relation: &Relation, identity: &Identity) {
        let key = (relation.oid, identity.role.clone());
        self.reader.plans().pop(&key);
    }

    /// Rows that are alike in what the policies read are asked about once.
    async fn ask(
        &self,
        relation: &Relation,
        identity: &Identity,
        question: &Question,
        rows: &[&Row],
    ) -> Result<Vec<bool>, AccessError> {
        let mut places = HashMap::new();
        let mut subjects = Vec::new();
        let of_row: Vec<Option<usize>> = rows
            .iter()
            .map(|row| {
                let subject = question.subject(relation, row)?;
                let place = places
                    .entry(subject)
                    .or_insert_with_key(|subject: &String| {
                        subjects.push(subject.clone());
                        subjects.len() - 1
                    });
                Some(*place)
            })
            .collect();
        if subjects.is_empty() {
            return Ok(vec![false; rows.len()]);
        }
        let json = format!("[{}]", subjects.join(","));
        let answers = self.answers(identity, &question.query, &json).await?;
        metrics::counter!("selfdb_realtime_policy_queries_total").increment(1);
        let answer = |place: Option<usize>| place.and_then(|place| answers.get(place).copied());
        Ok(of_row
            .into_iter()
            .map(|place| answer(place) == Some(true))
            .collect())
    }

    async fn answers(
        &self,
        identity: &Identity,
        query: &str,
        rows: &str,
    ) -> Result<Vec<bool>, AccessError> {
        let pipeline = if identity.role == roles::SERVICE_ROLE {
            &self.service
        } else {
            &self.user
        };
        let context = context(identity);
        if let Some(answers) = store::ask_at_once(pipeline, &context, query, rows).await? {
            return Ok(answers);
        }
        let mut transaction = self.begin(identity).await?;
        let answers = store::ask(&mut transaction, query, rows).await?;
        transaction.rollback().await?;
        Ok(answers)
    }

    /// The columns of a table that `identity` may read; `None` where there is no such table.
    pub async fn readable_columns(
        &self,
        identity: &Identity,
        schema: &str,
        table: &str,
    ) -> Result<Option<Vec<ReadableColumn>>, AccessError> {
        let mut transaction = self.begin(identity).await?;
        let columns = columns::readable(&mut transaction, schema, table).await?;
        transaction.rollback().await?;
        Ok(columns)
    }

    /// Whether a publication has a table of this schema and name, either of which may be `*`.
    pub async fn is_published(
        &self,
        identity: &Identity,
        asked: (&str, &str, &str),
    ) -> Result<bool, AccessError> {
        let mut transaction = self.begin(identity).await?;
        let found = columns::is_published(&mut transaction, asked).await?;
        transaction.rollback().await?;
        Ok(found)
    }

    async fn begin(
        &self,
        identity: &Identity,
    ) -> Result<Transaction<'static, Postgres>, AccessError> {
        Ok(self.reader.pools.begin(&context(identity)).await?)
    }
}

impl Reader {
    fn plans(&self) -> MutexGuard<'_, LruCache<PlanKey, CachedPlan>> {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn plan(
        self: &Arc<Self>,
        relation: &Arc<Relation>,
        identity: &Identity,
    ) -> Result<Arc<AccessPlan>, AccessError> {
        let key = (relation.oid, identity.role.clone());
        match self.cached(&key, relation) {
            Some((plan, Renewal::Due)) => {
                let (reader, relation) = (Arc::clone(self), Arc::clone(relation));
                let context = context(identity);
                // Where that fails the plan's time ends, and it is read anew.
                tokio::spawn(async move { reader.read(&relation, &context).await });
                Ok(plan)
            }
            Some((plan, Renewal::NotDue)) => Ok(plan),
            None => self.read(relation, &context(identity)).await,
        }
    }

    async fn read(
        &self,
        relation: &Arc<Relation>,
        context: &RequestContext,
    ) -> Result<Arc<AccessPlan>, AccessError> {
        let read_at = Instant::now();
        let mut transaction = self.pools.begin(context).await?;
        let oid = i64::from(relation.oid);
        let plan = Arc::new(read_plan(&mut transaction, oid, Command::Select).await?);
        transaction.rollback().await?;
        let cached = CachedPlan {
            relation: Arc::clone(relation),
            plan: Arc::clone(&plan),
            read_at,
            renewing: false,
        };
        let key = (relation.oid, context.role.clone());
        self.plans().put(key, cached);
        Ok(plan)
    }

    fn cached(
        &self,
        key: &PlanKey,
        relation: &Arc<Relation>,
    ) -> Option<(Arc<AccessPlan>, Renewal)> {
        let mut plans = self.plans();
        let cached = plans.get_mut(key)?;
        let age = cached.read_at.elapsed();
        if !Arc::ptr_eq(&cached.relation, relation) || age >= PLAN_LIFETIME {
            return None;
        }
        let due = age >= PLAN_RENEWAL && !cached.renewing;
        cached.renewing |= due;
        let renewal = if due { Renewal::Due } else { Renewal::NotDue };
        Some((Arc::clone(&cached.plan), renewal))
    }
}

/// Whether a plan is to be read again.
enum Renewal {
    Due,
    NotDue,
}

fn context(identity: &Identity) -> RequestContext {
    RequestContext::new(&*identity.role, Arc::clone(&identity.claims_json))
        .with_statement_timeout(STATEMENT_TIMEOUT)
}

async fn read_plan(
    transaction: &mut Transaction<'static, Postgres>,
    oid: i64,
    command: Command,
) -> Result<AccessPlan, AccessError> {
    let Some(rights) = store::table_rights(transaction, oid, command).await? else {
        return Ok(AccessPlan::NOTHING);
    };
    let policies = if rights.guarded {
        store::policies(transaction, oid, command).await?
    } else {
        Vec::new()
    };
    Ok(AccessPlan::new(rights, &policies))
}
