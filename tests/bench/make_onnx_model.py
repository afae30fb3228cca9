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
import shutil
import subprocess
import sys
import tempfile

import shape
import torch
import transformers

TOKENIZER = pathlib.Path(__file__).resolve().parents[1] / "golden/models/glm-edge"
OPTIONS = ("accuracy_level=4", "prune_lm_head=true", "hf_token=false")


def make_checkpoint(folder):
    config = transformers.LlamaConfig(
        vocab_size=shape.VOCABULARY,
        hidden_size=shape.HIDDEN,
        intermediate_size=shape.INTERMEDIATE,
        num_hidden_layers=shape.LAYERS,
        num_attention_heads=shape.HEADS,
        num_key_value_heads=shape.KV_HEADS,
        head_dim=shape.HEAD_DIM,
        max_position_embeddings=shape.CONTEXT,
        rms_norm_eps=shape.NORM_EPSILON,
        rope_theta=shape.ROPE_THETA,
        tie_word_embeddings=True,
        bos_token_id=330,  # the tokenizer's <|endoftext|>
        eos_token_id=330,
        pad_token_id=0,
    )
    torch.manual_seed(1)
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    model.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(TOKENIZER / name, folder / name)


def build(checkpoint, folder, precision, cache):
    command = [sys.executable, "-m", "onnxruntime_genai.models.builder", "-e", "cpu"]
    command += ["-i", checkpoint, "-o", folder, "-p", precision, "-c", cache]
    subprocess.run([*command, "--extra_options", *OPTIONS], check=True)


def main():
    folder = pathlib.Path(sys.argv[1])
    with tempfile.TemporaryDirectory(dir=folder) as work:
        checkpoint = pathlib.Path(work) / "checkpoint"
        make_checkpoint(checkpoint)
        for precision in ("int8", "int4"):
            cache = pathlib.Path(work) / precision
            build(checkpoint, folder / f"onnx-{precision}", precision, cache)


if __name__ == "__main__":
    main()
