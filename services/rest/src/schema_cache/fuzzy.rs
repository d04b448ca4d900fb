//! "Perhaps you meant": the most similar of some names, by how few edits lead from one to the
//! other.

/// How similar a name of a table or function has to be before it is told to somebody.
pub(crate) const CLOSE: f64 = 0.75;
/// How similar the parameters of a known function have to be.
pub(crate) const LOOSE: f64 = 0.33;

/// The most similar of `candidates`; `None` where none is similar by at least `least` (0 to 1).
pub(crate) fn closest<'c>(
    name: &str,
    candidates: impl Iterator<Item = &'c str>,
    least: f64,
) -> Option<&'c str> {
    let sought: Vec<char> = name.chars().take(LONGEST + 1).collect();
    if sought.len() > LONGEST {
        return None;
    }
    candidates
        .map(|candidate| (similarity(&sought, candidate, least), candidate))
        .filter(|(similarity, _)| *similarity >= least)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, candidate)| candidate)
}

/// Names of Postgres are no longer; a list of parameters may be.
const LONGEST: usize = 200;

/// One less the edits for each character of the longer text; 0 where that is surely under `least`.
fn similarity(sought: &[char], candidate: &str, least: f64) -> f64 {
    let candidate: Vec<char> = candidate.chars().collect();
    let longer = sought.len().max(candidate.len()).max(1);
    let shorter = sought.len().min(candidate.len());
    let ratio = |edits: usize| 1.0 - share(edits, longer);
    if ratio(longer - shorter) < least {
        return 0.0;
    }
    let mut row: Vec<usize> = (0..=candidate.len()).collect();
    for (position, one) in sought.iter().enumerate() {
        let mut diagonal = position;
        let mut left = position + 1;
        let mut fewest = left;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, other) in row.iter_mut().skip(1).zip(&candidate) {
            let replaced = diagonal + usize::from(one != other);
            diagonal = *cell;
            left = replaced.min(*cell + 1).min(left + 1);
            *cell = left;
            fewest = fewest.min(left);
        }
        if ratio(fewest) < least {
            return 0.0;
        }
    }
    ratio(row.last().copied().unwrap_or(longer))
}

fn share(part: usize, whole: usize) -> f64 {
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    number(part) / number(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_name_is_found_and_far_ones_are_not_told() {
        let names = ["films", "directors", "roles", "actors"];
        let find = |name| closest(name, names.into_iter(), CLOSE);
        assert_eq!(find("film"), Some("films"));
        assert_eq!(find("directors_"), Some("directors"));
        assert_eq!(find("noclosealternative"), None);
    }
}
