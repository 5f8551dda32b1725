//! gitlab.

pub(super) mod idle;
pub(super) mod pipeline;
pub(super) mod play;
pub(super) mod tag;
pub(super) mod variables;
