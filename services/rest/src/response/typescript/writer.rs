//! Lines of TypeScript, indented by what is open.

use std::fmt::Display;

/// A file while it is written.
#[derive(Debug, Default)]
pub(super) struct Writer {
    text: String,
    depth: usize,
}

impl Writer {
    /// Adds one line.
    pub(super) fn line(&mut self, line: impl Display) {
        for _ in 0..self.depth {
            self.text.push_str("  ");
        }
        self.text.push_str(&line.to_string());
        self.text.push('\n');
    }

    /// Adds `before {`, what `add` adds, and `}after`.
    pub(super) fn block(&mut self, before: impl Display, after: &str, add: impl FnOnce(&mut Self)) {
        let (open, close) = if before.to_string().ends_with('[') {
            (before.to_string(), "]")
        } else {
            (format!("{before}{{"), "}")
        };
        self.line(open);
        self.depth += 1;
        add(self);
        self.depth -= 1;
        self.line(format!("{close}{after}"));
    }

    /// Adds a property whose value is a type of properties; one without any is `[_ in never]`.
    pub(super) fn properties<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        mut add: impl FnMut(&mut Self, T),
    ) {
        self.block(format!("{name}: "), "", |writer| {
            let before = writer.text.len();
            for item in items {
                add(writer, item);
            }
            if writer.text.len() == before {
                writer.line("[_ in never]: never");
            }
        });
    }

    /// The text.
    pub(super) fn finish(self) -> String {
        self.text
    }
}

/// The name of a property: quoted where it is no identifier.
pub(super) fn property(name: &str) -> String {
    let mut characters = name.chars();
    let begins = characters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || matches!(first, '_' | '$'));
    let plain = |next: char| next.is_ascii_alphanumeric() || matches!(next, '_' | '$');
    if begins && characters.all(plain) {
        return name.to_owned();
    }
    text(name)
}

/// A string, and the type of it.
pub(super) fn text(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}
