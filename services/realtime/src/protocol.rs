//! The frames of the Phoenix channel protocol, both versions, and of SelfDB's own socket. Pure:
//! text and bytes in, values out, and back.

pub mod binary;
pub mod join;
pub mod push;
pub mod reference;
pub mod selfdb;
pub mod text;

pub use join::{BroadcastConfig, ChangeRequest, JoinConfig, JoinRequest, PresenceConfig};
pub use push::{BroadcastBody, BroadcastPush, ClientMessage, ClientPayload, FrameError};
pub use reference::Reference;

/// The version a client asked for with `vsn`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// `1.0.0`: JSON objects; Phoenix' default.
    V1,
    /// `2.0.0`: JSON arrays, and binary frames for broadcasts.
    V2,
}

impl Version {
    /// The version named `vsn`; a client that names none speaks 1.0.0.
    pub fn parse(vsn: Option<&str>) -> Option<Self> {
        match vsn {
            None | Some("" | "1.0.0") => Some(Self::V1),
            Some("2.0.0") => Some(Self::V2),
            Some(_) => None,
        }
    }
}

/// The topic of heartbeats.
pub const PHOENIX_TOPIC: &str = "phoenix";
/// What every channel's topic begins with.
pub const TOPIC_PREFIX: &str = "realtime:";
/// The longest topic or event name, in bytes: binary frames count them in one byte.
pub const MAX_NAME_BYTES: usize = 255;
