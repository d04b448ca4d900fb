//! "Perhaps you meant": the most similar of some names, by the trigrams they share.

use std::collections::HashMap;

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
    // A name longer than any in Postgres is similar to none.
    if name.len() > 200 {
        return None;
    }
    let sought = grams(name);
    candidates
        .map(|candidate| (similarity(&sought, &grams(candidate)), candidate))
        .filter(|(similarity, _)| *similarity >= least)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, candidate)| candidate)
}

type Grams = HashMap<(char, char), u16>;

/// Pairs of neighbouring characters of the name with a mark at both ends.
fn grams(name: &str) -> Grams {
    let lower = name.to_lowercase();
    let marked = || std::iter::once('\0').chain(lower.chars()).chain(['\0']);
    let mut grams = Grams::new();
    for pair in marked().zip(marked().skip(1)) {
        let count = grams.entry(pair).or_default();
        *count = count.saturating_add(1);
    }
    grams
}

/// The cosine of the angle between the two.
fn similarity(one: &Grams, other: &Grams) -> f64 {
    let shared: f64 = one
        .iter()
        .filter_map(|(gram, count)| Some(f64::from(*count) * f64::from(*other.get(gram)?)))
        .sum();
    let length = |grams: &Grams| -> f64 {
        let squares = grams.values().map(|count| f64::from(*count).powi(2));
        squares.sum::<f64>().sqrt()
    };
    shared / (length(one) * length(other)).max(f64::MIN_POSITIVE)
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
