//! What grammars of schemas accept.

use crate::grammar::{accept, allowed, Grammars, Kind};

const EOS: u32 = 256;

fn grammars() -> Grammars {
    let mut words: Vec<Vec<u8>> = (0..=255u8).map(|b| vec![b]).collect();
    words.push(Vec::new());
    Grammars::new(words, EOS).unwrap()
}

pub fn check(schema: &str, written: &[&str], not_written: &[&str]) {
    let first = grammars()
        .matcher(Kind::JsonSchema, schema)
        .unwrap_or_else(|e| panic!("{schema}: {e}"));
    let is = |text: &str| {
        let mut matcher = first.deep_clone();
        let may = |matcher: &mut _, token: u32| {
            let mask = allowed(matcher).unwrap();
            mask[token as usize / 32] >> (token % 32) & 1 == 1
        };
        let ok = text.bytes().all(|byte| {
            let token = u32::from(byte);
            may(&mut matcher, token) && accept(&mut matcher, token).is_ok()
        });
        ok && may(&mut matcher, EOS)
    };
    for text in written {
        assert!(is(text), "{schema} must accept {text}");
    }
    for text in not_written {
        assert!(!is(text), "{schema} must not accept {text}");
    }
}

pub fn refused(schema: &str, words: &str) {
    let error = match grammars().matcher(Kind::JsonSchema, schema) {
        Ok(_) => panic!("{schema} must be refused"),
        Err(error) => error,
    };
    assert!(error.contains(words), "{schema}: {error}");
}

#[test]
fn pattern_properties_hold_for_named_properties() {
    check(
        r#"{"properties": {"foo": {"maximum": 5}}, "patternProperties": {"f.o": {"minimum": 3}},
            "required": ["foo"], "additionalProperties": {"type": "null"}}"#,
        &[r#"{"foo": 4}"#, r#"{"foo": 4, "fxo": 9, "z": null}"#],
        &[
            r#"{"foo": 2}"#,
            r#"{"foo": 6}"#,
            r#"{"foo": 4, "fxo": 2}"#,
            r#"{"foo": 4, "z": 1}"#,
        ],
    );
    check(
        r#"{"patternProperties": {"^a": {"type": "integer"}, "b$": {"minimum": 5}}}"#,
        &[
            r#"{"ab": 5}"#,
            r#"{"a": 1}"#,
            r#"{"b": "x"}"#,
            r#"{"c": []}"#,
        ],
        &[
            r#"{"ab": 4}"#,
            r#"{"ab": 5.5}"#,
            r#"{"a": "x"}"#,
            r#"{"xb": 1}"#,
        ],
    );
}

