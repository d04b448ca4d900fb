//! New tokens on a channel.

use std::sync::Arc;

use serde::Deserialize;

use super::joins::{KEY_PREFIX, refusal};
use super::{Outcome, PhoenixConversation};
use crate::changes::AccessError;
use crate::channel::rights::Rights;
use crate::listener::ListenerId;
use crate::protocol::ClientPayload;

#[derive(Deserialize)]
struct AccessTokenPayload {
    access_token: Option<String>,
}

impl PhoenixConversation {
    /// A new token for a channel: who listens is known by it at once; what a private channel may
    /// do is read again.
    pub(super) fn renew(&mut self, topic: &str, payload: &ClientPayload) {
        let ClientPayload::Json(json) = payload else {
            return;
        };
        let token = serde_json::from_str::<AccessTokenPayload>(json.get());
        let Some(token) = token.ok().and_then(|payload| payload.access_token) else {
            return;
        };
        if token.starts_with(KEY_PREFIX) {
            return;
        }
        let identity = match self.engine.authenticator.identify(&token) {
            Ok(identity) => identity,
            Err(error) => return self.close(topic, &refusal(&error)),
        };
        let Some(channel) = self.channels.get(topic) else {
            return;
        };
        channel.listener.set_identity(Arc::clone(&identity));
        if channel.topic.private {
            let engine = Arc::clone(&self.engine);
            let (listener, name) = (channel.listener.id, Arc::clone(&channel.topic.name));
            self.pending.push(Box::pin(async move {
                let result = engine.access.rights(&identity, &name).await;
                Outcome::Rights { listener, result }
            }));
        }
    }

    pub(super) fn reauthorized(
        &mut self,
        listener: ListenerId,
        result: Result<Rights, AccessError>,
    ) {
        let Some(topic) = self.topic_of(listener) else {
            return;
        };
        let Some(channel) = self.channels.get(&topic) else {
            return;
        };
        let member = &channel.membership.member;
        match result {
            Ok(rights) if !rights.revokes_reading(member.rights()) => member.set_rights(rights),
            Ok(_) => {
                let name = &channel.topic.name;
                let reason = format!(
                    "You no longer have permission to read from this Channel topic: {name}"
                );
                self.close(&topic, &reason);
            }
            Err(error) => {
                common::error::report("realtime", &error);
                self.close(&topic, "the policies of this topic could not be read");
            }
        }
    }
}
