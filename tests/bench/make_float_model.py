"""Makes a float model of a quantized GGUF (arch llama) whose weights are not multiples of a scale, for
measuring what quantization costs (quality.cc); and, for comparison, the same model in Q4_0.

    pip install gguf
    python3 make_float_model.py FROM.gguf FLOAT.gguf [Q4_0.gguf]

Every input channel of every linear layer is multiplied by a seeded random factor, which is divided
out of the layer before it: the norm, the value rows, or the up rows. So the function stays the same,
and no group of weights is a scale times 16 levels any more. The second file holds the same
weights as llama.cpp's Q4_0 rounds them (gguf's quantize() gives ggml's bytes), all but the embedding.
"""

import sys

import gguf
import numpy as np

Q4_0 = gguf.GGMLQuantizationType.Q4_0
SPREAD = 0.25  # standard deviation of a factor's logarithm


def rescale(tensors, layer, heads, kv_heads, random):
    """Changes a layer's tensors in place: name to float array, [outputs][inputs]."""

    def part(name):
        return tensors[f"blk.{layer}.{name}.weight"]

    def factors(count):
        return np.exp(random.standard_normal(count) * SPREAD).astype(np.float32)

    for norm, linears in (
        ("attn_norm", ("attn_q", "attn_k", "attn_v")),
        ("ffn_norm", ("ffn_gate", "ffn_up")),
    ):
        by_channel = factors(len(part(norm)))
        part(norm)[:] /= by_channel
        for linear in linears:
            part(linear)[:] *= by_channel
    # Query heads of a group read the same value head.
    by_value = factors(len(part("attn_v")))
    part("attn_v")[:] /= by_value[:, None]
    by_head = by_value.reshape(kv_heads, 1, -1)
    part("attn_output")[:] *= np.broadcast_to(
        by_head, (kv_heads, heads // kv_heads, by_head.shape[2])
    ).ravel()
    by_channel = factors(len(part("ffn_up")))
    part("ffn_up")[:] /= by_channel[:, None]
    part("ffn_down")[:] *= by_channel


def write(path, reader, tensors, q4_0):
    writer = gguf.GGUFWriter(path, "llama")
    for field in reader.fields.values():
        if field.name.startswith("GGUF.") or field.name == "general.architecture":
            continue
        of = field.types[1] if len(field.types) > 1 else None
        writer.add_key_value(field.name, field.contents(), field.types[0], of)
    for name, values in tensors.items():
        if q4_0 and values.ndim == 2 and name.startswith("blk."):
            writer.add_tensor(name, gguf.quants.quantize(values, Q4_0), raw_dtype=Q4_0)
        else:
            writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    reader = gguf.GGUFReader(sys.argv[1])
    tensors = {
        t.name: gguf.quants.dequantize(t.data, t.tensor_type).astype(np.float32)
        for t in reader.tensors
    }

    def setting(name):
        return reader.fields[f"llama.{name}"].contents()

    random = np.random.default_rng(1)
    for layer in range(setting("block_count")):
        rescale(
            tensors,
            layer,
            setting("attention.head_count"),
            setting("attention.head_count_kv"),
            random,
        )
    write(sys.argv[2], reader, tensors, q4_0=False)
    if len(sys.argv) > 3:
        write(sys.argv[3], reader, tensors, q4_0=True)


if __name__ == "__main__":
    main()
