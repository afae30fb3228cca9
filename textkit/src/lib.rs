//! C interface (`textkit.h`) to the crates that edgegate uses for text: Hugging Face tokenizers,
//! minijinja chat templates and llguidance grammars.

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
