//! edgegate's text side behind a C interface (`textkit.h`): Hugging Face tokenizers, Jinja chat
//! templates and llguidance's grammars, which are what the field itself uses.

mod choice;
mod conversation;
mod ffi;
mod ffi_grammar;
pub mod grammar;
mod grammar_text;
mod python_json;
pub mod schema;
mod segments;
mod structure;
mod template;
mod tokenizer;
