//! Regular expressions of strings and of the names of members.

use llguidance::derivre::RegexAst;

use super::case::{Case, ObjectRule, StringRule, Term, STRING};
use super::engine::Engine;
use super::limits::{MAX_CASES, MAX_PATTERNS, MAX_STRING_PATTERNS};

const ANY: &str = "(?s:.*)";

fn any() -> RegexAst {
    RegexAst::Regex(ANY.into())
}

fn literals(texts: &[String]) -> RegexAst {
    RegexAst::Or(texts.iter().cloned().map(RegexAst::Literal).collect())
}

fn not(ast: RegexAst) -> RegexAst {
    RegexAst::Not(Box::new(ast))
}

fn both(a: RegexAst, b: RegexAst) -> RegexAst {
    RegexAst::And(vec![a, b])
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
            let max = rule.max.map_or(String::new(), |max| max.to_string());
            all.push(RegexAst::Regex(format!("(?s:.{{{},{max}}})", rule.min)));
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

    /// Whether no string meets `rule`. None: too costly to decide.
    pub fn string_is_empty(&mut self, rule: &StringRule) -> Result<Option<bool>, String> {
        if rule.patterns.is_empty() && rule.not_patterns.is_empty() && rule.not_equal.is_empty() {
            return Ok(Some(false));
        }
        let ast = self.string_regex(rule)?;
        // One string that meets the rule is found faster than that there is none.
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

    /// The names that `propertyNames` lists, where it lists them.
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

    fn names_of(&self, case: &Case) -> Result<RegexAst, String> {
        let Some(values) = &case.values else {
            return self.string_regex(&case.string);
        };
        let texts = values.iter().filter_map(|v| self.document.str(*v));
        Ok(literals(&texts.map(str::to_string).collect::<Vec<_>>()))
    }

    /// The names of members that are not in `names`, in classes that no two patterns of the rule tell
    /// apart, each with what the value must meet.
    pub fn other_names(
        &mut self,
        rule: &ObjectRule,
        names: &[String],
    ) -> Result<Vec<(RegexAst, Vec<Term>)>, String> {
        let mut patterns: Vec<_> = rule
            .groups
            .iter()
            .flat_map(|g| &g.patterns)
            .map(|p| p.0)
            .collect();
        patterns.sort_unstable();
        patterns.dedup();
        if patterns.len() > MAX_PATTERNS {
            return Err(format!("more than {MAX_PATTERNS} patterns for the members of one object, which is the limit"));
        }
        let mut start = any();
        if !names.is_empty() {
            start = both(start, not(literals(names)));
        }
        for term in &rule.names {
            let cases = self.cases(*term)?;
            let strings = cases.iter().filter(|c| c.types & STRING != 0);
            let names: Result<Vec<_>, _> = strings.map(|c| self.names_of(c)).collect();
            start = both(start, RegexAst::Or(names?));
        }
        let key = format!("names {names:?} {:?}", rule.names);
        // With no pattern: the class of all other names. It is empty if no name is allowed.
        let mut classes = vec![(start, Vec::new(), key)];
        if !rule.names.is_empty() {
            classes = self.not_empty(classes)?;
        }
        for pattern in patterns {
            let mut split = Vec::new();
            for (ast, matched, key) in classes {
                let with = both(ast.clone(), self.patterns.emitted(pattern));
                let without = both(ast, not(self.patterns.exact(pattern)?));
                let mut more = matched.clone();
                more.push(pattern);
                split.push((with, more, format!("{key}+{pattern}")));
                split.push((without, matched, format!("{key}-{pattern}")));
            }
            classes = self.not_empty(split)?;
        }
        let mut all = Vec::new();
        for (ast, matched, _) in classes {
            let mut terms = Vec::new();
            for group in &rule.groups {
                let before = terms.len();
                let hit = group.patterns.iter().filter(|(p, _)| matched.contains(p));
                terms.extend(hit.map(|(_, term)| *term));
                if terms.len() == before {
                    terms.extend(group.rest);
                }
            }
            all.push((ast, terms));
        }
        Ok(all)
    }

    #[allow(clippy::type_complexity)]
    fn not_empty(
        &mut self,
        classes: Vec<(RegexAst, Vec<u32>, String)>,
    ) -> Result<Vec<(RegexAst, Vec<u32>, String)>, String> {
        let mut left = Vec::new();
        for (ast, matched, key) in classes {
            match self.patterns.is_empty(key.clone(), &ast) {
                Some(true) => {}
                Some(false) => left.push((ast, matched, key)),
                None => {
                    return Err("the patterns of members' names are too complex together".into())
                }
            }
        }
        if left.len() > MAX_CASES {
            return Err("the patterns of members' names overlap too much".into());
        }
        Ok(left)
    }
}
