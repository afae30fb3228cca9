//! Grammars for output: a JSON schema, a regular expression, a choice or a Lark grammar. Computes
//! by the llguidance crate which tokens may come next.

use std::sync::Arc;

use crate::grammar_text;
use llguidance::api::{GrammarInit, ParserLimits, TopLevelGrammar};
use llguidance::{Matcher, ParserFactory};
use toktrie::{ApproximateTokEnv, TokEnv, TokRxInfo, TokTrie};

pub enum Kind {
    JsonSchema = 0,
    Regex = 1,
    Lark = 2,
    /// A JSON array of strings. The output is one of them.
    Choice = 3,
    /// Text and calls of tools, as `structure` describes them.
    Structure = 4,
}

/// A vocabulary, ready for grammars.
pub struct Grammars {
    factory: ParserFactory,
}

impl Grammars {
    /// `words[id]` has the bytes that a token adds to the text. Empty: the token adds no text, such
    /// as a special token.
    pub fn new(mut words: Vec<Vec<u8>>, eos: u32) -> Result<Self, String> {
        let size = u32::try_from(words.len()).map_err(|_| "too many tokens")?;
        if eos >= size {
            return Err(format!(
                "eos token {eos} is not in the vocabulary of {size}"
            ));
        }
        // The end token needs a name in the trie that no text has.
        words[eos as usize] = [&[TokTrie::SPECIAL_TOKEN_MARKER], &b"<|end|>"[..]].concat();
        let trie = TokTrie::from(&TokRxInfo::new(size, eos), &words);
        let env: TokEnv = Arc::new(ApproximateTokEnv::new(trie));
        let mut factory = ParserFactory::new_simple(&env)
            .map_err(|_| "the vocabulary cannot be used for grammars".to_string())?;
        factory.quiet();
        *factory.limits_mut() = limits();
        Ok(Self { factory })
    }

    /// An error means that `text` is wrong. The message has the reason.
    pub fn matcher(&self, kind: Kind, text: &str) -> Result<Matcher, String> {
        let (name, places) = match kind {
            Kind::JsonSchema => ("the grammar of the schema", false),
            Kind::Choice => ("the grammar of the choice", false),
            Kind::Regex => ("the regular expression", false),
            Kind::Lark => ("the grammar", true),
            Kind::Structure => ("the grammar of the tools", false),
        };
        let grammar = match kind {
            Kind::JsonSchema => {
                let (grammar, lexer) = crate::schema::compile(text)?;
                GrammarInit::Internal(grammar, lexer)
            }
            Kind::Choice => {
                let (grammar, lexer) = crate::choice::compile(text)?;
                GrammarInit::Internal(grammar, lexer)
            }
            Kind::Structure => {
                let (grammar, lexer) = crate::structure::compile(text)?;
                GrammarInit::Internal(grammar, lexer)
            }
            Kind::Regex => {
                grammar_text::check_regex(text)?;
                GrammarInit::Serialized(TopLevelGrammar::from_regex(text))
            }
            Kind::Lark => {
                grammar_text::check_lark(text)?;
                GrammarInit::Serialized(TopLevelGrammar::from_lark(text.to_string()))
            }
        };
        let parser = self.factory.create_parser_from_init_default(grammar);
        let mut matcher = Matcher::new(parser);
        if let Some(error) = matcher.get_error() {
            return Err(grammar_text::plain_error(name, &error, places));
        }
        // The first mask finds errors that the compiler does not report: a grammar that exceeds the
        // limits of a step, or that accepts nothing.
        match allowed(&mut matcher) {
            Ok(mask) if mask.iter().any(|word| *word != 0) => Ok(matcher),
            _ => Err(format!("{name}: no text meets it, or {TOO_COMPLEX}")),
        }
    }
}

const TOO_COMPLEX: &str = "it is too ambiguous or too large to be followed token by token";

