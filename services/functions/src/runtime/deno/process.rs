//! One sandboxed process and its supervisor: what ends it, and why it ended.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Child;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use super::cgroup::Group;
use super::cpu;
use super::folder::SlotFolder;
use super::gate::Gate;
use super::logs::Label;
use super::meter::Meter;
use super::strain::{Strain, machine_idle};
use crate::domain::Limits;

/// How often a process is looked at: what goes beyond a limit is noticed this much later.
const WATCH: Duration = Duration::from_millis(250);
/// What a process that is asked to end may take for it.
const GRACE: Duration = Duration::from_secs(5);
/// The same where it has gone beyond a limit.
const SHORT_GRACE: Duration = Duration::from_millis(200);

/// Why a process is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// It was asked to, or killed with the platform.
    Stopped,
    /// More CPU time than allowed without answering a request.
    CpuLimit,
    /// V8 or the allocator gave up: memory.
    MemoryLimit,
    /// By itself, or by somebody else's signal.
    Crashed,
}

/// A running process. Dropping it closes the gate, and the process ends.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) gate: Arc<Gate>,
    pub(super) label: Label,
    kill: CancellationToken,
    ended: watch::Receiver<Option<Ended>>,
}

/// What the supervisor of a process holds.
pub(super) struct Supervised {
    pub(super) child: Child,
    pub(super) folder: Arc<SlotFolder>,
    pub(super) group: Option<Group>,
    pub(super) room: OwnedSemaphorePermit,
    pub(super) limits: Limits,
}

impl Ended {
    /// What the function's owner is told, where it was the function's doing.
    pub(super) fn complaint(self) -> Option<&'static str> {
        match self {
            Self::Stopped => None,
            Self::CpuLimit => Some("the process went beyond its CPU time and was ended"),
            Self::MemoryLimit => Some("the process went beyond its memory and was ended"),
            Self::Crashed => Some("the process ended before it was asked to"),
        }
    }
}

impl Process {
    /// A process and the task that supervises it. `kill` ends it at once.
    pub(super) fn new(
        supervised: Supervised,
        kill: CancellationToken,
    ) -> (Self, impl Future<Output = Ended> + Send + 'static) {
        let meter = supervised.child.id().map(Meter::of).unwrap_or_default();
        let gate = Gate::new(supervised.limits.concurrency, meter);
        let label = Label::default();
        let (sender, ended) = watch::channel(None);
        let supervisor = Supervisor {
            gate: Arc::clone(&gate),
            label: label.clone(),
            kill: kill.clone(),
            limits: supervised.limits,
            child: supervised.child,
            group: supervised.group,
        };
        let (folder, room) = (supervised.folder, supervised.room);
        let task = async move {
            let reason = supervisor.run().await;
            drop((folder, room));
            let _ = sender.send(Some(reason));
            reason
        };
        let process = Self {
            gate,
            label,
            kill,
            ended,
        };
        (process, task)
    }

    /// Ends the process now.
    pub(super) fn kill(&self) {
        self.gate.close();
        self.kill.cancel();
    }

    /// Why the process has ended; waits for that, `None` if it is still there after `patience`.
    pub(super) async fn ended(&self, patience: Duration) -> Option<Ended> {
        let mut ended = self.ended.clone();
        let reason = timeout(patience, ended.wait_for(Option::is_some)).await;
        reason.ok()?.ok().and_then(|reason| *reason)
    }

    /// Whether the process is gone.
    pub(super) fn has_ended(&self) -> bool {
        self.ended.borrow().is_some()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.gate.close();
    }
}

struct Supervisor {
    gate: Arc<Gate>,
    label: Label,
    kill: CancellationToken,
    limits: Limits,
    child: Child,
    group: Option<Group>,
}

/// What a look at the process found.
enum Finding {
    Fine,
    /// A replaced version does not come to an end.
    Overdue,
    OverCpu,
}

