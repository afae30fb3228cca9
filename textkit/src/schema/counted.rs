//! Arrays and objects whose items or members are counted. There is one symbol for each place and
//! count.

use llguidance::earley::SymIdx;

use super::emit::Emitter;
use super::limits::MAX_COUNTED;
use super::states::{Array, Item};

impl Emitter<'_> {
    /// Writes the given values in their order, each at most once.
    pub fn distinct(&mut self, array: &Array, texts: &[String]) -> Result<Option<SymIdx>, String> {
        let mut items = Vec::new();
        for text in texts {
            items.push((self.builder.literal(text)?, false));
        }
        let max = array.max.unwrap_or(u64::MAX).min(items.len() as u64);
        self.counted(&items, None, array.min, Some(max))
    }

    /// An array in which items that meet `contains` are counted: one symbol for each place and count.
    pub fn counted_array(
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

    /// Handles the first place of an array without a prefix, `minItems` or `maxItems`, as if the
    /// array had one place.
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

    /// Items in order, the required ones and any of the others, `min` to `max` in all, then others.
    pub fn counted(
        &mut self,
        items: &[(SymIdx, bool)],
        other: Option<SymIdx>,
        min: u64,
        max: Option<u64>,
    ) -> Result<Option<SymIdx>, String> {
        let length = items.len() as u64;
        // If there is no maximum, all counts above the minimum are treated as equal. If no other
        // items follow, no count exceeds the number of items.
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
