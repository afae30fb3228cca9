//! A case: constraints that an instance must meet together. A schema is a list of cases; an instance
//! is valid if it meets one of them.

use std::rc::Rc;

use super::decimal::Decimal;
use super::json::Id;
use super::pattern::PatternId;

pub const NULL: u8 = 1;
pub const TRUE: u8 = 2;
pub const FALSE: u8 = 4;
pub const INTEGER: u8 = 8;
/// Numbers that are not integers.
pub const FRACTION: u8 = 16;
pub const STRING: u8 = 32;
pub const ARRAY: u8 = 64;
pub const OBJECT: u8 = 128;
pub const ALL: u8 = 255;

/// A condition for a part of the instance (an item, a member's value or name).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Term {
    Always,
    Never,
    Schema(Id),
    NotSchema(Id),
    Equal(Id),
    NotEqual(Id),
}

impl Term {
    pub fn negated(self) -> Term {
        match self {
            Term::Always => Term::Never,
            Term::Never => Term::Always,
            Term::Schema(id) => Term::NotSchema(id),
            Term::NotSchema(id) => Term::Schema(id),
            Term::Equal(id) => Term::NotEqual(id),
            Term::NotEqual(id) => Term::Equal(id),
        }
    }
}

#[derive(Clone, Debug, Default)]
pub struct NumberRule {
    /// The bound. True: it is exclusive.
    pub min: Option<(Decimal, bool)>,
    pub max: Option<(Decimal, bool)>,
    pub multiple: Option<Decimal>,
    pub not_equal: Vec<Decimal>,
}

#[derive(Clone, Debug, Default)]
pub struct StringRule {
    pub min: u64,
    pub max: Option<u64>,
    /// Sorted.
    pub patterns: Vec<PatternId>,
    pub not_patterns: Vec<PatternId>,
    pub not_equal: Vec<String>,
}

/// One schema's constraints on the items of an array.
#[derive(Clone, Debug, Default)]
pub struct Items {
    pub prefix: Vec<Term>,
    pub rest: Option<Term>,
    /// False inside `not`, where no item counts as evaluated.
    pub evaluates: bool,
}

#[derive(Clone, Debug)]
pub struct Contains {
    pub term: Term,
    pub min: u64,
    pub max: Option<u64>,
}

#[derive(Clone, Debug, Default)]
pub struct ArrayRule {
    pub groups: Vec<Rc<Items>>,
    pub min: u64,
    pub max: Option<u64>,
    pub contains: Vec<Contains>,
    pub unique: bool,
}

/// One schema's constraints on the members of an object.
#[derive(Clone, Debug, Default)]
pub struct Members {
    pub named: Vec<(String, Term)>,
    pub patterns: Vec<(PatternId, Term)>,
    pub rest: Option<Term>,
    /// True: the schema has `properties`.
    pub lists: bool,
    /// False inside `not`, where no member counts as evaluated.
    pub evaluates: bool,
}

/// A member that an object must have: one that none of the names and patterns in `except` covers,
/// whose name has `pattern`, and whose value meets `term`. Comes from negated schemas.
#[derive(Clone, Debug)]
pub struct SomeMember {
    pub except: Vec<String>,
    pub except_patterns: Vec<PatternId>,
    pub pattern: Option<PatternId>,
    pub term: Term,
}

#[derive(Clone, Debug, Default)]
pub struct ObjectRule {
    pub groups: Vec<Rc<Members>>,
    pub some: Vec<Rc<SomeMember>>,
    /// In the order of their appearance.
    pub required: Vec<String>,
    pub min: u64,
    pub max: Option<u64>,
    pub names: Vec<Term>,
}

#[derive(Clone, Debug)]
pub struct Case {
    pub types: u8,
    /// If present: the instance is one of these values of the document, which meet all else.
    pub values: Option<Rc<Vec<Id>>>,
    /// Comes from a negated schema, of which only some cases need be written.
    pub optional: bool,
    pub number: NumberRule,
    pub string: StringRule,
    pub array: ArrayRule,
    pub object: ObjectRule,
}

impl Default for Case {
    fn default() -> Self {
        Case {
            types: ALL,
            values: None,
            optional: false,
            number: NumberRule::default(),
            string: StringRule::default(),
            array: ArrayRule::default(),
            object: ObjectRule::default(),
        }
    }
}

impl Case {
    pub fn of_types(types: u8) -> Self {
        Case {
            types,
            ..Self::default()
        }
    }

    pub fn of_number(number: NumberRule) -> Self {
        Case {
            types: INTEGER | FRACTION,
            number,
            ..Self::default()
        }
    }

    pub fn of_string(string: StringRule) -> Self {
        Case {
            types: STRING,
            string,
            ..Self::default()
        }
    }

    pub fn of_array(array: ArrayRule) -> Self {
        Case {
            types: ARRAY,
            array,
            ..Self::default()
        }
    }

    /// An array whose item at `index` fulfils the term.
    pub fn of_item(index: usize, term: Term) -> Self {
        let mut prefix = vec![Term::Always; index];
        prefix.push(term);
        Self::of_array(ArrayRule {
            groups: vec![Rc::new(Items {
                prefix,
                ..Items::default()
            })],
            min: index as u64 + 1,
            ..ArrayRule::default()
        })
    }

    pub fn of_object(object: ObjectRule) -> Self {
        Case {
            types: OBJECT,
            object,
            ..Self::default()
        }
    }

    /// Restricts the case to instances of `types`.
    pub fn of_these(&self, types: u8) -> Self {
        Case {
            types: self.types & types,
            ..self.clone()
        }
    }

