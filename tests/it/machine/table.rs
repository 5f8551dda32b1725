//! The whole table as a snapshot; read it before accepting a change.

use changeover::chart;

#[test]
fn every_shape_of_state_against_every_input() {
    insta::assert_snapshot!(format!("{}\n{}", chart::legend(), chart::table_text()));
}
