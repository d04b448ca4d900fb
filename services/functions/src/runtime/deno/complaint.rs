//! What a module says when it does not load, without what is only of the platform in it.

use std::path::Path;

/// What is longer is cut off, in characters.
const MAX_CHARACTERS: usize = 16 * 1024;

/// `said`, with places relative to `code` and without the frames that lie in `bootstrap`.
pub(super) fn tidy(said: &str, code: &Path, bootstrap: &Path) -> String {
    let (code, bootstrap) = (
        format!("file://{}/", code.display()),
        bootstrap.display().to_string(),
    );
    let lines = said.lines().filter(|line| !line.contains(&bootstrap));
    let kept: Vec<&str> = lines.collect();
    let text = kept.join("\n").replace(&code, "");
    text.chars().take(MAX_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_the_functions_own() {
        let said = "Error: no\n    at load (file:///r/s/1/code/a/index.ts:3:4)\n    at async become (file:///r/boot/boot.ts:7:1)";
        assert_eq!(
            tidy(said, Path::new("/r/s/1/code"), Path::new("/r/boot")),
            "Error: no\n    at load (a/index.ts:3:4)"
        );
    }
}
