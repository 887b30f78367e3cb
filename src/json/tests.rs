use super::*;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use proptest::prelude::*;

fn accepts(text: &str) -> bool {
    parse(text.as_bytes(), Limits::DOCUMENT).is_ok()
}

#[test]
fn what_is_not_strict_json_is_refused() {
    for bad in [
        "",
        " ",
        "{",
        "}",
        "[1,]",
        "{\"a\":1,}",
        "[1 2]",
        "{\"a\" 1}",
        "{a:1}",
        "nul",
        "truex",
        "NaN",
        "Infinity",
        "-",
        "01",
        "1.",
        ".5",
        "+1",
        "1e",
        "--1",
        "\"",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\n\"",
        "1 1",
        "{} x",
        "\u{feff}{}",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800\\ud800\"",
        "\"\\ud800x\"",
        "\"\\ud800\\n\"",
        "[",
        "{\"a\":1,\"a\":2}",
        "{\"a\":1,\"\\u0061\":2}",
        "[{\"x\":{\"b\":1,\"b\":1}}]",
        "'a'",
        "/**/1",
        "\u{0}",
    ] {
        assert!(!accepts(bad), "{bad:?}");
    }
    assert!(parse(b"\"\xff\"", Limits::DOCUMENT).is_err());
    assert!(parse(b"\"\xed\xa0\x80\"", Limits::DOCUMENT).is_err());
}

#[test]
fn depth_and_width_are_bounded() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(accepts(&nested(32)));
    assert!(!accepts(&nested(33)));
    assert!(!accepts(&"[".repeat(1_000_000)));
    let wide = |count: usize| {
        let members: Vec<String> = (0..count).map(|i| format!("\"{i}\":0")).collect();
        format!("{{{}}}", members.join(","))
    };
    assert!(accepts(&wide(4096)));
    assert!(!accepts(&wide(4097)));
    assert!(parse(wide(16).as_bytes(), Limits::HEADER).is_ok());
    assert!(parse(wide(17).as_bytes(), Limits::HEADER).is_err());
}

#[test]
fn a_duplicate_is_found_wherever_it_stands() {
    for count in [2, 16, 17, 18, 40] {
        for duplicate in 0..count {
            let mut names: Vec<String> = (0..count).map(|i| format!("\"n{i}\":0")).collect();
            names.push(format!("\"\\u006e{duplicate}\":1"));
            assert!(!accepts(&format!("{{{}}}", names.join(","))), "{count} {duplicate}");
        }
    }
}

#[test]
fn text_compares_by_what_it_means() {
    let Value::Array(array) = parse(br#"["\ud83d\ude00\n\/","a"]"#, Limits::DOCUMENT).unwrap() else {
        panic!()
    };
    let texts: Vec<Text<'_>> = array.texts().collect();
    assert!(texts[0] == "😀\n/" && texts[0].decode() == "😀\n/");
    assert!(texts[1] < texts[0] && texts[1] == "a" && array.is_all_text());
}

#[test]
fn writing_escapes_what_must_be_and_nothing_else() {
    let mut out = String::new();
    write_text("a\"\\/\u{8}\u{c}\n\r\t\u{1}\u{1f}\u{7f}é<😀", &mut out);
    assert_eq!(out, "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\u{7f}é<😀\"");
    assert_eq!(compact("{ \"a b\\\" \" :\n[1 , 2]\t}"), "{\"a b\\\" \":[1,2]}");
}

/// What `serde_json` makes of a text, or `None` where it refuses it.
fn reference(text: &[u8]) -> Option<serde_json::Value> {
    serde_json::from_slice(text).ok()
}

fn rebuild(value: Value<'_>) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(b) => b.into(),
        Value::Number(number) => serde_json::from_str(number.raw()).unwrap(),
        Value::Text(text) => text.decode().to_string().into(),
        Value::Array(array) => array.iter().map(rebuild).collect(),
        Value::Object(object) => {
            object.iter().map(|(name, value)| (name.decode().to_string(), rebuild(value))).collect()
        }
    }
}

fn json_like() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_string()),
        "-?[0-9]{1,4}(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?",
        "\"([a-c]|\\\\n|\\\\u00e9|\\\\ud83d\\\\ude00|é){0,4}\"",
        "[-0-9.eE+]{1,4}",
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(|items| format!("[ {} ]", items.join(" ,"))),
            prop::collection::vec(("[a-d]{1,2}", inner), 0..5).prop_map(|members| {
                let members: Vec<String> =
                    members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
                format!("{{{}}}", members.join(", "))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_accepted_means_what_serde_json_reads(text in json_like()) {
        if let Ok(value) = parse(text.as_bytes(), Limits::DOCUMENT) {
            let expected = reference(text.as_bytes()).expect("serde_json refuses what was accepted");
            prop_assert_eq!(&rebuild(value), &expected);
            prop_assert_eq!(&reference(compact(&text).as_bytes()).unwrap(), &expected);
        } else if let Some(lax) = reference(text.as_bytes()) {
            // The only strictness beyond serde_json's that these texts reach: duplicate members.
            prop_assert!(lax.to_string().len() < compact(&text).len());
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if parse(&bytes, Limits::DOCUMENT).is_ok() {
            prop_assert!(reference(&bytes).is_some());
        }
    }

    #[test]
    fn text_that_is_written_reads_back(text in any::<String>()) {
        let mut out = String::new();
        write_text(&text, &mut out);
        let Value::Text(read) = parse(out.as_bytes(), Limits::DOCUMENT).unwrap() else { panic!() };
        prop_assert!(read == text.as_str());
        prop_assert_eq!(reference(out.as_bytes()).unwrap(), serde_json::Value::String(text));
    }
}
