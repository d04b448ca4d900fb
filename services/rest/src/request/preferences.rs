//! The `Prefer` header (RFC 7240), and which preferences an answer says were applied.

use http::HeaderMap;

/// What the client prefers; of a preference given twice the first counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Preferences {
    pub resolution: Option<Resolution>,
    pub representation: Option<Representation>,
    pub count: Option<Count>,
    pub transaction: Option<TransactionEnd>,
    pub missing: Option<Missing>,
    pub handling: Option<Handling>,
    pub timezone: Option<String>,
    pub max_affected: Option<i64>,
    /// Those that are not known or not allowed.
    pub invalid: Vec<String>,
}

macro_rules! preference {
    ($(#[$meta:meta])* $name:ident { $($variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $name { $($variant),+ }

        impl $name {
            fn of(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)+ _ => None }
            }

            pub(crate) fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }
    };
}

preference! {
    /// What an insert does with a row that exists.
    Resolution { Merge = "resolution=merge-duplicates", Ignore = "resolution=ignore-duplicates" }
}
preference! {
    /// What a write answers.
    Representation {
        Full = "return=representation",
        Minimal = "return=minimal",
        HeadersOnly = "return=headers-only",
    }
}
preference! {
    /// How the total is counted.
    Count { Exact = "count=exact", Planned = "count=planned", Estimated = "count=estimated" }
}
preference! {
    /// How the transaction ends.
    TransactionEnd { Commit = "tx=commit", Rollback = "tx=rollback" }
}
preference! {
    /// What a key that the body lacks means.
    Missing { Default = "missing=default", Null = "missing=null" }
}
preference! {
    /// Whether preferences that are not known are refused.
    Handling { Strict = "handling=strict", Lenient = "handling=lenient" }
}

/// Which preferences the server lets a client choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TransactionChoice {
    Client,
    Server,
}

impl Preferences {
    /// Reads every `Prefer` header; `is_timezone` knows the database's time zones.
    pub(crate) fn from_headers(
        headers: &HeaderMap,
        transaction: TransactionChoice,
        is_timezone: impl Fn(&str) -> bool,
    ) -> Self {
        let mut preferences = Self::default();
        let values = headers.get_all("prefer").iter();
        let texts = values.filter_map(|value| value.to_str().ok());
        for text in texts.flat_map(|text| text.split(',')).map(str::trim) {
            if !text.is_empty() && !preferences.read(text, transaction, &is_timezone) {
                preferences.invalid.push(text.to_owned());
            }
        }
        preferences
    }

    fn read(
        &mut self,
        text: &str,
        choice: TransactionChoice,
        is_timezone: impl Fn(&str) -> bool,
    ) -> bool {
        if let Some(value) = Resolution::of(text) {
            self.resolution.get_or_insert(value);
        } else if let Some(value) = Representation::of(text) {
            self.representation.get_or_insert(value);
        } else if let Some(value) = Count::of(text) {
            self.count.get_or_insert(value);
        } else if let Some(value) = TransactionEnd::of(text) {
            if choice == TransactionChoice::Client {
                self.transaction.get_or_insert(value);
            }
        } else if let Some(value) = Missing::of(text) {
            self.missing.get_or_insert(value);
        } else if let Some(value) = Handling::of(text) {
            self.handling.get_or_insert(value);
        } else if let Some(value) = text.strip_prefix("max-affected=") {
            // A limit that cannot be read must not read as none.
            let Ok(most) = value.parse() else {
                return false;
            };
            self.max_affected.get_or_insert(most);
        } else if let Some(zone) = text.strip_prefix("timezone=") {
            if !is_timezone(zone) {
                return false;
            }
            self.timezone.get_or_insert_with(|| zone.to_owned());
        } else {
            return false;
        }
        true
    }

    /// The limit of rows a write may touch; it binds under strict handling only.
    pub(crate) fn strict_max_affected(&self) -> Option<i64> {
        self.max_affected
            .filter(|_| self.handling == Some(Handling::Strict))
    }

    /// The value of `Preference-Applied`; `None` where nothing was applied.
    pub(crate) fn applied(&self) -> Option<String> {
        let mut applied: Vec<String> = [
            self.resolution.map(Resolution::as_str),
            self.missing.map(Missing::as_str),
            self.representation.map(Representation::as_str),
            self.count.map(Count::as_str),
            self.transaction.map(TransactionEnd::as_str),
            self.handling.map(Handling::as_str),
        ]
        .into_iter()
        .flatten()
        .map(str::to_owned)
        .collect();
        if let Some(zone) = &self.timezone {
            applied.push(format!("timezone={zone}"));
        }
        if let Some(most) = self.strict_max_affected() {
            applied.push(format!("max-affected={most}"));
        }
        (!applied.is_empty()).then(|| applied.join(", "))
    }
}
