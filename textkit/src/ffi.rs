//! The functions of `textkit.h`. Every function catches panics, so that no panic reaches C++.

use std::panic::{catch_unwind, AssertUnwindSafe};

use crate::conversation::{Call, Message, Part, Tool};
use crate::segments::Segment;
use crate::template::{Input, RenderError, Template};
use crate::tokenizer::{EncodeError, Tokenizer};

#[repr(C)]
pub struct Buffer<T> {
    data: *mut T,
    size: usize,
}

impl<T> Buffer<T> {
    pub fn new(items: Vec<T>) -> Self {
        let size = items.len();
        Self {
            data: Box::into_raw(items.into_boxed_slice()).cast(),
            size,
        }
    }

    /// # Safety
    /// `self` came from `new` and is freed once.
    unsafe fn free(self) {
        if !self.data.is_null() {
            drop(Box::from_raw(std::ptr::slice_from_raw_parts_mut(
                self.data, self.size,
            )));
        }
    }
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Str {
    data: *const u8,
    size: usize,
}

impl Str {
    /// # Safety
    /// The caller keeps `data` valid for the call.
    pub unsafe fn get<'a>(self) -> Result<&'a str, String> {
        if self.size == 0 {
            return Ok("");
        }
        std::str::from_utf8(std::slice::from_raw_parts(self.data, self.size))
            .map_err(|e| format!("not valid UTF-8 at byte {}", e.valid_up_to()))
    }

    /// Bytes that are not UTF-8 become U+FFFD.
    ///
    /// # Safety
    /// As for `get`.
    unsafe fn lossy(self) -> String {
        String::from_utf8_lossy(items(self.data, self.size)).into_owned()
    }

