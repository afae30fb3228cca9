//! Values that the schema gives (`enum`, `const`), against cases.

use std::collections::HashSet;

use super::case::{self, ArrayRule, Case, ObjectRule, SomeMember, Term};
use super::engine::Engine;
use super::json::{Id, Node};

impl Engine {
    pub fn type_of(&self, value: Id) -> Result<u8, String> {
        Ok(match self.document.node(value) {
            Node::Null => case::NULL,
            Node::Bool(true) => case::TRUE,
            Node::Bool(false) => case::FALSE,
            Node::Number(_) if self.decimal(value)?.is_integer() => case::INTEGER,
            Node::Number(_) => case::FRACTION,
            Node::String(_) => case::STRING,
            Node::Array(_) => case::ARRAY,
            Node::Object(_) => case::OBJECT,
        })
    }

    pub fn equal(&self, a: Id, b: Id) -> Result<bool, String> {
        Ok(match (self.document.node(a), self.document.node(b)) {
            (Node::Number(_), Node::Number(_)) => self.decimal(a)? == self.decimal(b)?,
            (Node::Null, Node::Null) => true,
            (Node::Bool(a), Node::Bool(b)) => a == b,
            (Node::String(a), Node::String(b)) => a == b,
            (Node::Array(a), Node::Array(b)) => {
                let mut same = a.len() == b.len();
                for (a, b) in a.iter().zip(b) {
                    same = same && self.equal(*a, *b)?;
                }
                same
            }
            (Node::Object(members), Node::Object(others)) => {
                let mut same = members.len() == others.len();
                for (name, value) in members {
                    let other = self.document.get(b, name);
                    same = same && other.is_some_and(|other| self.equal(*value, other) == Ok(true));
                }
                same
            }
            _ => false,
        })
    }

