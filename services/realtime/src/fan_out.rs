//! From events to the buffers of those who may hear them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use common::Clock;
use futures_util::StreamExt as _;
use futures_util::stream;
use jwt::Identity;

use crate::broadcast::Broadcast;
use crate::bus::Committed;
use crate::changes::delivery::Delivery;
use crate::changes::{Access, AccessError, Answer, Subscription, Subscriptions};
use crate::replication::{Change, Relation, Row};
use crate::topics::Topics;

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
    topics: Arc<Topics>,
    subscriptions: Arc<Subscriptions>,
    access: Arc<Access>,
    clock: Arc<dyn Clock>,
    max_event_bytes: usize,
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
    /// From a change's index to its row in the answer.
    places: HashMap<usize, usize>,
}

impl FanOut {
    /// A fan-out to the members of `topics` and to `subscriptions`, as far as `access` lets them
    /// see.
    pub fn new(
        topics: Arc<Topics>,
        subscriptions: Arc<Subscriptions>,
        access: Arc<Access>,
        clock: Arc<dyn Clock>,
        max_event_bytes: usize,
    ) -> Self {
        Self {
            topics,
            subscriptions,
            access,
            clock,
            max_event_bytes,
        }
    }

    /// Hands on a message.
    pub fn broadcast(&self, broadcast: &Broadcast) {
        self.topics.broadcast(broadcast);
    }

    /// Tells everybody who listens to changes that some may be missing.
    pub fn gap(&self) {
        for subscription in self.subscriptions.all() {
            subscription.listener.fail(GAP);
        }
    }

    /// Hands on what was committed, in order.
    pub async fn committed(&self, events: Vec<Committed>) {
        // Looked up after the events were read: whoever subscribed before one of them was
        // committed is found.
        let audiences: Vec<Vec<Hearer>> = events.iter().map(|event| self.audience(event)).collect();
        let questions = questions(&events, &audiences);
        let decided: HashMap<QuestionKey, Decided> = stream::iter(questions)
            .map(|(key, question)| self.decide(&events, key, question))
            .buffer_unordered(CONCURRENT_QUESTIONS)
            .collect()
            .await;
        for (index, (event, audience)) in events.iter().zip(audiences).enumerate() {
            match event {
                Committed::Broadcast(broadcast) => self.broadcast(broadcast),
                Committed::Change(change) => self.deliver(index, change, &audience, &decided),
            }
        }
    }

    fn audience(&self, event: &Committed) -> Vec<Hearer> {
        let Committed::Change(change) = event else {
            return Vec::new();
        };
        let now = self.clock.unix_seconds();
        let (schema, table) = (&change.relation.schema, &change.relation.table);
        let subscriptions = self.subscriptions.of_table(schema, table).into_iter();
        let hearers = subscriptions.filter_map(|subscription| {
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

    async fn decide(
        &self,
        events: &[Committed],
        key: QuestionKey,
        question: Question,
    ) -> (QuestionKey, Decided) {
        let rows: Vec<&Row> = question
            .changes
            .iter()
            .filter_map(|index| match events.get(*index) {
                Some(Committed::Change(change)) => Some(change.subject()),
                Some(Committed::Broadcast(_)) | None => None,
            })
            .collect();
        let answer = self
            .ask(&question.relation, &question.identity, &rows)
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
        rows: &[&Row],
    ) -> Result<Answer, AccessError> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let mut failed = false;
        loop {
            match self.access.decide(relation, identity, rows).await {
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

    fn deliver(
        &self,
        index: usize,
        change: &Change,
        audience: &[Hearer],
        decided: &HashMap<QuestionKey, Decided>,
    ) {
        let mut delivery = Delivery::new(change, self.max_event_bytes);
        for hearer in audience {
            let key = key(&change.relation, &hearer.identity);
            let decided = decided.get(&key);
            let answer = decided.and_then(|decided| decided.answer.as_ref());
            let to = &*hearer.subscription;
            match answer {
                None => to.listener.fail(UNDECIDED),
                Some(Answer::Unauthorized) => delivery.refuse(to, &hearer.matched),
                Some(Answer::Rows { columns, visible }) => {
                    let place = decided.and_then(|decided| decided.places.get(&index));
                    if place.and_then(|place| visible.get(*place)) == Some(&true) {
                        delivery.send(to, &hearer.matched, columns);
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

fn questions(events: &[Committed], audiences: &[Vec<Hearer>]) -> HashMap<QuestionKey, Question> {
    let mut questions: HashMap<QuestionKey, Question> = HashMap::new();
    for (index, (event, audience)) in events.iter().zip(audiences).enumerate() {
        let Committed::Change(change) = event else {
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
