//! A reader over one query parameter that knows where it is, so that every parser reports the
//! place it stopped at.

/// The deepest nesting of parentheses a parameter may have; deeper input is refused while it is
/// read, so neither the parser nor a later stage recurses further.
pub(crate) const MAX_DEPTH: usize = 64;

/// Where and why a parser stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mismatch {
    /// The column, counted in characters from 1.
    pub column: usize,
    /// What was met and what would have fitted.
    pub details: String,
}

/// A position in a text.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    source: &'a str,
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(source: &'a str) -> Self {
        Self {
            source,
            rest: source,
        }
    }

    pub(crate) fn at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    pub(crate) fn starts_with(&self, token: &str) -> bool {
        self.rest.starts_with(token)
    }

    /// Steps over one character.
    pub(crate) fn bump(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let next = characters.next();
        self.rest = characters.as_str();
        next
    }

    /// Steps over `token` where it comes next.
    pub(crate) fn eat(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Steps over `token`, or reports that it is missing.
    pub(crate) fn expect(&mut self, token: &str) -> Result<(), Mismatch> {
        if self.eat(token) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("{token:?}")))
        }
    }

    /// Steps over every character that fits.
    pub(crate) fn take_while(&mut self, fits: impl Fn(char) -> bool) -> &'a str {
        let end = self
            .rest
            .find(|character| !fits(character))
            .unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    /// Everything that is left.
    pub(crate) fn take_rest(&mut self) -> &'a str {
        std::mem::take(&mut self.rest)
    }

    pub(crate) fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    /// Steps over `token` and the blanks around it.
    pub(crate) fn eat_lexeme(&mut self, token: &str) -> bool {
        let before = self.rest;
        self.skip_blanks();
        if self.eat(token) {
            self.skip_blanks();
            true
        } else {
            self.rest = before;
            false
        }
    }

    /// Like [`Self::eat_lexeme`], where the token has to come.
    pub(crate) fn expect_lexeme(&mut self, token: &str) -> Result<(), Mismatch> {
        if self.eat_lexeme(token) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("{token:?}")))
        }
    }

    /// The end of the text, or a report of what follows.
    pub(crate) fn expect_end(&self) -> Result<(), Mismatch> {
        if self.at_end() {
            Ok(())
        } else {
            Err(self.unexpected("end of input"))
        }
    }

    /// A report that something else should stand here.
    pub(crate) fn unexpected(&self, expecting: &str) -> Mismatch {
        self.unexpected_in("", expecting)
    }

    /// The same where `token` was looked for, of which a part may be there: what is met is the
    /// first character that differs, and the place the one where it should begin.
    pub(crate) fn unexpected_in(&self, token: &str, expecting: &str) -> Mismatch {
        let mut characters = self.rest.chars();
        let mut token = token.chars();
        let met = loop {
            let met = characters.next();
            let wanted = token.next();
            if met.is_none() || met != wanted {
                break met;
            }
        };
        let met = match met {
            Some(character) => format!("{:?}", character.to_string()),
            None => "end of input".to_owned(),
        };
        self.fail(format!("unexpected {met} expecting {expecting}"))
    }

    /// A report about this place.
    pub(crate) fn fail(&self, details: String) -> Mismatch {
        let read = self.source.len().saturating_sub(self.rest.len());
        let column = self
            .source
            .get(..read)
            .map_or(1, |text| text.chars().count() + 1);
        Mismatch { column, details }
    }

    /// Refuses a path of more steps than [`MAX_DEPTH`].
    pub(crate) fn check_steps(&self, steps: usize) -> Result<(), Mismatch> {
        if steps < MAX_DEPTH {
            Ok(())
        } else {
            Err(self.fail(format!("more than {MAX_DEPTH} steps into JSON")))
        }
    }

    /// Refuses a nesting that is deeper than [`MAX_DEPTH`].
    pub(crate) fn check_depth(&self, depth: usize) -> Result<(), Mismatch> {
        if depth > MAX_DEPTH {
            Err(self.fail(format!("more than {MAX_DEPTH} nested parentheses")))
        } else {
            Ok(())
        }
    }
}