    /// Returns true if `value` meets all of `terms`.
    pub fn valid(&mut self, terms: &[Term], value: Id) -> Result<bool, String> {
        for term in terms {
            let valid = match term {
                Term::Equal(other) => self.equal(*other, value)?,
                Term::NotEqual(other) => !self.equal(*other, value)?,
                _ => self.meets_one(*term, value)?,
            };
            if !valid {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn meets_one(&mut self, term: Term, value: Id) -> Result<bool, String> {
        for case in self.cases(term)?.iter() {
            if self.meets(case, value)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub fn meets(&mut self, case: &Case, value: Id) -> Result<bool, String> {
        if self.type_of(value)? & case.types == 0 {
            return Ok(false);
        }
        if let Some(values) = &case.values {
            for given in values.iter() {
                if self.equal(*given, value)? {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        match self.document.node(value) {
            Node::Number(_) => Ok(case.number.accepts(&self.decimal(value)?)),
            Node::String(text) => {
                let text = text.clone();
                self.string_meets(&case.string, &text)
                    .map_err(|e| self.at(value, e))
            }
            Node::Array(items) => {
                let items = items.clone();
                self.array_meets(&case.array, &items)
            }
            Node::Object(members) => {
                let members = members.clone();
                self.object_meets(&case.object, &members)
            }
            _ => Ok(true),
        }
    }

    pub fn string_meets(&mut self, rule: &case::StringRule, text: &str) -> Result<bool, String> {
        let length = text.chars().count() as u64;
        if length < rule.min || rule.max.is_some_and(|max| length > max) {
            return Ok(false);
        }
        if rule.not_equal.iter().any(|other| other == text) {
            return Ok(false);
        }
        for pattern in &rule.patterns {
            if !self.patterns.matches(*pattern, text)? {
                return Ok(false);
            }
        }
        for pattern in &rule.not_patterns {
            if self.patterns.matches(*pattern, text)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn array_meets(&mut self, rule: &ArrayRule, items: &[Id]) -> Result<bool, String> {
        let length = items.len() as u64;
        if length < rule.min || rule.max.is_some_and(|max| length > max) {
            return Ok(false);
        }
        for (i, item) in items.iter().enumerate() {
            if !self.valid(&rule.terms_at(i), *item)? {
                return Ok(false);
            }
        }
        for contains in &rule.contains {
            let mut count = 0;
            for item in items {
                count += u64::from(self.valid(&[contains.term], *item)?);
            }
            if count < contains.min || contains.max.is_some_and(|max| count > max) {
                return Ok(false);
            }
        }
        Ok(!rule.unique || self.distinct(items)?.len() == items.len())
    }

    /// `values` without repeated ones.
    pub fn distinct(&self, values: &[Id]) -> Result<Vec<Id>, String> {
        let mut texts = HashSet::new();
        let mut all = Vec::new();
        for value in values {
            let text = match self.document.node(*value) {
                Node::Number(_) => self.decimal(*value)?.text(),
                Node::Array(_) | Node::Object(_) => {
                    let mut known = false;
                    for other in &all {
                        known = known || self.equal(*other, *value)?;
                    }
                    if !known {
                        all.push(*value);
                    }
                    continue;
                }
                _ => {
                    let mut text = String::new();
                    self.document.write(*value, &mut text);
                    text
                }
            };
            if texts.insert(text) {
                all.push(*value);
            }
        }
        Ok(all)
    }

    fn object_meets(
        &mut self,
        rule: &ObjectRule,
        members: &[(String, Id)],
    ) -> Result<bool, String> {
        let count = members.len() as u64;
        if count < rule.min || rule.max.is_some_and(|max| count > max) {
            return Ok(false);
        }
        let has = |name: &String| members.iter().any(|(other, _)| other == name);
        if !rule.required.iter().all(has) {
            return Ok(false);
        }
        for (name, value) in members {
            let terms = self.terms_of(rule, name)?;
            if !self.name_meets(rule, name)? || !self.valid(&terms, *value)? {
                return Ok(false);
            }
        }
        for some in &rule.some {
            let mut found = false;
            for (name, value) in members {
                found = found || (self.covers(some, name)? && self.valid(&[some.term], *value)?);
            }
            if !found {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub fn covers(&mut self, some: &SomeMember, name: &String) -> Result<bool, String> {
        if some.except.contains(name) {
            return Ok(false);
        }
        for pattern in &some.except_patterns {
            if self.patterns.matches(*pattern, name)? {
                return Ok(false);
            }
        }
        match some.pattern {
            Some(pattern) => self.patterns.matches(pattern, name),
            None => Ok(true),
        }
    }

    /// Returns true if `propertyNames` allows `name`.
    pub fn name_meets(&mut self, rule: &ObjectRule, name: &str) -> Result<bool, String> {
        for term in &rule.names {
            let mut valid = false;
            for case in self.cases(*term)?.iter() {
                valid = valid || self.name_meets_case(case, name)?;
            }
            if !valid {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn name_meets_case(&mut self, case: &Case, name: &str) -> Result<bool, String> {
        if case.types & case::STRING == 0 {
            return Ok(false);
        }
        match &case.values {
            Some(values) => Ok(values.iter().any(|v| self.document.str(*v) == Some(name))),
            None => self.string_meets(&case.string, name),
        }
    }

    /// Returns the terms that the value of a member called `name` must meet.
    pub fn terms_of(&mut self, rule: &ObjectRule, name: &str) -> Result<Vec<Term>, String> {
        let mut terms = Vec::new();
        for group in &rule.groups {
            let before = terms.len();
            let named = group.named.iter().filter(|(other, _)| other == name);
            terms.extend(named.map(|(_, term)| *term));
            for (pattern, term) in &group.patterns {
                if self.patterns.matches(*pattern, name)? {
                    terms.push(*term);
                }
            }
            if terms.len() == before {
                terms.extend(group.rest);
            }
        }
        Ok(terms)
    }

    /// Returns the cases in which an instance is not `value`.
    pub fn not_equal(&mut self, value: Id) -> Result<Vec<Case>, String> {
        let kind = self.type_of(value)?;
        let mut alone = Case::default();
        match self.document.node(value) {
            Node::Number(_) => alone.number.not_equal.push(self.decimal(value)?),
            Node::String(text) => alone.string.not_equal.push(text.clone()),
            Node::Array(items) => return Ok(self.not_array_value(&items.clone())),
            Node::Object(members) => return Ok(not_object_value(&members.clone())),
            _ => alone.types &= !kind,
        }
        Ok(vec![alone])
    }

    fn not_array_value(&self, items: &[Id]) -> Vec<Case> {
        let length = items.len() as u64;
        let mut any = vec![Case::of_types(case::ALL & !case::ARRAY)];
        if let Some(max) = length.checked_sub(1) {
            let max = Some(max);
            any.push(Case::of_array(ArrayRule {
                max,
                ..ArrayRule::default()
            }));
        }
        let min = length + 1;
        any.push(Case::of_array(ArrayRule {
            min,
            ..ArrayRule::default()
        }));
        for (i, item) in items.iter().enumerate() {
            any.push(Case::of_item(i, Term::NotEqual(*item)));
        }
        any
    }
}

fn not_object_value(members: &[(String, Id)]) -> Vec<Case> {
    let mut any = vec![Case::of_types(case::ALL & !case::OBJECT)];
    let min = members.len() as u64 + 1;
    any.push(Case::of_object(ObjectRule {
        min,
        ..ObjectRule::default()
    }));
    for (name, value) in members {
        let without = super::dependencies::absent(name);
        any.push(Case {
            types: case::OBJECT,
            ..without
        });
        let mut other = super::dependencies::present(vec![name.clone()]);
        let named = vec![(name.clone(), Term::NotEqual(*value))];
        let group = case::Members {
            named,
            ..Default::default()
        };
        other.object.groups.push(std::rc::Rc::new(group));
        any.push(other);
    }
    any
}
