//! Why changes cannot be listened to, in the words that Supabase's server has for it: clients show
//! them, and look for them.

use super::binding::BindingError;
use super::filter::{self, FilterError};
use crate::engine::SubscribeError;
use crate::protocol::ChangeRequest;

/// No table that is asked for is in the publication.
pub fn not_published(request: &ChangeRequest) -> String {
    format!(
        "Unable to subscribe to changes with given parameters. Please check Realtime is enabled \
         for the given connect parameters: [{}]",
        parameters(request)
    )
}

/// A request that cannot be read.
pub fn of_binding(request: &ChangeRequest, error: &BindingError) -> String {
    let malformed = matches!(
        error,
        BindingError::Filter(FilterError::Form(_) | FilterError::Operator(..) | FilterError::List)
    );
    if malformed {
        format!("Error parsing `filter` params: {error}")
    } else {
        exception(request, &error.to_string())
    }
}

/// One that does not fit its table; `None` where the request is not at fault.
pub fn of_subscription(request: &ChangeRequest, error: &SubscribeError) -> Option<String> {
    match error {
        SubscribeError::Column(name) => Some(exception(
            request,
            &format!("invalid column for filter {name}"),
        )),
        SubscribeError::Filter(error) => Some(exception(request, &error.to_string())),
        SubscribeError::Stream(_) | SubscribeError::Access(_) => None,
    }
}

fn exception(request: &ChangeRequest, what: &str) -> String {
    format!(
        "Unable to subscribe to changes with given parameters. An exception happened so please \
         check your connect parameters: [{}]. Exception: ERROR P0001 (raise_exception) {what}",
        parameters(request)
    )
}

/// What was asked for, as that server writes it.
fn parameters(request: &ChangeRequest) -> String {
    let text = |text: &Option<String>, default: &str| {
        let text = text.as_deref().filter(|text| !text.is_empty());
        text.unwrap_or(default).to_owned()
    };
    let filters = filter::parts(request.filter.as_deref().unwrap_or_default());
    let filters: Vec<String> = filters
        .iter()
        .map(|part| {
            format!(
                "{{{:?}, {:?}, {:?}, {}}}",
                part.column, part.operator, part.value, part.negated
            )
        })
        .collect();
    let select = request.select.as_ref();
    let select = select.map_or_else(|| "nil".to_owned(), |names| format!("{names:?}"));
    format!(
        "event: {}, schema: {}, table: {}, filters: [{}], select: {select}",
        text(&request.event, "*"),
        text(&request.schema, "public"),
        text(&request.table, "*"),
        filters.join(", "),
    )
}

#[cfg(test)]
mod tests {
    use super::super::Binding;
    use super::*;

    fn request(filter: &str) -> ChangeRequest {
        ChangeRequest {
            event: Some("INSERT".to_owned()),
            table: Some("todos".to_owned()),
            filter: Some(filter.to_owned()),
            ..ChangeRequest::default()
        }
    }

    #[test]
    fn refusals_are_in_the_words_that_clients_know() {
        for (filter, expected) in [
            (
                "subject=foo.hey",
                r#"Error parsing `filter` params: ["foo", "hey"]"#,
            ),
            (
                "undefined",
                r#"Error parsing `filter` params: ["undefined"]"#,
            ),
            (
                "id=in.1",
                "Error parsing `filter` params: `in` filter value must be wrapped by parentheses",
            ),
        ] {
            let request = request(filter);
            let error = Binding::new(&request).expect_err("no filter");
            assert_eq!(of_binding(&request, &error), expected);
        }
        let request = request("a=not.eq.\"x\",b=gt.1");
        assert_eq!(
            not_published(&request),
            "Unable to subscribe to changes with given parameters. Please check Realtime is \
             enabled for the given connect parameters: [event: INSERT, schema: public, table: \
             todos, filters: [{\"a\", \"eq\", \"x\", true}, {\"b\", \"gt\", \"1\", false}], select: \
             nil]"
        );
    }
}
