"""Makes the models that compare.py measures: GLM-Edge-1.5B's dimensions, seeded random weights.

    pip install openvino openvino-genai openvino-tokenizers optimum-intel nncf "transformers<5"
    python3 make_openvino_model.py FOLDER

FOLDER/checkpoint is a Hugging Face directory in bfloat16, which edgegate reads too, and
FOLDER/openvino-int8 and FOLDER/openvino-int4 are what OpenVINO GenAI runs: what
`optimum-cli export openvino --task text-generation-with-past --weight-format int8` makes of it, or
`int4 --group-size 128`, weights alone and without data. FOLDER/openvino-image is GLM-Edge-V's image
encoder, a SigLIP of 672 pixels, with weights and activations in INT8 as nncf quantizes
transformers; without the adapter.
The tokenizer is that of a tiny checkpoint in tests/golden: token ids are all that is measured.
(optimum-intel 2.2 exports GLM from transformers before 5 only.)
"""

import pathlib
import subprocess
import sys

import nncf
import openvino
import random_checkpoint
import torch
import transformers

def export(checkpoint, folder, *weights):
    command = [pathlib.Path(sys.executable).with_name("optimum-cli"), "export", "openvino"]
    command += ["--task", "text-generation-with-past", "--weight-format", *weights]
    subprocess.run([*command, "--model", checkpoint, folder], check=True)


def make_encoder(folder):
    config = transformers.SiglipVisionConfig(
        hidden_size=1152,
        intermediate_size=4304,
        num_hidden_layers=27,
        num_attention_heads=16,
        image_size=672,
        patch_size=14,
        vision_use_head=False,
    )
    torch.manual_seed(1)
    encoder = transformers.SiglipVisionModel(config).eval()
    pixels = torch.randn(1, 3, config.image_size, config.image_size)
    with torch.no_grad():
        converted = openvino.convert_model(encoder, example_input=pixels)
    quantized = nncf.quantize(
        converted,
        nncf.Dataset([pixels.numpy()]),
        subset_size=1,
        model_type=nncf.ModelType.TRANSFORMER,
    )
    openvino.save_model(quantized, folder / "encoder.xml")


def main():
    folder = pathlib.Path(sys.argv[1])
    random_checkpoint.make(
        folder / "checkpoint",
        transformers.GlmConfig,
        partial_rotary_factor=1.0,
        attention_bias=False,
    )
    export(folder / "checkpoint", folder / "openvino-int8", "int8")
    export(folder / "checkpoint", folder / "openvino-int4", "int4", "--group-size", "128")
    make_encoder(folder / "openvino-image")


if __name__ == "__main__":
    main()
