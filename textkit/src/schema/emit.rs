//! Writes the grammar of a graph: JSON on one line, members in the order of the schema.

use llguidance::derivre::RegexAst;
use llguidance::earley::SymIdx;

use super::alive::{alive, array_max};
use super::builder::Builder;
use super::scalars::through;
use super::states::{Array, Graph, Member, Object, StateId};
use super::style::Style;

pub struct Emitter<'a> {
    pub graph: &'a Graph,
    pub builder: Builder,
    /// For each state: true if a value exists.
    pub alive: Vec<bool>,
    /// The same for values without spare members.
    alive_without_spare: Vec<bool>,
    symbols: Vec<SymIdx>,
    pub comma: SymIdx,
}

/// Adds the grammar of the graph to `builder`. Returns the symbol of the whole instance. None: no
/// value of the whole instance exists.
pub fn emit(graph: &Graph, mut builder: Builder) -> Result<(Builder, Option<SymIdx>), String> {
    let (alive, alive_without_spare) = (alive(graph, true), alive(graph, false));
    if !alive[1] {
        return Ok((builder, None));
    }
    let inner = graph.style.inner();
    let comma = builder.literal(inner.comma())?;
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
        alive_without_spare,
        symbols,
        comma,
    };
    for id in 0..graph.states.len() {
        if emitter.alive[id] {
            emitter.state(id, &inner)?;
        }
    }
    let whole = match graph.style {
        Style::Json => Some(emitter.symbols[1]),
        _ => emitter.arguments()?,
    };
    Ok((emitter.builder, whole))
}

impl Emitter<'_> {
    pub fn symbol(&self, state: StateId) -> Option<SymIdx> {
        self.alive[state].then_some(self.symbols[state])
    }

    fn state(&mut self, id: StateId, style: &Style) -> Result<(), String> {
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
            if let Some(content) = self.object(object, style)? {
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

    /// Writes the whole instance, an object, without its braces.
    fn arguments(&mut self) -> Result<Option<SymIdx>, String> {
        let graph = self.graph;
        self.comma = self.builder.literal(graph.style.comma())?;
        let others = matches!(graph.style, Style::Bare(_));
        let mut options = Vec::new();
        for object in &graph.states[1].objects {
            if others || object.min <= object.named.len() as u64 {
                options.extend(self.object(object, &graph.style)?);
            }
        }
        match options.len() {
            0 => Ok(None),
            _ => self.builder.any_of(&options).map(Some),
        }
    }

    /// Writes the members of an object.
    fn object(&mut self, object: &Object, style: &Style) -> Result<Option<SymIdx>, String> {
        let mut items = Vec::new();
        for member in &object.named {
            let Some(value) = self.value(member, style)? else {
                if member.required {
                    return Ok(None);
                }
                continue;
            };
            let key = self.builder.literal(&style.key(&member.name)?)?;
            items.push((self.builder.sequence(&[key, value])?, member.required));
        }
        let other = self.other(object, style)?;
        let required = items.iter().filter(|(_, required)| *required).count() as u64;
        if object.min <= required && object.max.is_none() {
            return self.members(&items, other).map(Some);
        }
        self.counted(&items, other, object.min, object.max)
    }

    /// Writes a member's value, and its end. None: no value exists.
    fn value(&mut self, member: &Member, style: &Style) -> Result<Option<SymIdx>, String> {
        let Some(value) = self.symbol(member.value) else {
            return Ok(None);
        };
        let Style::Tagged(tags) = style else {
            return Ok(Some(value));
        };
        if tags.plain.contains(&member.name) {
            let plain = &self.graph.states[member.value].plain;
            if plain.is_empty() {
                return Ok(None);
            }
            let ast = through(RegexAst::Or(plain.clone()), &tags.after_value);
            return self.builder.terminal(ast).map(Some);
        }
        let end = self.builder.literal(&tags.after_value)?;
        self.builder.sequence(&[value, end]).map(Some)
    }

    /// Writes a member of a name that is not listed. None: there is none.
    fn other(&mut self, object: &Object, style: &Style) -> Result<Option<SymIdx>, String> {
        if matches!(style, Style::Keywords | Style::Tagged(_)) {
            return Ok(None);
        }
        let named = object.named.iter();
        let listed = named.filter(|m| self.alive_without_spare[m.value]).count() as u64;
        let mut others = Vec::new();
        for other in &object.others {
            if other.spare && object.min <= listed {
                continue;
            }
            let Some(value) = self.symbol(other.value) else {
                continue;
            };
            let colon = if *style == Style::Json { ": " } else { ":" };
            let colon = RegexAst::Literal(colon.into());
            let key = self
                .builder
                .terminal(RegexAst::Concat(vec![other.name.clone(), colon]))?;
            others.push(self.builder.sequence(&[key, value])?);
        }
        match others.len() {
            0 => Ok(None),
            _ => self.builder.any_of(&others).map(Some),
        }
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
