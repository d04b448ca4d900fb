//! What all sockets and routes share.

use std::sync::Arc;
use std::time::Duration;

use common::{Clock, Randomness};
use jwt::{ApiKeys, Identity, TokenError, Verifier};

use crate::bus::EventBus;
use crate::changes::filter::FilterError;
use crate::changes::{Access, AccessError, Binding, Registration, Subscriptions};
use crate::limits::{Keys, Limits};
use crate::listener::Listener;
use crate::persistence::Keeper;
use crate::presence::Presence;
use crate::replication::{StreamStatus, types};
use crate::resume::Resume;
use crate::sessions::EndedSessions;
use crate::sockets::Sockets;
use crate::store::columns::ReadableColumn;
use crate::topics::Topics;

/// How long a subscription waits until the next commit will be seen: less than the 10 s that
/// clients wait for a join.
const STREAM_PATIENCE: Duration = Duration::from_secs(8);

/// What all sockets and routes share.
pub struct Engine {
    /// Who has joined what.
    pub topics: Arc<Topics>,
    /// Who listens to which changes.
    pub subscriptions: Arc<Subscriptions>,
    /// Who is present where.
    pub presence: Arc<Presence>,
    /// Who may see what.
    pub access: Arc<Access>,
    /// How events reach everybody.
    pub bus: Arc<dyn EventBus>,
    /// Where the replication stream stands.
    pub stream: StreamStatus,
    /// Keeps messages of clients for those who join later.
    pub keeper: Keeper,
    /// How whoever comes back is told what it missed.
    pub resume: Resume,
    /// Who bears which token.
    pub authenticator: Authenticator,
    /// What clients may take.
    pub limits: Limits,
    /// What every key takes of it.
    pub keys: Keys,
    /// The open sockets.
    pub sockets: Arc<Sockets>,
    /// The publication whose tables are listened to.
    pub publication: String,
    /// The web origins sockets may come from; any where empty.
    pub origins: Vec<String>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness, for presence keys.
    pub randomness: Arc<dyn Randomness>,
}

/// Tells who bears a token or key.
pub struct Authenticator {
    /// Checks tokens.
    pub verifier: Verifier,
    /// Knows the keys.
    pub keys: ApiKeys,
    /// Knows whose tokens are good for nothing any more.
    pub ended: Arc<EndedSessions>,
}

impl Authenticator {
    /// Who bears `credential`, an access token or an API key of either kind.
    pub fn identify(&self, credential: &str) -> Result<Arc<Identity>, TokenError> {
        let identity = match self.keys.resolve(credential) {
            Some(key) => self.verifier.verify(self.keys.token(key)),
            None => self.verifier.verify(credential),
        }?;
        if self.ended.has_ended(&identity) {
            return Err(TokenError::Expired);
        }
        Ok(identity)
    }
}

/// Why a subscription to changes is refused.
#[derive(Debug, thiserror::Error)]
pub enum SubscribeError {
    /// The next commit would not be seen.
    #[error("subscriptions are not possible now: {0}")]
    Stream(&'static str),
    /// A column that is not there, or that the role may not read.
    #[error("the column `{0}` does not exist or may not be read")]
    Column(String),
    /// A filter that does not fit its column.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// The database cannot be asked.
    #[error("the database is not reachable")]
    Access(#[from] AccessError),
}

impl Engine {
    /// Subscribes `listener`; done when the next commit will be seen. It is registered before the
    /// stream is waited for, so there is no commit between the two.
    pub async fn subscribe(
        &self,
        listener: &Arc<Listener>,
        bindings: Vec<Binding>,
    ) -> Result<Registration, SubscribeError> {
        let registration = self.subscriptions.add(Arc::clone(listener), bindings);
        self.replication_ready()
            .await
            .map_err(SubscribeError::Stream)?;
        Ok(registration)
    }

    /// Whether the publication has a table that `binding` asks for.
    pub async fn publishes(
        &self,
        identity: &Identity,
        binding: &Binding,
    ) -> Result<bool, AccessError> {
        let (schema, table) = (binding.schema.as_str(), binding.table.as_str());
        let asked = (self.publication.as_str(), schema, table);
        self.access.is_published(identity, asked).await
    }

    /// Waits until the next commit will be seen; what is missing where that takes too long.
    pub async fn replication_ready(&self) -> Result<(), &'static str> {
        self.stream.ready(STREAM_PATIENCE).await
    }

    /// What a role may not read it may not filter by either. A table that is not there yet may
    /// come; its filters are then held against its columns as they are.
    pub async fn check_columns(
        &self,
        identity: &Identity,
        binding: &Binding,
    ) -> Result<(), SubscribeError> {
        let selected = binding.select.iter().flatten();
        let filtered = binding.filter.0.iter().map(|condition| &condition.column);
        let named: Vec<&String> = selected.chain(filtered).collect();
        let Some((schema, table)) = binding.single_table().filter(|_| !named.is_empty()) else {
            return Ok(());
        };
        let readable = self
            .access
            .readable_columns(identity, schema, table)
            .await?;
        let Some(readable) = readable else {
            return Ok(());
        };
        let find = |name: &String| readable.iter().find(|column| column.name == *name);
        if let Some(missing) = named.into_iter().find(|name| find(name).is_none()) {
            return Err(SubscribeError::Column(missing.clone()));
        }
        for condition in &binding.filter.0 {
            let kind = find(&condition.column).and_then(kind);
            if let Some(misfit) = kind.and_then(|kind| condition.misfit(&kind)) {
                return Err(misfit.into());
            }
        }
        Ok(())
    }
}

fn kind(column: &ReadableColumn) -> Option<types::Kind> {
    types::built_in(column.type_oid).map(|(_, kind)| kind)
}
