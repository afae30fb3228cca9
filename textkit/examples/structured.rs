//! Tests which instances the grammar of a schema accepts, and writes random outputs of the grammar.
//!
//! Input: lines of {"kind": "schema", "regex", "lark", "choice" or "structure", "schema": TEXT, "instances": [TEXT, ...],
//! "walks": COUNT, "seed": NUMBER}.
//!
//! Output: lines of {"refused": MESSAGE} or {"accepted": [BOOL, ...], "walks": [TEXT, ...], "unfinished":
//! COUNT, "stuck": COUNT}, with "micros", the time of the compilation.

use std::io::{BufRead, Write};
use std::time::Instant;

use llguidance::Matcher;
use serde_json::{json, Value};
use textkit::grammar::{allowed, Grammars, Kind};

const EOS: u32 = 256;
const LONGEST: usize = 600;

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % n
    }
}

fn bits(mask: &[u32]) -> Vec<u32> {
    (0..=EOS)
        .filter(|t| mask[*t as usize / 32] >> (t % 32) & 1 == 1)
        .collect()
}

fn accepts(first: &Matcher, text: &str) -> bool {
    let mut matcher = first.deep_clone();
    for byte in text.bytes() {
        match allowed(&mut matcher) {
            Ok(mask) if mask[byte as usize / 32] >> (byte % 32) & 1 == 1 => {}
            _ => return false,
        }
        if matcher.consume_token(u32::from(byte)).is_err() {
            return false;
        }
    }
    allowed(&mut matcher).is_ok_and(|mask| mask[EOS as usize / 32] & 1 == 1)
}

/// Err(true): no token is allowed; Err(false): the output became too long.
fn walk(first: &Matcher, random: &mut Random) -> Result<String, bool> {
    let mut matcher = first.deep_clone();
    let mut text = Vec::new();
    let patience = random.below(LONGEST / 2);
    while text.len() < LONGEST {
        let tokens = bits(&allowed(&mut matcher).map_err(|_| true)?);
        let ends: Vec<u32> = tokens
            .iter()
            .copied()
            .filter(|t| b"\"]}".contains(&(*t as u8)) || *t == EOS)
            .collect();
        let plain: Vec<u32> = tokens
            .iter()
            .copied()
            .filter(|t| (32..127).contains(t))
            .collect();
        let from = if tokens.contains(&EOS) && random.below(3) > 0 {
            vec![EOS]
        } else if !ends.is_empty() && (text.len() > patience || random.below(4) == 0) {
            ends
        } else if !plain.is_empty() && random.below(20) > 0 {
            plain
        } else {
            tokens
        };
        if from.is_empty() {
            return Err(true);
        }
        let token = from[random.below(from.len())];
        if token == EOS {
            return String::from_utf8(text).map_err(|_| true);
        }
        text.push(token as u8);
        matcher.consume_token(token).map_err(|_| true)?;
    }
    Err(false)
}

fn answer(grammars: &Grammars, request: &Value) -> Value {
    let started = Instant::now();
    let kind = match request["kind"].as_str() {
        Some("regex") => Kind::Regex,
        Some("lark") => Kind::Lark,
        Some("choice") => Kind::Choice,
        Some("structure") => Kind::Structure,
        _ => Kind::JsonSchema,
    };
    let first = match grammars.matcher(kind, request["schema"].as_str().unwrap_or("")) {
        Ok(matcher) => matcher,
        Err(error) => {
            return json!({"refused": error, "micros": started.elapsed().as_micros() as u64})
        }
    };
    let micros = started.elapsed().as_micros() as u64;
    let instances = request["instances"].as_array().cloned().unwrap_or_default();
    let accepted: Vec<bool> = instances
        .iter()
        .map(|i| accepts(&first, i.as_str().unwrap_or("")))
        .collect();
    let mut random = Random(request["seed"].as_u64().unwrap_or(1) * 2 + 1);
    let (mut walks, mut unfinished, mut stuck) = (Vec::new(), 0, 0);
    for _ in 0..request["walks"].as_u64().unwrap_or(0) {
        match walk(&first, &mut random) {
            Ok(text) => walks.push(text),
            Err(true) => stuck += 1,
            Err(false) => unfinished += 1,
        }
    }
    json!({"accepted": accepted, "walks": walks, "unfinished": unfinished, "stuck": stuck, "micros": micros})
}

/// The stack of the thread that compiles in the daemon's workers.
const STACK: usize = 64 << 20;

fn main() {
    let thread = std::thread::Builder::new().stack_size(STACK);
    let done = thread.spawn(run).expect("a thread").join();
    done.expect("no panic");
}

fn run() {
    let mut words: Vec<Vec<u8>> = (0..=255u8).map(|b| vec![b]).collect();
    words.push(Vec::new());
    let grammars = Grammars::new(words, EOS).expect("a vocabulary of bytes");
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line.expect("UTF-8")).expect("JSON");
        writeln!(out, "{}", answer(&grammars, &request)).expect("a reader");
        out.flush().expect("a reader");
    }
}
