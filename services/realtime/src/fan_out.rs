//! From events to the buffers of those who may hear them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use common::Clock;
use futures_util::StreamExt as _;
use futures_util::stream;
use jwt::Identity;
use uuid::Uuid;

use crate::broadcast::Broadcast;
use crate::bus::{Committed, CommittedEvent};
use crate::changes::delivery::{Delivery, Telling};
use crate::changes::{Access, AccessError, Answer, Sight, Subscription, Subscriptions};
use crate::listener::Failure;
use crate::replication::{Change, Relation};
use crate::sessions::EndedSessions;
use crate::topics::{Place, Topics};

/// How long a change waits for Postgres to say who may see it.
const PATIENCE: Duration = Duration::from_secs(30);
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(200);
/// Questions under way at once.
const CONCURRENT_QUESTIONS: usize = 4;

const GAP: &str = "changes may have been missed: resubscribe and read the current state";
const UNDECIDED: &str =
    "row-level security could not be evaluated: resubscribe and read the current state";

/// Hands events to listeners.
pub struct FanOut {
    /// Who has joined what.
    pub topics: Arc<Topics>,
    /// Who listens to which changes.
    pub subscriptions: Arc<Subscriptions>,
    /// Who may see what.
    pub access: Arc<Access>,
    /// Whose tokens are good for nothing any more.
    pub ended: Arc<EndedSessions>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// One who was away and is told what it missed.
pub struct Returning {
    /// What it listens to, if it listens to changes.
    pub subscription: Option<Arc<Subscription>>,
    /// Its place in its topic, if it has one.
    pub place: Option<Place>,
}

/// A listener whose bindings match a change.
struct Hearer {
    subscription: Arc<Subscription>,
    identity: Arc<Identity>,
    /// The bindings that match.
    matched: Vec<usize>,
}

/// Listeners of one role and the same claims get one answer for a table.
type QuestionKey = (usize, String, Arc<str>);

struct Question {
    relation: Arc<Relation>,
    identity: Arc<Identity>,
    /// The indexes of the changes asked about.
    changes: Vec<usize>,
}

/// The answer to a question: `None` where Postgres could not say.
struct Decided {
    answer: Option<Answer>,
    /// From a change's index to its place in the answer.
    places: HashMap<usize, usize>,
}

impl FanOut {
    /// Hands on a message.
    pub fn broadcast(&self, broadcast: &Broadcast) {
        self.topics.broadcast(broadcast, None);
    }

    /// Tells everybody who listens to changes that some may be missing.
    pub fn gap(&self) {
        for subscription in self.subscriptions.all() {
            subscription.listener.fail(Failure::again(GAP));
        }
    }

    /// Hands on what was committed, in order.
    pub async fn committed(&self, events: Vec<CommittedEvent>) {
        // Looked up after the events were read: whoever subscribed before one of them was
        // committed is found.
        let audience = |change: &Change| {
            let (schema, table) = (&change.relation.schema, &change.relation.table);
            self.hearers(change, self.subscriptions.of_table(schema, table))
        };
        let audiences = audiences(&events, audience);
        let decided = self.decide_all(&events, &audiences).await;
        for (index, (event, audience)) in events.iter().zip(audiences).enumerate() {
            match &event.committed {
                Committed::Broadcast(broadcast) => {
                    if let Some(session) = EndedSessions::told_by(broadcast) {
                        self.end(session);
                    }
                    self.topics.broadcast(broadcast, Some(event.position));
                }
                Committed::Change(change) => {
                    let delivery = Delivery::new(change, Telling::Live);
                    deliver(delivery, index, &audience, &decided);
                }
            }
        }
    }

    /// Ends every listener of a session: nothing that was committed after it is heard.
    fn end(&self, session: Uuid) {
        self.ended.end(session);
        let subscribed = self.subscriptions.all().into_iter();
        let subscribed = subscribed.map(|subscription| Arc::clone(&subscription.listener));
        for listener in subscribed.chain(self.topics.listeners()) {
            if listener.identity().session_id() == Some(session) {
                listener.close();
                listener.fail(Failure::SIGNED_OUT);
            }
        }
    }

    /// Tells one who was away what was committed meanwhile, as far as it may see it now.
    pub async fn again(&self, to: &Returning, events: Vec<CommittedEvent>) {
        let audience = |change: &Change| {
            let subscription = to.subscription.iter().cloned();
            self.hearers(change, subscription.collect())
        };
        let audiences = audiences(&events, audience);
        let decided = self.decide_all(&events, &audiences).await;
        for (index, (event, audience)) in events.iter().zip(audiences).enumerate() {
            match (&event.committed, &to.place) {
                (Committed::Broadcast(broadcast), Some(place)) => {
                    place.tell_again(broadcast, event.position);
                }
                (Committed::Broadcast(_), None) => {}
                (Committed::Change(change), _) => {
                    let delivery = Delivery::new(change, Telling::Again);
                    deliver(delivery, index, &audience, &decided);
                }
            }
        }
    }

