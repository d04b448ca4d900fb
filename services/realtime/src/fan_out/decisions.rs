//! What Postgres is asked about the changes of a batch: once for each table and each role and
//! claims.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use jwt::Identity;

use super::audience::Audience;
use crate::bus::{Committed, CommittedEvent};
use crate::changes::{Access, AccessError, Answer};
use crate::replication::{Change, Relation};

/// How long a change waits for Postgres to say who may see it.
const PATIENCE: Duration = Duration::from_secs(30);
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(200);
/// Questions under way at once.
const CONCURRENT_QUESTIONS: usize = 4;

struct Question {
    relation: Arc<Relation>,
    identity: Arc<Identity>,
    /// The indexes of the changes asked about, in order.
    changes: Vec<usize>,
    /// `None` where Postgres could not say.
    answer: Option<Answer>,
}

/// The answers to all questions of a batch.
pub(super) struct Decisions {
    questions: Vec<Question>,
    /// Whose question is which, by table and group.
    of_group: HashMap<(usize, usize), usize>,
}

impl Decisions {
    /// Asks whatever is to be asked.
    pub(super) async fn make(
        access: &Access,
        events: &[CommittedEvent],
        audience: &Audience,
    ) -> Self {
        let mut decisions = questions(events, audience);
        let questions = std::mem::take(&mut decisions.questions);
        decisions.questions = stream::iter(questions)
            .map(|question| decide(access, events, question))
            .buffered(CONCURRENT_QUESTIONS)
            .collect()
            .await;
        decisions
    }

    /// The answer of a group about the event with this index, which changed `relation`: with the
    /// place of the event in it.
    pub(super) fn about(
        &self,
        index: usize,
        relation: &Arc<Relation>,
        group: usize,
    ) -> Option<(&Answer, usize)> {
        let key = (Arc::as_ptr(relation).addr(), group);
        let question = self.questions.get(*self.of_group.get(&key)?)?;
        let place = question.changes.binary_search(&index).ok()?;
        Some((question.answer.as_ref()?, place))
    }
}

fn questions(events: &[CommittedEvent], audience: &Audience) -> Decisions {
    let mut questions: Vec<Question> = Vec::new();
    let mut of_group = HashMap::new();
    // Listeners of one role and the same claims get one answer for a table.
    let mut alike: HashMap<(usize, &str, &str), usize> = HashMap::new();
    for (index, (event, heard)) in events.iter().zip(&audience.of_event).enumerate() {
        let Committed::Change(change) = &event.committed else {
            continue;
        };
        let relation = Arc::as_ptr(&change.relation).addr();
        for heard in heard {
            let Some(group) = audience.groups.get(heard.group) else {
                continue;
            };
            let question = *of_group.entry((relation, heard.group)).or_insert_with(|| {
                let identity = &group.identity;
                let key = (relation, identity.role.as_str(), &*identity.claims_json);
                *alike.entry(key).or_insert_with(|| {
                    questions.push(Question {
                        relation: Arc::clone(&change.relation),
                        identity: Arc::clone(identity),
                        changes: Vec::new(),
                        answer: None,
                    });
                    questions.len() - 1
                })
            });
            if let Some(question) = questions.get_mut(question)
                && question.changes.last() != Some(&index)
            {
                question.changes.push(index);
            }
        }
    }
    Decisions {
        questions,
        of_group,
    }
}

async fn decide(access: &Access, events: &[CommittedEvent], mut question: Question) -> Question {
    let changes = question.changes.iter();
    let changes: Vec<&Change> = changes
        .filter_map(|index| match &events.get(*index)?.committed {
            Committed::Change(change) => Some(&**change),
            Committed::Broadcast(_) => None,
        })
        .collect();
    let answer = ask(access, &question.relation, &question.identity, &changes).await;
    question.answer = answer
        .inspect_err(|error| common::error::report("realtime", error))
        .ok();
    question
}

/// Asks until there is an answer: while Postgres is away nothing else is committed either. A
/// question that fails is asked once more with a fresh look at the catalogue.
async fn ask(
    access: &Access,
    relation: &Arc<Relation>,
    identity: &Identity,
    changes: &[&Change],
) -> Result<Answer, AccessError> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let mut failed = false;
    loop {
        match access.decide(relation, identity, changes).await {
            Err(error) if error.is_unavailable() && tokio::time::Instant::now() < deadline => {
                tokio::time::sleep(ASK_AGAIN_AFTER).await;
            }
            Err(_) if !failed => {
                failed = true;
                access.forget(relation, identity);
            }
            decided => return decided,
        }
    }
}
