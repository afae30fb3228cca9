//! edgegate's text side behind a C interface (`textkit.h`): Hugging Face tokenizers and Jinja chat
//! templates, which are what the field itself uses.

mod ffi;
mod python_json;
mod segments;
mod template;
mod tokenizer;
