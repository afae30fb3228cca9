"""Makes llama.cpp's models for compare.py: GLM-Edge-1.5B's dimensions, seeded random weights.

    pip install gguf
    python3 make_gguf_model.py FOLDER

FOLDER/q8_0.gguf and FOLDER/q4_0.gguf; all matrices are of that type, the embedding too, which is
less to read than what llama-quantize makes of a published model. The vocabulary is the bytes, names
that mean nothing, and GLM-Edge's special tokens: only the time that tokens take is measured.
"""

import pathlib
import sys

import gguf
import numpy as np
import shape

TYPES = {"q8_0": gguf.GGMLQuantizationType.Q8_0, "q4_0": gguf.GGMLQuantizationType.Q4_0}
SPECIALS = (
    "<|endoftext|> [MASK] [gMASK] [sMASK] <sop> <eop> <|system|> <|user|> <|assistant|> "
    "<|observation|> <|begin_of_image|> <|end_of_image|> <|begin_of_video|> <|end_of_video|>"
).split()
FIRST_SPECIAL = 59246
PICTURE_TOKENS = 578
CHAT_TEMPLATE = (
    "{% for m in messages %}<|{{ m.role }}|>\n{% if m.content is string %}{{ m.content }}{% else %}"
    "{% for part in m.content %}{% if part.type == 'image' %}"
    "{% for _ in range(PICTURE_TOKENS) %}<|begin_of_image|>{% endfor %}"
    "{% elif part.type == 'text' %}{{ part.text }}{% endif %}{% endfor %}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
).replace("PICTURE_TOKENS", str(PICTURE_TOKENS))


def byte_names():
    """GPT-2's names of the bytes: themselves where they can be seen, else what comes after 255."""
    seen = [*range(33, 127), *range(161, 173), *range(174, 256)]
    unseen = [byte for byte in range(256) if byte not in seen]
    return [chr(byte) for byte in seen] + [chr(256 + i) for i in range(len(unseen))]


def vocabulary():
    """Names and types of the tokens."""
    names = [*byte_names(), "01"]  # the one merge's
    names += [f"t{i}" for i in range(len(names), shape.VOCABULARY)]
    types = [gguf.TokenType.NORMAL] * shape.VOCABULARY
    for i, name in enumerate(SPECIALS, FIRST_SPECIAL):
        names[i] = name
        types[i] = gguf.TokenType.CONTROL
    return names, types


def add_header(writer):
    writer.add_context_length(shape.CONTEXT)
    writer.add_embedding_length(shape.HIDDEN)
    writer.add_block_count(shape.LAYERS)
    writer.add_feed_forward_length(shape.INTERMEDIATE)
    writer.add_head_count(shape.HEADS)
    writer.add_head_count_kv(shape.KV_HEADS)
    writer.add_layer_norm_rms_eps(shape.NORM_EPSILON)
    writer.add_rope_freq_base(shape.ROPE_THETA)
    writer.add_rope_dimension_count(shape.HEAD_DIM)
    names, types = vocabulary()
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("glm4")
    writer.add_token_list(names)
    writer.add_token_types(types)
    writer.add_token_merges(["0 1"])
    writer.add_eos_token_id(FIRST_SPECIAL)
    writer.add_chat_template(CHAT_TEMPLATE)


def add_tensors(writer, kind):
    random = np.random.default_rng(1)

    def norm(name):
        writer.add_tensor(f"{name}.weight", np.ones(shape.HIDDEN, np.float32))

    def matrix(name, rows, columns):
        values = random.standard_normal((rows, columns), dtype=np.float32) * 0.02
        writer.add_tensor(f"{name}.weight", gguf.quants.quantize(values, kind), raw_dtype=kind)

    matrix("token_embd", shape.VOCABULARY, shape.HIDDEN)  # the output matrix too
    norm("output_norm")
    for layer in range(shape.LAYERS):
        block = f"blk.{layer}"
        norm(f"{block}.attn_norm")
        matrix(f"{block}.attn_q", shape.HEADS * shape.HEAD_DIM, shape.HIDDEN)
        matrix(f"{block}.attn_k", shape.KV_HEADS * shape.HEAD_DIM, shape.HIDDEN)
        matrix(f"{block}.attn_v", shape.KV_HEADS * shape.HEAD_DIM, shape.HIDDEN)
        matrix(f"{block}.attn_output", shape.HIDDEN, shape.HEADS * shape.HEAD_DIM)
        norm(f"{block}.ffn_norm")
        matrix(f"{block}.ffn_up", 2 * shape.INTERMEDIATE, shape.HIDDEN)  # gate and up
        matrix(f"{block}.ffn_down", shape.HIDDEN, shape.INTERMEDIATE)


def write(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    for name, kind in TYPES.items():
        writer = gguf.GGUFWriter(pathlib.Path(sys.argv[1]) / f"{name}.gguf", "chatglm")
        add_header(writer)
        add_tensors(writer, kind)
        write(writer)


if __name__ == "__main__":
    main()