    /// True if every instance meets the case.
    pub fn is_free(&self) -> bool {
        self.types == ALL
            && self.values.is_none()
            && self.number.is_free()
            && self.string.is_free()
            && self.array.is_free()
            && self.object.is_free()
    }

    /// Combines two cases, except for their values. None: the cases contradict each other.
    pub fn both(&self, other: &Case) -> Result<Option<Case>, String> {
        let mut both = self.clone();
        both.types &= other.types;
        both.optional |= other.optional;
        if both.types & (INTEGER | FRACTION) != 0 {
            both.number.add(&other.number)?;
        }
        if both.types & STRING != 0 {
            both.string.add(&other.string);
        }
        if both.types & ARRAY != 0 {
            both.array.add(&other.array);
        }
        if both.types & OBJECT != 0 {
            both.object.add(&other.object);
        }
        both.drop_contradictions();
        Ok((both.types != 0).then_some(both))
    }

    /// Removes the types whose bounds contradict each other.
    pub fn drop_contradictions(&mut self) {
        let above = |min: u64, max: Option<u64>| max.is_some_and(|max| min > max);
        if self.types & (INTEGER | FRACTION) != 0 {
            self.types &= !(INTEGER | FRACTION) | self.number.possible();
        }
        if above(self.string.min, self.string.max) {
            self.types &= !STRING;
        }
        if above(self.array.min, self.array.max) {
            self.types &= !ARRAY;
        }
        let required = self.object.required.len() as u64;
        if above(self.object.min.max(required), self.object.max) {
            self.types &= !OBJECT;
        }
    }

    /// Marks a case of a negated schema.
    pub fn negated(&mut self) {
        self.optional = true;
        for group in &mut self.array.groups {
            if group.evaluates {
                Rc::make_mut(group).evaluates = false;
            }
        }
        for group in &mut self.object.groups {
            if group.evaluates {
                Rc::make_mut(group).evaluates = false;
            }
        }
    }
}

fn smaller(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

fn add_new<T: PartialEq + Clone>(to: &mut Vec<T>, from: &[T]) {
    for item in from {
        if !to.contains(item) {
            to.push(item.clone());
        }
    }
}

impl NumberRule {
    pub fn is_free(&self) -> bool {
        self.min.is_none()
            && self.max.is_none()
            && self.multiple.is_none()
            && self.not_equal.is_empty()
    }

    pub fn add(&mut self, other: &NumberRule) -> Result<(), String> {
        if let Some((bound, open)) = other.min {
            // If two bounds are equal, the exclusive one is stricter.
            if self.min.is_none_or(|(b, o)| (bound, open) > (b, o)) {
                self.min = Some((bound, open));
            }
        }
        if let Some((bound, open)) = other.max {
            if self.max.is_none_or(|(b, o)| (bound, !open) < (b, !o)) {
                self.max = Some((bound, open));
            }
        }
        self.multiple = match (self.multiple, other.multiple) {
            (Some(a), Some(b)) => Some(
                a.lcm(&b)
                    .ok_or("the least common multiple of the 'multipleOf' is too large")?,
            ),
            (a, b) => a.or(b),
        };
        add_new(&mut self.not_equal, &other.not_equal);
        Ok(())
    }
}

impl StringRule {
    pub fn is_free(&self) -> bool {
        self.min == 0
            && self.max.is_none()
            && self.patterns.is_empty()
            && self.not_patterns.is_empty()
            && self.not_equal.is_empty()
    }

    pub fn add(&mut self, other: &StringRule) {
        self.min = self.min.max(other.min);
        self.max = smaller(self.max, other.max);
        add_new(&mut self.patterns, &other.patterns);
        add_new(&mut self.not_patterns, &other.not_patterns);
        add_new(&mut self.not_equal, &other.not_equal);
        self.patterns.sort_unstable();
        self.not_patterns.sort_unstable();
    }
}

impl ArrayRule {
    pub fn is_free(&self) -> bool {
        self.groups.is_empty()
            && self.min == 0
            && self.max.is_none()
            && self.contains.is_empty()
            && !self.unique
    }

    pub fn add(&mut self, other: &ArrayRule) {
        self.groups.extend(other.groups.iter().cloned());
        self.min = self.min.max(other.min);
        self.max = smaller(self.max, other.max);
        self.contains.extend(other.contains.iter().cloned());
        self.unique |= other.unique;
    }

    /// Returns the terms that the item at `index` must meet.
    pub fn terms_at(&self, index: usize) -> Vec<Term> {
        let at = |group: &Rc<Items>| group.prefix.get(index).copied().or(group.rest);
        self.groups.iter().filter_map(at).collect()
    }

    pub fn prefix_len(&self) -> usize {
        self.groups
            .iter()
            .map(|g| g.prefix.len())
            .max()
            .unwrap_or(0)
    }
}

impl ObjectRule {
    pub fn is_free(&self) -> bool {
        self.groups.is_empty()
            && self.some.is_empty()
            && self.required.is_empty()
            && self.min == 0
            && self.max.is_none()
            && self.names.is_empty()
    }

    pub fn add(&mut self, other: &ObjectRule) {
        self.groups.extend(other.groups.iter().cloned());
        self.some.extend(other.some.iter().cloned());
        if !other.required.is_empty() {
            let known: std::collections::HashSet<String> = self.required.iter().cloned().collect();
            let new = other.required.iter().filter(|name| !known.contains(*name));
            self.required.extend(new.cloned());
        }
        self.min = self.min.max(other.min);
        self.max = smaller(self.max, other.max);
        add_new(&mut self.names, &other.names);
    }
}
