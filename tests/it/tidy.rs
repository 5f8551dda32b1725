//! Properties of the source text itself.
