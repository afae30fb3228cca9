//! A `tokenizer.json`, and the bytes of every token.

use std::cell::Cell;
use std::collections::HashMap;
use std::str::FromStr;

use serde_json::Value;
use tokenizers::{Model, OffsetType, PreTokenizer, Tokenizer as HfTokenizer};

/// Upper bound of token ids. A file with a larger id is damaged.
const MAX_VOCAB: u32 = 1 << 22;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    Missing = 0,
    Ordinary = 1,
    Added = 2,
    Special = 3,
}

struct Token {
    kind: TokenKind,
    bytes: Vec<u8>,
}

pub enum EncodeError {
    /// The text has more tokens than the caller allows.
    TooMany,
    Failed(String),
}

impl From<tokenizers::Error> for EncodeError {
    fn from(error: tokenizers::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

pub struct Tokenizer {
    /// Text that looks like a special token becomes it.
    parse: HfTokenizer,
    /// It stays plain text.
    plain: HfTokenizer,
    tokens: Vec<Token>,
    strips_leading_space: bool,
}

impl Tokenizer {
    pub fn new(json: &str) -> Result<Self, String> {
        let description: Value =
            serde_json::from_str(json).map_err(|e| format!("tokenizer.json: {e}"))?;
        let mut parse = HfTokenizer::from_str(json).map_err(|e| format!("tokenizer.json: {e}"))?;
        // Files of sentence encoders cut and pad every text. Callers have limits of their own.
        parse
            .with_truncation(None)
            .map_err(|e| format!("tokenizer.json: {e}"))?;
        parse.with_padding(None);
        let mut plain = parse.clone();
        plain.set_encode_special_tokens(true);
        let tokens = token_table(&parse, &description)?;
        Ok(Self {
            parse,
            plain,
            tokens,
            strips_leading_space: strips_leading_space(&description["decoder"]),
        })
    }

    /// Returns the ids of `text`. Stops if there are more than `max_tokens` ids.
    pub fn encode(
        &self,
        text: &str,
        parse: bool,
        add_special: bool,
        max_tokens: usize,
    ) -> Result<Vec<u32>, EncodeError> {
        let which = if parse { &self.parse } else { &self.plain };
        // The steps of `encode_fast`, with a check of the number of tokens between two pieces of
        // the text.
        let mut pieces = which
            .get_added_vocabulary()
            .extract_and_normalize(which.get_normalizer(), text);
        if let Some(pre_tokenizer) = which.get_pre_tokenizer() {
            pre_tokenizer.pre_tokenize(&mut pieces)?;
        }
        let count = Cell::new(0);
        let tokenized = pieces.tokenize(|piece| {
            let tokens = which.get_model().tokenize(piece.get())?;
            count.set(count.get() + tokens.len());
            if count.get() > max_tokens {
                return Err("too many tokens".into());
            }
            Ok(tokens)
        });
        if count.get() > max_tokens {
            return Err(EncodeError::TooMany);
        }
        tokenized?;
        let encoding = pieces.into_encoding(None, 0, OffsetType::None)?;
        let encoding = which.post_process(encoding, None, add_special)?;
        Ok(encoding.get_ids().to_vec())
    }

    pub fn vocab_size(&self) -> usize {
        self.tokens.len()
    }

    pub fn token(&self, id: u32) -> (TokenKind, &[u8]) {
        match self.tokens.get(id as usize) {
            Some(token) => (token.kind, &token.bytes),
            None => (TokenKind::Missing, &[]),
        }
    }

    pub fn token_id(&self, token: &str) -> Option<u32> {
        self.parse.token_to_id(token)
    }

    pub fn strips_leading_space(&self) -> bool {
        self.strips_leading_space
    }
}

fn token_table(tokenizer: &HfTokenizer, description: &Value) -> Result<Vec<Token>, String> {
    let vocab = tokenizer.get_vocab(true);
    let added = tokenizer.get_added_tokens_decoder();
    let largest = vocab.values().chain(added.keys()).max().copied();
    let size = largest.map_or(0, |id| id.saturating_add(1));
    if size > MAX_VOCAB {
        return Err(format!(
            "tokenizer.json: token id {} is too large",
            size - 1
        ));
    }
    let byte_level = mentions(&description["decoder"], "ByteLevel");
    let wordpiece = wordpiece_prefix(&description["decoder"]);
    let bytes_of_char = byte_level_alphabet();
    let mut tokens: Vec<Token> = (0..size)
        .map(|_| Token {
            kind: TokenKind::Missing,
            bytes: Vec::new(),
        })
        .collect();
    for (name, id) in vocab {
        let bytes = if byte_level {
            byte_level_bytes(&name, &bytes_of_char)
        } else if let Some(prefix) = wordpiece {
            wordpiece_bytes(&name, prefix)
        } else {
            metaspace_bytes(&name)
        };
        tokens[id as usize] = Token {
            kind: TokenKind::Ordinary,
            bytes,
        };
    }
    for (id, token) in added {
        tokens[id as usize] = Token {
            kind: if token.special {
                TokenKind::Special
            } else {
                TokenKind::Added
            },
            bytes: token.content.into_bytes(),
        };
    }
    Ok(tokens)
}

/// True if a decoder, or a member of its sequence, has this type.
fn mentions(decoder: &Value, kind: &str) -> bool {
    decoder["type"] == kind
        || decoder["decoders"]
            .as_array()
            .is_some_and(|list| list.iter().any(|d| mentions(d, kind)))
}

/// The mark of a token that continues a word, if the decoder is that of WordPiece.
fn wordpiece_prefix(decoder: &Value) -> Option<&str> {
    (decoder["type"] == "WordPiece").then(|| decoder["prefix"].as_str().unwrap_or("##"))
}

fn wordpiece_bytes(name: &str, prefix: &str) -> Vec<u8> {
    match name.strip_prefix(prefix) {
        Some(rest) => rest.as_bytes().to_vec(),
        None => format!(" {name}").into_bytes(),
    }
}

fn strips_leading_space(decoder: &Value) -> bool {
    match decoder["type"].as_str() {
        Some("WordPiece") => true,
        Some("Strip") => decoder["content"] == " " && decoder["start"].as_u64().unwrap_or(0) > 0,
        Some("Metaspace") => decoder["prepend_scheme"] != "never",
        Some("Sequence") => decoder["decoders"]
            .as_array()
            .is_some_and(|list| list.iter().any(strips_leading_space)),
        _ => false,
    }
}

/// GPT-2's reversible map from bytes to printable characters, inverted.
fn byte_level_alphabet() -> HashMap<char, u8> {
    let printable = |b: &u8| matches!(b, 33..=126 | 161..=172 | 174..=255);
    let mut map: HashMap<char, u8> = (0..=255u8)
        .filter(printable)
        .map(|b| (b as char, b))
        .collect();
    let others = (0..=255u8).filter(|b| !printable(b));
    for (n, b) in others.enumerate() {
        map.insert(
            char::from_u32(256 + n as u32).expect("below the surrogates"),
            b,
        );
    }
    map
}

fn byte_level_bytes(name: &str, alphabet: &HashMap<char, u8>) -> Vec<u8> {
    let bytes: Option<Vec<u8>> = name.chars().map(|c| alphabet.get(&c).copied()).collect();
    // A name outside the alphabet decodes as itself.
    bytes.unwrap_or_else(|| name.as_bytes().to_vec())
}

/// SentencePiece's names: `▁` is a space, `<0x0A>` a byte.
fn metaspace_bytes(name: &str) -> Vec<u8> {
    let hex = name.strip_prefix("<0x").and_then(|n| n.strip_suffix('>'));
    if let Some(byte) = hex.filter(|h| h.len() == 2) {
        if let Ok(byte) = u8::from_str_radix(byte, 16) {
            return vec![byte];
        }
    }
    name.replace('▁', " ").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alphabet_holds_every_byte_once() {
        let mut bytes: Vec<u8> = byte_level_alphabet().into_values().collect();
        bytes.sort_unstable();
        assert_eq!(bytes, (0..=255).collect::<Vec<u8>>());
        assert_eq!(byte_level_bytes("Ġa", &byte_level_alphabet()), b" a");
    }

    #[test]
    fn metaspace_names() {
        assert_eq!(metaspace_bytes("▁a"), b" a");
        assert_eq!(metaspace_bytes("<0x0A>"), b"\n");
        assert_eq!(metaspace_bytes("<0xZZ>"), b"<0xZZ>");
    }

    #[test]
    fn wordpiece_names() {
        assert_eq!(wordpiece_bytes("##ing", "##"), b"ing");
        assert_eq!(wordpiece_bytes("door", "##"), b" door");
    }

    #[test]
    fn damage_is_an_error() {
        assert!(Tokenizer::new("{").is_err());
        assert!(Tokenizer::new("{}").is_err());
        assert!(Tokenizer::new("[1,2]").is_err());
    }
}
