//! `Content-Disposition: attachment` (RFC 6266, with the encoding of RFC 8187).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What RFC 8187 calls `attr-char` stays as it is.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// The header's value that makes a browser save what it gets, under `name` where that is not empty.
/// Old clients read `filename`, in ASCII; others `filename*`.
pub fn attachment(name: &str) -> String {
    if name.is_empty() {
        return "attachment".to_owned();
    }
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '%' | ';');
    let ascii: String = name
        .chars()
        .map(|c| if plain(c) || c == ' ' { c } else { '_' })
        .collect();
    let encoded = utf8_percent_encode(name, VALUE);
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded_and_cannot_break_out() {
        let table = [
            ("", "attachment"),
            (
                "cat.png",
                "attachment; filename=\"cat.png\"; filename*=UTF-8''cat.png",
            ),
            (
                "żółw.txt",
                "attachment; filename=\"___w.txt\"; filename*=UTF-8''%C5%BC%C3%B3%C5%82w.txt",
            ),
            (
                "a\"; x=\"b",
                "attachment; filename=\"a__ x=_b\"; filename*=UTF-8''a%22%3B%20x%3D%22b",
            ),
            (
                "a\r\nb",
                "attachment; filename=\"a__b\"; filename*=UTF-8''a%0D%0Ab",
            ),
        ];
        for (name, expected) in table {
            assert_eq!(attachment(name), expected);
        }
    }
}
