//! edgegate's text side behind a C interface (`textkit.h`): Hugging Face tokenizers, Jinja chat
//! templates and llguidance's grammars, which are what the field itself uses.

mod ffi;
mod ffi_grammar;
mod grammar;
mod python_json;
mod segments;
mod template;
mod tokenizer;
