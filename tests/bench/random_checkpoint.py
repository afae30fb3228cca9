"""A random Hugging Face directory of GLM-Edge-1.5B's dimensions, for the scripts that make models."""

import pathlib
import shutil

import shape
import torch
import transformers

TOKENIZER = pathlib.Path(__file__).resolve().parents[1] / "golden/models/glm-edge"
END_OF_TEXT = 330  # the tokenizer's <|endoftext|>


def make(folder, config_class, **more):
    """Writes bfloat16 weights from a fixed seed. `more` is for the class of the configuration."""
    config = config_class(
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
        eos_token_id=END_OF_TEXT,
        pad_token_id=0,
        **more,
    )
    torch.manual_seed(1)
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    model.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(TOKENIZER / name, folder / name)
