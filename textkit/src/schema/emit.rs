//! Writes the grammar of a graph: JSON on one line, members in the order of the schema.

use llguidance::derivre::RegexAst;
use llguidance::earley::SymIdx;

use super::builder::Builder;
use super::limits::MAX_COUNTED;
use super::states::{Array, Graph, Item, Object, StateId, DEAD};

pub struct Emitter<'a> {
    pub graph: &'a Graph,
    pub builder: Builder,
    /// Whether some value ends in each state.
    pub alive: Vec<bool>,
    symbols: Vec<SymIdx>,
    pub comma: SymIdx,
}

pub fn emit(graph: &Graph) -> Result<Builder, String> {
    let alive = alive(graph)?;
    if !alive[1] {
        return Err("no JSON value meets the schema".into());
    }
    let mut builder = Builder::new()?;
    let comma = builder.literal(", ")?;
    let mut symbols = vec![builder.empty; graph.states.len()];
    for (id, symbol) in symbols.iter_mut().enumerate() {
        if alive[id] {
            *symbol = builder.symbol()?;
        }
    }
    builder.rule(builder.start, &[symbols[1]])?;
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
    Ok(emitter.builder)
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
            if let Some(content) = self.object(object)? {
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
        // Behind the last place that has its own state.
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

    /// Given values in their order, each at most once.
    fn distinct(&mut self, array: &Array, texts: &[String]) -> Result<Option<SymIdx>, String> {
        let mut items = Vec::new();
        for text in texts {
            items.push((self.builder.literal(text)?, false));
        }
        let max = array.max.unwrap_or(u64::MAX).min(items.len() as u64);
        self.counted(&items, None, array.min, Some(max))
    }

    /// An array in which items that meet `contains` are counted: one symbol for each place and count.
    fn counted_array(
        &mut self,
        array: &Array,
        least: u64,
        most: Option<u64>,
    ) -> Result<Option<SymIdx>, String> {
        let places = (array.prefix.len() as u64)
            .max(array.min)
            .max(array.max.unwrap_or(0));
        let counts = most.unwrap_or(least);
        if (places + 1).saturating_mul(counts + 1) > MAX_COUNTED as u64 {
            return Err(format!(
                "'contains' with more than {MAX_COUNTED} places times counts, which is the limit"
            ));
        }
        let (places, counts) = (places as usize, counts as usize);
        // Rows from the last place to the first. Behind the last place, items repeat.
        let mut next: Vec<Option<SymIdx>> = vec![None; counts + 1];
        for place in (0..=places).rev() {
            let repeats = place == places && array.max.is_none();
            let mut row = vec![None; counts + 1];
            for count in (0..=counts).rev() {
                let more = if repeats {
                    row.get(count + 1)
                } else {
                    next.get(count + 1)
                };
                let more = more.copied().flatten();
                let same = next[count];
                let at = Place {
                    place,
                    count,
                    least,
                    most,
                    repeats,
                };
                row[count] = self.counted_place(array, &at, same, more)?;
            }
            next = row;
        }
        Ok(next[0])
    }

    fn counted_place(
        &mut self,
        array: &Array,
        at: &Place,
        same: Option<SymIdx>,
        more: Option<SymIdx>,
    ) -> Result<Option<SymIdx>, String> {
        let item: &Item = array.prefix.get(at.place).unwrap_or(&array.rest);
        let symbol = self.builder.symbol()?;
        let comma = if at.place == 0 {
            self.builder.empty
        } else {
            self.comma
        };
        let mut used = false;
        if at.place as u64 >= array.min && at.count as u64 >= at.least {
            self.builder.rule(symbol, &[])?;
            used = true;
        }
        if array.max.is_some_and(|max| at.place as u64 >= max) {
            return Ok(used.then_some(symbol));
        }
        // A count that has no upper bound stays at its last value.
        let saturated = at.most.is_none() && at.count as u64 == at.least;
        let (same, more) = match (at.repeats, saturated) {
            (true, true) => (Some(symbol), Some(symbol)),
            (true, false) => (Some(symbol), more),
            (false, true) => (same, same),
            (false, false) => (same, more),
        };
        // The first item has no comma before it: it cannot be followed by itself.
        if at.repeats && at.place == 0 {
            return self.first_of_repeated(array, at, used);
        }
        for (item, then) in [(item.plain, same), (item.with, more)] {
            if let (Some(item), Some(then)) = (self.symbol(item), then) {
                self.builder.rule(symbol, &[comma, item, then])?;
                used |= then != symbol;
            }
        }
        Ok(used.then_some(symbol))
    }

    /// The first place of an array without a prefix, `minItems` or `maxItems`: as if it had one place.
    fn first_of_repeated(
        &mut self,
        array: &Array,
        at: &Place,
        empty: bool,
    ) -> Result<Option<SymIdx>, String> {
        if at.count > 0 {
            return Ok(None);
        }
        let one = Array {
            prefix: vec![array.rest],
            rest: array.rest,
            min: 0,
            max: None,
            contains: array.contains,
            distinct: None,
        };
        let all = self.counted_array(&one, at.least, at.most)?;
        debug_assert!(!empty || at.least == 0);
        Ok(all)
    }

    fn object(&mut self, object: &Object) -> Result<Option<SymIdx>, String> {
        let mut items = Vec::new();
        for member in &object.named {
            let Some(value) = self.symbol(member.value) else {
                if member.required {
                    return Ok(None);
                }
                continue;
            };
            let key = format!("{}: ", super::json::quote(&member.name));
            let key = self.builder.literal(&key)?;
            items.push((self.builder.sequence(&[key, value])?, member.required));
        }
        let mut others = Vec::new();
        for (name, value) in &object.others {
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

    /// Items in order, the required ones and any of the others, `min` to `max` in all, then others.
    fn counted(
        &mut self,
        items: &[(SymIdx, bool)],
        other: Option<SymIdx>,
        min: u64,
        max: Option<u64>,
    ) -> Result<Option<SymIdx>, String> {
        let length = items.len() as u64;
        // Counts above the minimum need not be told apart where there is no maximum, nor any above
        // the number of items where no others follow.
        let mut top = max.unwrap_or(min);
        if other.is_none() || top > length {
            top = top.min(length + 1);
        }
        if (length + 1) * (top + 1) > MAX_COUNTED as u64 {
            return Err(format!("members or items that are counted: more than {MAX_COUNTED} places times counts, which is the limit"));
        }
        let mut next = Vec::new();
        for count in 0..=top {
            next.push(self.others(other, count, min, max)?);
        }
        for (item, required) in items.iter().rev() {
            let mut row = Vec::new();
            for count in 0..=top {
                let more = match max {
                    Some(max) if count >= max => None,
                    _ => next[(count + 1).min(top) as usize],
                };
                let same = next[count as usize].filter(|_| !required);
                let comma = if count == 0 {
                    self.builder.empty
                } else {
                    self.comma
                };
                if more.or(same).is_none() {
                    row.push(None);
                    continue;
                }
                let symbol = self.builder.symbol()?;
                if let Some(more) = more {
                    self.builder.rule(symbol, &[comma, *item, more])?;
                }
                if let Some(same) = same {
                    self.builder.rule(symbol, &[same])?;
                }
                row.push(Some(symbol));
            }
            next = row;
        }
        Ok(next[0])
    }

    /// Members of other names behind `count` named ones. Equal names may repeat there, so that at most
    /// one of them may count for the minimum.
    fn others(
        &mut self,
        other: Option<SymIdx>,
        count: u64,
        min: u64,
        max: Option<u64>,
    ) -> Result<Option<SymIdx>, String> {
        let missing = min.saturating_sub(count);
        let Some(other) = other else {
            return Ok(
                (missing == 0 && max.is_none_or(|max| count <= max)).then_some(self.builder.empty)
            );
        };
        if missing > 1 || max.is_some_and(|max| count + missing > max) {
            return Ok(None);
        }
        let with_comma = self.builder.sequence(&[self.comma, other])?;
        let left = max.map(|max| max - count);
        if count > 0 {
            return self.repeat(with_comma, missing, left).map(Some);
        }
        if left == Some(0) {
            return Ok(Some(self.builder.empty));
        }
        let more = self.repeat(with_comma, 0, left.map(|left| left - 1))?;
        let some = self.builder.sequence(&[other, more])?;
        match missing {
            0 => self.builder.any_of(&[self.builder.empty, some]).map(Some),
            _ => Ok(Some(some)),
        }
    }
}

struct Place {
    place: usize,
    count: usize,
    least: u64,
    most: Option<u64>,
    repeats: bool,
}

/// The most items that can be written, or None where they are fewer than must be.
fn array_max(array: &Array, alive: &[bool]) -> Option<Option<u64>> {
    let mut max = array.max;
    let usable = |item: &Item| alive[item.plain] || alive[item.with];
    let dead = array.prefix.iter().position(|item| !usable(item));
    let dead = dead.or((!usable(&array.rest)).then_some(array.prefix.len()));
    if let Some(dead) = dead {
        max = Some(max.map_or(dead as u64, |max| max.min(dead as u64)));
    }
    (max.is_none_or(|max| max >= array.min)).then_some(max)
}

/// The states in which some value ends.
fn alive(graph: &Graph) -> Result<Vec<bool>, String> {
    let mut alive = vec![false; graph.states.len()];
    loop {
        let mut changed = false;
        for id in (0..graph.states.len()).rev().filter(|id| *id != DEAD) {
            if alive[id] {
                continue;
            }
            let state = &graph.states[id];
            let lives = !state.scalars.is_empty()
                || state.arrays.iter().any(|array| array_lives(array, &alive))
                || state
                    .objects
                    .iter()
                    .any(|object| object_lives(object, &alive));
            alive[id] = lives;
            changed |= lives;
        }
        if !changed {
            return Ok(alive);
        }
    }
}

fn array_lives(array: &Array, alive: &[bool]) -> bool {
    if let Some(texts) = &array.distinct {
        return texts.len() as u64 >= array.min;
    }
    let Some(max) = array_max(array, alive) else {
        return false;
    };
    let Some((least, _)) = array.contains else {
        return true;
    };
    let prefix = array.prefix.iter().take(max.unwrap_or(u64::MAX) as usize);
    let in_prefix = prefix.filter(|item| alive[item.with]).count() as u64;
    let behind = max.map_or(u64::MAX, |max| {
        max.saturating_sub(array.prefix.len() as u64)
    });
    let behind = if alive[array.rest.with] { behind } else { 0 };
    in_prefix.saturating_add(behind) >= least
}

fn object_lives(object: &Object, alive: &[bool]) -> bool {
    let lives = |state: StateId| alive[state];
    let members = &object.named;
    let named = members.iter().filter(|m| lives(m.value)).count() as u64;
    let other = object.others.iter().any(|(_, value)| lives(*value));
    let required = members.iter().filter(|m| m.required).count() as u64;
    members.iter().all(|m| !m.required || lives(m.value))
        && named + u64::from(other) >= object.min
        && object.max.is_none_or(|max| required <= max)
}
