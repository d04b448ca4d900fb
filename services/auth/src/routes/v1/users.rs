//! `/api/v1/users`: administrators see all, users themselves.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use common::Secret;
use serde::Deserialize;
use serde_json::{Value, json};

use super::responses::ProfileResponse;
use crate::actions;
use crate::actions::admin::{AccountUpdate, Deletion, NewAccount, NewPassword, update_account};
use crate::actions::caller::{Admin, Caller, admin, caller, identity};
use crate::actions::update_user::UserUpdate;
use crate::app::App;
use crate::domain::audit::Actor;
use crate::domain::ids::UserId;
use crate::domain::metadata::Metadata;
use crate::domain::session::Client;
use crate::domain::user::Confirmation;
use crate::error::{Error, Result};
use crate::extract::JsonBody;
use crate::routes::admin::user_id;
use crate::routes::requests::{contacts, email, given};
use crate::store;
use crate::store::users::UserPage;

const PER_PAGE: u32 = 100;
const MAX_PER_PAGE: u32 = 1_000;

#[derive(Deserialize)]
pub(crate) struct ListUsersQuery {
    skip: Option<u32>,
    limit: Option<u32>,
}

/// Users, the newest first.
pub(crate) async fn list_users(
    State(app): State<Arc<App>>,
    _: Admin,
    Query(query): Query<ListUsersQuery>,
) -> Result<Json<Vec<ProfileResponse>>> {
    let page = UserPage {
        offset: query.skip.unwrap_or_default().into(),
        limit: query.limit.unwrap_or(PER_PAGE).min(MAX_PER_PAGE).into(),
        filter: None,
    };
    let mut connection = app.pool.acquire().await?;
    let users = store::users::list(&mut connection, &page).await?;
    let now = app.now();
    let profiles = users.iter().map(|user| ProfileResponse::new(user, now));
    Ok(Json(profiles.collect()))
}

/// How many users there are.
pub(crate) async fn count_users(State(app): State<Arc<App>>, _: Admin) -> Result<Json<Value>> {
    let mut connection = app.pool.acquire().await?;
    let count = store::users::count(&mut connection, None).await?;
    Ok(Json(json!({ "count": count })))
}

/// What may be said of an account. Whether it is a superuser's is not among it.
#[derive(Deserialize)]
pub(crate) struct UserRequest {
    email: Option<String>,
    password: Option<String>,
}

/// Makes an account, confirmed.
pub(crate) async fn create_user(
    State(app): State<Arc<App>>,
    admin: Admin,
    client: Client,
    JsonBody(request): JsonBody<UserRequest>,
) -> Result<(StatusCode, Json<ProfileResponse>)> {
    let email = email(&request.email.unwrap_or_default())?;
    let password =
        given(request.password).ok_or_else(|| Error::validation("An account needs a password"))?;
    let account = NewAccount {
        id: None,
        audience: None,
        role: None,
        email: Some((email, Confirmation::Confirmed)),
        phone: None,
        password: NewPassword::Plain(Secret::from(password)),
        user_metadata: Metadata::default(),
        app_metadata: Metadata::default(),
        ban: None,
    };
    let user = actions::admin::create_user(&app, &client, &admin, account).await?;
    let profile = ProfileResponse::new(&user, app.now());
    Ok((StatusCode::CREATED, Json(profile)))
}

/// One user.
pub(crate) async fn get_user(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<ProfileResponse>> {
    let id = user_id(&id)?;
    let user = match asker(&app, &headers, id).await? {
        Asker::Own(caller) => caller.user,
        Asker::Admin(_) => {
            let mut connection = app.pool.acquire().await?;
            let user = store::users::find(&mut connection, id).await?;
            user.ok_or(Error::UserNotFound)?
        }
    };
    Ok(Json(ProfileResponse::new(&user, app.now())))
}

/// Changes a user's address, password, or both.
pub(crate) async fn update_user(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    client: Client,
    JsonBody(request): JsonBody<UserRequest>,
) -> Result<Json<ProfileResponse>> {
    let id = user_id(&id)?;
    let asker = asker(&app, &headers, id).await?;
    let contacts = contacts(given(request.email).as_deref(), None)?;
    let password = given(request.password).map(Secret::from);
    let user = match asker {
        Asker::Own(caller) => {
            let update = UserUpdate {
                contacts,
                password,
                ..UserUpdate::nothing(&app)
            };
            Box::pin(actions::update_user::update_user(
                &app, &client, &caller, update,
            ))
            .await?
        }
        Asker::Admin(admin) => {
            let confirmed = |contact| (contact, Confirmation::Confirmed);
            let update = AccountUpdate {
                contacts: contacts.into_iter().map(confirmed).collect(),
                password,
                ..AccountUpdate::default()
            };
            update_account(&app, &client, &admin, id, update).await?
        }
    };
    Ok(Json(ProfileResponse::new(&user, app.now())))
}

/// Deletes a user.
pub(crate) async fn delete_user(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    client: Client,
) -> Result<StatusCode> {
    let id = user_id(&id)?;
    let actor = match asker(&app, &headers, id).await? {
        Asker::Own(caller) => Actor::user(&caller.user),
        Asker::Admin(admin) => admin.actor,
    };
    actions::admin::delete_user(&app, &client, &actor, id, Deletion::Hard).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who asks about a user: the user, or an administrator.
enum Asker {
    Own(Box<Caller>),
    Admin(Admin),
}

async fn asker(app: &App, headers: &HeaderMap, id: UserId) -> Result<Asker> {
    let identity = identity(app, headers)?;
    if identity.user_id() == Some(id.0) {
        let caller = caller(app, &identity).await?;
        return Ok(Asker::Own(Box::new(caller)));
    }
    Ok(Asker::Admin(admin(app, &identity).await?))
}
