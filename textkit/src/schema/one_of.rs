//! `oneOf`: each branch, without what another branch accepts too.

use std::collections::HashMap;
use std::rc::Rc;

use super::case::{Case, Term, ALL};
use super::engine::{Cases, Engine};
use super::json::Id;
use super::limits::MAX_ONE_OF;

impl Engine {
    pub fn one_of(&mut self, value: Id) -> Result<Cases, String> {
        let items = self.list(value, "oneOf")?;
        let mut any = Vec::new();
        let mut known = HashMap::new();
        for (i, item) in items.iter().enumerate() {
            let mut cases = self.cases(Term::Schema(*item))?;
            for (j, other) in items.iter().enumerate() {
                if i == j || cases.is_empty() {
                    continue;
                }
                let key = (i.min(j), i.max(j));
                let common = match known.get(&key) {
                    Some(common) => *common,
                    None => self.common_types(*item, *other)?,
                };
                known.insert(key, common);
                if common != 0 {
                    cases = self.without(&cases, *other, common, value)?;
                }
            }
            any.extend(cases.iter().cloned());
        }
        Ok(Rc::new(any))
    }

    /// Returns the types for which a value may meet both schemas.
    fn common_types(&mut self, a: Id, b: Id) -> Result<u8, String> {
        // If unevaluated* is used, the cases of a schema may accept less than the schema.
        if self.references.has_unevaluated {
            return Ok(ALL);
        }
        let types = self.possible_types(&[Term::Schema(a), Term::Schema(b)], false)?;
        Ok(if self.approximated { ALL } else { types })
    }

    /// `cases`, but for values of the types `common` that meet the schema `other` too.
    fn without(&mut self, cases: &Cases, other: Id, common: u8, at: Id) -> Result<Cases, String> {
        let of_types = |types: u8| {
            let restricted = cases.iter().filter(move |case| case.types & types != 0);
            restricted.map(move |case| case.of_these(types))
        };
        let mut apart: Vec<Case> = Vec::new();
        let mut shared = Vec::new();
        for case in cases.iter() {
            // Given values are checked one by one against what the other schema does not accept.
            if case.values.is_some() {
                shared.push(case.clone());
            }
        }
        let plain = |case: &Case| case.values.is_none();
        apart.extend(of_types(!common).filter(plain));
        shared.extend(of_types(common).filter(plain));
        let term = Term::NotSchema(other);
        let not = self.cases(term).map_err(|e| {
            let reason = e.split(" (at #").next().unwrap_or("").to_string();
            let what = "'oneOf': two branches may hold at once, and one cannot be negated";
            self.at(at, format!("{what}: {reason}"))
        })?;
        let mut shared = self.pairs(&shared, &not, term, MAX_ONE_OF + 1)?;
        if shared.len() > MAX_ONE_OF {
            self.approximated = true;
            shared.pop();
        }
        apart.append(&mut shared);
        Ok(Rc::new(apart))
    }
}
