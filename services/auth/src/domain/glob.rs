//! Patterns of addresses, as `GOTRUE_URI_ALLOW_LIST` writes them: `*` is any run of characters but
//! `.` and `/`, `**` any run at all, `?` one character but those, `[a-z]` one of a class, `{a,b}`
//! one of several; `\` takes the next character as it is.

/// One step of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Exactly(char),
    AnyOne,
    AnyRun,
    AnyRunAcross,
    Class {
        ranges: Vec<(char, char)>,
        inverted: bool,
    },
}

/// A pattern of addresses; one for each choice of its braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob(Vec<Vec<Step>>);

/// A text that is no pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a bracket or brace is not closed, or there are too many choices")]
pub struct GlobError;

/// The most patterns that the braces of one may stand for.
const MAX_CHOICES: usize = 64;

const SEPARATORS: [char; 2] = ['.', '/'];

impl Glob {
    /// Reads a pattern.
    pub fn parse(text: &str) -> Result<Self, GlobError> {
        let choices = expand(text)?;
        let steps = choices.iter().map(|choice| steps(choice));
        Ok(Self(steps.collect::<Result<_, _>>()?))
    }

    /// Whether the whole of `text` has the form.
    pub fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        self.0.iter().any(|steps| matches(steps, &text))
    }
}

/// The patterns that the braces stand for; braces do not nest.
fn expand(text: &str) -> Result<Vec<String>, GlobError> {
    let Some((before, rest)) = text.split_once('{') else {
        return Ok(vec![text.to_owned()]);
    };
    let (choices, after) = rest.split_once('}').ok_or(GlobError)?;
    let mut expanded = Vec::new();
    for tail in expand(after)? {
        for choice in choices.split(',') {
            expanded.push(format!("{before}{choice}{tail}"));
        }
    }
    if expanded.len() > MAX_CHOICES {
        return Err(GlobError);
    }
    Ok(expanded)
}

fn steps(text: &str) -> Result<Vec<Step>, GlobError> {
    let mut steps = Vec::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        steps.push(match character {
            '*' if characters.next_if_eq(&'*').is_some() => Step::AnyRunAcross,
            '*' => Step::AnyRun,
            '?' => Step::AnyOne,
            '\\' => Step::Exactly(characters.next().ok_or(GlobError)?),
            '[' => class(&mut characters)?,
            other => Step::Exactly(other),
        });
    }
    Ok(steps)
}

fn class(characters: &mut impl Iterator<Item = char>) -> Result<Step, GlobError> {
    let members: Vec<char> = characters
        .take_while(|character| *character != ']')
        .collect();
    let (inverted, members) = match members.split_first() {
        Some(('!' | '^', rest)) => (true, rest),
        Some(_) => (false, members.as_slice()),
        None => return Err(GlobError),
    };
    let mut ranges = Vec::new();
    let mut rest = members;
    while let Some((first, after)) = rest.split_first() {
        if let ['-', last, after @ ..] = after {
            ranges.push((*first, *last));
            rest = after;
        } else {
            ranges.push((*first, *first));
            rest = after;
        }
    }
    Ok(Step::Class { ranges, inverted })
}

/// Which prefixes of the text the steps so far cover, a step at a time: no backtracking.
fn matches(steps: &[Step], text: &[char]) -> bool {
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for step in steps {
        let mut next = vec![false; text.len() + 1];
        for at in 0..=text.len() {
            let from_before = at > 0 && {
                let character = text[at - 1];
                match step {
                    Step::Exactly(expected) => reached[at - 1] && character == *expected,
                    Step::AnyOne => reached[at - 1] && !SEPARATORS.contains(&character),
                    Step::AnyRun => next[at - 1] && !SEPARATORS.contains(&character),
                    Step::AnyRunAcross => next[at - 1],
                    Step::Class { ranges, inverted } => {
                        let within = ranges.iter().any(|(a, b)| (*a..=*b).contains(&character));
                        reached[at - 1] && within != *inverted
                    }
                }
            };
            let stays = matches!(step, Step::AnyRun | Step::AnyRunAcross) && reached[at];
            next[at] = from_before || stays;
        }
        reached = next;
    }
    reached[text.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_the_documentation() {
        let cases = [
            ("http://localhost:3000/*", "http://localhost:3000/foo", true),
            (
                "http://localhost:3000/*",
                "http://localhost:3000/foo/bar",
                false,
            ),
            (
                "http://localhost:3000/**",
                "http://localhost:3000/foo/bar",
                true,
            ),
            ("http://localhost:3000/?", "http://localhost:3000/f", true),
            (
                "http://localhost:3000/?",
                "http://localhost:3000/foo",
                false,
            ),
            (
                "http://localhost:3000/[!a-z]",
                "http://localhost:3000/1",
                true,
            ),
            (
                "http://localhost:3000/[!a-z]",
                "http://localhost:3000/b",
                false,
            ),
            ("https://*.example.com/", "https://a.example.com/", true),
            ("https://*.example.com/", "https://a.b.example.com/", false),
            (
                "https://*.example.com/",
                "https://evil.com/.example.com/",
                false,
            ),
            ("https://**.example.com/", "https://a.b.example.com/", true),
            ("https://{a,b}.example.com", "https://b.example.com", true),
            ("https://{a,b}.example.com", "https://c.example.com", false),
            ("app://callback", "app://callback", true),
            ("app://callback", "app://callbacks", false),
            ("https://a\\*b/", "https://a*b/", true),
        ];
        for (pattern, text, expected) in cases {
            let glob = Glob::parse(pattern).expect(pattern);
            assert_eq!(glob.matches(text), expected, "{pattern} {text}");
        }
        for pattern in ["https://{a,b", "https://[]", "x\\"] {
            assert_eq!(Glob::parse(pattern), Err(GlobError), "{pattern}");
        }
    }
}
