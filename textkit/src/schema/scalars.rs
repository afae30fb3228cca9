//! The expressions of scalars: numbers, strings and given values, in the style that is written.

use llguidance::derivre::RegexAst;

use super::case::{self, Case, NumberRule, StringRule};
use super::engine::Engine;
use super::json::{Document, Id, Node};
use super::states::{Graph, State};
use super::strings::not;
use super::style::{is_bare, Style};

fn any_text() -> RegexAst {
    RegexAst::Regex("(?s:.)*".into())
}

fn text(text: &str) -> RegexAst {
    match text {
        "" => RegexAst::EmptyString,
        _ => RegexAst::Literal(text.into()),
    }
}

/// Returns the texts of `ast` up to and including `mark`, which is not in them.
pub fn through(ast: RegexAst, mark: &str) -> RegexAst {
    let some_text = RegexAst::Regex("(?s:.)+".into());
    let goes_on = vec![any_text(), text(mark), some_text];
    RegexAst::And(vec![
        RegexAst::Concat(vec![ast, text(mark)]),
        not(RegexAst::Concat(goes_on)),
    ])
}

/// Returns the texts of `ast` between two of `mark`, which is not in them.
fn between(ast: RegexAst, mark: &str) -> RegexAst {
    RegexAst::Concat(vec![text(mark), through(ast, mark)])
}

impl Graph {
    /// Adds the strings that meet `rule` to a state.
    pub fn strings(
        &self,
        engine: &mut Engine,
        rule: &StringRule,
        state: &mut State,
    ) -> Result<(), String> {
        match &self.style {
            Style::Bare(mark) => {
                let plain = engine.plain_regex(rule)?;
                state.scalars.extend(plain.map(|ast| between(ast, mark)));
            }
            style => {
                state.scalars.push(quoted(engine.string_regex(rule)?));
                if matches!(style, Style::Tagged(_)) {
                    state.plain.extend(engine.plain_regex(rule)?);
                }
            }
        }
        Ok(())
    }

    /// Returns names, which are JSON texts without quotes, as they are written in the graph's style.
    /// Returns None if none of them can be written.
    pub fn names(&self, engine: &mut Engine, names: RegexAst) -> Option<RegexAst> {
        if !matches!(self.style, Style::Bare(_)) {
            return Some(quoted(names));
        }
        let bare = RegexAst::Regex("[A-Za-z_][A-Za-z0-9_]*".into());
        let ast = RegexAst::And(vec![names, bare]);
        let empty = engine.patterns.is_empty(format!("bare {ast:?}"), &ast);
        (empty == Some(false)).then_some(ast)
    }

    /// Adds a value that the schema gives.
    pub fn given(&self, document: &Document, value: Id, state: &mut State) {
        if let Style::Bare(mark) = &self.style {
            let mut out = String::new();
            if write_bare(document, value, mark, &mut out) {
                state.scalars.push(RegexAst::Literal(out));
            }
            return;
        }
        let mut out = String::new();
        document.write(value, &mut out);
        state.scalars.push(RegexAst::Literal(out));
        state.plain.extend(document.str(value).map(text));
    }

    /// Returns the JSON text of a scalar in the graph's style. None: it cannot be written.
    pub fn styled(&self, json: String) -> Option<String> {
        match (&self.style, serde_json::from_str::<String>(&json)) {
            (Style::Bare(mark), Ok(text)) => {
                (!text.contains(mark)).then(|| format!("{mark}{text}{mark}"))
            }
            _ => Some(json),
        }
    }
}

