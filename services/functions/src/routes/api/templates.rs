//! `GET /functions/templates[/{t}]`: what a new function may begin as.

use axum::Json;
use axum::extract::Path;
use serde::Serialize;

use crate::error::ApiError;
use crate::routes::admin::Admin;

#[derive(Clone, Copy, Serialize)]
pub(super) struct Template {
    name: &'static str,
    description: &'static str,
    code: &'static str,
}

const TEMPLATES: [Template; 5] = [
    Template {
        name: "http",
        description: "Answers HTTP requests",
        code: include_str!("../../../templates/http.ts"),
    },
    Template {
        name: "supabase",
        description: "Answers HTTP requests, in Supabase's format",
        code: include_str!("../../../templates/supabase.ts"),
    },
    Template {
        name: "schedule",
        description: "Runs by the clock",
        code: include_str!("../../../templates/schedule.ts"),
    },
    Template {
        name: "database",
        description: "Runs when rows of a table change",
        code: include_str!("../../../templates/database.ts"),
    },
    Template {
        name: "webhook",
        description: "Takes signed messages of other systems",
        code: include_str!("../../../templates/webhook.ts"),
    },
];

pub(super) async fn list_templates(_: Admin) -> Json<[Template; 5]> {
    Json(TEMPLATES)
}

pub(super) async fn show_template(
    _: Admin,
    Path(name): Path<String>,
) -> Result<Json<Template>, ApiError> {
    let found = TEMPLATES.into_iter().find(|each| each.name == name);
    Ok(Json(found.ok_or(ApiError::NotFound("template"))?))
}
