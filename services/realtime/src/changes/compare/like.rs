//! `like`'s patterns.

/// Whether `text` matches `pattern`: `%` is any text, `_` any character, `\` takes the next one
/// as it is.
pub fn like(text: &str, pattern: &str, ignore_case: bool) -> bool {
    let fold = |text: &str| -> Vec<char> {
        if ignore_case {
            text.to_lowercase().chars().collect()
        } else {
            text.chars().collect()
        }
    };
    let (text, pattern) = (fold(text), tokens(&fold(pattern)));
    // One place to return to is enough: a later `%` makes an earlier one's choice irrelevant.
    let (mut at, mut next) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        match (pattern.get(next), text.get(at)) {
            (Some(Token::Any), _) => {
                retry = Some((next + 1, at));
                next += 1;
            }
            (Some(Token::One), Some(_)) => (at, next) = (at + 1, next + 1),
            (Some(Token::Is(expected)), Some(found)) if expected == found => {
                (at, next) = (at + 1, next + 1);
            }
            (None, None) => return true,
            _ => match retry {
                Some((after, from)) if from < text.len() => {
                    retry = Some((after, from + 1));
                    (at, next) = (from + 1, after);
                }
                _ => return false,
            },
        }
    }
}

enum Token {
    Any,
    One,
    Is(char),
}

fn tokens(pattern: &[char]) -> Vec<Token> {
    let mut characters = pattern.iter().copied();
    let mut tokens = Vec::with_capacity(pattern.len());
    while let Some(character) = characters.next() {
        tokens.push(match character {
            '%' => Token::Any,
            '_' => Token::One,
            '\\' => Token::Is(characters.next().unwrap_or('\\')),
            other => Token::Is(other),
        });
    }
    tokens
}
