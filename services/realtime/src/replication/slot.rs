//! The logical slot: what it is called, and what its state means for the stream.

use std::fmt;

/// A slot of ours. Slots belong to the whole cluster, so the name has the database's oid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotName(String);

impl SlotName {
    /// The slot of the database with this oid.
    pub fn of_database(oid: i64) -> Self {
        Self(format!("selfdb_realtime_{oid}"))
    }

    /// The name: lower-case letters, digits and underscores.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SlotName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What Postgres says of an existing slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotRow {
    /// `reserved`, `extended`, `unreserved` or `lost`.
    pub wal_status: String,
    /// The position its reader has confirmed last.
    pub confirmed: u64,
}

/// How far this process had come when it was last connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// The last commit that was handed on.
    pub commit: u64,
    /// The furthest position that was confirmed to the server.
    pub confirmed: u64,
}

/// What to do with the slot before the stream starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotPlan {
    /// Go on where this process stopped: nothing is missing.
    Continue,
    /// Read on from now, as a new epoch: what lies between is not known.
    ReadFromNow,
    /// Make a new one, after dropping the old one where there is one.
    Create {
        /// Whether there is one to drop.
        drop: bool,
    },
}

/// Decides from the slot's state, the server's position now and how far this process had come
/// (`None` where it never was connected, or to another server).
pub fn plan(slot: Option<&SlotRow>, server_now: u64, reached: Option<Reached>) -> SlotPlan {
    let Some(slot) = slot else {
        return SlotPlan::Create { drop: false };
    };
    if slot.wal_status == "lost" {
        return SlotPlan::Create { drop: true };
    }
    match reached {
        // Confirmed further than by us: another process has read on. A server behind what was
        // handed on has lost commits.
        Some(reached) if slot.confirmed <= reached.confirmed && reached.commit <= server_now => {
            SlotPlan::Continue
        }
        Some(_) | None => SlotPlan::ReadFromNow,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(status: &str, confirmed: u64) -> SlotRow {
        SlotRow {
            wal_status: status.to_owned(),
            confirmed,
        }
    }

    #[test]
    fn the_stream_goes_on_only_where_nothing_can_be_missing() {
        let reached = |commit, confirmed| Some(Reached { commit, confirmed });
        let reserved = slot("reserved", 50);
        for (slot, now, reached, expected) in [
            (None, 100, reached(50, 50), SlotPlan::Create { drop: false }),
            (
                Some(slot("lost", 50)),
                100,
                reached(50, 50),
                SlotPlan::Create { drop: true },
            ),
            (Some(reserved.clone()), 100, None, SlotPlan::ReadFromNow),
            (
                Some(reserved.clone()),
                100,
                reached(50, 60),
                SlotPlan::Continue,
            ),
            (
                Some(reserved.clone()),
                100,
                reached(50, 40),
                SlotPlan::ReadFromNow,
            ),
            (Some(reserved), 40, reached(50, 60), SlotPlan::ReadFromNow),
        ] {
            assert_eq!(plan(slot.as_ref(), now, reached), expected);
        }
    }
}
