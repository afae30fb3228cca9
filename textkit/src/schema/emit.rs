//! Writes the grammar of a graph: JSON on one line, members in the order of the schema.

use llguidance::derivre::RegexAst;
use llguidance::earley::SymIdx;

use super::alive::{alive, array_max};
use super::builder::Builder;
use super::states::{Array, Graph, Object, StateId};

/// The form in which the whole instance is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Json,
    /// The keyword arguments of a call in Python. Members that the schema does not list are not
    /// written. Values are JSON.
    Keywords,
}

fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

pub struct Emitter<'a> {
    pub graph: &'a Graph,
    pub builder: Builder,
    /// For each state: true if a value exists.
    pub alive: Vec<bool>,
    symbols: Vec<SymIdx>,
    pub comma: SymIdx,
}

/// Adds the grammar of the graph to `builder`. Returns the symbol of the whole instance. None: no
/// value of the whole instance exists.
pub fn emit(
    graph: &Graph,
    mut builder: Builder,
    style: Style,
) -> Result<(Builder, Option<SymIdx>), String> {
    let alive = alive(graph);
    if !alive[1] {
        return Ok((builder, None));
    }
    let comma = builder.literal(", ")?;
    let mut symbols = vec![builder.empty; graph.states.len()];
    for (id, symbol) in symbols.iter_mut().enumerate() {
        if alive[id] {
            *symbol = builder.symbol()?;
        }
    }
    let mut emitter = Emitter {
        graph,
        builder,
        alive,
        symbols,
        comma,
    };
    for id in 0..graph.states.len() {
        if emitter.alive[id] {
            emitter.state(id)?;
        }
    }
    let whole = match style {
        Style::Json => Some(emitter.symbols[1]),
        Style::Keywords => emitter.keywords()?,
    };
    Ok((emitter.builder, whole))
}

