//! The cases in which keywords about strings, arrays and objects do not hold.

use std::rc::Rc;

use super::case::{self, ArrayRule, Case, Contains, Members, ObjectRule};
use super::case::{SomeMember, StringRule, Term};
use super::dependencies::{absent, present};
use super::engine::Engine;
use super::json::{Id, Node};

impl Engine {
    pub fn not_string(
        &mut self,
        id: Id,
        key: &str,
        value: Id,
        any: &mut Vec<Case>,
    ) -> Result<bool, String> {
        let alone = self.alone(id, key, value)?;
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

    pub fn not_array(
        &mut self,
        id: Id,
        key: &str,
        value: Id,
        any: &mut Vec<Case>,
    ) -> Result<bool, String> {
        let alone = self.alone(id, key, value)?;
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
            any.push(Case::of_item(i, term.negated()));
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

    pub fn not_object(
        &mut self,
        id: Id,
        key: &str,
        value: Id,
        any: &mut Vec<Case>,
    ) -> Result<bool, String> {
        let alone = self.alone(id, key, value)?;
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
}
