//! The graph of the places of an instance and the values that are allowed there. The grammar is
//! written from this graph.

use std::collections::{HashMap, HashSet, VecDeque};

use llguidance::derivre::RegexAst;

use super::case::{self, ArrayRule, Case, Contains, ObjectRule, Term};
use super::engine::Engine;
use super::limits::{MAX_COUNTED, MAX_OPTIONAL, MAX_STATES};
use super::names::lists_members;
use super::scalars::number;
use super::style::Style;

pub type StateId = usize;

/// The state that allows no value.
pub const DEAD: StateId = 0;

#[derive(Default)]
pub struct State {
    /// Numbers, strings, literals and given values.
    pub scalars: Vec<RegexAst>,
    /// In the style `Tagged`: the strings of `scalars`, without quotes and escapes.
    pub plain: Vec<RegexAst>,
    pub arrays: Vec<Array>,
    pub objects: Vec<Object>,
}

impl State {
    fn is_empty(&self) -> bool {
        self.scalars.is_empty() && self.arrays.is_empty() && self.objects.is_empty()
    }
}

pub struct Array {
    pub prefix: Vec<Item>,
    pub rest: Item,
    pub min: u64,
    pub max: Option<u64>,
    /// Smallest and largest number of items of `Item::with`.
    pub contains: Option<(u64, Option<u64>)>,
    /// All possible items, if no two items may be equal.
    pub distinct: Option<Vec<String>>,
}

#[derive(Clone, Copy)]
pub struct Item {
    /// Any item; under `maxContains`, one that does not count.
    pub plain: StateId,
    /// An item that counts for `contains`.
    pub with: StateId,
}

pub struct Object {
    pub named: Vec<Member>,
    pub others: Vec<OtherMembers>,
    pub min: u64,
    pub max: Option<u64>,
}

pub struct Member {
    pub name: String,
    pub value: StateId,
    pub required: bool,
}

/// Members of names that are not listed.
pub struct OtherMembers {
    pub name: RegexAst,
    pub value: StateId,
    /// They are written only if the other members are not enough.
    pub spare: bool,
}

pub struct Graph {
    pub states: Vec<State>,
    pub style: Style,
    index: HashMap<Vec<Term>, StateId>,
    todo: VecDeque<(StateId, Vec<Term>)>,
}

impl Graph {
    /// Makes the graph of schema 0. Its second state is that of the whole instance.
    pub fn new(engine: &mut Engine, style: Style) -> Result<Self, String> {
        let mut graph = Graph {
            states: vec![State::default()],
            style,
            index: HashMap::new(),
            todo: VecDeque::new(),
        };
        graph.state(vec![Term::Schema(0)])?;
        while let Some((id, terms)) = graph.todo.pop_front() {
            let mut state = State::default();
            let mut left_out = None;
            for case in engine.all_of(&terms)?.iter() {
                for case in engine.split(case)? {
                    match graph.case(engine, &case, &mut state) {
                        Err(error) if case.optional => left_out = Some(error),
                        done => done.map_err(|e| locate(engine, &terms, e))?,
                    }
                }
            }
            if let Some(error) = left_out.filter(|_| state.is_empty()) {
                return Err(locate(engine, &terms, error));
            }
            graph.states[id] = state;
        }
        Ok(graph)
    }

    pub fn state(&mut self, mut terms: Vec<Term>) -> Result<StateId, String> {
        terms.retain(|term| *term != Term::Always);
        terms.sort_unstable();
        terms.dedup();
        if terms.contains(&Term::Never) {
            return Ok(DEAD);
        }
        if let Some(id) = self.index.get(&terms) {
            return Ok(*id);
        }
        if self.states.len() >= MAX_STATES {
            return Err(format!(
                "the schema has more than {MAX_STATES} different places, which is the limit"
            ));
        }
        let id = self.states.len();
        self.states.push(State::default());
        self.index.insert(terms.clone(), id);
        self.todo.push_back((id, terms));
        Ok(id)
    }

    fn case(&mut self, engine: &mut Engine, case: &Case, state: &mut State) -> Result<(), String> {
        if let Some(values) = &case.values {
            for value in values.iter() {
                self.given(&engine.document, *value, state);
            }
            return Ok(());
        }
        for (kind, word) in [
            (case::NULL, "null"),
            (case::TRUE, "true"),
            (case::FALSE, "false"),
        ] {
            if case.types & kind != 0 {
                state.scalars.push(RegexAst::Literal(word.into()));
            }
        }
        if case.types & (case::INTEGER | case::FRACTION) != 0 {
            state
                .scalars
                .extend(number(engine, &case.number, case.types)?);
        }
        if case.types & case::STRING != 0 {
            match engine.string_is_empty(&case.string)? {
                Some(true) => {}
                Some(false) => self.strings(engine, &case.string, state)?,
                None => {
                    return Err(
                        "the patterns and lengths of a string are too complex together".into(),
                    )
                }
            }
        }
        if case.types & case::ARRAY != 0 {
            state.arrays.extend(self.array(engine, &case.array)?);
        }
        if case.types & case::OBJECT != 0 {
            state.objects.extend(self.object(engine, &case.object)?);
        }
        Ok(())
    }

