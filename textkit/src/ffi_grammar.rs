//! The grammar functions of `textkit.h`.

use llguidance::Matcher;

use crate::ffi::{guard, plain, Buffer, Str};
use crate::grammar::{accept, allowed, Grammars, Kind};

/// # Safety
/// See textkit.h.
#[no_mangle]
pub unsafe extern "C" fn tk_grammars_new(
    words: *const Str,
    count: usize,
    eos: u32,
    out: *mut *mut Grammars,
    error: *mut Buffer<u8>,
) -> i32 {
    guard(error, || {
        let words = (0..count).map(|i| (*words.add(i)).bytes()).collect();
        let grammars = Grammars::new(words, eos).map_err(plain)?;
        out.write(Box::into_raw(Box::new(grammars)));
        Ok(())
    })
}

/// # Safety
/// See textkit.h.
#[no_mangle]
pub unsafe extern "C" fn tk_grammars_free(grammars: *mut Grammars) {
    if !grammars.is_null() {
        drop(Box::from_raw(grammars));
    }
}

/// # Safety
/// See textkit.h.
#[no_mangle]
pub unsafe extern "C" fn tk_matcher_new(
    grammars: &Grammars,
    kind: i32,
    text: Str,
    out: *mut *mut Matcher,
    error: *mut Buffer<u8>,
) -> i32 {
    guard(error, || {
        let kind = match kind {
            0 => Kind::JsonSchema,
            1 => Kind::Regex,
            2 => Kind::Lark,
            3 => Kind::Choice,
            4 => Kind::Structure,
            _ => return Err(plain("no such kind of grammar".into())),
        };
        let text = text.get().map_err(plain)?;
        let matcher = grammars.matcher(kind, text).map_err(plain)?;
        out.write(Box::into_raw(Box::new(matcher)));
        Ok(())
    })
}

#[no_mangle]
pub extern "C" fn tk_matcher_clone(matcher: &Matcher) -> *mut Matcher {
    Box::into_raw(Box::new(matcher.deep_clone()))
}

/// # Safety
/// See textkit.h.
#[no_mangle]
pub unsafe extern "C" fn tk_matcher_free(matcher: *mut Matcher) {
    if !matcher.is_null() {
        drop(Box::from_raw(matcher));
    }
}

/// # Safety
/// See textkit.h.
#[no_mangle]
pub unsafe extern "C" fn tk_matcher_allowed(
    matcher: &mut Matcher,
    bits: *mut Buffer<u32>,
    error: *mut Buffer<u8>,
) -> i32 {
    guard(error, || {
        bits.write(Buffer::new(allowed(matcher).map_err(plain)?));
        Ok(())
    })
}

/// # Safety
/// See textkit.h.
#[no_mangle]
pub unsafe extern "C" fn tk_matcher_accept(
    matcher: &mut Matcher,
    id: u32,
    error: *mut Buffer<u8>,
) -> i32 {
    guard(error, || accept(matcher, id).map_err(plain))
}
