//! Output that must follow a JSON schema, a regular expression or a Lark grammar: which tokens may
//! come next, by the llguidance crate.

use std::sync::Arc;

use llguidance::api::{GrammarInit, TopLevelGrammar};
use llguidance::{Matcher, ParserFactory};
use toktrie::{ApproximateTokEnv, TokEnv, TokRxInfo, TokTrie};

pub enum Kind {
    JsonSchema = 0,
    Regex = 1,
    Lark = 2,
}

/// A vocabulary, ready for grammars.
pub struct Grammars {
    factory: ParserFactory,
}

impl Grammars {
    /// `words[id]` are the bytes that a token adds to the text; empty: no text can give it (a
    /// special token).
    pub fn new(mut words: Vec<Vec<u8>>, eos: u32) -> Result<Self, String> {
        let size = u32::try_from(words.len()).map_err(|_| "too many tokens")?;
        if eos >= size {
            return Err(format!(
                "eos token {eos} is not in the vocabulary of {size}"
            ));
        }
        // The end must stand in the trie under a name that no text has.
        words[eos as usize] = [&[TokTrie::SPECIAL_TOKEN_MARKER], &b"<|end|>"[..]].concat();
        let trie = TokTrie::from(&TokRxInfo::new(size, eos), &words);
        let env: TokEnv = Arc::new(ApproximateTokEnv::new(trie));
        let mut factory = ParserFactory::new_simple(&env).map_err(|e| e.to_string())?;
        factory.quiet();
        factory.limits_mut().verbose_errors = false;
        Ok(Self { factory })
    }

    pub fn matcher(&self, kind: Kind, text: &str) -> Result<Matcher, String> {
        let grammar = match kind {
            Kind::JsonSchema => {
                let (grammar, lexer) = crate::schema::compile(text)?;
                GrammarInit::Internal(grammar, lexer)
            }
            Kind::Regex => GrammarInit::Serialized(TopLevelGrammar::from_regex(text)),
            Kind::Lark => GrammarInit::Serialized(TopLevelGrammar::from_lark(text.to_string())),
        };
        let matcher = Matcher::new(self.factory.create_parser_from_init_default(grammar));
        match matcher.get_error() {
            Some(error) => Err(error),
            None => Ok(matcher),
        }
    }
}

/// A bit for each token that may come next; only the end where nothing else may.
pub fn allowed(matcher: &mut Matcher) -> Result<Vec<u32>, String> {
    let mask = matcher.compute_mask_or_eos().map_err(|e| e.to_string())?;
    Ok(mask.as_slice().to_vec())
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
