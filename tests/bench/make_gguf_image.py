"""Makes llama.cpp's image encoder for compare.py: GLM-Edge-V-2B's dimensions, seeded random weights.

    pip install gguf
    python3 make_gguf_image.py FOLDER

FOLDER/mmproj.gguf, its matrices in F16 as published ones have them (4304 columns are no multiple
of a quantized block); it goes with q8_0.gguf of make_gguf_model.py. edgegate reads the pair too.
"""

import pathlib
import sys

import gguf
import make_gguf_model
import numpy as np
import shape

WIDTH = 1152
INTERMEDIATE = 4304
LAYERS = 27
HEADS = 16
SIDE = 672
PATCH = 14


def add_header(writer):
    writer.add_bool("clip.has_text_encoder", False)
    writer.add_bool("clip.has_vision_encoder", True)
    writer.add_bool("clip.has_glm_projector", True)
    writer.add_bool("clip.use_gelu", True)
    writer.add_string("clip.projector_type", "adapter")
    numbers = {
        "image_size": SIDE,
        "patch_size": PATCH,
        "embedding_length": WIDTH,
        "feed_forward_length": INTERMEDIATE,
        "projection_dim": 0,
        "block_count": LAYERS,
        "attention.head_count": HEADS,
    }
    for name, value in numbers.items():
        writer.add_uint32(f"clip.vision.{name}", value)
    writer.add_float32("clip.vision.attention.layer_norm_epsilon", 1e-6)
    writer.add_array("clip.vision.image_mean", [0.5] * 3)
    writer.add_array("clip.vision.image_std", [0.5] * 3)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)


class Tensors:
    def __init__(self, writer):
        self.writer = writer
        self.random = np.random.default_rng(1)

    def add(self, name, *sizes, kind=np.float32):
        values = self.random.standard_normal(sizes, dtype=np.float32) * 0.02
        self.writer.add_tensor(name, values.astype(kind))

    def matrix(self, name, *sizes):
        self.add(f"{name}.weight", *sizes, kind=np.float16)

    def layer(self, name, rows, columns):
        self.matrix(name, rows, columns)
        self.add(f"{name}.bias", rows)

    def norm(self, name, width):
        self.add(f"{name}.weight", width)
        self.add(f"{name}.bias", width)

    def tower(self):
        self.matrix("v.patch_embd", WIDTH, 3, PATCH, PATCH)
        self.add("v.patch_embd.bias", WIDTH)
        self.matrix("v.position_embd", (SIDE // PATCH) ** 2, WIDTH)
        for number in range(LAYERS):
            block = f"v.blk.{number}"
            self.norm(f"{block}.ln1", WIDTH)
            for name in ("attn_q", "attn_k", "attn_v", "attn_out"):
                self.layer(f"{block}.{name}", WIDTH, WIDTH)
            self.norm(f"{block}.ln2", WIDTH)
            # As the converter names them: down comes first.
            self.layer(f"{block}.ffn_down", INTERMEDIATE, WIDTH)
            self.layer(f"{block}.ffn_up", WIDTH, INTERMEDIATE)
        self.norm("v.post_ln", WIDTH)

    def adapter(self):
        hidden, wide = shape.HIDDEN, shape.INTERMEDIATE
        self.matrix("adapter.conv", hidden, WIDTH, 2, 2)
        self.add("adapter.conv.bias", hidden)
        self.matrix("adapter.linear.linear", hidden, hidden)
        self.norm("adapter.linear.norm1", hidden)
        self.matrix("adapter.linear.dense_h_to_4h", wide, hidden)
        self.matrix("adapter.linear.gate", wide, hidden)
        self.matrix("adapter.linear.dense_4h_to_h", hidden, wide)
        self.add("adapter.boi", hidden)
        self.add("adapter.eoi", hidden)


def main():
    writer = gguf.GGUFWriter(pathlib.Path(sys.argv[1]) / "mmproj.gguf", "clip")
    add_header(writer)
    tensors = Tensors(writer)
    tensors.tower()
    tensors.adapter()
    make_gguf_model.write(writer)


if __name__ == "__main__":
    main()