    fn hearers(&self, change: &Change, subscriptions: Vec<Arc<Subscription>>) -> Vec<Hearer> {
        let now = self.clock.unix_seconds();
        let hearers = subscriptions.into_iter().filter_map(|subscription| {
            let identity = subscription.listener.identity();
            let bindings = subscription.bindings.iter().enumerate();
            let matched: Vec<usize> = bindings
                .filter(|(_, binding)| binding.matches(change))
                .map(|(index, _)| index)
                .collect();
            let expired = identity.expires_at.is_some_and(|end| end <= now);
            (!matched.is_empty() && !expired).then_some(Hearer {
                subscription,
                identity,
                matched,
            })
        });
        hearers.collect()
    }

    async fn decide_all(
        &self,
        events: &[CommittedEvent],
        audiences: &[Vec<Hearer>],
    ) -> HashMap<QuestionKey, Decided> {
        stream::iter(questions(events, audiences))
            .map(|(key, question)| self.decide(events, key, question))
            .buffer_unordered(CONCURRENT_QUESTIONS)
            .collect()
            .await
    }

    async fn decide(
        &self,
        events: &[CommittedEvent],
        key: QuestionKey,
        question: Question,
    ) -> (QuestionKey, Decided) {
        let changes: Vec<&Change> = question
            .changes
            .iter()
            .filter_map(|index| match &events.get(*index)?.committed {
                Committed::Change(change) => Some(&**change),
                Committed::Broadcast(_) => None,
            })
            .collect();
        let answer = self
            .ask(&question.relation, &question.identity, &changes)
            .await;
        let answer = answer
            .inspect_err(|error| common::error::report("realtime", error))
            .ok();
        let places = question.changes.into_iter().enumerate();
        let places = places.map(|(place, change)| (change, place)).collect();
        (key, Decided { answer, places })
    }

    /// Asks until there is an answer: while Postgres is away nothing else is committed either. A
    /// question that fails is asked once more with a fresh look at the catalogue.
    async fn ask(
        &self,
        relation: &Arc<Relation>,
        identity: &Identity,
        changes: &[&Change],
    ) -> Result<Answer, AccessError> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let mut failed = false;
        loop {
            match self.access.decide(relation, identity, changes).await {
                Err(error) if error.is_unavailable() && tokio::time::Instant::now() < deadline => {
                    tokio::time::sleep(ASK_AGAIN_AFTER).await;
                }
                Err(_) if !failed => {
                    failed = true;
                    self.access.forget(relation, identity);
                }
                decided => return decided,
            }
        }
    }
}

fn audiences(
    events: &[CommittedEvent],
    audience: impl Fn(&Change) -> Vec<Hearer>,
) -> Vec<Vec<Hearer>> {
    let audience = |event: &CommittedEvent| match &event.committed {
        Committed::Change(change) => audience(change),
        Committed::Broadcast(_) => Vec::new(),
    };
    events.iter().map(audience).collect()
}

fn deliver(
    mut delivery: Delivery<'_>,
    index: usize,
    audience: &[Hearer],
    decided: &HashMap<QuestionKey, Decided>,
) {
    for hearer in audience {
        let key = key(&delivery.change.relation, &hearer.identity);
        let decided = decided.get(&key);
        let answer = decided.and_then(|decided| decided.answer.as_ref());
        let to = &*hearer.subscription;
        match answer {
            None => to.listener.fail(Failure::again(UNDECIDED)),
            Some(Answer::Unauthorized) => delivery.refuse(to, &hearer.matched),
            Some(Answer::Columns {
                readable,
                key,
                sights,
            }) => {
                let place = decided.and_then(|decided| decided.places.get(&index));
                match place.and_then(|place| sights.get(*place)) {
                    None | Some(Sight::Nothing) => {}
                    Some(Sight::NewRow) => delivery.send(to, &hearer.matched, (readable, key)),
                    Some(Sight::Everything) => {
                        delivery.send(to, &hearer.matched, (readable, readable));
                    }
                }
            }
        }
    }
}

fn key(relation: &Arc<Relation>, identity: &Identity) -> QuestionKey {
    let relation = Arc::as_ptr(relation).addr();
    (
        relation,
        identity.role.clone(),
        Arc::clone(&identity.claims_json),
    )
}

fn questions(
    events: &[CommittedEvent],
    audiences: &[Vec<Hearer>],
) -> HashMap<QuestionKey, Question> {
    let mut questions: HashMap<QuestionKey, Question> = HashMap::new();
    for (index, (event, audience)) in events.iter().zip(audiences).enumerate() {
        let Committed::Change(change) = &event.committed else {
            continue;
        };
        for hearer in audience {
            let question = questions
                .entry(key(&change.relation, &hearer.identity))
                .or_insert_with(|| Question {
                    relation: Arc::clone(&change.relation),
                    identity: Arc::clone(&hearer.identity),
                    changes: Vec::new(),
                });
            if question.changes.last() != Some(&index) {
                question.changes.push(index);
            }
        }
    }
    questions
}