impl Supervisor {
    async fn run(mut self) -> Ended {
        let mut ticks = interval(WATCH);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut meter, mut strain) = (ProgressMeter::default(), Strain::new());
        let ended = loop {
            tokio::select! {
                status = self.child.wait() => break self.by_itself(status.ok()),
                () = self.kill.cancelled() => {
                    self.end(None).await;
                    break Ended::Stopped;
                }
                () = self.gate.drained() => {
                    self.end(Some(GRACE)).await;
                    break Ended::Stopped;
                }
                _ = ticks.tick() => match self.look(&mut meter, &mut strain) {
                    Finding::Fine => {}
                    Finding::Overdue => {
                        self.end(None).await;
                        break Ended::Stopped;
                    }
                    Finding::OverCpu => {
                        tracing::warn!(function = %self.label, limit_ms = self.limits.cpu.as_millis(), "function went beyond its CPU time");
                        self.gate.close();
                        self.end(Some(SHORT_GRACE)).await;
                        break Ended::CpuLimit;
                    }
                },
            }
        };
        self.gate.close();
        ended
    }

    fn look(&self, meter: &mut ProgressMeter, strain: &mut Strain) -> Finding {
        self.gate.settle();
        if self.label.is_set() {
            self.gate.close_if_idle(self.limits.idle);
        }
        let overdue = |closed| closed > self.limits.response_timeout;
        if self.gate.closed_for().is_some_and(overdue) {
            return Finding::Overdue;
        }
        let used = self.child.id().and_then(cpu::used_by);
        match used {
            Some(used) if meter.since_progress(used, self.gate.finished()) > self.limits.cpu => {
                Finding::OverCpu
            }
            Some(_) | None => {
                let wanted = self.gate.wanted().unwrap_or_default();
                let behind = strain.look(wanted, self.gate.inside(), machine_idle);
                self.gate.set_overloaded(behind || self.gate.is_crowded());
                Finding::Fine
            }
        }
    }

    /// Asks the process to end where there is time for it, and kills it after that time.
    async fn end(&mut self, grace: Option<Duration>) {
        let pid = self.child.id().and_then(|pid| i32::try_from(pid).ok());
        if let (Some(grace), Some(pid)) = (grace, pid.and_then(Pid::from_raw)) {
            let _ = kill_process(pid, Signal::TERM);
            let killed = self.kill.clone();
            let ended = tokio::select! {
                ended = timeout(grace, self.child.wait()) => ended.is_ok(),
                () = killed.cancelled() => false,
            };
            if ended {
                return;
            }
        }
        if let Err(error) = self.child.kill().await {
            tracing::error!(function = %self.label, %error, "a process could not be killed");
        }
    }

    fn by_itself(&self, status: Option<ExitStatus>) -> Ended {
        const OUT_OF_MEMORY: [Signal; 3] = [Signal::ABORT, Signal::TRAP, Signal::ILL];
        let signal = status.and_then(|status| status.signal());
        let gave_up = |signal| OUT_OF_MEMORY.iter().any(|each| each.as_raw() == signal);
        let out_of_memory = self.group.as_ref().is_some_and(Group::ran_out_of_memory);
        let ended = if out_of_memory || signal.is_some_and(gave_up) {
            Ended::MemoryLimit
        } else {
            Ended::Crashed
        };
        let status = status.map(|status| status.to_string());
        tracing::warn!(function = %self.label, ?ended, status, "function's process ended");
        ended
    }
}

/// CPU time since the process last made progress, which is to say finished a request.
#[derive(Default)]
struct ProgressMeter {
    finished: u64,
    used_then: Duration,
}

impl ProgressMeter {
    fn since_progress(&mut self, used: Duration, finished: u64) -> Duration {
        if finished != self.finished {
            self.finished = finished;
            self.used_then = used;
        }
        used.saturating_sub(self.used_then)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finished_request_resets_the_meter() {
        let mut meter = ProgressMeter::default();
        let seconds = Duration::from_secs;
        assert_eq!(meter.since_progress(seconds(3), 0), seconds(3));
        assert_eq!(meter.since_progress(seconds(4), 1), seconds(0));
        assert_eq!(meter.since_progress(seconds(9), 1), seconds(5));
    }
}
