//! The tests: one at a time, each with a Postgres of its own.
#![expect(clippy::disallowed_macros, reason = "a long run tells what it counted")]

use testkit::history::Violation;

use super::faults::Fault;
use super::listening::Memory;
use super::{Plan, setting};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_missed_or_doubled_whatever_is_killed() {
    let plan = Plan {
        events: setting("REALTIME_KILLS_EVENTS").unwrap_or(1500),
        faults: &[
            Fault::Client,
            Fault::Service,
            Fault::Stream,
            Fault::Client,
            Fault::Postgres,
        ],
        memory: Memory::LastToken,
        processes: 2,
    };
    let outcome = plan.run().await;
    println!(
        "{} events, {} of unknown outcome; {:?}",
        outcome.verdict.acknowledged, outcome.verdict.unknown, outcome.faults
    );
    assert_eq!(outcome.verdict.violations, []);
    assert_eq!(outcome.resyncs, 0);
    assert!(outcome.faults.iter().all(|(_, times)| *times > 0));
}

/// The control: a client that forgets where it was misses events, and the checker says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_forgets_its_token_is_found_to_miss_events() {
    let plan = Plan {
        events: 300,
        faults: &[Fault::Client],
        memory: Memory::Nothing,
        processes: 1,
    };
    let violations = plan.run().await.verdict.violations;
    assert!(!violations.is_empty());
    let lost = |violation: &Violation| matches!(violation, Violation::Lost(_));
    assert!(violations.iter().all(lost), "{violations:?}");
}

/// The other control: one that resumes from further back hears events twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_an_older_token_is_found_to_hear_events_twice() {
    let plan = Plan {
        events: 300,
        faults: &[Fault::Client],
        memory: Memory::FirstToken,
        processes: 1,
    };
    let violations = plan.run().await.verdict.violations;
    assert!(!violations.is_empty());
    let doubled = |violation: &Violation| matches!(violation, Violation::Doubled { .. });
    assert!(violations.iter().all(doubled), "{violations:?}");
}
