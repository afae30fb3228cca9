//! The cases in which a schema does not hold.
//!
//! A schema fails if one of its keywords fails. A keyword whose failure cannot be expressed is left
//! out: fewer instances are accepted, and none that is invalid.

use std::rc::Rc;

use super::case::{self, Case, NumberRule, Term};
use super::engine::{Cases, Engine};
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

    /// Returns the case in which one keyword holds.
    pub fn alone(&mut self, id: Id, key: &str, value: Id) -> Result<Case, String> {
        let mut alone = Case::default();
        self.keyword(id, key, value, &mut alone)?;
        Ok(alone)
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
                let alone = self.alone(id, key, value)?;
                if alone.types != case::ALL {
                    any.push(Case::of_types(!alone.types));
                }
            }
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => {
                return self.not_number(id, key, value, any);
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

    fn not_number(
        &self,
        id: Id,
        key: &str,
        value: Id,
        any: &mut Vec<Case>,
    ) -> Result<bool, String> {
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
        Ok(true)
    }

    /// Returns the cases of instances that equal none of `values`. Numbers, strings and literals
    /// make one case together.
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

    /// Returns the cases of `all_of`, or a part of them if they are very many.
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
