//! A thin layer over llguidance's grammars: symbols, rules and terminals, with limits.

use std::collections::HashMap;

use llguidance::derivre::RegexAst;
use llguidance::earley::lexerspec::{LexemeIdx, LexerSpec};
use llguidance::earley::{Grammar, SymIdx, SymbolProps};

use super::limits::{MAX_LEXEMES, MAX_SYMBOLS};

pub struct Builder {
    pub grammar: Grammar,
    pub spec: LexerSpec,
    class: llguidance::earley::lexerspec::LexemeClass,
    terminals: HashMap<LexemeIdx, SymIdx>,
    literals: HashMap<String, SymIdx>,
    exact: HashMap<(SymIdx, u64), SymIdx>,
    at_most: HashMap<(SymIdx, u64), SymIdx>,
    pub start: SymIdx,
    pub empty: SymIdx,
}

fn internal(_: impl std::fmt::Display) -> String {
    "the grammar cannot be built".into()
}

impl Builder {
    pub fn new() -> Result<Self, String> {
        let mut spec = LexerSpec::new().map_err(internal)?;
        spec.regex_builder.unicode(true).utf8(true);
        let class = spec
            .setup_lexeme_class(RegexAst::NoMatch)
            .map_err(internal)?;
        let mut grammar = Grammar::new(None);
        let props = |is_start| SymbolProps {
            grammar_id: class,
            is_start,
            ..SymbolProps::default()
        };
        let start = grammar.fresh_symbol_ext("start", props(true));
        let empty = grammar.fresh_symbol_ext("empty", props(false));
        grammar.add_rule(empty, Vec::new()).map_err(internal)?;
        Ok(Self {
            grammar,
            spec,
            class,
            terminals: HashMap::new(),
            literals: HashMap::new(),
            exact: HashMap::new(),
            at_most: HashMap::new(),
            start,
            empty,
        })
    }

    pub fn symbol(&mut self) -> Result<SymIdx, String> {
        if self.grammar.num_symbols() >= MAX_SYMBOLS {
            return Err(format!(
                "the grammar has more than {MAX_SYMBOLS} symbols, which is the limit"
            ));
        }
        let props = SymbolProps {
            grammar_id: self.class,
            ..SymbolProps::default()
        };
        Ok(self.grammar.fresh_symbol_ext("n", props))
    }

    pub fn rule(&mut self, left: SymIdx, right: &[SymIdx]) -> Result<(), String> {
        let right = right.iter().copied().filter(|s| *s != self.empty);
        self.grammar
            .add_rule(left, right.collect())
            .map_err(internal)
    }

    pub fn terminal(&mut self, ast: RegexAst) -> Result<SymIdx, String> {
        let too_large = |_| "a regular expression of the grammar is too large".to_string();
        let lexeme = self
            .spec
            .add_greedy_lexeme(String::new(), ast, false, None, usize::MAX)
            .map_err(too_large)?;
        if let Some(symbol) = self.terminals.get(&lexeme) {
            return Ok(*symbol);
        }
        if self.terminals.len() >= MAX_LEXEMES {
            return Err(format!(
                "the grammar has more than {MAX_LEXEMES} different terminals, which is the limit"
            ));
        }
        let symbol = self.symbol()?;
        self.grammar
            .make_terminal(symbol, lexeme, &self.spec)
            .map_err(internal)?;
        self.terminals.insert(lexeme, symbol);
        Ok(symbol)
    }

    pub fn literal(&mut self, text: &str) -> Result<SymIdx, String> {
        if text.is_empty() {
            return Ok(self.empty);
        }
        if let Some(symbol) = self.literals.get(text) {
            return Ok(*symbol);
        }
        let symbol = self.terminal(RegexAst::Literal(text.into()))?;
        self.literals.insert(text.into(), symbol);
        Ok(symbol)
    }

    /// Repeats `item` any number of times.
    pub fn star(&mut self, item: SymIdx) -> Result<SymIdx, String> {
        let star = self.symbol()?;
        self.rule(star, &[])?;
        self.rule(star, &[star, item])?;
        Ok(star)
    }

    /// Repeats `item` `count` times. The number of symbols grows with the logarithm of `count`.
    pub fn exactly(&mut self, item: SymIdx, count: u64) -> Result<SymIdx, String> {
        match count {
            0 => return Ok(self.empty),
            1 => return Ok(item),
            _ => {}
        }
        if let Some(symbol) = self.exact.get(&(item, count)) {
            return Ok(*symbol);
        }
        let half = self.exactly(item, count / 2)?;
        let symbol = self.symbol()?;
        if count % 2 == 0 {
            self.rule(symbol, &[half, half])?;
        } else {
            self.rule(symbol, &[half, half, item])?;
        }
        self.exact.insert((item, count), symbol);
        Ok(symbol)
    }

    /// Repeats `item` up to `count` times. Each count has exactly one derivation.
    pub fn at_most(&mut self, item: SymIdx, count: u64) -> Result<SymIdx, String> {
        if count == 0 {
            return Ok(self.empty);
        }
        if let Some(symbol) = self.at_most.get(&(item, count)) {
            return Ok(*symbol);
        }
        let symbol = self.symbol()?;
        if count <= 8 {
            let rest = self.at_most(item, count - 1)?;
            self.rule(symbol, &[])?;
            self.rule(symbol, &[item, rest])?;
        } else {
            let half = 1 << (63 - count.leading_zeros());
            let fewer = self.at_most(item, half - 1)?;
            let exact = self.exactly(item, half)?;
            let more = self.at_most(item, count - half)?;
            self.rule(symbol, &[fewer])?;
            self.rule(symbol, &[exact, more])?;
        }
        self.at_most.insert((item, count), symbol);
        Ok(symbol)
    }

    pub fn any_of(&mut self, options: &[SymIdx]) -> Result<SymIdx, String> {
        if let [one] = options {
            return Ok(*one);
        }
        let symbol = self.symbol()?;
        for option in options {
            self.rule(symbol, &[*option])?;
        }
        Ok(symbol)
    }

    pub fn sequence(&mut self, parts: &[SymIdx]) -> Result<SymIdx, String> {
        let symbol = self.symbol()?;
        self.rule(symbol, parts)?;
        Ok(symbol)
    }
}
