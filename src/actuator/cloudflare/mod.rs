//! cloudflare.

pub(super) mod marks;
pub(super) mod swap;
pub(super) mod whole;