impl Emitter<'_> {
    pub fn symbol(&self, state: StateId) -> Option<SymIdx> {
        self.alive[state].then_some(self.symbols[state])
    }

    fn state(&mut self, id: StateId) -> Result<(), String> {
        let graph = self.graph;
        let state = &graph.states[id];
        let symbol = self.symbols[id];
        if !state.scalars.is_empty() {
            let scalars = match state.scalars.as_slice() {
                [one] => one.clone(),
                all => RegexAst::Or(all.to_vec()),
            };
            let terminal = self.builder.terminal(scalars)?;
            self.builder.rule(symbol, &[terminal])?;
        }
        for array in &state.arrays {
            if let Some(content) = self.array(array)? {
                let (open, close) = (self.builder.literal("[")?, self.builder.literal("]")?);
                self.builder.rule(symbol, &[open, content, close])?;
            }
        }
        for object in &state.objects {
            if let Some(content) = self.object(object, Style::Json)? {
                let (open, close) = (self.builder.literal("{")?, self.builder.literal("}")?);
                self.builder.rule(symbol, &[open, content, close])?;
            }
        }
        Ok(())
    }

    fn array(&mut self, array: &Array) -> Result<Option<SymIdx>, String> {
        if let Some(texts) = &array.distinct {
            return self.distinct(array, texts);
        }
        if let Some((min, max)) = array.contains {
            return self.counted_array(array, min, max);
        }
        let Some(max) = array_max(array, &self.alive) else {
            return Ok(None);
        };
        let prefix = array.prefix.len() as u64;
        // After the last place that has its own state.
        let mut after = match self.symbol(array.rest.plain) {
            Some(item) if max.is_none_or(|max| max > prefix) => {
                self.tail(item, prefix, array.min, max)?
            }
            _ => self.builder.empty,
        };
        let places = max.unwrap_or(prefix).min(prefix);
        for i in (0..places).rev() {
            let Some(item) = self.symbol(array.prefix[i as usize].plain) else {
                return Ok(None);
            };
            let at = self.builder.symbol()?;
            if i >= array.min {
                self.builder.rule(at, &[])?;
            }
            let comma = if i == 0 {
                self.builder.empty
            } else {
                self.comma
            };
            self.builder.rule(at, &[comma, item, after])?;
            after = at;
        }
        Ok(Some(after))
    }

    /// Items of one state behind `prefix` others, up to `min` to `max` in all.
    fn tail(
        &mut self,
        item: SymIdx,
        prefix: u64,
        min: u64,
        max: Option<u64>,
    ) -> Result<SymIdx, String> {
        let with_comma = self.builder.sequence(&[self.comma, item])?;
        let (mut low, mut high) = (min.saturating_sub(prefix), max.map(|max| max - prefix));
        if prefix > 0 {
            return self.repeat(with_comma, low, high);
        }
        let optional = low == 0;
        low = low.saturating_sub(1);
        high = high.map(|high| high - 1);
        let more = self.repeat(with_comma, low, high)?;
        let all = self.builder.sequence(&[item, more])?;
        if optional {
            return self.builder.any_of(&[self.builder.empty, all]);
        }
        Ok(all)
    }

    pub fn repeat(&mut self, item: SymIdx, low: u64, high: Option<u64>) -> Result<SymIdx, String> {
        let head = self.builder.exactly(item, low)?;
        let rest = match high {
            Some(high) => self.builder.at_most(item, high - low)?,
            None => self.builder.star(item)?,
        };
        if rest == self.builder.empty {
            return Ok(head);
        }
        self.builder.sequence(&[head, rest])
    }

    /// The whole instance, an object, as the arguments of a call in Python: `a=1, b="x"`.
    fn keywords(&mut self) -> Result<Option<SymIdx>, String> {
        let graph = self.graph;
        let mut options = Vec::new();
        for object in &graph.states[1].objects {
            if object.min <= object.named.len() as u64 {
                options.extend(self.object(object, Style::Keywords)?);
            }
        }
        match options.len() {
            0 => Ok(None),
            _ => self.builder.any_of(&options).map(Some),
        }
    }

    fn object(&mut self, object: &Object, style: Style) -> Result<Option<SymIdx>, String> {
        let mut items = Vec::new();
        for member in &object.named {
            let Some(value) = self.symbol(member.value) else {
                if member.required {
                    return Ok(None);
                }
                continue;
            };
            let key = match style {
                Style::Json => format!("{}: ", super::json::quote(&member.name)),
                Style::Keywords if !is_identifier(&member.name) => {
                    return Err(format!(
                        "the member {} cannot be an argument of a call in Python, which is the \
                         model's form of calls",
                        super::json::quote(&member.name)
                    ));
                }
                Style::Keywords => format!("{}=", member.name),
            };
            let key = self.builder.literal(&key)?;
            items.push((self.builder.sequence(&[key, value])?, member.required));
        }
        let mut others = Vec::new();
        let no_others = Vec::new();
        let unlisted = match style {
            Style::Json => &object.others,
            Style::Keywords => &no_others,
        };
        for (name, value) in unlisted {
            if let Some(value) = self.symbol(*value) {
                let name = super::states::quoted(name.clone());
                let colon = RegexAst::Literal(": ".into());
                let key = self.builder.terminal(RegexAst::Concat(vec![name, colon]))?;
                others.push(self.builder.sequence(&[key, value])?);
            }
        }
        let other = match others.len() {
            0 => None,
            _ => Some(self.builder.any_of(&others)?),
        };
        let required = items.iter().filter(|(_, required)| *required).count() as u64;
        if object.min <= required && object.max.is_none() {
            return self.members(&items, other).map(Some);
        }
        self.counted(&items, other, object.min, object.max)
    }

    fn members(
        &mut self,
        items: &[(SymIdx, bool)],
        other: Option<SymIdx>,
    ) -> Result<SymIdx, String> {
        let empty = self.builder.empty;
        let (mut first, mut after) = (empty, empty);
        if let Some(other) = other {
            let with_comma = self.builder.sequence(&[self.comma, other])?;
            after = self.builder.star(with_comma)?;
            let some = self.builder.sequence(&[other, after])?;
            first = self.builder.any_of(&[empty, some])?;
        }
        // A second chain, for a member that is the first, is needed up to the first required one.
        let needed = items
            .iter()
            .position(|(_, required)| *required)
            .unwrap_or(items.len());
        for (i, (item, required)) in items.iter().enumerate().rev() {
            if i <= needed {
                let symbol = self.builder.symbol()?;
                self.builder.rule(symbol, &[*item, after])?;
                if !required {
                    self.builder.rule(symbol, &[first])?;
                }
                first = symbol;
            }
            if i > 0 {
                let symbol = self.builder.symbol()?;
                self.builder.rule(symbol, &[self.comma, *item, after])?;
                if !required {
                    self.builder.rule(symbol, &[after])?;
                }
                after = symbol;
            }
        }
        Ok(first)
    }
}
