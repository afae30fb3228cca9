//! Turns schemas into lists of cases.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::case::{Case, Term};
use super::json::{Document, Id, Node};
use super::limits::{MAX_CASES, MAX_CHAIN, MAX_MERGES, PRUNE_CASES};
use super::pattern::Patterns;
use super::references::References;

pub type Cases = Rc<Vec<Case>>;

pub struct Engine {
    pub document: Document,
    pub references: References,
    pub patterns: Patterns,
    known: HashMap<Term, Cases>,
    pub active: HashSet<Term>,
    merges: usize,
    /// Current depth of `satisfiable` in items and members.
    pub depth: usize,
    /// True: some list of cases accepts less than its schema, because a negation could not be
    /// expressed.
    pub approximated: bool,
}

impl Engine {
    pub fn new(document: Document) -> Self {
        let references = References::new(&document);
        Self {
            document,
            references,
            patterns: Patterns::default(),
            known: HashMap::new(),
            active: HashSet::new(),
            merges: 0,
            depth: 0,
            approximated: false,
        }
    }

    /// An error message with its place.
    pub fn at(&self, id: Id, message: impl std::fmt::Display) -> String {
        format!("{message} (at {})", self.document.pointer(id))
    }

    /// Returns the cases of one term. Recursion is bounded by MAX_CHAIN.
    pub fn cases(&mut self, term: Term) -> Result<Cases, String> {
        if let Some(cases) = self.known.get(&term) {
            return Ok(cases.clone());
        }
        let id = match term {
            Term::Always => return Ok(Rc::new(vec![Case::default()])),
            Term::Never => return Ok(Rc::new(Vec::new())),
            Term::Schema(id) | Term::NotSchema(id) | Term::Equal(id) | Term::NotEqual(id) => id,
        };
        if self.active.len() >= MAX_CHAIN {
            return Err(self.at(
                id,
                format!("more than {MAX_CHAIN} subschemas apply one through the other, which is the limit"),
            ));
        }
        if !self.active.insert(term) {
            return Err(self.at(
                id,
                "a ring of '$ref' and the like that never reaches a value",
            ));
        }
        let cases = match term {
            Term::Schema(id) => self.schema(id),
            Term::NotSchema(id) => self.not_schema(id).map(|mut cases| {
                cases.iter_mut().for_each(Case::negated);
                cases
            }),
            Term::Equal(id) => Ok(vec![Case {
                values: Some(Rc::new(vec![id])),
                types: self.type_of(id)?,
                ..Case::default()
            }]),
            _ => self.not_equal(id).map(|mut cases| {
                cases.iter_mut().for_each(Case::negated);
                cases
            }),
        };
        self.active.remove(&term);
        let cases = Rc::new(cases?);
        self.known.insert(term, cases.clone());
        Ok(cases)
    }

    /// Returns the cases in which all of `terms` hold.
    pub fn all_of(&mut self, terms: &[Term]) -> Result<Cases, String> {
        let mut all = Rc::new(vec![Case::default()]);
        // Terms with given values come first, because they make the other products small.
        let mut lists = Vec::new();
        for term in terms {
            lists.push((self.cases(*term)?, *term));
        }
        lists.sort_by_key(|(cases, _)| cases.len());
        for (cases, term) in lists {
            all = self.product(&all, &cases, term)?;
        }
        Ok(all)
    }

    /// Returns the cases that meet one of `a` and one of `b`. `term` is the source of `b`, for
    /// errors.
    pub fn product(&mut self, a: &Cases, b: &Cases, term: Term) -> Result<Cases, String> {
        if matches!(b.as_slice(), [case] if case.is_free()) {
            return Ok(a.clone());
        }
        if matches!(a.as_slice(), [case] if case.is_free()) {
            return Ok(b.clone());
        }
        let both = self.pairs(a, b, term, MAX_CASES + 1)?;
        let both = self.pruned(both)?;
        if both.len() > MAX_CASES {
            let what = "the schema has more than {} alternatives at one place, which is the limit";
            return Err(self.located(term, what.replace("{}", &MAX_CASES.to_string())));
        }
        Ok(Rc::new(both))
    }

