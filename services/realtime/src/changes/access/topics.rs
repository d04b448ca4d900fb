//! Who may hear and send what in private topics: the policies on `realtime.messages`.

use jwt::Identity;
use pg::sqlx;

use super::{Access, AccessError, read_plan};
use crate::broadcast::EVENTS_TOPIC;
use crate::changes::plan::{AccessPlan, RowRule};
use crate::channel::rights::Rights;
use crate::protocol::join::ReplayRequest;
use crate::store::access::{self as store, Command};
use crate::store::messages::{self, Replayed};

/// How many messages are told again, unless asked otherwise, and at most.
const REPLAYED: i64 = 10;
const MOST_REPLAYED: i64 = 25;
/// The year 9999, in milliseconds since 1970.
const LATEST_MS: i64 = 253_370_764_800_000;

/// What one command's policies let through, by extension.
struct Allowed {
    broadcast: bool,
    presence: bool,
    persistence: bool,
}

impl Allowed {
    fn all(allowed: bool) -> Self {
        Self {
            broadcast: allowed,
            presence: allowed,
            persistence: allowed,
        }
    }
}

impl Access {
    /// What `identity` may do in the private topic `topic`: the policies on `realtime.messages`,
    /// select for hearing and insert for sending, each asked with `extension` `broadcast` and
    /// `presence`; insert with `persistence` too, for what is to be kept.
    pub async fn rights(&self, identity: &Identity, topic: &str) -> Result<Rights, AccessError> {
        if topic == EVENTS_TOPIC {
            return Ok(Rights {
                read_broadcast: identity.is_service() || identity.is_superuser(),
                ..Rights::NONE
            });
        }
        let mut transaction = self.begin(identity).await?;
        let (schema, table) = messages::TABLE;
        let oid = store::find_table(&mut transaction, schema, table).await?;
        let Some(oid) = oid else {
            return Err(AccessError(sqlx::Error::RowNotFound));
        };
        let select = read_plan(&mut transaction, oid, Command::Select).await?;
        let insert = read_plan(&mut transaction, oid, Command::Insert).await?;
        transaction.rollback().await?;
        let read = self.ask_of_messages(identity, topic, &select).await?;
        let write = self.ask_of_messages(identity, topic, &insert).await?;
        Ok(Rights {
            read_broadcast: read.broadcast,
            read_presence: read.presence,
            write_broadcast: write.broadcast,
            write_presence: write.presence,
            persist: write.persistence,
        })
    }

    /// The messages from before a join that `identity` may read.
    pub async fn replay(
        &self,
        identity: &Identity,
        topic: &str,
        request: ReplayRequest,
    ) -> Result<Vec<Replayed>, AccessError> {
        let limit = request.limit.unwrap_or(REPLAYED).clamp(1, MOST_REPLAYED);
        let since = request.since.clamp(0, LATEST_MS);
        let mut transaction = self.begin(identity).await?;
        messages::set_topic(&mut transaction, topic).await?;
        let found = messages::replay(&mut transaction, topic, since, limit).await?;
        transaction.rollback().await?;
        Ok(found)
    }

    async fn ask_of_messages(
        &self,
        identity: &Identity,
        topic: &str,
        plan: &AccessPlan,
    ) -> Result<Allowed, AccessError> {
        let needed = ["topic", "extension"];
        if !needed
            .iter()
            .all(|name| plan.columns.iter().any(|column| column == name))
        {
            return Ok(Allowed::all(false));
        }
        let question = match &plan.rows {
            RowRule::All => return Ok(Allowed::all(true)),
            RowRule::None => return Ok(Allowed::all(false)),
            RowRule::Ask(question) => question,
        };
        let row = |extension| serde_json::json!({ "topic": topic, "extension": extension, "private": true });
        let rows = ["broadcast", "presence", "persistence"].map(row);
        let rows = serde_json::json!(rows).to_string();
        let mut transaction = self.begin(identity).await?;
        messages::set_topic(&mut transaction, topic).await?;
        let answers = store::ask(&mut transaction, &question.query, &rows).await?;
        transaction.rollback().await?;
        let answer = |place: usize| answers.get(place).copied() == Some(true);
        Ok(Allowed {
            broadcast: answer(0),
            presence: answer(1),
            persistence: answer(2),
        })
    }
}
