//! The parts of a media type and of a list of them.

/// The parts of `text` between separators that stand in no quotes.
pub(super) fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |character| {
        if character == '"' {
            quoted = !quoted;
        }
        character == separator && !quoted
    })
}

/// The `q` of an entry in thousandths; 1000 where it has none.
pub(super) fn quality(entry: &str) -> u16 {
    let value = split(entry, ';').find_map(|part| part.trim().strip_prefix("q="));
    let Some(value) = value.and_then(|value| value.trim().parse::<f64>().ok()) else {
        return 1000;
    };
    let thousandths = (value.clamp(0.0, 1.0) * 1000.0).round();
    (0..=1000u16)
        .find(|quality| (f64::from(*quality) - thousandths).abs() < 0.5)
        .unwrap_or(1000)
}
