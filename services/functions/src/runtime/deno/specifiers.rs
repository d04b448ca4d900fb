//! Imports that every function of Supabase's begins with, and what is loaded for them here: neither
//! needs a registry of its own.

/// The types of Supabase's runtime: there is no code in it.
const TYPES: &str = "edge-runtime.d.ts";
const TYPES_PACKAGE: &str = "@supabase/functions-js";
/// A module with the same types, for who has them checked.
const OWN_TYPES: &str = "data:application/typescript,declare%20global%7Bconst%20EdgeRuntime:%7BwaitUntil%3CT%3E(work:Promise%3CT%3E):Promise%3CT%3E%7D%7Dexport%7B%7D";

/// One package on two registries; the names are of one length, so columns stay what they are.
const CLIENT: (&str, &str) = ("jsr:@supabase/supabase-js", "npm:@supabase/supabase-js");

/// `text` as it is laid down for a process; `None` where it stays as it is.
pub(super) fn rewrite(text: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(text).ok()?;
    if !text.contains(TYPES_PACKAGE) && !text.contains(CLIENT.0) {
        return None;
    }
    Some(without_types(&text.replace(CLIENT.0, CLIENT.1)))
}

fn without_types(text: &str) -> String {
    let mut rewritten = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(TYPES) {
        let quote = after
            .chars()
            .next()
            .filter(|next| ['"', '\''].contains(next));
        let import = quote.and_then(|quote| before.rsplit_once(quote));
        match (import, quote) {
            (Some((head, package)), Some(quote)) if package.contains(TYPES_PACKAGE) => {
                rewritten.push_str(head);
                rewritten.push(quote);
                rewritten.push_str(OWN_TYPES);
            }
            _ => {
                rewritten.push_str(before);
                rewritten.push_str(TYPES);
            }
        }
        rest = after;
    }
    rewritten.push_str(rest);
    rewritten
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_not_fetched_and_the_client_comes_from_npm() {
        for specifier in [
            "jsr:@supabase/functions-js/edge-runtime.d.ts",
            "jsr:@supabase/functions-js@^2/edge-runtime.d.ts",
            "@supabase/functions-js/edge-runtime.d.ts",
        ] {
            let text = format!("import \"{specifier}\";\nimport x from './y.ts';");
            let expected = format!("import \"{OWN_TYPES}\";\nimport x from './y.ts';");
            assert_eq!(rewrite(text.as_bytes()), Some(expected));
        }
        assert_eq!(
            rewrite(b"import { corsHeaders } from 'jsr:@supabase/supabase-js@2/cors'").as_deref(),
            Some("import { corsHeaders } from 'npm:@supabase/supabase-js@2/cors'")
        );
    }

    #[test]
    fn everything_else_stays_what_it_is() {
        for text in [
            "import x from './edge-runtime.d.ts';",
            "import x from 'npm:@supabase/supabase-js@2';",
            "\u{fffd}",
        ] {
            assert_eq!(rewrite(text.as_bytes()), None, "{text}");
        }
        let other = "// @supabase/functions-js\nimport x from './edge-runtime.d.ts';";
        assert_eq!(rewrite(other.as_bytes()).as_deref(), Some(other));
        assert_eq!(rewrite(&[0xff, 0xfe]), None);
    }
}
