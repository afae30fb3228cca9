//! The keywords of one schema that need no other schema's cases, as one case.

use std::rc::Rc;

use super::case::{self, Case, Contains, Items, Members, NumberRule, Term};
use super::decimal::Decimal;
use super::engine::{Cases, Engine};
use super::json::{Id, Node};
use super::limits::MAX_COUNT;

impl Engine {
    pub fn keywords(&mut self, id: Id) -> Result<Case, String> {
        let mut case = Case::default();
        let members = self.members(id);
        for (key, value) in &members {
            self.keyword(id, key, *value, &mut case)?;
        }
        if members.iter().any(|(key, _)| {
            matches!(
                key.as_str(),
                "properties" | "patternProperties" | "additionalProperties"
            )
        }) {
            let group = self.member_group(id)?;
            case.object.groups.push(Rc::new(group));
        }
        if let Some(group) = self.item_group(id)? {
            case.array.groups.push(Rc::new(group));
        }
        self.contains(id, &mut case)?;
        case.drop_contradictions();
        Ok(case)
    }

    pub fn keyword(&mut self, id: Id, key: &str, value: Id, case: &mut Case) -> Result<(), String> {
        match key {
            "type" => case.types &= self.types(value)?,
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf"
            | "divisibleBy" => {
                let rule = self.number(id, key, value)?;
                case.number.add(&rule).map_err(|e| self.at(id, e))?;
            }
            "minLength" => case.string.min = case.string.min.max(self.count(key, value)?),
            "maxLength" => case.string.max = Some(self.count(key, value)?),
            "pattern" => {
                let text = self.text(key, value)?;
                let pattern = self
                    .patterns
                    .pattern(&text)
                    .map_err(|e| self.at(value, e))?;
                case.string.patterns.push(pattern);
            }
            "format" => {
                let text = self.text(key, value)?;
                let format = self.patterns.format(&text);
                case.string.patterns.extend(format);
                case.string.patterns.sort_unstable();
            }
            "minItems" => case.array.min = self.count(key, value)?,
            "maxItems" => case.array.max = Some(self.count(key, value)?),
            "uniqueItems" => case.array.unique = self.flag(key, value)?,
            "minProperties" => case.object.min = self.count(key, value)?,
            "maxProperties" => case.object.max = Some(self.count(key, value)?),
            "required" => match self.document.node(value) {
                // Draft 3 and many hand-written schemas have a boolean `required`, which is about
                // the parent.
                Node::Bool(_) => {}
                _ => case.object.required = self.strings(value, key)?,
            },
            "propertyNames" => case.object.names.push(Term::Schema(value)),
            "disallow" | "extends" => return Err(self.at(id, format!("'{key}' is not supported"))),
            _ => {}
        }
        Ok(())
    }

    fn text(&self, key: &str, value: Id) -> Result<String, String> {
        let text = self.document.str(value);
        let wrong = || self.at(value, format!("'{key}' must be a string"));
        text.map(str::to_string).ok_or_else(wrong)
    }

    fn flag(&self, key: &str, value: Id) -> Result<bool, String> {
        match self.document.node(value) {
            Node::Bool(flag) => Ok(*flag),
            _ => Err(self.at(value, format!("'{key}' must be a boolean"))),
        }
    }

    /// Returns the exact value of a number node.
    pub fn decimal(&self, id: Id) -> Result<Decimal, String> {
        let Node::Number(text) = self.document.node(id) else {
            return Err(self.at(id, "a number is expected"));
        };
        Decimal::parse(text).ok_or_else(|| {
            self.at(
                id,
                "numbers of more than 20 digits, or of more than 17 decimals, are not supported",
            )
        })
    }

    fn count(&self, key: &str, value: Id) -> Result<u64, String> {
        let count = self.decimal(value)?;
        if !count.is_integer() || count.coef < 0 {
            return Err(self.at(value, format!("'{key}' must be an integer of at least 0")));
        }
        match u64::try_from(count.coef) {
            Ok(count) if count <= MAX_COUNT => Ok(count),
            // An upper bound that no output reaches.
            _ if key.starts_with("max") => Ok(MAX_COUNT),
            _ => Err(self.at(
                value,
                format!("'{key}' above {MAX_COUNT}, which is the limit"),
            )),
        }
    }

    fn types(&self, value: Id) -> Result<u8, String> {
        let names = match self.document.node(value) {
            Node::Array(_) => self.strings(value, "type")?,
            _ => vec![self.text("type", value)?],
        };
        let mut types = 0;
        for name in names {
            types |= match name.as_str() {
                "null" => case::NULL,
                "boolean" => case::TRUE | case::FALSE,
                "integer" => case::INTEGER,
                "number" => case::INTEGER | case::FRACTION,
                "string" => case::STRING,
                "array" => case::ARRAY,
                "object" => case::OBJECT,
                "any" => case::ALL,
                _ => {
                    let shown: String = name.chars().take(40).collect();
                    return Err(self.at(value, format!("unknown type '{shown}'")));
                }
            };
        }
        Ok(types)
    }

