//! The functions that are asked.

use std::fmt::Write as _;

/// One answer, nothing else. `deno serve` and workerd run it as it is.
pub(super) const HELLO: &str =
    "export default { fetch: () => Response.json({ message: \"Hello\" }) };\n";

/// As large as a function with packages that were bundled into it: much code, little of it run.
pub(super) fn bundle() -> String {
    const BYTES: usize = 300 * 1024;
    let mut text = String::with_capacity(BYTES + 1024);
    let mut number = 0;
    while text.len() < BYTES {
        let _ = write!(
            text,
            "export function part{number}(value, options = {{}}) {{\n  \
               if (value === null) throw new TypeError('part {number} wants a value');\n  \
               const found = Object.entries(value).filter(([name]) => name !== 'skip{number}');\n  \
               return options.deep ? found.map(([name, each]) => [name, String(each)]) : found;\n\
             }}\n",
        );
        number += 1;
    }
    text + "export default { fetch: () => Response.json(part0({ message: 'Hello' })) };\n"
}