/// Writes a value in the style `Bare`. False: it cannot be written. The recursion is bounded by the
/// nesting of the document.
fn write_bare(document: &Document, value: Id, mark: &str, out: &mut String) -> bool {
    match document.node(value) {
        Node::String(text) => {
            out.push_str(&format!("{mark}{text}{mark}"));
            !text.contains(mark)
        }
        Node::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i > 0 { "," } else { "" });
                if !write_bare(document, *item, mark, out) {
                    return false;
                }
            }
            out.push(']');
            true
        }
        Node::Object(members) => {
            out.push('{');
            for (i, (name, member)) in members.iter().enumerate() {
                out.push_str(if i > 0 { "," } else { "" });
                out.push_str(&format!("{name}:"));
                if !is_bare(name) || !write_bare(document, *member, mark, out) {
                    return false;
                }
            }
            out.push('}');
            true
        }
        _ => {
            document.write(value, out);
            true
        }
    }
}

/// Returns the numbers of the rule. None: no number meets it.
pub fn number(
    engine: &mut Engine,
    rule: &NumberRule,
    types: u8,
) -> Result<Option<RegexAst>, String> {
    let ast = rule.regex(types)?;
    if rule.has_witness(types) {
        return Ok(Some(ast));
    }
    match engine.patterns.is_empty(format!("{types} {rule:?}"), &ast) {
        Some(empty) => Ok((!empty).then_some(ast)),
        None => Err("the bounds and 'multipleOf' of a number are too complex together".into()),
    }
}

/// Returns the texts of `ast` with quotes around them.
pub fn quoted(ast: RegexAst) -> RegexAst {
    let quote = || RegexAst::Literal("\"".into());
    RegexAst::Concat(vec![quote(), ast, quote()])
}

impl Engine {
    /// Returns the strings that meet `rule`, without quotes and escapes. With patterns, only those
    /// that need no escape in JSON. None: there are none.
    fn plain_regex(&mut self, rule: &StringRule) -> Result<Option<RegexAst>, String> {
        if rule.patterns.is_empty() && rule.not_patterns.is_empty() {
            let character = Box::new(RegexAst::Regex("(?s:.)".into()));
            let max = rule.max.map_or(u32::MAX, |max| max as u32);
            let all = RegexAst::Repeat(character, rule.min as u32, max);
            if rule.not_equal.is_empty() {
                return Ok(Some(all));
            }
            let excluded = rule.not_equal.iter().map(|one| text(one)).collect();
            return Ok(Some(RegexAst::And(vec![all, not(RegexAst::Or(excluded))])));
        }
        let no_escapes = RegexAst::Regex("[^\\x00-\\x1f\"\\\\]*".into());
        let ast = RegexAst::And(vec![self.string_regex(rule)?, no_escapes]);
        match self.patterns.is_empty(format!("plain {rule:?}"), &ast) {
            Some(empty) => Ok((!empty).then_some(ast)),
            None => Err("the patterns and lengths of a string are too complex together".into()),
        }
    }

    /// Adds the values of a case as JSON, if there are few. False: there are too many.
    pub fn finite_values(&mut self, case: &Case, texts: &mut Vec<String>) -> Result<bool, String> {
        if let Some(values) = &case.values {
            for value in values.iter() {
                let text = match self.document.node(*value) {
                    Node::Number(_) => self.decimal(*value)?.text(),
                    // Two spellings of one value must count as one value.
                    Node::Array(_) | Node::Object(_) => return Ok(false),
                    _ => {
                        let mut text = String::new();
                        self.document.write(*value, &mut text);
                        text
                    }
                };
                texts.push(text);
            }
            return Ok(true);
        }
        if case.types & (case::STRING | case::ARRAY | case::OBJECT) != 0 {
            return Ok(false);
        }
        for (kind, word) in [
            (case::NULL, "null"),
            (case::TRUE, "true"),
            (case::FALSE, "false"),
        ] {
            if case.types & kind != 0 {
                texts.push(word.into());
            }
        }
        if case.types & (case::INTEGER | case::FRACTION) == 0 {
            return Ok(true);
        }
        let RegexAst::Or(all) = case.number.regex(case.types)? else {
            return Ok(false);
        };
        for ast in all {
            match ast {
                RegexAst::Literal(text) => texts.push(text),
                _ => return Ok(false),
            }
        }
        Ok(true)
    }
}
