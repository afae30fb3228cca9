//! Measures the time of masks on a real vocabulary.
//!
//! Argument: a file of tokens, one per line, as hexadecimal bytes. Input: lines of {"kind": ...,
//! "schema": TEXT} as for `structured`. Output: compile time, and the slowest and the mean mask of
//! random outputs.

use std::io::BufRead;
use std::time::Instant;

use serde_json::Value;
use textkit::grammar::{accept, allowed, Grammars, Kind};

const OUTPUTS: usize = 4;
const TOKENS: usize = 80;

fn words(path: &str) -> Vec<Vec<u8>> {
    let text = std::fs::read_to_string(path).expect("a file of tokens");
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    let word = |line: &str| line.as_bytes().chunks(2).map(byte).collect();
    text.lines().map(word).collect()
}

fn run() {
    let mut words = words(&std::env::args().nth(1).expect("a file of tokens"));
    words.push(Vec::new());
    let eos = words.len() as u32 - 1;
    let grammars = Grammars::new(words, eos).expect("a vocabulary");
    let mut random = 88_172_645_463_325_252u64;
    for line in std::io::stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line.expect("UTF-8")).expect("JSON");
        let kind = match request["kind"].as_str() {
            Some("regex") => Kind::Regex,
            Some("lark") => Kind::Lark,
            Some("choice") => Kind::Choice,
            _ => Kind::JsonSchema,
        };
        let started = Instant::now();
        let first = grammars.matcher(kind, request["schema"].as_str().unwrap_or(""));
        let compiled = started.elapsed();
        let Ok(first) = first else {
            println!("{:8.1} ms, refused", compiled.as_secs_f64() * 1e3);
            continue;
        };
        let (mut slowest, mut total, mut count, mut failed) = (0.0f64, 0.0, 0, 0);
        for _ in 0..OUTPUTS {
            let mut matcher = first.deep_clone();
            for _ in 0..TOKENS {
                let started = Instant::now();
                let mask = allowed(&mut matcher);
                let took = started.elapsed().as_secs_f64() * 1e3;
                slowest = slowest.max(took);
                total += took;
                count += 1;
                let Ok(mask) = mask else {
                    failed += 1;
                    break;
                };
                let tokens: Vec<u32> = (0..=eos)
                    .filter(|t| mask[*t as usize / 32] >> (t % 32) & 1 == 1)
                    .collect();
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                let token = tokens[(random >> 11) as usize % tokens.len()];
                if token == eos || accept(&mut matcher, token).is_err() {
                    break;
                }
            }
        }
        let compiled = compiled.as_secs_f64() * 1e3;
        let mean = total / f64::from(count.max(1));
        println!(
            "{compiled:8.1} ms, masks: slowest {slowest:6.1}, mean {mean:6.2}, failed {failed}"
        );
    }
}

fn main() {
    let thread = std::thread::Builder::new().stack_size(64 << 20);
    thread
        .spawn(run)
        .expect("a thread")
        .join()
        .expect("no panic");
}
