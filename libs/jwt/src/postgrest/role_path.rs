//! Where in the claims the role stands: `.postgrest.roles[1]`,
//! `."https://example.com/role".key`, `.roles[?(@ ^== "app_")]`, `.groups[0][1:]`.

mod parse;

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

/// A path to the role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolePath(Vec<Step>);

/// A path that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no path to a claim: use .role, .roles[0] or .roles[?(@ == \"name\")]")]
pub struct RolePathError;

/// Something else than a text stands where the role should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the role is no text")]
pub struct NotText;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
    Filter(Comparison, String),
    Slice(Option<i64>, Option<i64>),
}

/// How an element is chosen from a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    StartsWith,
    EndsWith,
    Contains,
}

impl Comparison {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Equal, "=="),
        (Self::NotEqual, "!="),
        (Self::StartsWith, "^=="),
        (Self::EndsWith, "==^"),
        (Self::Contains, "*=="),
    ];

    fn holds(self, element: &str, operand: &str) -> bool {
        match self {
            Self::Equal => element == operand,
            Self::NotEqual => element != operand,
            Self::StartsWith => element.starts_with(operand),
            Self::EndsWith => element.ends_with(operand),
            Self::Contains => element.contains(operand),
        }
    }
}

impl Default for RolePath {
    fn default() -> Self {
        Self(vec![Step::Key("role".to_owned())])
    }
}

impl FromStr for RolePath {
    type Err = RolePathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse::path(text).map(Self).ok_or(RolePathError)
    }
}

impl RolePath {
    /// The role that `claims` name; `None` where there is none.
    pub fn find(&self, claims: &Value) -> Result<Option<String>, NotText> {
        let Some((value, slices)) = self.walk(claims) else {
            return Ok(None);
        };
        if value.is_null() {
            return Ok(None);
        }
        let mut role = value.as_str().ok_or(NotText)?.to_owned();
        for (from, to) in slices {
            role = slice(&role, from, to);
        }
        Ok(Some(role).filter(|role| !role.is_empty()))
    }

    /// What the path leads to, and how it is cut then.
    fn walk<'v>(&self, claims: &'v Value) -> Option<(&'v Value, Vec<Slice>)> {
        let mut found = claims;
        let mut slices = Vec::new();
        for step in &self.0 {
            match step {
                Step::Key(name) => found = found.get(name)?,
                Step::Index(index) => found = found.get(index)?,
                Step::Filter(comparison, operand) => {
                    let holds = |element: &&Value| {
                        let text = element.as_str();
                        text.is_some_and(|text| comparison.holds(text, operand))
                    };
                    found = found.as_array()?.iter().find(holds)?;
                }
                Step::Slice(from, to) => slices.push((*from, *to)),
            }
        }
        Some((found, slices))
    }
}

type Slice = (Option<i64>, Option<i64>);

/// The characters from `from` up to `to`; negative positions count from the end.
fn slice(text: &str, from: Option<i64>, to: Option<i64>) -> String {
    let length = text.chars().count();
    let place = |position: i64| {
        let distance = usize::try_from(position.unsigned_abs()).unwrap_or(usize::MAX);
        if position < 0 {
            length.saturating_sub(distance)
        } else {
            distance.min(length)
        }
    };
    let (from, to) = (from.map_or(0, place), to.map_or(length, place));
    let characters = text.chars().skip(from);
    characters.take(to.saturating_sub(from)).collect()
}

impl fmt::Display for RolePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.0 {
            match step {
                Step::Key(name) => write!(f, ".\"{name}\"")?,
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Filter(comparison, operand) => {
                    let mut known = Comparison::ALL.iter();
                    let operator = known.find(|(known, _)| known == comparison);
                    let operator = operator.map_or("==", |(_, operator)| operator);
                    write!(f, "[?(@ {operator} \"{operand}\")]")?;
                }
                Step::Slice(from, to) => {
                    let text = |position: &Option<i64>| {
                        position
                            .map(|position| position.to_string())
                            .unwrap_or_default()
                    };
                    write!(f, "[{}:{}]", text(from), text(to))?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_documented_paths_find_their_role() {
        let claims = json!({
            "role": "plain",
            "postgrest": { "roles": ["other", "author"], "wlcg": ["/groupa", "/groupb/"] },
            "https://www.example.com/role": { "key": "author" },
        });
        for (path, role) in [
            (".role", Some("plain")),
            (".postgrest.roles[1]", Some("author")),
            (".\"https://www.example.com/role\".key", Some("author")),
            (".postgrest.roles[?(@ == \"author\")]", Some("author")),
            (".postgrest.roles[?(@ != \"other\")]", Some("author")),
            (".postgrest.roles[?(@ ^== \"aut\")]", Some("author")),
            (".postgrest.roles[?(@ ==^ \"hor\")]", Some("author")),
            (".postgrest.roles[?(@ *== \"utho\")]", Some("author")),
            (".postgrest.wlcg[0][1:]", Some("groupa")),
            (".postgrest.wlcg[1][1:-1]", Some("groupb")),
            (".postgrest.wlcg[0][:]", Some("/groupa")),
            (".postgrest.wlcg[0][11:2]", None),
            (".postgrest.roles[7]", None),
            (".absent.too", None),
        ] {
            let path: RolePath = path.parse().expect("a path");
            let found = path.find(&claims).expect("a text or nothing");
            assert_eq!(found.as_deref(), role, "{path}");
        }
    }

    #[test]
    fn a_role_that_is_no_text_is_no_role() {
        let path = RolePath::default();
        for claims in [
            json!({"role": ["a"]}),
            json!({"role": 1}),
            json!({"role": {}}),
        ] {
            assert_eq!(path.find(&claims), Err(NotText));
        }
    }

    #[test]
    fn a_path_is_written_as_it_is_read() {
        for path in [
            ".\"role\"",
            ".\"a\".\"b\"[3]",
            ".\"a\"[?(@ ==^ \"x\")]",
            ".\"a\"[0][-3:]",
        ] {
            let read: RolePath = path.parse().expect("a path");
            assert_eq!(read.to_string(), path);
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for path in [
            "",
            "role",
            ".",
            ".a[",
            ".a[x]",
            ".a[?(@ = \"x\")]",
            ".a b",
            ".a[?(@ == x)]",
            ".a[0][1:2:3]",
        ] {
            assert_eq!(path.parse::<RolePath>(), Err(RolePathError), "{path}");
        }
    }
}
