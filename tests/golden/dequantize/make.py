"""Random blocks of every GGUF type and their values from the gguf package: <type>.block, <type>.f32.

Needs numpy and gguf; run it here: python3 make.py
"""

import pathlib

import gguf
import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
random = np.random.default_rng(1)
for name in ("Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K"):
    kind = gguf.GGMLQuantizationType[name]
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = random.integers(0, 256, (8, size), dtype=np.uint8)
    # The half-precision scales stand at the front, Q6_K's at the end: keep them finite.
    for at in [size - 2] if name == "Q6_K" else [0, 2] if name[-1] in "1K" else [0]:
        scale = random.standard_normal(8).astype(np.float16)
        blocks[:, at : at + 2] = scale.view(np.uint8).reshape(8, 2)
    values = gguf.quants.dequantize(blocks, kind).astype(np.float32)
    assert values.size == 8 * elements
    blocks.tofile(HERE / f"{name}.block")
    values.tofile(HERE / f"{name}.f32")
