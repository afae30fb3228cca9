//! Keywords that apply if a member is present: `dependentRequired`, `dependentSchemas` and
//! `dependencies`.

use std::rc::Rc;

use super::case::{Case, Members, ObjectRule, Term};
use super::engine::{Cases, Engine};
use super::json::{Id, Node};

impl Engine {
    pub fn dependencies(&mut self, value: Id, all: Cases) -> Result<Cases, String> {
        let mut all = all;
        for (name, dependent) in self.members(value) {
            let present = match self.dependent(&name, dependent)? {
                Some(present) => present,
                None => continue,
            };
            let mut any = vec![absent(&name)];
            any.extend(present.iter().cloned());
            all = self.product(&all, &Rc::new(any), Term::Schema(dependent))?;
        }
        Ok(all)
    }

    /// Returns the cases in which `name` is present and its dependencies hold. None: it has no
    /// dependencies.
    fn dependent(&mut self, name: &str, value: Id) -> Result<Option<Cases>, String> {
        let mut required = vec![name.to_string()];
        match self.document.node(value) {
            Node::Array(names) if names.is_empty() => return Ok(None),
            Node::Array(_) => required.extend(self.strings(value, "dependentRequired")?),
            Node::String(other) => required.push(other.clone()),
            _ => {
                let cases = self.cases(Term::Schema(value))?;
                let present = present(required);
                return Ok(Some(self.and(cases, present, value)?));
            }
        }
        Ok(Some(Rc::new(vec![present(required)])))
    }
}

/// Objects that have all of `required`.
pub fn present(required: Vec<String>) -> Case {
    Case::of_object(ObjectRule {
        required,
        ..ObjectRule::default()
    })
}

/// Objects without `name`, and all that are no objects.
pub fn absent(name: &str) -> Case {
    let group = Members {
        named: vec![(name.to_string(), Term::Never)],
        ..Members::default()
    };
    Case {
        object: ObjectRule {
            groups: vec![Rc::new(group)],
            ..ObjectRule::default()
        },
        ..Case::default()
    }
}
