//! The cases in which a schema does not hold.
//!
//! A schema fails if one of its keywords fails. A keyword whose failure cannot be expressed is left
//! out: fewer instances are accepted, and none that is invalid.

use std::rc::Rc;

use super::case::{self, ArrayRule, Case, Contains, Items, Members, NumberRule, ObjectRule};
use super::case::{SomeMember, StringRule, Term};
use super::engine::{absent, present, Cases, Engine};
use super::json::{Id, Node};
use super::limits::MAX_NEGATED;

impl Engine {
    pub fn not_schema(&mut self, id: Id) -> Result<Vec<Case>, String> {
        match self.document.node(id) {
            Node::Bool(true) => return Ok(Vec::new()),
            Node::Bool(false) => return Ok(vec![Case::default()]),
            Node::Object(_) => {}
            _ => return Err(self.at(id, "a schema must be an object or a boolean")),
        }
        if let Some(target) = self.only_reference(id)? {
            return Ok(self.cases(Term::NotSchema(target))?.to_vec());
        }
        let mut any = Vec::new();
        let mut left_out = None;
        for (key, value) in self.members(id) {
            if !self.not_keyword(id, &key, value, &mut any)? {
                left_out = Some(key);
                self.approximated = true;
            }
        }
        if any.len() > MAX_NEGATED {
            self.approximated = true;
            any.truncate(MAX_NEGATED);
        }
        match left_out {
            Some(key) if any.is_empty() => {
                Err(self.at(id, format!("'{key}' in a negated schema is not supported")))
            }
            _ => Ok(any),
        }
    }

    /// Adds the cases in which one keyword fails. False: they cannot be expressed.
    fn not_keyword(
        &mut self,
        id: Id,
        key: &str,
        value: Id,
        any: &mut Vec<Case>,
    ) -> Result<bool, String> {
        match key {
            "type" => {
                let mut alone = Case::default();
                self.keyword(id, key, value, &mut alone)?;
                if alone.types != case::ALL {
                    any.push(Case::of_types(!alone.types));
                }
            }
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => {
                let rule = self.number(id, key, value)?;
                if let Some((bound, open)) = rule.min {
                    let max = Some((bound, !open));
                    any.push(Case::of_number(NumberRule {
                        max,
                        ..NumberRule::default()
                    }));
                }
                if let Some((bound, open)) = rule.max {
                    let min = Some((bound, !open));
                    any.push(Case::of_number(NumberRule {
                        min,
                        ..NumberRule::default()
                    }));
                }
                match rule.multiple {
                    Some(multiple) if multiple.coef == 1 && multiple.is_integer() => {
                        any.push(Case::of_types(case::FRACTION));
                    }
                    Some(_) => return Ok(false),
                    None => {}
                }
            }
            "minLength" | "maxLength" | "pattern" | "format" => {
                return self.not_string(id, key, value, any)
            }
            "minItems" | "maxItems" | "uniqueItems" | "prefixItems" | "items" | "contains" => {
                return self.not_array(id, key, value, any)
            }
            "minProperties"
            | "maxProperties"
            | "required"
            | "properties"
            | "patternProperties"
            | "additionalProperties"
            | "propertyNames"
            | "dependentRequired"
            | "dependentSchemas"
            | "dependencies" => return self.not_object(id, key, value, any),
            "unevaluatedItems" | "unevaluatedProperties" => {
                return Ok(matches!(self.document.node(value), Node::Bool(true)))
            }
            _ => any.extend(self.not_applicator(id, key, value)?.iter().cloned()),
        }
        Ok(true)
    }

    fn not_string(
        &mut self,
        id: Id,
        key: &str,
        value: Id,
        any: &mut Vec<Case>,
    ) -> Result<bool, String> {
        let mut alone = Case::default();
        self.keyword(id, key, value, &mut alone)?;
        let rule = alone.string;
        if rule.min > 0 {
            let max = Some(rule.min - 1);
            any.push(Case::of_string(StringRule {
                max,
                ..StringRule::default()
            }));
        }
        if let Some(max) = rule.max {
            let min = max + 1;
            any.push(Case::of_string(StringRule {
                min,
                ..StringRule::default()
            }));
        }
        for pattern in rule.patterns {
            if !self.patterns.is_exact(pattern) {
                return Ok(false);
            }
            let not_patterns = vec![pattern];
            any.push(Case::of_string(StringRule {
                not_patterns,
                ..StringRule::default()
            }));
        }
        Ok(true)
    }

