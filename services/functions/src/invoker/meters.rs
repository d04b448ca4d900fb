//! What is counted of a function's invocations, for Prometheus.

use std::sync::OnceLock;

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

use crate::domain::FunctionName;
use crate::domain::execution::{Execution, Outcome, TriggerKind};

/// The meters of one function. Those of the usual invocation are looked up once: each look costs
/// more than counting does.
#[derive(Debug, Default)]
pub(crate) struct Meters(OnceLock<Usual>);

struct Usual {
    answered: Counter,
    duration: Histogram,
    cpu: Counter,
    memory: Gauge,
}

impl std::fmt::Debug for Usual {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Usual").finish_non_exhaustive()
    }
}

impl Usual {
    fn of(function: &FunctionName) -> Self {
        let labels = [("function", function.to_string())];
        Self {
            answered: invocations(function, TriggerKind::Http, Outcome::Answered),
            duration: histogram!("selfdb_function_duration_seconds", &labels),
            cpu: counter!("selfdb_function_cpu_microseconds_total", &labels),
            memory: gauge!("selfdb_function_memory_bytes", &labels),
        }
    }
}

fn invocations(function: &FunctionName, trigger: TriggerKind, outcome: Outcome) -> Counter {
    let labels = [
        ("function", function.to_string()),
        ("trigger", trigger.as_str().to_owned()),
        ("outcome", outcome.as_str().to_owned()),
    ];
    counter!("selfdb_function_invocations_total", &labels)
}

impl Meters {
    pub(super) fn count(&self, execution: &Execution) {
        let function = &execution.function;
        let usual = self.0.get_or_init(|| Usual::of(function));
        match (execution.cause.trigger, execution.outcome) {
            (TriggerKind::Http, Outcome::Answered) => usual.answered.increment(1),
            (trigger, outcome) => invocations(function, trigger, outcome).increment(1),
        }
        usual.duration.record(execution.duration);
        if execution.cold {
            let labels = [("function", function.to_string())];
            counter!("selfdb_function_cold_starts_total", &labels).increment(1);
        }
        if let Some(cpu) = execution.usage.cpu {
            let micros = u64::try_from(cpu.as_micros()).unwrap_or(u64::MAX);
            usual.cpu.increment(micros);
        }
        if let Some(memory) = execution.usage.memory_bytes {
            #[expect(
                clippy::cast_precision_loss,
                reason = "a gauge; memory is far below 2^52 bytes"
            )]
            usual.memory.set(memory as f64);
        }
    }
}
