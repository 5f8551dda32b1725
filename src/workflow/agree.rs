//! Both readers of YAML see the same: a key or value that one of them reads otherwise would be checked in
//! one place and used from another.

use std::fs;

use proptest::prelude::*;
use serde_json::Value;

use crate::workflow::tree::{self, Node, What};
use crate::workflow::yaml;

/// Whether the tree and the plain data say the same.
fn agree(node: &Node, value: &Value) -> bool {
    match (&node.what, value) {
        (What::List(nodes), Value::Array(list)) => {
            nodes.len() == list.len() && nodes.iter().zip(list).all(|(node, it)| agree(node, it))
        }
        (What::Map(pairs), Value::Object(map)) => {
            pairs.len() == map.len()
                && pairs
                    .iter()
                    .zip(map)
                    .all(|((key, node), (own, it))| key.text == *own && agree(node, it))
        }
        (What::Scalar { text, .. }, Value::String(it)) => text == it,
        (What::Scalar { text, quoted: false }, Value::Number(it)) => {
            text.parse::<f64>().ok() == it.as_f64()
                || text.starts_with("0x")
                || text.starts_with("0o")
                || text.starts_with("0b")
        }
        (What::Scalar { text, quoted: false }, Value::Bool(it)) => {
            text.to_lowercase() == it.to_string()
        }
        (What::Scalar { text, quoted: false }, Value::Null) => {
            ["", "~", "null", "Null", "NULL", ".nan", ".inf", "-.inf"].contains(&text.as_str())
        }
        (What::List(_) | What::Map(_) | What::Scalar { .. }, _) => false,
    }
}

fn compare(text: &str) -> Result<(), String> {
    let (Ok(node), Ok(value)) = (tree::read(text, "x"), yaml::data(text, "x")) else {
        return Ok(());
    };
    // Whatever is no map is no workflow and is refused by both.
    if !matches!(node.what, What::Map(_)) {
        return Ok(());
    }
    if agree(&node, &value) { Ok(()) } else { Err(format!("{text}\n{node:?}\n{value}")) }
}

fn must_agree(text: &str) {
    let node = tree::read(text, "x").unwrap_or_else(|it| panic!("{it:?}\n{text}"));
    let value = yaml::data(text, "x").unwrap_or_else(|it| panic!("{it:?}\n{text}"));
    assert!(agree(&node, &value), "{text}\n{node:?}\n{value}");
}

#[test]
fn they_agree_on_every_file() {
    let root = env!("CARGO_MANIFEST_DIR");
    let mut seen = 0;
    for folder in ["workflows", "tests/fixtures"] {
        for entry in fs::read_dir(format!("{root}/{folder}")).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|it| it == "yaml") {
                must_agree(&fs::read_to_string(path).unwrap());
                seen += 1;
            }
        }
    }
    assert!(seen >= 2);
    for entry in fs::read_dir(format!("{root}/tests/fixtures/broken")).unwrap() {
        compare(&fs::read_to_string(entry.unwrap().path()).unwrap()).unwrap();
    }
}

/// Values in every style, as people and programs write them.
fn document() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        "[a-z][a-z0-9_.-]{0,8}",
        "[ -~äß\u{2028}]{0,12}",
        Just("no".to_owned()),
        Just("010".to_owned()),
        Just("1e3".to_owned()),
        Just("~".to_owned())
    ];
    let leaf = prop_oneof![
        word.prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e6..1e6_f64).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,6}", inner, 0..4)
                .prop_map(|it| Value::Object(it.into_iter().collect())),
        ]
    })
}

/// Block style outside, JSON inside, plain words where they are words.
fn written(value: &Value, indent: usize, out: &mut String) {
    let pad = " ".repeat(indent);
    match value {
        Value::Array(list) if !list.is_empty() && indent < 6 => {
            for it in list {
                out.push_str(&format!("\n{pad}-"));
                written(it, indent + 2, out);
            }
        }
        Value::Object(map) if !map.is_empty() && indent < 6 => {
            for (key, it) in map {
                out.push_str(&format!("\n{pad}{key}:"));
                written(it, indent + 2, out);
            }
        }
        Value::String(text)
            if !text.is_empty() && text.bytes().all(|it| it.is_ascii_alphanumeric()) =>
        {
            out.push_str(&format!(" {text}"));
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => {
            // As the reader demands it: what nobody sees is written out.
            out.push_str(&format!(" {value}").replace('\u{2028}', "\\u2028"));
        }
    }
}

#[test]
fn a_block_at_the_end_of_the_file_is_read_alike() {
    must_agree("top: >\n  a");
    must_agree("top: |\n  a");
}

#[test]
fn a_line_end_that_only_one_reader_knows_is_refused() {
    for unseen in ['\u{85}', '\u{2028}', '\u{2029}'] {
        let text = format!("top: \"a{unseen}{unseen}b\"");
        let faults = tree::read(&text, "x").unwrap_err();
        let place = faults[0].place.as_ref().unwrap();
        assert_eq!((faults[0].code.id, place.line, place.column), ("E1003", 1, 8));
        must_agree(&format!("top: \"a\\u{:04x}b\"", u32::from(unseen)));
    }
}

proptest! {
    #[test]
    fn they_agree_on_made_documents(value in document()) {
        let mut text = "top:".to_owned();
        written(&value, 1, &mut text);
        must_agree(&text);
    }

    #[test]
    fn what_both_accept_they_read_alike(text in "[a-c0-9:{},\\[\\]\"'#&*!|>~ \n.-]{0,40}") {
        prop_assert_eq!(compare(&text), Ok(()));
    }
}
