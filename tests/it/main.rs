//! Everything that is tested from outside the crate; one binary.

mod actuator_site;
