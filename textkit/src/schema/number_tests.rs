//! Tests of large numbers.

use super::tests::{check, refused};

#[test]
fn large_integers_are_exact() {
    check(
        r#"{"type": "integer", "minimum": 9007199254740993, "maximum": 9007199254740995}"#,
        &["9007199254740993", "9007199254740995"],
        &["9007199254740992", "9007199254740996"],
    );
    check(
        r#"{"const": 9007199254740993}"#,
        &["9007199254740993"],
        &["9007199254740992"],
    );
    check(
        r#"{"type": "integer", "enum": [18446744073709551617, 1.0, 2.5]}"#,
        &["18446744073709551617", "1.0"],
        &["18446744073709551616", "2.5"],
    );
    refused(r#"{"minimum": 1e300}"#, "digits");
}

#[test]
fn numbers_without_a_bound_end() {
    let (most, more) = (&"9".repeat(16), &"9".repeat(17));
    check(r#"{"type": "integer"}"#, &[most], &[more]);
    check(r#"{"minimum": 5}"#, &["5", most], &["4", more]);
    let parts = format!("{most}.{most}");
    check(
        r#"{"type": "number"}"#,
        &[&parts],
        &[more, &(parts.clone() + "9")],
    );
    // A bound beyond that allows one more digit.
    let (bound, larger) = ("1".repeat(18), "9".repeat(19));
    let schema = format!(r#"{{"type": "integer", "minimum": {bound}}}"#);
    check(&schema, &[&bound, &larger], &[&(larger.clone() + "9")]);
}