/// The limits of llguidance. Its own defaults are for trusted grammars.
fn limits() -> ParserLimits {
    ParserLimits {
        // Number of grammar positions that are possible at the same time: twice the members of the
        // largest objects.
        max_items_in_row: 10_000,
        // Work to build the expressions of all terminals: about 20 ms.
        initial_lexer_fuel: 1_000_000,
        // Work on expressions for one mask: about 15 ms.
        step_lexer_fuel: 200_000,
        // Parser items for one mask: about 5 ms.
        step_max_items: 100_000,
        // 1 to 2 KiB each: at most about 60 MiB in the life of one output.
        max_lexer_states: 30_000,
        // Symbols have 16 bits.
        max_grammar_size: 60_000,
        // Off, because its time is not limited by the fuel above.
        precompute_large_lexemes: false,
        verbose_errors: false,
    }
}

/// Returns a bit for each token that may come next. If no other token may come, only the end token
/// has one.
pub fn allowed(matcher: &mut Matcher) -> Result<Vec<u32>, String> {
    let mask = matcher
        .compute_mask_or_eos()
        .map_err(|_| format!("the grammar: {TOO_COMPLEX}"))?;
    Ok(mask.as_slice().to_vec())
}

/// Advances by one token, which must be one of those that `allowed` returned.
pub fn accept(matcher: &mut Matcher, token: u32) -> Result<(), String> {
    matcher
        .consume_token(token)
        .map_err(|_| "the grammar does not allow the token, or it has become too complex".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const EOS: u32 = 256;

    fn bytes() -> Grammars {
        let mut words: Vec<Vec<u8>> = (0..=255u8).map(|b| vec![b]).collect();
        words.push(Vec::new());
        Grammars::new(words, EOS).unwrap()
    }

    fn may(matcher: &mut Matcher, token: u32) -> bool {
        let mask = allowed(matcher).unwrap();
        mask[token as usize / 32] >> (token % 32) & 1 == 1
    }

    #[test]
    fn a_schema_is_followed_to_its_end() {
        let schema = r#"{"type": "object", "properties": {"on": {"type": "boolean"}},
                         "required": ["on"], "additionalProperties": false}"#;
        let mut matcher = bytes().matcher(Kind::JsonSchema, schema).unwrap();
        assert!(!may(&mut matcher, u32::from(b'x')));
        for byte in br#"{"on": true}"# {
            assert!(!may(&mut matcher, EOS));
            assert!(may(&mut matcher, u32::from(*byte)), "{}", *byte as char);
            matcher.consume_token(u32::from(*byte)).unwrap();
        }
        assert!(may(&mut matcher, EOS));
        assert!(!may(&mut matcher, u32::from(b'{')));
    }

    #[test]
    fn whitespace_is_fixed() {
        let mut matcher = bytes()
            .matcher(Kind::JsonSchema, r#"{"type": "object"}"#)
            .unwrap();
        matcher.consume_token(u32::from(b'{')).unwrap();
        assert!(!may(&mut matcher, u32::from(b' ')));
        assert!(may(&mut matcher, u32::from(b'"')));
    }

    #[test]
    fn a_clone_goes_its_own_way() {
        let first = bytes().matcher(Kind::Regex, "a|b").unwrap();
        let mut one = first.deep_clone();
        let mut other = first.deep_clone();
        one.consume_token(u32::from(b'a')).unwrap();
        assert!(may(&mut one, EOS));
        assert!(may(&mut other, u32::from(b'b')));
    }

    #[test]
    fn bad_grammars_are_errors() {
        let grammars = bytes();
        assert!(grammars.matcher(Kind::JsonSchema, "{").is_err());
        assert!(grammars
            .matcher(Kind::JsonSchema, r#"{"type": "nothing"}"#)
            .is_err());
        assert!(grammars.matcher(Kind::Regex, "(").is_err());
        assert!(grammars.matcher(Kind::Lark, "start: x").is_err());
    }
}
