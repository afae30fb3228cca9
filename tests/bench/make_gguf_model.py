"""Makes llama.cpp's side of compare.py: GLM-Edge-1.5B's dimensions, seeded random weights, Q8_0.

    pip install gguf
    python3 make_gguf_model.py FILE.gguf

The tokens' names are numbers: token ids are all that is measured.
"""

import sys

import gguf
import numpy as np
import shape

Q8_0 = gguf.GGMLQuantizationType.Q8_0


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
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("glm4")
    writer.add_token_list([str(i) for i in range(shape.VOCABULARY)])
    writer.add_token_types([gguf.TokenType.NORMAL] * shape.VOCABULARY)
    writer.add_token_merges(["0 1"])
    writer.add_eos_token_id(0)


def add_tensors(writer):
    random = np.random.default_rng(1)

    def norm(name):
        writer.add_tensor(f"{name}.weight", np.ones(shape.HIDDEN, np.float32))

    def matrix(name, rows, columns):
        values = random.standard_normal((rows, columns), dtype=np.float32) * 0.02
        writer.add_tensor(f"{name}.weight", gguf.quants.quantize(values, Q8_0), raw_dtype=Q8_0)

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


def main():
    writer = gguf.GGUFWriter(sys.argv[1], "chatglm")
    add_header(writer)
    add_tensors(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