    fn array(&mut self, engine: &mut Engine, rule: &ArrayRule) -> Result<Option<Array>, String> {
        if rule.contains.len() > 1 {
            return Err("several 'contains' for one array are not supported".into());
        }
        let contains = rule.contains.first();
        let mut max = rule.max;
        let mut prefix = Vec::new();
        let mut rest = self.item(rule.terms_at(usize::MAX), contains)?;
        for i in 0..rule.prefix_len() {
            if max.is_some_and(|max| i as u64 >= max) {
                break;
            }
            let item = self.item(rule.terms_at(i), contains)?;
            if item.plain == DEAD && item.with == DEAD {
                max = Some(i as u64);
                break;
            }
            prefix.push(item);
        }
        if rest.plain == DEAD && rest.with == DEAD {
            max = Some(max.map_or(prefix.len() as u64, |max| max.min(prefix.len() as u64)));
        }
        if prefix.len() as u64 >= max.unwrap_or(u64::MAX) {
            rest = Item {
                plain: DEAD,
                with: DEAD,
            };
        }
        if max.is_some_and(|max| max < rule.min) {
            return Ok(None);
        }
        let distinct = if rule.unique && max.is_none_or(|max| max > 1) {
            Some(self.distinct_items(engine, rule, contains)?)
        } else {
            None
        };
        Ok(Some(Array {
            prefix,
            rest,
            min: rule.min,
            max,
            contains: contains.map(|c| (c.min, c.max)),
            distinct,
        }))
    }

    fn item(&mut self, terms: Vec<Term>, contains: Option<&Contains>) -> Result<Item, String> {
        let Some(contains) = contains else {
            let plain = self.state(terms)?;
            return Ok(Item { plain, with: DEAD });
        };
        let mut with = terms.clone();
        with.push(contains.term);
        let mut without = terms;
        if contains.max.is_some() {
            without.push(contains.term.negated());
        }
        Ok(Item {
            plain: self.state(without)?,
            with: self.state(with)?,
        })
    }

    fn distinct_items(
        &mut self,
        engine: &mut Engine,
        rule: &ArrayRule,
        contains: Option<&Contains>,
    ) -> Result<Vec<String>, String> {
        const REFUSAL: &str =
            "'uniqueItems' is supported only where 'maxItems' is at most 1, or the \
                               items have a small set of values ('enum')";
        if rule.prefix_len() > 0 || contains.is_some() {
            return Err(REFUSAL.into());
        }
        let mut texts = Vec::new();
        for case in engine.all_of(&rule.terms_at(0))?.iter() {
            if !engine.finite_values(case, &mut texts)? {
                return Err(REFUSAL.into());
            }
        }
        let mut known = HashSet::new();
        texts.retain(|text| known.insert(text.clone()));
        let texts: Vec<String> = texts
            .into_iter()
            .filter_map(|text| self.styled(text))
            .collect();
        if texts.len() * texts.len() > MAX_COUNTED * 100 {
            return Err(REFUSAL.into());
        }
        Ok(texts)
    }

    fn object(&mut self, engine: &mut Engine, rule: &ObjectRule) -> Result<Option<Object>, String> {
        let required: HashSet<&String> = rule.required.iter().collect();
        let mut names = Vec::new();
        let mut known = HashSet::new();
        let named = rule
            .groups
            .iter()
            .flat_map(|g| g.named.iter().map(|(name, _)| name));
        let allowed = engine.finite_names(rule)?;
        for name in named.chain(&rule.required).chain(allowed.iter().flatten()) {
            if known.insert(name.clone()) {
                names.push(name.clone());
            }
        }
        let mut members = Vec::new();
        for name in &names {
            let mut value = DEAD;
            if engine.name_meets(rule, name)? {
                value = self.state(engine.terms_of(rule, name)?)?;
            }
            let required = required.contains(name);
            if value != DEAD {
                let name = name.clone();
                members.push(Member {
                    name,
                    value,
                    required,
                });
            } else if required {
                return Ok(None);
            }
        }
        if members.iter().filter(|member| !member.required).count() > MAX_OPTIONAL {
            return Err(format!(
                "an object has more than {MAX_OPTIONAL} members that are not required, which is the limit"
            ));
        }
        let mut others = Vec::new();
        if allowed.is_none() {
            let closed = lists_members(rule);
            for other in engine.other_names(rule, &names)? {
                let value = self.state(other.terms)?;
                if value == DEAD {
                    continue;
                }
                if let Some(name) = self.names(engine, other.names) {
                    others.push(OtherMembers {
                        name,
                        value,
                        spare: closed && !other.patterned,
                    });
                }
            }
        }
        // Names that are not listed could be equal: only one of them may count.
        if !others.is_empty() && rule.min > members.len() as u64 + 1 {
            return Err(format!(
                "'minProperties' of {}: only names in 'properties', 'required' or an 'enum' of \
                 'propertyNames' can be told apart, and one more",
                rule.min
            ));
        }
        Ok(Some(Object {
            named: members,
            others,
            min: rule.min,
            max: rule.max,
        }))
    }
}

fn locate(engine: &Engine, terms: &[Term], message: String) -> String {
    match terms.first() {
        _ if message.contains(" (at #") => message,
        Some(Term::Schema(id) | Term::NotSchema(id) | Term::Equal(id) | Term::NotEqual(id)) => {
            engine.at(*id, message)
        }
        _ => message,
    }
}