    /// Of many cases, those that some value may meet.
    fn pruned(&mut self, cases: Vec<Case>) -> Result<Vec<Case>, String> {
        if cases.len() <= PRUNE_CASES {
            return Ok(cases);
        }
        let mut left = Vec::new();
        for case in cases {
            let known = case.object.some.is_empty();
            if !known || self.case_types(&case)? != 0 {
                left.push(case);
            }
        }
        Ok(left)
    }

    /// Returns up to `most` of the cases that meet one of `a` and one of `b`.
    pub fn pairs(
        &mut self,
        a: &[Case],
        b: &[Case],
        term: Term,
        most: usize,
    ) -> Result<Vec<Case>, String> {
        let mut both = Vec::new();
        for right in b {
            for left in a {
                if let Some(case) = self.merge(left, right).map_err(|e| self.located(term, e))? {
                    both.push(case);
                }
                if both.len() >= most {
                    return Ok(both);
                }
            }
        }
        Ok(both)
    }

    fn located(&self, term: Term, message: String) -> String {
        match term {
            _ if message.contains(" (at #") => message,
            Term::Schema(id) | Term::NotSchema(id) | Term::Equal(id) | Term::NotEqual(id) => {
                self.at(id, message)
            }
            _ => message,
        }
    }

    fn merge(&mut self, a: &Case, b: &Case) -> Result<Option<Case>, String> {
        self.merges += 1 + (a.object.groups.len() + b.object.groups.len()) / 4;
        if self.merges > MAX_MERGES {
            return Err(format!(
                "the schema combines more than {MAX_MERGES} alternatives, which is the limit"
            ));
        }
        let Some(mut both) = a.both(b)? else {
            return Ok(None);
        };
        if a.values.is_none() && b.values.is_none() {
            return Ok(Some(both));
        }
        let (given, other) = if a.values.is_some() { (a, b) } else { (b, a) };
        let mut left = Vec::new();
        for value in given.values.iter().flat_map(|v| v.iter()) {
            if self.meets(other, *value)? {
                left.push(*value);
            }
        }
        if left.is_empty() {
            return Ok(None);
        }
        both.types = 0;
        for value in &left {
            both.types |= self.type_of(*value)?;
        }
        both.values = Some(Rc::new(left));
        Ok(Some(both))
    }

    /// Folds one more case into `all`, which meets it too.
    pub fn and(&mut self, all: Cases, case: Case, at: Id) -> Result<Cases, String> {
        self.product(&all, &Rc::new(vec![case]), Term::Schema(at))
    }

    fn schema(&mut self, id: Id) -> Result<Vec<Case>, String> {
        match self.document.node(id) {
            Node::Bool(true) => return Ok(vec![Case::default()]),
            Node::Bool(false) => return Ok(Vec::new()),
            Node::Object(_) => {}
            _ => return Err(self.at(id, "a schema must be an object or a boolean")),
        }
        if let Some(target) = self.only_reference(id)? {
            return Ok(self.cases(Term::Schema(target))?.to_vec());
        }
        let mut all = Rc::new(vec![self.keywords(id)?]);
        if all[0].types == 0 {
            return Ok(Vec::new());
        }
        for (key, value) in self.members(id) {
            all = self.applicator(id, &key, value, all)?;
        }
        for key in ["unevaluatedItems", "unevaluatedProperties"] {
            if let Some(value) = self.document.get(id, key) {
                all = self.unevaluated(key, value, all)?;
            }
        }
        Ok(Rc::try_unwrap(all).unwrap_or_else(|all| all.to_vec()))
    }

    /// Returns the members of a schema object. Empty for other values.
    pub fn members(&self, id: Id) -> Vec<(String, Id)> {
        match self.document.node(id) {
            Node::Object(members) => members.clone(),
            _ => Vec::new(),
        }
    }

    pub fn list(&self, id: Id, key: &str) -> Result<Vec<Id>, String> {
        match self.document.node(id) {
            Node::Array(list) => Ok(list.clone()),
            _ => Err(self.at(id, format!("'{key}' must be an array"))),
        }
    }

    /// In old drafts, keywords beside `$ref` have no effect.
    pub fn only_reference(&self, id: Id) -> Result<Option<Id>, String> {
        match self.document.get(id, "$ref") {
            Some(value) if self.references.legacy => Ok(Some(self.target(id, "$ref", value)?)),
            _ => Ok(None),
        }
    }

