//! Computes the states for which a value exists.

use super::states::{Array, Graph, Item, Object, StateId, DEAD};

/// Returns the largest number of items that can be written. None: that is less than the required
/// number.
pub fn array_max(array: &Array, alive: &[bool]) -> Option<Option<u64>> {
    let mut max = array.max;
    let usable = |item: &Item| alive[item.plain] || alive[item.with];
    let dead = array.prefix.iter().position(|item| !usable(item));
    let dead = dead.or((!usable(&array.rest)).then_some(array.prefix.len()));
    if let Some(dead) = dead {
        max = Some(max.map_or(dead as u64, |max| max.min(dead as u64)));
    }
    (max.is_none_or(|max| max >= array.min)).then_some(max)
}

/// Returns for each state if a value exists. `spare`: it may have spare members.
pub fn alive(graph: &Graph, spare: bool) -> Vec<bool> {
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
                    .any(|object| object_lives(object, &alive, spare));
            alive[id] = lives;
            changed |= lives;
        }
        if !changed {
            return alive;
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

fn object_lives(object: &Object, alive: &[bool], spare: bool) -> bool {
    let lives = |state: StateId| alive[state];
    let members = &object.named;
    let named = members.iter().filter(|m| lives(m.value)).count() as u64;
    let mut others = object.others.iter().filter(|other| spare || !other.spare);
    let other = others.any(|other| lives(other.value));
    let required = members.iter().filter(|m| m.required).count() as u64;
    members.iter().all(|m| !m.required || lives(m.value))
        && named + u64::from(other) >= object.min
        && object.max.is_none_or(|max| required <= max)
}
