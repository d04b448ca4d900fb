//! What is measured.

/// One kind of request.
#[derive(Clone, Copy)]
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// Who asks.
    pub(super) caller: Caller,
    /// CPU per request that is aimed at, in µs.
    pub(super) goal: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    OneRow,
    Hundred,
    Insert,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    Anon,
    /// With one token, over and over.
    SignedIn,
    /// With another token each time, so that each is verified.
    ManyTokens,
}

pub(super) const ALL: [Case; 5] = [
    Case {
        name: "one row by key, anon",
        kind: Kind::OneRow,
        caller: Caller::Anon,
        goal: Some(120),
    },
    Case {
        name: "one row by key, JWT, row-level security",
        kind: Kind::OneRow,
        caller: Caller::SignedIn,
        goal: Some(170),
    },
    Case {
        name: "one row by key, another JWT each time",
        kind: Kind::OneRow,
        caller: Caller::ManyTokens,
        goal: None,
    },
    Case {
        name: "100 rows, anon",
        kind: Kind::Hundred,
        caller: Caller::Anon,
        goal: Some(620),
    },
    Case {
        name: "insert one, JWT, row-level security",
        kind: Kind::Insert,
        caller: Caller::SignedIn,
        goal: Some(260),
    },
];

/// The row that is inserted.
pub(super) const NEW_ROW: &str = r#"{"item":777,"name":"a name"}"#;

impl Case {
    /// Path and query of our API and of those that copy it.
    pub(super) fn path(self) -> &'static str {
        match (self.kind, self.caller) {
            (Kind::OneRow, Caller::Anon) => "/items?id=eq.%d",
            (Kind::OneRow, Caller::SignedIn | Caller::ManyTokens) => "/own_items?id=eq.%d",
            (Kind::Hundred, _) => "/items?order=id&limit=100",
            (Kind::Insert, _) => "/written",
        }
    }
}