#[test]
fn patterns_that_exclude_each_other_are_many() {
    let patterns: Vec<String> = (0..40)
        .map(|i| format!(r#""^a{i}$": {{"const": {i}}}"#))
        .collect();
    let schema = format!(r#"{{"patternProperties": {{{}}}}}"#, patterns.join(", "));
    check(
        &schema,
        &[r#"{"a7": 7, "b": null}"#],
        &[r#"{"a7": 8}"#, r#"{"a39": null}"#],
    );
}

#[test]
fn what_follows_an_escaped_character_is_kept() {
    check(
        r#"{"type": "string", "pattern": "^\\\\[dw]$"}"#,
        &[r#""\\d""#],
        &[r#""\\""#, r#""\\F""#, r#""\\dd""#],
    );
    check(
        r#"{"type": "string", "pattern": "^\"[a-z]\"$"}"#,
        &[r#""\"a\"""#],
        &[r#""\"""#, r#""\"1\"""#],
    );
}

#[test]
fn all_of_drops_nothing() {
    check(
        r#"{"allOf": [{"properties": {"a": {"type": "integer"}}, "additionalProperties": false},
            {"properties": {"a": {"minimum": 3}, "b": {}}, "required": ["a"]}]}"#,
        &[r#"{"a": 3}"#],
        &[r#"{}"#, r#"{"a": 2}"#, r#"{"a": 3, "b": 1}"#],
    );
    check(
        r#"{"allOf": [{"items": {"type": "integer"}}, {"prefixItems": [{"minimum": 5}]},
            {"minItems": 1}, {"maxItems": 2}], "type": "array"}"#,
        &["[5]", "[5, 1]"],
        &["[]", "[4]", "[5, 1, 1]", "[5.5]"],
    );
    check(
        r#"{"allOf": [{"enum": [1, 2, "a", "bb"]}, {"type": "string"}, {"maxLength": 1}]}"#,
        &[r#""a""#],
        &[r#""bb""#, "1"],
    );
    check(
        r#"{"type": "integer", "allOf": [{"multipleOf": 4}, {"multipleOf": 6}]}"#,
        &["12", "0", "-24"],
        &["4", "6", "18"],
    );
    check(
        r#"{"allOf": [{"type": "string", "pattern": "^a"}, {"pattern": "b$"}, {"minLength": 3}]}"#,
        &[r#""axb""#],
        &[r#""ab""#, r#""axx""#],
    );
}

#[test]
fn names_are_matched_after_unescaping() {
    let schema = r#"{"properties": {"a\nb": {"type": "null"}, "c": {"type": "null"}, "q\"": false},
                     "additionalProperties": {"type": "integer"}}"#;
    check(
        schema,
        &[r#"{"a\nb": null}"#, r#"{"d\n": 1}"#, r#"{"c": null}"#],
        &[
            r#"{"a\nb": 1}"#,
            r#"{"a\u000ab": 1}"#,
            r#"{"a\u000Ab": 1}"#,
            r#"{"\u0063": 1}"#,
            r#"{"q\"": 1}"#,
            r#"{"q\u0022": 1}"#,
        ],
    );
}

#[test]
fn equal_names_do_not_count_twice() {
    refused(r#"{"type": "object", "minProperties": 2}"#, "minProperties");
    check(
        r#"{"type": "object", "minProperties": 1}"#,
        &[r#"{"a": 1}"#],
        &["{}"],
    );
    check(
        r#"{"properties": {"a": {}, "b": {}}, "minProperties": 2, "type": "object"}"#,
        &[r#"{"a": 1, "b": 2}"#],
        &[r#"{"a": 1}"#, r#"{"a": 1, "a": 2}"#, r#"{"a": 1, "c": 2}"#],
    );
    // The listed members are not enough.
    check(
        r#"{"properties": {"a": {}, "b": {}}, "minProperties": 3, "type": "object"}"#,
        &[r#"{"a": 1, "b": 2, "c": 3}"#],
        &[r#"{"a": 1, "b": 2}"#, r#"{"a": 1, "c": 1, "c": 2}"#],
    );
    check(
        r#"{"propertyNames": {"enum": ["x", "y"]}, "minProperties": 1, "maxProperties": 1}"#,
        &[r#"{"x": 1}"#, r#"{"y": 1}"#],
        &[r#"{}"#, r#"{"x": 1, "y": 1}"#, r#"{"z": 1}"#],
    );
}

#[test]
fn only_listed_members_are_written() {
    let a = r#"{"a": 1}"#;
    let more = r#"{"a": 1, "z": 2}"#;
    for closed in [
        r#"{"type": "object", "properties": {"a": {}}}"#,
        r#"{"properties": {"a": {}}, "patternProperties": {"^x": {}}}"#,
        r#"{"properties": {"a": {}}, "minProperties": 1, "type": "object"}"#,
        r#"{"allOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}]}"#,
        r##"{"$ref": "#/$defs/x", "$defs": {"x": {"properties": {"a": {}}}}}"##,
    ] {
        check(closed, &[a], &[more]);
    }
    for open in [
        r#"{"type": "object"}"#,
        r#"{"properties": {"a": {}}, "additionalProperties": true}"#,
        r#"{"properties": {"a": {}}, "additionalProperties": {"type": "integer"}}"#,
        r#"{"properties": {"a": {}}, "unevaluatedProperties": true}"#,
        r#"{"properties": {"a": {}}, "propertyNames": {"maxLength": 1}}"#,
        r#"{"properties": {"a": {}}, "patternProperties": {"^z": {}}}"#,
        r#"{"type": "object", "not": {"properties": {"a": {"type": "string"}}}}"#,
    ] {
        check(open, &[a, more], &[]);
    }
    check(
        r#"{"type": "object", "properties": {}, "required": ["n"]}"#,
        &[r#"{"n": 1}"#],
        &["{}", r#"{"n": 1, "z": 2}"#],
    );
    check(r#"{"type": "object", "properties": {}}"#, &["{}"], &[a]);
    // The member `a` has no value.
    check(
        r##"{"type": "object", "minProperties": 1, "properties": {"a": {"$ref": "#"}}}"##,
        &[r#"{"z": 1}"#],
        &["{}"],
    );
}

#[test]
fn formats_are_exact() {
    check(
        r#"{"type": "string", "format": "date"}"#,
        &[r#""2020-02-29""#, r#""2000-02-29""#, r#""2021-12-31""#],
        &[r#""2021-02-29""#, r#""1900-02-29""#, r#""2021-04-31""#],
    );
    check(
        r#"{"type": "string", "not": {"format": "date"}}"#,
        &[r#""2021-02-29""#, r#""x""#],
        &[r#""2021-02-28""#],
    );
    check(
        r#"{"type": "string", "format": "regex"}"#,
        &[r#""^a+$""#],
        &[r#""(""#],
    );
    check(
        r#"{"type": "integer", "format": "int32"}"#,
        &["1"],
        &["1.5"],
    );
}

#[test]
fn spellings_of_counts() {
    check(
        r#"{"type": "array", "uniqueItems": false, "maxItems": 2.0, "minItems": 1.0}"#,
        &["[1]", "[1, 1]"],
        &["[]", "[1, 1, 1]"],
    );
    check(
        r#"{"type": "string", "maxLength": 2.0}"#,
        &[r#""é""#],
        &[r#""abc""#],
    );
    refused(r#"{"type": "string", "maxLength": -1}"#, "maxLength");
    refused(r#"{"type": "string", "maxLength": 1.5}"#, "maxLength");
}

#[test]
fn unique_items() {
    check(
        r#"{"type": "array", "uniqueItems": true, "items": {"enum": ["a", "b", 1, 1.0]}, "minItems": 1}"#,
        &[r#"["a"]"#, r#"["a", "b", 1]"#, "[1]"],
        &["[]", r#"["a", "a"]"#, "[1, 1.0]", "[1, 1]"],
    );
    check(
        r#"{"uniqueItems": true, "maxItems": 1, "type": "array"}"#,
        &["[1]"],
        &["[1, 1]"],
    );
    refused(
        r#"{"type": "array", "uniqueItems": true, "items": {"type": "string"}}"#,
        "uniqueItems",
    );
}

#[test]
fn branches() {
    check(
        r#"{"if": {"properties": {"a": {"const": 1}}, "required": ["a"]}, "then": {"required": ["b"]},
            "else": {"maxProperties": 1}, "type": "object", "properties": {"a": {}, "b": {}}}"#,
        &[r#"{"a": 1, "b": 2}"#, r#"{"a": 2}"#, r#"{"b": 2}"#],
        &[r#"{"a": 1}"#, r#"{"a": 2, "b": 2}"#],
    );
    check(
        r#"{"oneOf": [{"type": "integer"}, {"minimum": 2}]}"#,
        &["1", "2.5"],
        &["3", "1.5"],
    );
    check(
        r#"{"dependentRequired": {"a": ["b"]}, "properties": {"a": {}, "b": {}}, "type": "object"}"#,
        &["{}", r#"{"b": 1}"#, r#"{"a": 1, "b": 1}"#],
        &[r#"{"a": 1}"#],
    );
    check(
        r#"{"type": "array", "contains": {"type": "integer"}, "minContains": 2, "maxContains": 2}"#,
        &["[1, 2]", r#"["x", 1, null, 2, {}]"#],
        &["[]", "[1]", "[1, 2, 3]", r#"["x", 1]"#],
    );
    check(
        r#"{"properties": {"a": {}}, "anyOf": [{"properties": {"b": {"const": 1}}, "required": ["b"]}, {}],
            "unevaluatedProperties": false, "type": "object"}"#,
        &["{}", r#"{"a": 1}"#, r#"{"a": 1, "b": 1}"#],
        &[r#"{"b": 2}"#, r#"{"c": 1}"#],
    );
    check(
        r##"{"$ref": "#/$defs/list", "$defs": {"list": {"type": "object", "required": ["next"],
            "properties": {"next": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/list"}]}}}}}"##,
        &[r#"{"next": null}"#, r#"{"next": {"next": null}}"#],
        &[r#"{"next": {}}"#, "null"],
    );
}

#[test]
fn impossible_members_are_never_begun() {
    check(
        r##"{"properties": {"a": {"$ref": "#/$defs/loop"}, "b": {"type": "null"}}, "type": "object",
            "additionalProperties": false,
            "$defs": {"loop": {"required": ["x"], "properties": {"x": {"$ref": "#/$defs/loop"}},
            "type": "object"}}}"##,
        &["{}", r#"{"b": null}"#],
        &[r#"{"a": {}}"#],
    );
    refused(
        r##"{"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#"}}}"##,
        "no JSON value",
    );
    refused(
        r#"{"type": "string", "pattern": "^a$", "minLength": 2}"#,
        "no JSON value",
    );
    refused("false", "no JSON value");
}

#[test]
fn rings_chains_and_sizes_are_refused() {
    refused(r##"{"$ref": "#"}"##, "ring");
    for key in ["allOf", "anyOf", "oneOf"] {
        let ring = format!(
            r##"{{"$ref": "#/$defs/a", "$defs": {{"a": {{"{key}": [{{"$ref": "#/$defs/b"}}]}},
                "b": {{"{key}": [{{"$ref": "#/$defs/a"}}]}}}}}}"##
        );
        refused(&ring, "ring");
    }
    let defs: Vec<String> = (0..2500)
        .map(|i| format!(r##""d{i}": {{"$ref": "#/$defs/d{}"}}"##, i + 1))
        .collect();
    let chain = format!(
        r##"{{"$ref": "#/$defs/d0", "$defs": {{{}, "d2500": {{}}}}}}"##,
        defs.join(", ")
    );
    refused(&chain, "limit");
    refused(
        &format!("{}{{}}{}", r#"{"items": "#.repeat(500), "}".repeat(500)),
        "limit",
    );
    refused(
        r#"{"type": "integer", "multipleOf": 62615533}"#,
        "multipleOf",
    );
    refused(
        r#"{"type": "integer", "allOf": [{"multipleOf": 97}, {"multipleOf": 89}, {"multipleOf": 83}]}"#,
        "multipleOf",
    );
    refused(r##"{"$ref": "http://example.com/x"}"##, "leads out of");
    refused(
        r#"{"type": "nothing"}"#,
        "unknown type 'nothing' (at #/type)",
    );
    refused(
        r#"{"properties": {"a": {"pattern": "(a)\\1"}}}"#,
        "(at #/properties/a/pattern)",
    );
}
