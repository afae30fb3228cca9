//! Decides if any value meets given terms. "No" is always correct. "Yes" may be wrong in rare
//! cases.

use std::rc::Rc;

use super::case::{self, Case, Members, Term};
use super::engine::Engine;

/// Depth of items and members up to which contradictions are searched.
const MAX_LOOK: usize = 5;

impl Engine {
    /// Returns the types of the values that meet all of `terms`. `any`: that meet at least one of
    /// them.
    pub fn possible_types(&mut self, terms: &[Term], any: bool) -> Result<u8, String> {
        let mut types = 0;
        if terms.contains(&Term::Never) {
            return Ok(types);
        }
        for case in self.all_of(terms)?.iter() {
            for case in self.split(case)? {
                types |= self.case_types(&case)?;
                if any && types != 0 {
                    return Ok(types);
                }
            }
        }
        Ok(types)
    }

    pub fn case_types(&mut self, case: &Case) -> Result<u8, String> {
        if case.values.is_some() {
            return Ok(case.types);
        }
        let mut types = case.types & !(case::STRING | case::ARRAY | case::OBJECT);
        if case.types & case::STRING != 0 {
            let ids = &case.string.patterns;
            let exact = ids.iter().all(|pattern| self.patterns.is_exact(*pattern));
            if !exact || self.string_is_empty(&case.string)? != Some(true) {
                types |= case::STRING;
            }
        }
        if case.types & case::ARRAY != 0 && self.array_satisfiable(case) {
            types |= case::ARRAY;
        }
        if case.types & case::OBJECT != 0 && self.object_satisfiable(case)? {
            types |= case::OBJECT;
        }
        Ok(types)
    }

    fn array_satisfiable(&mut self, case: &Case) -> bool {
        let wanted = case.array.min.min(32) as usize;
        (0..wanted).all(|i| self.part_satisfiable(&case.array.terms_at(i)))
    }

    fn object_satisfiable(&mut self, case: &Case) -> Result<bool, String> {
        for name in &case.object.required {
            let terms = self.terms_of(&case.object, name)?;
            if !self.name_meets(&case.object, name)? || !self.part_satisfiable(&terms) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns true if a part of the instance can meet `terms`. Terms that cannot be decided here,
    /// such as rings, count as satisfiable.
    fn part_satisfiable(&mut self, terms: &[Term]) -> bool {
        if self.depth >= MAX_LOOK {
            return true;
        }
        let active = self.active.clone();
        self.depth += 1;
        let answer = self.possible_types(terms, true);
        self.depth -= 1;
        self.active = active;
        answer != Ok(0)
    }

    /// Resolves "some member must ...": one case for each known name that the member may have. A
    /// member of another name is left out.
    pub fn split(&mut self, case: &Case) -> Result<Vec<Case>, String> {
        let mut done = Vec::new();
        let mut todo = vec![case.clone()];
        while let Some(mut case) = todo.pop() {
            let Some(some) = case.object.some.pop() else {
                done.push(case);
                continue;
            };
            let groups = case.object.groups.iter().flat_map(|g| &g.named);
            let mut names: Vec<String> = groups.map(|(name, _)| name.clone()).collect();
            names.extend(case.object.required.iter().cloned());
            names.sort_unstable();
            names.dedup();
            self.approximated = true;
            for name in names {
                if !self.covers(&some, &name)? {
                    continue;
                }
                let mut one = super::dependencies::present(vec![name.clone()]);
                let named = vec![(name, some.term)];
                let group = Members {
                    named,
                    ..Members::default()
                };
                one.object.groups.push(Rc::new(group));
                todo.extend(case.both(&one)?);
            }
            // Members of other names are left out, as described above.
            todo.truncate(super::limits::MAX_ONE_OF);
            if done.len() >= super::limits::MAX_ONE_OF {
                break;
            }
        }
        Ok(done)
    }
}
