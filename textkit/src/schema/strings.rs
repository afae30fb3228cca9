//! Regular expressions of strings.

use llguidance::derivre::RegexAst;

use super::case::{ObjectRule, StringRule, STRING};
use super::engine::Engine;
use super::escape::{any, characters, literal};
use super::limits::MAX_STRING_PATTERNS;

pub fn literals(texts: &[String]) -> RegexAst {
    RegexAst::Or(texts.iter().map(|text| literal(text)).collect())
}

pub fn not(ast: RegexAst) -> RegexAst {
    RegexAst::Not(Box::new(ast))
}

impl Engine {
    pub fn string_regex(&self, rule: &StringRule) -> Result<RegexAst, String> {
        if rule.patterns.len() + rule.not_patterns.len() > MAX_STRING_PATTERNS {
            return Err(format!(
                "more than {MAX_STRING_PATTERNS} patterns for one string, which is the limit"
            ));
        }
        let mut all = Vec::new();
        if rule.min > 0 || rule.max.is_some() {
            // Both are at most MAX_COUNT.
            all.push(characters(rule.min as u32, rule.max.map(|max| max as u32)));
        }
        all.extend(rule.patterns.iter().map(|p| self.patterns.emitted(*p)));
        // A complement alone would hold byte sequences that are not UTF-8.
        if all.is_empty() {
            all.push(any());
        }
        for pattern in &rule.not_patterns {
            all.push(not(self.patterns.exact(*pattern)?));
        }
        if !rule.not_equal.is_empty() {
            all.push(not(literals(&rule.not_equal)));
        }
        match all.len() {
            1 => Ok(all.swap_remove(0)),
            _ => Ok(RegexAst::And(all)),
        }
    }

    /// Returns true if no string meets `rule`. None: a decision is too costly.
    pub fn string_is_empty(&mut self, rule: &StringRule) -> Result<Option<bool>, String> {
        if rule.patterns.is_empty() && rule.not_patterns.is_empty() && rule.not_equal.is_empty() {
            return Ok(Some(false));
        }
        let ast = self.string_regex(rule)?;
        // First look for one string that meets the rule. That is faster than a proof that there is
        // none.
        if let [first, rest @ ..] = rule.patterns.as_slice() {
            if !rest.is_empty() || !rule.not_patterns.is_empty() {
                for text in self.patterns.samples(*first) {
                    if self.string_meets(rule, &text) == Ok(true) {
                        return Ok(Some(false));
                    }
                }
            }
        }
        Ok(self.patterns.is_empty(format!("{rule:?}"), &ast))
    }

    /// Returns the names that `propertyNames` lists. None: it has no list.
    pub fn finite_names(&mut self, rule: &ObjectRule) -> Result<Option<Vec<String>>, String> {
        for term in &rule.names {
            let cases = self.cases(*term)?;
            if !cases
                .iter()
                .all(|c| c.values.is_some() || c.types & STRING == 0)
            {
                continue;
            }
            let values = cases.iter().filter_map(|c| c.values.as_ref());
            let values = values.flat_map(|v| v.iter());
            let names = values.filter_map(|v| self.document.str(*v).map(str::to_string));
            return Ok(Some(names.collect()));
        }
        Ok(None)
    }
}
