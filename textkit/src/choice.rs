//! A grammar of given strings.

use std::collections::HashSet;

use llguidance::derivre::{ExprRef, RegexAst};
use llguidance::earley::lexerspec::LexerSpec;
use llguidance::earley::Grammar;

use crate::schema::Builder;

/// Largest number of strings of one choice.
pub const MAX_CHOICES: usize = 50_000;
/// Largest size of all strings of one choice, in bytes.
pub const MAX_CHOICE_BYTES: usize = 1 << 20;

/// Compiles a grammar whose output is one of the strings in `text`, a JSON array. Time and memory
/// are linear in the size of the strings, because they become a tree of common prefixes.
pub fn compile(text: &str) -> Result<(Grammar, LexerSpec), String> {
    if text.len() > 8 * MAX_CHOICE_BYTES {
        return Err(too_long());
    }
    let strings: Vec<String> = serde_json::from_str(text)
        .map_err(|_| "a choice must be a JSON array of strings".to_string())?;
    if strings.is_empty() {
        return Err("a choice needs at least one string".into());
    }
    if strings.len() > MAX_CHOICES {
        return Err(format!(
            "the choice has {} strings; at most {MAX_CHOICES} are accepted",
            strings.len()
        ));
    }
    if strings.iter().map(String::len).sum::<usize>() > MAX_CHOICE_BYTES {
        return Err(too_long());
    }
    let distinct: HashSet<String> = strings.into_iter().collect();
    let branches = distinct
        .into_iter()
        .map(|s| (s.into_bytes(), ExprRef::EMPTY_STRING));
    let mut builder = Builder::new()?;
    let tree = builder
        .spec
        .regex_builder
        .mk_prefix_tree(branches.collect())
        .map_err(|_| "the grammar of the choice cannot be built".to_string())?;
    let terminal = builder.terminal(RegexAst::ExprRef(tree))?;
    builder.rule(builder.start, &[terminal])?;
    Ok((builder.grammar, builder.spec))
}

fn too_long() -> String {
    format!("the strings of the choice have more than {MAX_CHOICE_BYTES} bytes, which is the limit")
}