    fn not_array(
        &mut self,
        id: Id,
        key: &str,
        value: Id,
        any: &mut Vec<Case>,
    ) -> Result<bool, String> {
        let mut alone = Case::default();
        self.keyword(id, key, value, &mut alone)?;
        let mut add = |array| any.push(Case::of_array(array));
        match key {
            "minItems" if alone.array.min > 0 => {
                let max = Some(alone.array.min - 1);
                add(ArrayRule {
                    max,
                    ..ArrayRule::default()
                });
            }
            "maxItems" => {
                let min = alone.array.max.unwrap_or(0) + 1;
                add(ArrayRule {
                    min,
                    ..ArrayRule::default()
                });
            }
            "uniqueItems" => return Ok(!alone.array.unique),
            "contains" => {
                for contains in self.keywords(id)?.array.contains {
                    if contains.min > 0 {
                        let max = Some(contains.min - 1);
                        let contains = vec![Contains {
                            min: 0,
                            max,
                            ..contains
                        }];
                        add(ArrayRule {
                            contains,
                            ..ArrayRule::default()
                        });
                    }
                    if let Some(max) = contains.max {
                        let contains = vec![Contains {
                            min: max + 1,
                            max: None,
                            ..contains
                        }];
                        add(ArrayRule {
                            contains,
                            ..ArrayRule::default()
                        });
                    }
                }
            }
            // Both are one group: it is negated where the later of the two stands.
            "prefixItems" if self.document.get(id, "items").is_some() => {}
            "prefixItems" | "items" => return self.not_items(id, any),
            _ => {}
        }
        Ok(true)
    }

