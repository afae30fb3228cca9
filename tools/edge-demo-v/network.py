"""edge-demo-v: a small model of GLM-Edge-V's architecture, made of transformers' SigLIP and GLM and an adapter.

Needs torch, transformers and safetensors.
"""

import json
import math
import pathlib

import tokens
import torch
import transformers
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F

SIDE = 112  # of the prepared image, pixels
WIDTH = 192  # of the tower and of the text model
VISION = dict(
    hidden_size=WIDTH,
    intermediate_size=512,
    num_hidden_layers=6,
    num_attention_heads=4,
    image_size=SIDE,
    patch_size=14,
    layer_norm_eps=1e-6,
)
ADAPTER_INNER = 512
ATTENTION = "eager"  # at these sizes fused attention trains more slowly on a CPU
TOWER_PREFIX = "model.vision.vit.model.vision_model."
ADAPTER_PREFIX = "model.vision.adapter."


def text_config(tokenizer):
    vocabulary = tokenizer.get_vocab_size()
    return transformers.GlmConfig(
        vocab_size=vocabulary,
        hidden_size=WIDTH,
        intermediate_size=512,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=48,
        max_position_embeddings=1024,
        attention_bias=False,
        rms_norm_eps=1e-5,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.token_to_id("<|endoftext|>"),
        eos_token_id=[
            tokenizer.token_to_id(name) for name in ("<|endoftext|>", "<|user|>", "<|observation|>")
        ],
        bos_token_id=None,
        rope_parameters={
            "rope_type": "default",
            "rope_theta": 10000.0,
            "partial_rotary_factor": 1.0,
        },
    )


class LinearProj(nn.Module):
    def __init__(self, wide, inner):
        super().__init__()
        self.linear_proj = nn.Linear(wide, wide, bias=False)
        self.norm1 = nn.LayerNorm(wide)
        self.gate_proj = nn.Linear(wide, inner, bias=False)
        self.dense_h_to_4h = nn.Linear(wide, inner, bias=False)
        self.dense_4h_to_h = nn.Linear(inner, wide, bias=False)

    def forward(self, x):
        x = F.gelu(self.norm1(self.linear_proj(x)))
        return self.dense_4h_to_h(F.silu(self.gate_proj(x)) * self.dense_h_to_4h(x))