    /// # Safety
    /// As for `get`.
    pub unsafe fn bytes(self) -> Vec<u8> {
        if self.size == 0 {
            return Vec::new();
        }
        std::slice::from_raw_parts(self.data, self.size).to_vec()
    }
}

/// A failure: the code that the C function returns, and the message.
pub type Failure = (i32, String);

/// # Safety
/// `error` is valid for writing.
pub unsafe fn guard(error: *mut Buffer<u8>, body: impl FnOnce() -> Result<(), Failure>) -> i32 {
    let result = catch_unwind(AssertUnwindSafe(body))
        .unwrap_or_else(|_| Err((1, "internal error in textkit".into())));
    match result {
        Ok(()) => 0,
        Err((code, message)) => {
            error.write(Buffer::new(message.into_bytes()));
            code
        }
    }
}

pub fn plain(message: String) -> Failure {
    (1, message)
}

/// # Safety
/// See textkit.h.
#[no_mangle]
pub unsafe extern "C" fn tk_free_bytes(bytes: Buffer<u8>) {
    bytes.free();
}

/// # Safety
/// See textkit.h.
#[no_mangle]
pub unsafe extern "C" fn tk_free_ids(ids: Buffer<u32>) {
    ids.free();
}

/// # Safety
/// See textkit.h.
#[no_mangle]
pub unsafe extern "C" fn tk_tokenizer_new(
    json: Str,
    out: *mut *mut Tokenizer,
    error: *mut Buffer<u8>,
) -> i32 {
    guard(error, || {
        let tokenizer = Tokenizer::new(json.get().map_err(plain)?).map_err(plain)?;
        out.write(Box::into_raw(Box::new(tokenizer)));
        Ok(())
    })
}

/// # Safety
/// See textkit.h.
#[no_mangle]
pub unsafe extern "C" fn tk_tokenizer_free(tokenizer: *mut Tokenizer) {
    if !tokenizer.is_null() {
        drop(Box::from_raw(tokenizer));
    }
}

/// # Safety
/// See textkit.h.
#[no_mangle]
pub unsafe extern "C" fn tk_encode(
    tokenizer: &Tokenizer,
    text: Str,
    parse_specials: i32,
    add_special: i32,
    max_tokens: usize,
    out: *mut Buffer<u32>,
    error: *mut Buffer<u8>,
) -> i32 {
    guard(error, || {
        let ids = tokenizer
            .encode(
                text.get().map_err(plain)?,
                parse_specials != 0,
                add_special != 0,
                max_tokens,
            )
            .map_err(|e| match e {
                EncodeError::TooMany => (2, "too many tokens".into()),
                EncodeError::Failed(message) => (1, message),
            })?;
        out.write(Buffer::new(ids));
        Ok(())
    })
}

#[no_mangle]
pub extern "C" fn tk_vocab_size(tokenizer: &Tokenizer) -> usize {
    tokenizer.vocab_size()
}

/// # Safety
/// See textkit.h.
#[no_mangle]
pub unsafe extern "C" fn tk_token(tokenizer: &Tokenizer, id: u32, bytes: *mut Str) -> i32 {
    let (kind, content) = tokenizer.token(id);
    bytes.write(Str {
        data: content.as_ptr(),
        size: content.len(),
    });
    kind as i32
}

/// # Safety
/// See textkit.h.
#[no_mangle]
pub unsafe extern "C" fn tk_token_id(tokenizer: &Tokenizer, token: Str) -> i64 {
    let id = token.get().ok().and_then(|name| tokenizer.token_id(name));
    id.map_or(-1, i64::from)
}

#[no_mangle]
pub extern "C" fn tk_strips_leading_space(tokenizer: &Tokenizer) -> i32 {
    i32::from(tokenizer.strips_leading_space())
}

/// # Safety
/// See textkit.h.
#[no_mangle]
pub unsafe extern "C" fn tk_template_new(
    source: Str,
    specials: Str,
    globals: Str,
    out: *mut *mut Template,
    error: *mut Buffer<u8>,
) -> i32 {
    guard(error, || {
        let template = Template::new(
            source.get().map_err(plain)?,
            specials.get().map_err(plain)?,
            globals.get().map_err(plain)?,
        )
        .map_err(plain)?;
        out.write(Box::into_raw(Box::new(template)));
        Ok(())
    })
}

/// # Safety
/// See textkit.h.
#[no_mangle]
pub unsafe extern "C" fn tk_template_free(template: *mut Template) {
    if !template.is_null() {
        drop(Box::from_raw(template));
    }
}

#[repr(C)]
pub struct TkPart {
    is_image: i32,
    text: Str,
}

#[repr(C)]
pub struct TkCall {
    id: Str,
    name: Str,
    arguments: Str,
}

#[repr(C)]
pub struct TkMessage {
    role: Str,
    parts: *const TkPart,
    num_parts: usize,
    as_list: i32,
    calls: *const TkCall,
    num_calls: usize,
    name: Str,
    call_id: Str,
    reasoning: Str,
}

#[repr(C)]
pub struct TkTool {
    name: Str,
    description: Str,
    parameters: Str,
}

#[repr(C)]
pub struct TkConversation {
    messages: *const TkMessage,
    num_messages: usize,
    tools: *const TkTool,
    num_tools: usize,
    kwargs: Str,
    add_generation_prompt: i32,
    arguments_as_text: i32,
}

/// # Safety
/// `first` points to `count` items, or `count` is 0.
unsafe fn items<'a, T>(first: *const T, count: usize) -> &'a [T] {
    match count {
        0 => &[],
        _ => std::slice::from_raw_parts(first, count),
    }
}

unsafe fn message_of(message: &TkMessage) -> Message {
    let part = |part: &TkPart| Part {
        is_image: part.is_image != 0,
        text: part.text.lossy(),
    };
    let call = |call: &TkCall| Call {
        id: call.id.lossy(),
        name: call.name.lossy(),
        arguments: call.arguments.lossy(),
    };
    Message {
        role: message.role.lossy(),
        parts: items(message.parts, message.num_parts)
            .iter()
            .map(part)
            .collect(),
        as_list: message.as_list != 0,
        calls: items(message.calls, message.num_calls)
            .iter()
            .map(call)
            .collect(),
        name: message.name.lossy(),
        call_id: message.call_id.lossy(),
        reasoning: message.reasoning.lossy(),
    }
}

unsafe fn tool_of(tool: &TkTool) -> Tool {
    Tool {
        name: tool.name.lossy(),
        description: tool.description.lossy(),
        parameters: tool.parameters.lossy(),
    }
}

/// # Safety
/// See textkit.h.
#[no_mangle]
pub unsafe extern "C" fn tk_template_render(
    template: &Template,
    conversation: &TkConversation,
    out: *mut Buffer<u8>,
    error: *mut Buffer<u8>,
) -> i32 {
    guard(error, || {
        let input = Input {
            messages: items(conversation.messages, conversation.num_messages)
                .iter()
                .map(|message| message_of(message))
                .collect(),
            tools: items(conversation.tools, conversation.num_tools)
                .iter()
                .map(|tool| tool_of(tool))
                .collect(),
            kwargs: conversation.kwargs.get().map_err(plain)?,
            add_generation_prompt: conversation.add_generation_prompt != 0,
            arguments_as_text: conversation.arguments_as_text != 0,
        };
        let segments = template.render(input).map_err(|e| match e {
            RenderError::Invalid(message) => (1, message),
            RenderError::TooLong(message) => (2, message),
        })?;
        let mut bytes = Vec::new();
        for segment in segments {
            let (tag, text) = match segment {
                Segment::Special(text) => (b'S', text),
                Segment::Text(text) => (b'T', text),
            };
            bytes.push(tag);
            let size = u32::try_from(text.len()).map_err(|_| plain("prompt too long".into()))?;
            bytes.extend_from_slice(&size.to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        out.write(Buffer::new(bytes));
        Ok(())
    })
}
