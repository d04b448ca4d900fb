//! What notifications say has changed.

use std::collections::BTreeSet;

use super::facts::Oid;

/// What an event trigger's notification begins with; `class:object` follows for each object, in
/// numbers of `pg_depend`.
const CHANGED: &str = "changed";

/// From so many objects on everything is read again.
const MANY: usize = 1000;

/// What has to be read again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes {
    pub config: bool,
    everything: bool,
    /// Whether anything changed at all: grants do not say of what.
    any: bool,
    objects: BTreeSet<(Oid, Oid)>,
}

impl Changes {
    /// Anything may have changed, but the configuration.
    pub(super) fn everything() -> Self {
        Self {
            everything: true,
            ..Self::default()
        }
    }

    /// `notify pgrst`, `notify pgrst, 'reload schema'` and `notify pgrst, 'reload config'`, and what
    /// the platform's own event triggers say: `changed 1259:16384 1255:16390`.
    pub(crate) fn note(&mut self, payload: &str) {
        match payload.split_once(' ') {
            _ if payload.is_empty() => self.everything = true,
            Some(("reload", "schema")) => self.everything = true,
            Some(("reload", "config")) => self.config = true,
            Some((CHANGED, objects)) => self.note_objects(objects),
            _ if payload == CHANGED => self.any = true,
            _ => {}
        }
    }

    fn note_objects(&mut self, objects: &str) {
        self.any = true;
        for object in objects.split_ascii_whitespace() {
            let numbers = object.split_once(':');
            let numbers = numbers.map(|(class, object)| (class.parse(), object.parse()));
            match numbers {
                Some((Ok(class), Ok(object))) => self.add(class, object),
                _ => self.everything = true,
            }
        }
    }

    /// Notes one object.
    pub(super) fn add(&mut self, class: Oid, object: Oid) {
        self.any = true;
        self.objects.insert((class, object));
    }

    /// Whether everything has to be read again. Another configuration may expose other schemas.
    pub(super) fn are_everything(&self) -> bool {
        self.everything || self.config || self.objects.len() > MANY
    }

    pub(super) fn are_none(&self) -> bool {
        !(self.are_everything() || self.any)
    }

    /// The numbers of each object's class and its own.
    pub(super) fn objects(&self) -> impl Iterator<Item = (Oid, Oid)> + '_ {
        self.objects.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(payloads: &[&str]) -> Changes {
        let mut changes = Changes::default();
        for payload in payloads {
            changes.note(payload);
        }
        changes
    }

    #[test]
    fn what_is_asked_for() {
        for everything in [
            "",
            "reload schema",
            "reload config",
            "changed 1259:x",
            "changed 7",
        ] {
            assert!(noted(&[everything]).are_everything(), "{everything}");
        }
        for nothing in ["hello", "reload", "changes 1259:1"] {
            assert!(noted(&[nothing]).are_none(), "{nothing}");
        }
        let grants = noted(&["changed"]);
        assert!(!grants.are_none() && !grants.are_everything());
        let some = noted(&["changed 1259:7 1255:8", "hello", "changed 1259:7"]);
        assert!(!some.are_everything());
        assert_eq!(some.objects().collect::<Vec<_>>(), [(1255, 8), (1259, 7)]);
    }

    #[test]
    fn many_changes_are_everything() {
        let payloads: Vec<String> = (0..=MANY)
            .map(|oid| format!("changed 1259:{oid}"))
            .collect();
        let payloads: Vec<&str> = payloads.iter().map(String::as_str).collect();
        assert!(noted(&payloads).are_everything());
        assert!(!noted(payloads.get(1..).unwrap_or_default()).are_everything());
    }
}
