//! Whether any value meets given terms. "No" is certain; "yes" may be wrong in rare cases.

use std::rc::Rc;

use super::case::{self, Case, Members, Term};
use super::engine::Engine;

/// How far into items and members a contradiction is looked for.
const MAX_LOOK: usize = 5;

impl Engine {
    pub fn satisfiable(&mut self, terms: &[Term]) -> Result<bool, String> {
        if terms.contains(&Term::Never) {
            return Ok(false);
        }
        for case in self.all_of(terms)?.iter() {
            for case in self.split(case)? {
                if self.case_satisfiable(&case)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn case_satisfiable(&mut self, case: &Case) -> Result<bool, String> {
        let simple = case::NULL | case::TRUE | case::FALSE | case::INTEGER | case::FRACTION;
        if case.values.is_some() || case.types & simple != 0 {
            return Ok(true);
        }
        if case.types & case::STRING != 0 {
            let ids = &case.string.patterns;
            let exact = ids.iter().all(|pattern| self.patterns.is_exact(*pattern));
            if !exact || self.string_is_empty(&case.string)? != Some(true) {
                return Ok(true);
            }
        }
        if case.types & case::ARRAY != 0 && self.array_satisfiable(case) {
            return Ok(true);
        }
        Ok(case.types & case::OBJECT != 0 && self.object_satisfiable(case)?)
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

    /// As `satisfiable`, for a part of the instance. What cannot be decided here, a ring above all,
    /// counts as satisfiable.
    fn part_satisfiable(&mut self, terms: &[Term]) -> bool {
        if self.depth >= MAX_LOOK {
            return true;
        }
        let active = self.active.clone();
        self.depth += 1;
        let answer = self.satisfiable(terms);
        self.depth -= 1;
        self.active = active;
        answer.unwrap_or(true)
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
                let mut one = super::engine::present(vec![name.clone()]);
                let named = vec![(name, some.term)];
                let group = Members {
                    named,
                    ..Members::default()
                };
                one.object.groups.push(Rc::new(group));
                todo.extend(case.both(&one)?);
            }
            if done.len() + todo.len() > super::limits::MAX_CASES {
                return Err("a negated schema has too many alternatives".into());
            }
        }
        Ok(done)
    }
}
