//! Compiles a JSON Schema into a grammar that llguidance follows.
//!
//! The steps: `json` parses the text, `references` finds where references lead, `engine` turns each
//! schema into a list of cases (`keywords`, `negate`, `values`), `states` builds the graph of the
//! places of an instance, and `emit` writes the grammar. Everything that is written is valid; a schema
//! that cannot be kept is refused with the keyword and its place. Not everything that is valid can be
//! written: members stand in the order of the schema, for example.

mod alive;
mod builder;
mod case;
mod counted;
mod decimal;
mod dependencies;
mod digits;
mod ecmascript;
mod emit;
mod engine;
mod escape;
mod formats;
mod json;
mod keywords;
pub mod limits;
mod names;
mod negate;
mod negate_parts;
#[cfg(test)]
mod number_tests;
mod numbers;
mod one_of;
mod pattern;
mod references;
mod satisfiable;
mod scalars;
mod states;
mod strings;
mod style;
#[cfg(test)]
mod tests;
mod translate;
mod values;

pub use builder::Builder;
use llguidance::earley::lexerspec::LexerSpec;
use llguidance::earley::{Grammar, SymIdx};
pub use style::{Style, Tags};

/// Compiles the grammar of JSON values that meet the schema `text`. They are written on one line,
/// with a space after each colon and comma. If whitespace were free, small models would write it
/// without end.
pub fn compile(text: &str) -> Result<(Grammar, LexerSpec), String> {
    let (mut builder, whole) = add(text, Style::Json, Builder::new()?)?;
    builder.rule(builder.start, &[whole])?;
    Ok((builder.grammar, builder.spec))
}

/// Adds that grammar to `builder`. Returns its symbol.
pub fn add(text: &str, style: Style, builder: Builder) -> Result<(Builder, SymIdx), String> {
    let document = json::Document::parse(text)?;
    let mut engine = engine::Engine::new(document);
    let graph = states::Graph::new(&mut engine, style)?;
    let (builder, whole) = emit::emit(&graph, builder)?;
    let whole = whole.ok_or_else(|| {
        // Then there may be values that meet the schema, but none that can be written.
        let some = engine.approximated || engine.references.has_unevaluated;
        let more = if some {
            " in a form that can be written"
        } else {
            ""
        };
        format!("no JSON value meets the schema{more}")
    })?;
    Ok((builder, whole))
}