class Adapter(nn.Module):
    """Maps [batch, patches, WIDTH] to [batch, patches / 4 + 2, WIDTH]."""

    def __init__(self):
        super().__init__()
        self.boi, self.eoi = (nn.Parameter(0.02 * torch.randn(1, 1, WIDTH)) for _ in range(2))
        self.conv = nn.Conv2d(WIDTH, WIDTH, 2, stride=2)
        self.linear_proj = LinearProj(WIDTH, ADAPTER_INNER)

    def forward(self, patches):
        batch, count, wide = patches.shape
        side = round(count**0.5)
        # The convolution is a matrix product, because its windows do not overlap.
        square = patches.view(batch, side // 2, 2, side // 2, 2, wide)
        square = square.permute(0, 1, 3, 5, 2, 4).reshape(batch, count // 4, wide * 4)
        rows = F.linear(square, self.conv.weight.flatten(1), self.conv.bias)
        rows = self.linear_proj(rows)
        return torch.cat([self.boi.expand(batch, 1, -1), rows, self.eoi.expand(batch, 1, -1)], 1)


def wave_positions(grid, width):
    """Initial position embeddings [grid * grid, width]: sines of both coordinates.

    Neighbouring patches get similar vectors.
    """
    steps = torch.exp(-math.log(40.0) * torch.arange(width // 4) / (width // 4))
    angles = torch.arange(grid)[:, None] * steps[None] * 2
    waves = torch.cat([angles.sin(), angles.cos()], 1)
    rows, columns = waves[:, None].expand(-1, grid, -1), waves[None].expand(grid, -1, -1)
    return torch.cat([rows, columns], 2).reshape(grid * grid, width)


class EdgeDemoV(nn.Module):
    def __init__(self, tokenizer):
        super().__init__()
        vision = transformers.SiglipVisionConfig(**VISION, attn_implementation=ATTENTION)
        self.tower = transformers.SiglipVisionModel(vision)
        for name, p in self.tower.named_parameters():
            if "position_embedding" in name:
                p.data.copy_(wave_positions(SIDE // VISION["patch_size"], WIDTH))
        self.adapter = Adapter()
        config = text_config(tokenizer)
        self.text = transformers.AutoModelForCausalLM.from_config(config, attn_implementation=ATTENTION)
        self.place = tokenizer.token_to_id("<|begin_of_image|>")

    def see(self, pixels):
        """Encodes prepared pixels, u8 [batch, SIDE, SIDE, 3], to (patches, rows)."""
        pixels = pixels.permute(0, 3, 1, 2).float() / 127.5 - 1
        patches = self.tower(pixel_values=pixels).last_hidden_state
        return patches, self.adapter(patches)

    def embed(self, ids, rows):
        """Embeds `ids`. `rows` [images, IMAGE_ROWS, WIDTH] replace the image tokens, in the order of `ids`."""
        embedded = self.text.get_input_embeddings()(ids)
        at = (ids == self.place).nonzero(as_tuple=True)
        return embedded.index_put(at, rows.flatten(0, 1).to(embedded.dtype))

    def forward(self, ids, rows):
        return self.text.model(inputs_embeds=self.embed(ids, rows)).last_hidden_state

    def save(self, folder, tokenizer):
        """Saves the model as a Hugging Face directory of GLM-Edge-V, in bf16."""
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        tensors = dict(self.text.state_dict())
        tensors.pop("lm_head.weight", None)
        for name, tensor in self.tower.state_dict().items():
            name = name.removeprefix("vision_model.")
            if not name.startswith("head.") and "position_ids" not in name:
                tensors[TOWER_PREFIX + name] = tensor
        tensors |= {ADAPTER_PREFIX + k: v for k, v in self.adapter.state_dict().items()}
        tensors = {k: v.bfloat16().contiguous() for k, v in tensors.items()}
        save_file(tensors, folder / "model.safetensors", {"format": "pt"})
        config = self.text.config.to_dict()
        keep = """vocab_size hidden_size intermediate_size num_hidden_layers num_attention_heads
            num_key_value_heads head_dim max_position_embeddings attention_bias rms_norm_eps hidden_act
            tie_word_embeddings pad_token_id eos_token_id rope_parameters model_type""".split()
        config = {key: config[key] for key in keep} | {
            "architectures": ["GlmForCausalLM"],
            "dtype": "bfloat16",
            "rope_theta": 10000.0,
            "partial_rotary_factor": 1.0,
            "boi_token_id": self.place,
            "eoi_token_id": tokenizer.token_to_id("<|end_of_image|>"),
            "vision_config": VISION | {"model_type": "siglip_vision_model"},
        }
        (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
        tokenizer.save(str(folder / "tokenizer.json"))
        (folder / "tokenizer_config.json").write_text(
            json.dumps({"eos_token": "<|endoftext|>", "chat_template": tokens.TEMPLATE}, indent=1) + "\n"
        )
        generation = {"do_sample": False, "eos_token_id": config["eos_token_id"], "plain_decisions": True}
        (folder / "generation_config.json").write_text(json.dumps(generation, indent=1) + "\n")

    @staticmethod
    def load(folder, tokenizer):
        """Loads the files of save(), in float32."""
        model = EdgeDemoV(tokenizer)
        tensors = {k: v.float() for k, v in load_file(pathlib.Path(folder) / "model.safetensors").items()}
        parts = {"tower": {}, "adapter": {}, "text": {}}
        nested = any(k.startswith("vision_model.") for k in model.tower.state_dict())
        for name, tensor in tensors.items():
            if name.startswith(TOWER_PREFIX):
                name = name.removeprefix(TOWER_PREFIX)
                parts["tower"][("vision_model." if nested else "") + name] = tensor
            elif name.startswith(ADAPTER_PREFIX):
                parts["adapter"][name.removeprefix(ADAPTER_PREFIX)] = tensor
            else:
                parts["text"][name] = tensor
        for part, state in parts.items():
            missing, unexpected = getattr(model, part).load_state_dict(state, strict=False)
            missing = [m for m in missing if "head." not in m and "lm_head" not in m]
            assert not missing and not unexpected, (part, missing, unexpected)
        return model.eval()
