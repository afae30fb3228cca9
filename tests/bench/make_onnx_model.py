"""Makes ONNX Runtime GenAI's models for compare.py: GLM-Edge-1.5B's dimensions, seeded random weights.

    pip install onnxruntime-genai onnxruntime onnx onnx-ir transformers torch
    python3 make_onnx_model.py FOLDER

FOLDER/onnx-int8 and FOLDER/onnx-int4 are what the package's model builder makes of a Hugging Face
directory, with accuracy level 4: activations are quantized to INT8 too. The directory says Llama,
whose layers have the same matrices; it is removed afterwards. The head computes the last token's
logits only. The tokenizer is that of a tiny checkpoint in tests/golden: token ids are all that is
measured.
"""

import pathlib
import subprocess
import sys
import tempfile

import random_checkpoint
import transformers

OPTIONS = ("accuracy_level=4", "prune_lm_head=true", "hf_token=false")


def build(checkpoint, folder, precision, cache):
    command = [sys.executable, "-m", "onnxruntime_genai.models.builder", "-e", "cpu"]
    command += ["-i", checkpoint, "-o", folder, "-p", precision, "-c", cache]
    subprocess.run([*command, "--extra_options", *OPTIONS], check=True)


def main():
    folder = pathlib.Path(sys.argv[1])
    with tempfile.TemporaryDirectory(dir=folder) as work:
        checkpoint = pathlib.Path(work) / "checkpoint"
        random_checkpoint.make(
            checkpoint, transformers.LlamaConfig, bos_token_id=random_checkpoint.END_OF_TEXT
        )
        for precision in ("int8", "int4"):
            cache = pathlib.Path(work) / precision
            build(checkpoint, folder / f"onnx-{precision}", precision, cache)


if __name__ == "__main__":
    main()
