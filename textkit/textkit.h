// C interface of the textkit crate: Hugging Face tokenizers, Jinja chat templates, and grammars
// that output must follow.
//
// Functions that can fail return 0 on success. Otherwise they fill *error. The caller frees
// returned buffers with tk_free_*. All handles except tk_matcher are immutable after creation and
// may be used from any thread. Text is UTF-8 with an explicit length. No panic leaves these
// functions.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tk_tokenizer tk_tokenizer;
typedef struct tk_template tk_template;
typedef struct tk_grammars tk_grammars;
typedef struct tk_matcher tk_matcher;

typedef struct {
  char* data;  // not terminated; null when empty
  size_t size;
} tk_bytes;

typedef struct {
  uint32_t* data;
  size_t size;
} tk_ids;

typedef struct {
  const char* data;
  size_t size;
} tk_str;

void tk_free_bytes(tk_bytes bytes);
void tk_free_ids(tk_ids ids);

// Makes a tokenizer from the text of a tokenizer.json.
int tk_tokenizer_new(tk_str json, tk_tokenizer** out, tk_bytes* error);
void tk_tokenizer_free(tk_tokenizer* tokenizer);

// Returns the ids of `text`. parse_specials: text that looks like a special token becomes that
// token. add_special: adds the tokens of the post-processor. Return value 2: the text has more than
// `max_tokens` tokens.
int tk_encode(const tk_tokenizer* tokenizer, tk_str text, int parse_specials, int add_special,
              size_t max_tokens, tk_ids* out, tk_bytes* error);

// Returns the largest id plus one.
size_t tk_vocab_size(const tk_tokenizer* tokenizer);

// Sets `bytes` to the bytes that `id` adds in the middle of a text. They are part of the tokenizer.
// Returns the kind of the token: 0 no such id, 1 ordinary, 2 added but not special, 3 special.
int tk_token(const tk_tokenizer* tokenizer, uint32_t id, tk_str* bytes);

// Returns the id of the token with this name in the vocabulary, or -1.
int64_t tk_token_id(const tk_tokenizer* tokenizer, tk_str token);

// Returns 1 if decoding removes one space at the start of a text, else 0.
int tk_strips_leading_space(const tk_tokenizer* tokenizer);

// Compiles a template. `specials`: names of the special tokens, as a JSON array. `globals`: a JSON
// object of variables for every rendering (bos_token, ...).
int tk_template_new(tk_str source, tk_str specials, tk_str globals, tk_template** out,
                    tk_bytes* error);
void tk_template_free(tk_template* chat_template);

// A part of a message's content: an image, or a text.
typedef struct {
  int is_image;
  tk_str text;
} tk_part;

// A call of a tool by the model. `id` may be empty. `arguments`: a JSON object.
typedef struct {
  tk_str id;
  tk_str name;
  tk_str arguments;
} tk_call;

// A message. If `as_list` is set, its content is a list of parts, else the string of all texts.
// `name`, `call_id` (the members `name` and `tool_call_id`), `reasoning` (`reasoning_content`) and
// `calls` (`tool_calls`) are left out if they are empty.
typedef struct {
  tk_str role;
  const tk_part* parts;
  size_t num_parts;
  int as_list;
  const tk_call* calls;
  size_t num_calls;
  tk_str name;
  tk_str call_id;
  tk_str reasoning;
} tk_message;

// A function that the model may call. `parameters`: a JSON schema, or empty.
typedef struct {
  tk_str name;
  tk_str description;
  tk_str parameters;
} tk_tool;

// `kwargs`: a JSON object of further variables of the template, or empty. `arguments_as_text`: the
// arguments of calls are JSON texts for the template, else objects.
typedef struct {
  const tk_message* messages;
  size_t num_messages;
  const tk_tool* tools;
  size_t num_tools;
  tk_str kwargs;
  int add_generation_prompt;
  int arguments_as_text;
} tk_conversation;

// Renders a conversation. Bytes of messages and tools that are not UTF-8 become U+FFFD. The result
// is a list of segments. Each segment is a byte, then a 4-byte little-endian length, then the text.
// The byte is 'S' for a special token that the template wrote, or 'T' for text, in which
// look-alikes of special tokens are plain text. Return value 1: the input is wrong, or the template
// called raise_exception. 2: the template ran too long.
int tk_template_render(const tk_template* chat_template, const tk_conversation* conversation,
                       tk_bytes* out, tk_bytes* error);

// Prepares a vocabulary of `count` tokens for grammars. words[id]: the bytes that a token adds to a
// text; empty for a token that adds no text. `eos`: the id that ends an output.
int tk_grammars_new(const tk_str* words, size_t count, uint32_t eos, tk_grammars** out,
                    tk_bytes* error);
void tk_grammars_free(tk_grammars* grammars);

// Makes a matcher: the position of one output in its grammar, at first the start. `kind`: 0 a JSON
// schema, 1 a regular expression, 2 a grammar in llguidance's dialect of Lark, 3 a choice, which is
// a JSON array of strings, one of which is the output, 4 a structure (src/structure.rs), where the
// error of a schema begins with the schema's name and a line break. Used by one thread at a time.
// May outlive `grammars`.
int tk_matcher_new(const tk_grammars* grammars, int kind, tk_str text, tk_matcher** out,
                   tk_bytes* error);
tk_matcher* tk_matcher_clone(const tk_matcher* matcher);
void tk_matcher_free(tk_matcher* matcher);

// Returns the tokens that may come next: bit id % 32 of word id / 32.
int tk_matcher_allowed(tk_matcher* matcher, tk_ids* bits, tk_bytes* error);
// Advances by the token `id`, which tk_matcher_allowed() must have allowed.
int tk_matcher_accept(tk_matcher* matcher, uint32_t id, tk_bytes* error);

#ifdef __cplusplus
}
#endif