    /// One keyword about numbers. A boolean `exclusiveMinimum` (draft 4) is about `minimum`.
    pub fn number(&self, id: Id, key: &str, value: Id) -> Result<NumberRule, String> {
        let mut rule = NumberRule::default();
        if let Node::Bool(open) = self.document.node(value) {
            let other = match key {
                "exclusiveMinimum" => self.document.get(id, "minimum"),
                "exclusiveMaximum" => self.document.get(id, "maximum"),
                _ => return Err(self.at(value, format!("'{key}' must be a number"))),
            };
            if let Some(other) = other.filter(|_| *open) {
                let bound = Some((self.decimal(other)?, true));
                match key {
                    "exclusiveMinimum" => rule.min = bound,
                    _ => rule.max = bound,
                }
            }
            return Ok(rule);
        }
        let number = self.decimal(value)?;
        match key {
            "minimum" => rule.min = Some((number, false)),
            "maximum" => rule.max = Some((number, false)),
            "exclusiveMinimum" => rule.min = Some((number, true)),
            "exclusiveMaximum" => rule.max = Some((number, true)),
            _ if number.coef <= 0 => return Err(self.at(value, format!("'{key}' must be above 0"))),
            _ => rule.multiple = Some(number),
        }
        Ok(rule)
    }

    pub fn member_group(&mut self, id: Id) -> Result<Members, String> {
        let mut group = Members {
            evaluates: true,
            ..Members::default()
        };
        for key in ["properties", "patternProperties"] {
            let Some(value) = self.document.get(id, key) else {
                continue;
            };
            if !matches!(self.document.node(value), Node::Object(_)) {
                return Err(self.at(value, format!("'{key}' must be an object")));
            }
            group.lists |= key == "properties";
            for (name, schema) in self.members(value) {
                let term = self.term(schema);
                if key == "properties" {
                    group.named.push((name, term));
                } else {
                    let pattern = self
                        .patterns
                        .pattern(&name)
                        .map_err(|e| self.at(schema, e))?;
                    group.patterns.push((pattern, term));
                }
            }
        }
        let rest = self.document.get(id, "additionalProperties");
        group.rest = rest.map(|schema| self.term(schema));
        Ok(group)
    }

    fn term(&self, schema: Id) -> Term {
        match self.document.node(schema) {
            Node::Bool(true) => Term::Always,
            Node::Bool(false) => Term::Never,
            Node::Object(members) if members.is_empty() => Term::Always,
            _ => Term::Schema(schema),
        }
    }

    /// `prefixItems` and `items`, or `items` and `additionalItems` as older drafts spell it.
    pub fn item_group(&self, id: Id) -> Result<Option<Items>, String> {
        let get = |key| self.document.get(id, key);
        let (prefix, rest) = match (get("prefixItems"), get("items")) {
            (None, Some(items)) if matches!(self.document.node(items), Node::Array(_)) => {
                (Some(items), get("additionalItems"))
            }
            (prefix, items) => (prefix, items),
        };
        if prefix.is_none() && rest.is_none() {
            return Ok(None);
        }
        let prefix = match prefix {
            Some(prefix) => self.list(prefix, "prefixItems")?,
            None => Vec::new(),
        };
        Ok(Some(Items {
            prefix: prefix.iter().map(|item| self.term(*item)).collect(),
            rest: rest.map(|schema| self.term(schema)),
            evaluates: true,
        }))
    }

    fn contains(&self, id: Id, case: &mut Case) -> Result<(), String> {
        let Some(schema) = self.document.get(id, "contains") else {
            return Ok(());
        };
        let mut contains = Contains {
            term: self.term(schema),
            min: 1,
            max: None,
        };
        if let Some(value) = self.document.get(id, "minContains") {
            contains.min = self.count("minContains", value)?;
        }
        if let Some(value) = self.document.get(id, "maxContains") {
            contains.max = Some(self.count("maxContains", value)?);
        }
        match contains.term {
            _ if contains.max.is_some_and(|max| contains.min > max) => case.types &= !case::ARRAY,
            Term::Always => {
                case.array.min = case.array.min.max(contains.min);
                case.array.max = case.array.max.into_iter().chain(contains.max).min();
            }
            _ if contains.min == 0 && contains.max.is_none() => {}
            _ => case.array.contains.push(contains),
        }
        Ok(())
    }

    /// Applies `unevaluatedItems` or `unevaluatedProperties` to what no subschema of the same case
    /// has evaluated. Subschemas that hold without need are left out of account: what is accepted
    /// may be less than is valid, and is never more.
    pub fn unevaluated(&mut self, key: &str, value: Id, all: Cases) -> Result<Cases, String> {
        let term = self.term(value);
        let mut cases = Vec::new();
        for case in all.iter() {
            let mut rest = Case::default();
            if key == "unevaluatedItems" {
                if !case.array.contains.is_empty() {
                    return Err(self.at(
                        value,
                        "'unevaluatedItems' beside 'contains' is not supported",
                    ));
                }
                let groups = || case.array.groups.iter().filter(|g| g.evaluates);
                let prefix = groups().map(|g| g.prefix.len()).max().unwrap_or(0);
                let done = groups().any(|g| g.rest.is_some());
                rest.array.groups.push(Rc::new(Items {
                    prefix: vec![Term::Always; prefix],
                    rest: Some(if done { Term::Always } else { term }),
                    evaluates: true,
                }));
            } else {
                let groups = || case.object.groups.iter().filter(|g| g.evaluates);
                let done = groups().any(|g| g.rest.is_some());
                let named = groups().flat_map(|g| &g.named);
                let patterns = groups().flat_map(|g| &g.patterns);
                rest.object.groups.push(Rc::new(Members {
                    named: named
                        .map(|(name, _)| (name.clone(), Term::Always))
                        .collect(),
                    patterns: patterns.map(|(p, _)| (*p, Term::Always)).collect(),
                    rest: Some(if done { Term::Always } else { term }),
                    evaluates: true,
                    ..Members::default()
                }));
            }
            let one = Rc::new(vec![case.clone()]);
            cases.extend(self.and(one, rest, value)?.iter().cloned());
        }
        Ok(Rc::new(cases))
    }
}
