//! What a channel may do in its topic.

/// Which of these a channel may do. Public channels may do all but the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "policies, each yes or no")]
pub struct Rights {
    /// Hear broadcasts.
    pub read_broadcast: bool,
    /// Send broadcasts.
    pub write_broadcast: bool,
    /// Hear who is present.
    pub read_presence: bool,
    /// Be present.
    pub write_presence: bool,
    /// Have its broadcasts kept.
    pub persist: bool,
}

impl Rights {
    /// Nothing at all.
    pub const NONE: Self = Self {
        read_broadcast: false,
        write_broadcast: false,
        read_presence: false,
        write_presence: false,
        persist: false,
    };

    /// What everybody may do in a public topic.
    pub const ALL: Self = Self {
        read_broadcast: true,
        write_broadcast: true,
        read_presence: true,
        write_presence: true,
        persist: false,
    };

    /// Whether something could be heard with the rights `before` and cannot be with these.
    pub fn revokes_reading(self, before: Self) -> bool {
        (before.read_broadcast && !self.read_broadcast)
            || (before.read_presence && !self.read_presence)
    }

    /// Whether there is anything to hear.
    pub fn can_read(self) -> bool {
        self.read_broadcast || self.read_presence
    }
}
