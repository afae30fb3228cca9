//! Names of members that a schema does not list, in classes by the patterns that they have.

use std::collections::HashSet;

use llguidance::derivre::RegexAst;

use super::case::{Case, Members, ObjectRule, Term, STRING};
use super::engine::Engine;
use super::escape::any;
use super::limits::{MAX_NAME_CLASSES, MAX_PATTERNS};
use super::pattern::PatternId;
use super::strings::{literals, not};

/// Names that many schemas allow. They are tried first in the search for a name of a class.
const COMMON: [&str; 8] = ["", "x", "zz", "Q9", "name", "0", "~", "a-b.c_d"];

#[derive(Clone, Default)]
struct Class {
    with: Vec<PatternId>,
    without: Vec<PatternId>,
}

/// A class of names that are not listed.
pub struct OtherNames {
    pub names: RegexAst,
    /// The terms that the value must meet.
    pub terms: Vec<Term>,
    /// The names match a pattern of the rule.
    pub patterned: bool,
}

/// Data that the classes of one object share.
struct Names<'a> {
    listed: &'a [String],
    /// Expressions of `propertyNames`.
    allowed: Vec<RegexAst>,
    key: String,
    /// For each known name that is not listed: the patterns that it has.
    known: HashSet<Vec<PatternId>>,
}

impl Names<'_> {
    /// Returns the expression of a class. `all`: without the names that are listed.
    fn regex(&self, engine: &Engine, class: &Class, all: bool) -> Result<RegexAst, String> {
        let mut parts: Vec<RegexAst> = class
            .with
            .iter()
            .map(|p| engine.patterns.emitted(*p))
            .collect();
        parts.extend(self.allowed.iter().cloned());
        let mut none = Vec::new();
        for pattern in &class.without {
            none.push(engine.patterns.exact(*pattern)?);
        }
        if all && !self.listed.is_empty() {
            none.push(literals(self.listed));
        }
        // A complement alone would hold byte sequences that are not UTF-8.
        if parts.is_empty() {
            parts.push(any());
        }
        if !none.is_empty() {
            parts.push(not(RegexAst::Or(none)));
        }
        Ok(match parts.len() {
            1 => parts.swap_remove(0),
            _ => RegexAst::And(parts),
        })
    }

    fn is_known(&self, class: &Class) -> bool {
        let fits = |name: &Vec<PatternId>| {
            class.with.iter().all(|p| name.contains(p))
                && !class.without.iter().any(|p| name.contains(p))
        };
        self.known.iter().any(fits)
    }

    fn is_empty(&self, engine: &mut Engine, class: &Class) -> Result<bool, String> {
        if self.is_known(class) {
            return Ok(false);
        }
        // First without excluding the listed names, because that expression is smaller and often
        // decides.
        for all in [false, true] {
            let ast = self.regex(engine, class, all)?;
            let listed = if all { self.key.as_str() } else { "" };
            let key = format!(
                "{listed}{:?}{:?}{:?}",
                self.allowed.len(),
                class.with,
                class.without
            );
            let key = if self.allowed.is_empty() || all {
                key
            } else {
                format!("{}{key}", self.key)
            };
            match engine.patterns.is_empty(key, &ast) {
                Some(true) => return Ok(true),
                Some(false) if all || self.listed.is_empty() => return Ok(false),
                None if all => break,
                _ => {}
            }
        }
        Err("the patterns of members' names are too complex together".into())
    }
}

impl Engine {
    fn names_of(&self, case: &Case) -> Result<RegexAst, String> {
        let Some(values) = &case.values else {
            return self.string_regex(&case.string);
        };
        let texts = values.iter().filter_map(|v| self.document.str(*v));
        Ok(literals(&texts.map(str::to_string).collect::<Vec<_>>()))
    }

    /// Returns the names of members that are not in `listed`, in classes. All names of a class
    /// match the same patterns of the rule.
    pub fn other_names(
        &mut self,
        rule: &ObjectRule,
        listed: &[String],
    ) -> Result<Vec<OtherNames>, String> {
        let groups = rule.groups.iter();
        let mut patterns: Vec<_> = groups.flat_map(|g| &g.patterns).map(|p| p.0).collect();
        patterns.sort_unstable();
        patterns.dedup();
        if patterns.len() > MAX_PATTERNS {
            return Err(format!(
                "more than {MAX_PATTERNS} patterns for the members of one object, which is the limit"
            ));
        }
        let names = self.names(rule, listed, &patterns)?;
        let mut classes = vec![Class::default()];
        if patterns.is_empty() && !names.allowed.is_empty() && names.is_empty(self, &classes[0])? {
            classes.clear();
        }
        for pattern in &patterns {
            let mut split = Vec::new();
            for class in classes {
                let mut with = class.clone();
                with.with.push(*pattern);
                let mut without = class;
                without.without.push(*pattern);
                for class in [with, without] {
                    if !names.is_empty(self, &class)? {
                        split.push(class);
                    }
                }
            }
            if split.len() > MAX_NAME_CLASSES {
                return Err("the patterns of members' names overlap in too many ways".into());
            }
            classes = split;
        }
        let mut all = Vec::new();
        for class in classes {
            all.push(OtherNames {
                names: names.regex(self, &class, true)?,
                terms: terms_of_class(rule, &class),
                patterned: !class.with.is_empty(),
            });
        }
        Ok(all)
    }

    fn names<'a>(
        &mut self,
        rule: &ObjectRule,
        listed: &'a [String],
        patterns: &[PatternId],
    ) -> Result<Names<'a>, String> {
        let mut allowed = Vec::new();
        for term in &rule.names {
            let cases = self.cases(*term)?;
            let strings = cases.iter().filter(|c| c.types & STRING != 0);
            let names: Result<Vec<_>, _> = strings.map(|c| self.names_of(c)).collect();
            allowed.push(RegexAst::Or(names?));
        }
        let not_usable: HashSet<&String> = listed.iter().collect();
        let mut samples: Vec<String> = COMMON.iter().map(|name| name.to_string()).collect();
        for pattern in patterns {
            samples.extend(self.patterns.samples(*pattern));
        }
        let mut known = HashSet::new();
        for name in samples {
            if not_usable.contains(&name) || self.name_meets(rule, &name) != Ok(true) {
                continue;
            }
            let mut has = Vec::new();
            for pattern in patterns {
                if self.patterns.matches(*pattern, &name)? {
                    has.push(*pattern);
                }
            }
            known.insert(has);
        }
        Ok(Names {
            listed,
            allowed,
            key: format!("names {listed:?} {:?}", rule.names),
            known,
        })
    }
}

/// True if the rule lists the members of an object: by `properties`, and no keyword is about the
/// members of other names.
pub fn lists_members(rule: &ObjectRule) -> bool {
    let explicit = |group: &Members| group.rest.is_some();
    rule.groups
        .iter()
        .any(|group| group.lists && group.evaluates)
        && !rule.groups.iter().any(|group| explicit(group))
        && rule.names.is_empty()
}

fn terms_of_class(rule: &ObjectRule, class: &Class) -> Vec<Term> {
    let mut terms = Vec::new();
    for group in &rule.groups {
        let before = terms.len();
        let hit = group
            .patterns
            .iter()
            .filter(|(p, _)| class.with.contains(p));
        terms.extend(hit.map(|(_, term)| *term));
        if terms.len() == before {
            terms.extend(group.rest);
        }
    }
    terms
}