    fn not_items(&mut self, id: Id, any: &mut Vec<Case>) -> Result<bool, String> {
        let Some(group) = self.item_group(id)? else {
            return Ok(true);
        };
        for (i, term) in group
            .prefix
            .iter()
            .enumerate()
            .filter(|(_, t)| **t != Term::Always)
        {
            let mut prefix = vec![Term::Always; i];
            prefix.push(term.negated());
            let groups = vec![Rc::new(Items {
                prefix,
                ..Items::default()
            })];
            let min = i as u64 + 1;
            any.push(Case::of_array(ArrayRule {
                groups,
                min,
                ..ArrayRule::default()
            }));
        }
        match group.rest {
            None | Some(Term::Always) => Ok(true),
            Some(Term::Never) => {
                let min = group.prefix.len() as u64 + 1;
                any.push(Case::of_array(ArrayRule {
                    min,
                    ..ArrayRule::default()
                }));
                Ok(true)
            }
            Some(term) if group.prefix.is_empty() => {
                let contains = vec![Contains {
                    term: term.negated(),
                    min: 1,
                    max: None,
                }];
                any.push(Case::of_array(ArrayRule {
                    contains,
                    ..ArrayRule::default()
                }));
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    fn not_object(
        &mut self,
        id: Id,
        key: &str,
        value: Id,
        any: &mut Vec<Case>,
    ) -> Result<bool, String> {
        let mut alone = Case::default();
        self.keyword(id, key, value, &mut alone)?;
        match key {
            "minProperties" if alone.object.min > 0 => {
                let max = Some(alone.object.min - 1);
                any.push(Case::of_object(ObjectRule {
                    max,
                    ..ObjectRule::default()
                }));
            }
            "maxProperties" => {
                let min = alone.object.max.unwrap_or(0) + 1;
                any.push(Case::of_object(ObjectRule {
                    min,
                    ..ObjectRule::default()
                }));
            }
            "required" => {
                for name in &alone.object.required {
                    any.push(Case {
                        types: case::OBJECT,
                        ..absent(name)
                    });
                }
            }
            "propertyNames" => return Ok(matches!(self.document.node(value), Node::Bool(true))),
            "properties" | "patternProperties" | "additionalProperties" => {
                self.not_members(id, key, any)?
            }
            "dependentRequired" | "dependentSchemas" | "dependencies" => {
                self.not_dependencies(value, any)?;
            }
            _ => {}
        }
        Ok(true)
    }

    fn not_members(&mut self, id: Id, key: &str, any: &mut Vec<Case>) -> Result<(), String> {
        let group = self.member_group(id)?;
        let mut some = Vec::new();
        match key {
            "properties" => {
                for (name, term) in group.named.iter().filter(|(_, t)| *t != Term::Always) {
                    let mut case = present(vec![name.clone()]);
                    let named = vec![(name.clone(), term.negated())];
                    case.object.groups.push(Rc::new(Members {
                        named,
                        ..Members::default()
                    }));
                    any.push(case);
                }
            }
            "patternProperties" => {
                some.extend(group.patterns.iter().map(|(pattern, term)| SomeMember {
                    except: Vec::new(),
                    except_patterns: Vec::new(),
                    pattern: Some(*pattern),
                    term: term.negated(),
                }));
            }
            _ => some.extend(group.rest.map(|term| SomeMember {
                except: group.named.iter().map(|(name, _)| name.clone()).collect(),
                except_patterns: group.patterns.iter().map(|(p, _)| *p).collect(),
                pattern: None,
                term: term.negated(),
            })),
        }
        for member in some.into_iter().filter(|m| m.term != Term::Never) {
            let some = vec![Rc::new(member)];
            any.push(Case::of_object(ObjectRule {
                some,
                ..ObjectRule::default()
            }));
        }
        Ok(())
    }

    fn not_dependencies(&mut self, value: Id, any: &mut Vec<Case>) -> Result<(), String> {
        for (name, dependent) in self.members(value) {
            let case = present(vec![name.clone()]);
            match self.document.node(dependent) {
                Node::Array(_) => {
                    for other in self.strings(dependent, "dependentRequired")? {
                        any.extend(case.both(&absent(&other))?);
                    }
                }
                Node::String(other) => any.extend(case.both(&absent(&other.clone()))?),
                _ => {
                    let cases = self.cases(Term::NotSchema(dependent))?;
                    any.extend(self.and(cases, case, dependent)?.iter().cloned());
                }
            }
        }
        Ok(())
    }

    /// None of `values`. Numbers, strings and literals make one case together.
    fn not_enum(&mut self, values: &[Id]) -> Result<Cases, String> {
        let mut simple = Case::default();
        let mut terms = Vec::new();
        for value in self.distinct(values)? {
            match self.document.node(value) {
                Node::Array(_) | Node::Object(_) => terms.push(Term::NotEqual(value)),
                Node::Number(_) => simple.number.not_equal.push(self.decimal(value)?),
                Node::String(text) => simple.string.not_equal.push(text.clone()),
                _ => simple.types &= !self.type_of(value)?,
            }
        }
        let others = self.some_of(&terms)?;
        let all = self.pairs(&others, &[simple], Term::Always, MAX_NEGATED)?;
        Ok(Rc::new(all))
    }

    /// As `all_of`, but of very many cases only some.
    fn some_of(&mut self, terms: &[Term]) -> Result<Vec<Case>, String> {
        let mut all = vec![Case::default()];
        for term in terms {
            let cases = self.cases(*term)?;
            all = self.pairs(&all, &cases, *term, MAX_NEGATED + 1)?;
            if all.len() > MAX_NEGATED {
                self.approximated = true;
                all.pop();
            }
        }
        Ok(all)
    }

    fn not_applicator(&mut self, id: Id, key: &str, value: Id) -> Result<Cases, String> {
        let mut any = Vec::new();
        match key {
            "$ref" | "$dynamicRef" | "$recursiveRef" => {
                let target = self.target(id, key, value)?;
                return self.cases(Term::NotSchema(target));
            }
            "allOf" => {
                for item in self.list(value, key)? {
                    any.extend(self.cases(Term::NotSchema(item))?.iter().cloned());
                }
            }
            "anyOf" | "oneOf" => {
                let items = self.list(value, key)?;
                let none: Vec<Term> = items.iter().map(|item| Term::NotSchema(*item)).collect();
                any.extend(self.some_of(&none)?);
                for (i, item) in items.iter().enumerate().filter(|_| key == "oneOf") {
                    for other in &items[i + 1..] {
                        let both = [Term::Schema(*item), Term::Schema(*other)];
                        any.extend(self.some_of(&both)?);
                    }
                }
            }
            "not" => return self.cases(Term::Schema(value)),
            "if" => return self.conditional(id, value, true),
            "enum" => return self.not_enum(&self.list(value, key)?),
            "const" => return self.cases(Term::NotEqual(value)),
            _ => {}
        }
        Ok(Rc::new(any))
    }
}