    pub fn target(&self, id: Id, key: &str, value: Id) -> Result<Id, String> {
        let refuse = |message: String| self.at(id, format!("{key}: {message}"));
        let text = self
            .document
            .str(value)
            .ok_or_else(|| refuse("must be a string".into()))?;
        let found = match key {
            "$dynamicRef" => self.references.resolve_dynamic(&self.document, id, text),
            "$recursiveRef" if self.references.recursive_anchor => {
                Err("is not supported beside '$recursiveAnchor'".into())
            }
            _ => self.references.resolve(&self.document, id, text),
        };
        found.map_err(refuse)
    }

    /// Keywords that apply other schemas to the same instance.
    fn applicator(&mut self, id: Id, key: &str, value: Id, all: Cases) -> Result<Cases, String> {
        let cases = match key {
            "$ref" | "$dynamicRef" | "$recursiveRef" => {
                let target = self.target(id, key, value)?;
                self.cases(Term::Schema(target))?
            }
            "allOf" => {
                let mut all = all;
                for item in self.list(value, key)? {
                    let cases = self.cases(Term::Schema(item))?;
                    all = self.product(&all, &cases, Term::Schema(item))?;
                }
                return Ok(all);
            }
            "anyOf" => self.any_of(value)?,
            "oneOf" => self.one_of(value)?,
            "not" => self.cases(Term::NotSchema(value))?,
            "if" if self
                .document
                .get(id, "then")
                .or(self.document.get(id, "else"))
                .is_none() =>
            {
                return Ok(all);
            }
            "if" => self.conditional(id, value, false)?,
            "enum" => self.given(&self.list(value, key)?)?,
            "const" => self.given(&[value])?,
            "dependentRequired" | "dependentSchemas" | "dependencies" => {
                return self.dependencies(value, all);
            }
            _ => return Ok(all),
        };
        self.product(&all, &cases, Term::Schema(id))
    }

    fn given(&self, values: &[Id]) -> Result<Cases, String> {
        let mut types = 0;
        for value in values {
            types |= self.type_of(*value)?;
        }
        if types == 0 {
            return Ok(Rc::new(Vec::new()));
        }
        Ok(Rc::new(vec![Case {
            types,
            values: Some(Rc::new(values.to_vec())),
            ..Case::default()
        }]))
    }

    pub fn any_of(&mut self, value: Id) -> Result<Cases, String> {
        let mut any = Vec::new();
        for item in self.list(value, "anyOf")? {
            let cases = self.cases(Term::Schema(item))?;
            // If every instance meets one case, the other cases are not needed, except for the
            // items and members that they evaluate.
            if cases.iter().any(Case::is_free) && !self.references.has_unevaluated {
                return Ok(Rc::new(vec![Case::default()]));
            }
            any.extend(cases.iter().cloned());
        }
        Ok(Rc::new(any))
    }

    /// `negated`: the cases in which `if`, `then` and `else` do not hold.
    pub fn conditional(&mut self, id: Id, test: Id, negated: bool) -> Result<Cases, String> {
        let mut any = Vec::new();
        for (test, key) in [
            (Term::Schema(test), "then"),
            (Term::NotSchema(test), "else"),
        ] {
            let branch = match self.document.get(id, key) {
                Some(branch) if negated => Term::NotSchema(branch),
                Some(branch) => Term::Schema(branch),
                None if negated => Term::Never,
                None => Term::Always,
            };
            if branch == Term::Never {
                continue;
            }
            let (test_cases, cases) = (self.cases(test)?, self.cases(branch)?);
            any.extend(self.product(&test_cases, &cases, branch)?.iter().cloned());
        }
        Ok(Rc::new(any))
    }

    pub fn strings(&self, id: Id, key: &str) -> Result<Vec<String>, String> {
        let mut all: Vec<String> = Vec::new();
        let mut known = HashSet::new();
        for item in self.list(id, key)? {
            let text = self
                .document
                .str(item)
                .ok_or_else(|| self.at(id, format!("'{key}' must be an array of strings")))?;
            if known.insert(text) {
                all.push(text.to_string());
            }
        }
        Ok(all)
    }
}
