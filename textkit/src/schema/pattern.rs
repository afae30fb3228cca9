//! Regular expressions of `pattern`, `patternProperties` and `format`, as sets of the JSON texts of whole
//! strings.

use std::collections::HashMap;

use derivre::{Regex, RegexAst, RegexBuilder};
use llguidance::derivre;

use super::ecmascript;
use super::escape;
use super::formats;
use super::limits::{REGEX_FUEL, REGEX_TOTAL};

pub type PatternId = u32;

struct Pattern {
    shown: String,
    /// The strings that may be written: the whole set, or a part of it.
    emitted: RegexAst,
    /// The whole set. None: it cannot be expressed.
    exact: Option<RegexAst>,
    compiled: Option<Regex>,
}

#[derive(Default)]
pub struct Patterns {
    list: Vec<Pattern>,
    known: HashMap<(bool, String), PatternId>,
    empty: HashMap<String, Option<bool>>,
    samples: HashMap<PatternId, Vec<String>>,
    spent: u64,
}

impl Patterns {
    pub fn pattern(&mut self, text: &str) -> Result<PatternId, String> {
        if let Some(id) = self.known.get(&(false, text.to_string())) {
            return Ok(*id);
        }
        let ast = ecmascript::search(text)?;
        let shown = format!("pattern '{}'", text.chars().take(60).collect::<String>());
        Ok(self.add((false, text.into()), shown, ast.clone(), Some(ast)))
    }

    /// Returns the id of a format. None: the format is only an annotation.
    pub fn format(&mut self, name: &str) -> Option<PatternId> {
        if let Some(id) = self.known.get(&(true, name.to_string())) {
            return Some(*id);
        }
        let format = formats::find(name)?;
        let exact = format.exact.and_then(|text| escape::regex(&text));
        let shown = format!("format '{name}'");
        let emitted = escape::regex(&format.emitted).unwrap_or(RegexAst::NoMatch);
        Some(self.add((true, name.into()), shown, emitted, exact))
    }

    fn add(
        &mut self,
        key: (bool, String),
        shown: String,
        emitted: RegexAst,
        exact: Option<RegexAst>,
    ) -> PatternId {
        let id = self.list.len() as PatternId;
        self.list.push(Pattern {
            shown,
            emitted,
            exact,
            compiled: None,
        });
        self.known.insert(key, id);
        id
    }

    pub fn emitted(&self, id: PatternId) -> RegexAst {
        self.list[id as usize].emitted.clone()
    }

    pub fn is_exact(&self, id: PatternId) -> bool {
        self.list[id as usize].exact.is_some()
    }

    /// Returns the whole set, for a negation.
    pub fn exact(&self, id: PatternId) -> Result<RegexAst, String> {
        let pattern = &self.list[id as usize];
        let refusal = || format!("{} cannot be negated", pattern.shown);
        pattern.exact.clone().ok_or_else(refusal)
    }

    pub fn matches(&mut self, id: PatternId, text: &str) -> Result<bool, String> {
        let pattern = &mut self.list[id as usize];
        if pattern.compiled.is_none() {
            let ast = pattern.exact.as_ref().unwrap_or(&pattern.emitted);
            let too_large = |_| format!("{} is too large", pattern.shown);
            let mut builder = RegexBuilder::new();
            let expr = builder.mk(ast).map_err(too_large)?;
            let regex = builder.into_regex_limited(expr, REGEX_FUEL);
            pattern.compiled = Some(regex.map_err(too_large)?);
        }
        let matched = pattern
            .compiled
            .as_mut()
            .is_some_and(|r| r.is_match(&escape::escaped(text)));
        if !matched && pattern.exact.is_none() {
            return Err(format!(
                "{} cannot be checked for a given value",
                pattern.shown
            ));
        }
        Ok(matched)
    }

    /// Returns some strings of a pattern, short ones first.
    pub fn samples(&mut self, id: PatternId) -> Vec<String> {
        const TRIES: usize = 24;
        const COST: u64 = 20_000;
        if let Some(known) = self.samples.get(&id) {
            return known.clone();
        }
        self.spent += COST;
        if self.spent > REGEX_TOTAL {
            return Vec::new();
        }
        let ast = &self.list[id as usize].emitted;
        let mut builder = RegexBuilder::new();
        let regex = builder
            .mk(ast)
            .and_then(|expr| builder.into_regex_limited(expr, REGEX_FUEL));
        let Ok(mut regex) = regex else {
            return Vec::new();
        };
        let mut found = Vec::new();
        let mut random = 1u32;
        for length in 0..TRIES {
            let mut state = regex.initial_state();
            let mut text = Vec::new();
            while text.len() < 2 * TRIES && !(text.len() >= length && regex.is_accepting(state)) {
                // Tries letters and characters that are common in names, until one of them
                // continues a match.
                let next = (0..64).find_map(|_| {
                    random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let byte = b' ' + (random >> 16) as u8 % 95;
                    let next = regex.transition(state, byte);
                    (!next.is_dead()).then_some((byte, next))
                });
                let next = next.or_else(|| {
                    let bytes = (0..=255u8).map(|byte| (byte, regex.transition(state, byte)));
                    bytes.into_iter().find(|(_, next)| !next.is_dead())
                });
                let Some((byte, next)) = next else { break };
                text.push(byte);
                state = next;
            }
            if regex.is_accepting(state) {
                let text = String::from_utf8(text).unwrap_or_default();
                found.extend(serde_json::from_str::<String>(&format!("\"{text}\"")).ok());
            }
        }
        self.samples.insert(id, found.clone());
        found
    }

    /// Returns true if `ast` matches nothing. None: a decision is too costly. `key` identifies the
    /// expression.
    pub fn is_empty(&mut self, key: String, ast: &RegexAst) -> Option<bool> {
        if let Some(known) = self.empty.get(&key) {
            return *known;
        }
        if self.spent > REGEX_TOTAL {
            return None;
        }
        let mut builder = RegexBuilder::new();
        let empty = builder.mk(ast).ok().and_then(|expr| {
            self.spent += builder.exprset().cost();
            if builder.exprset().is_positive(expr) {
                return Some(false);
            }
            let mut regex = builder.into_regex_limited(expr, REGEX_FUEL).ok()?;
            self.spent += regex.cost();
            Some(regex.always_empty())
        });
        if empty.is_none() {
            self.spent += REGEX_FUEL * 10;
        }
        self.empty.insert(key, empty);
        empty
    }
}
