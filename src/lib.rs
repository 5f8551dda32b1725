//! Changeover.
