"""Makes the tiny random GLM-Edge-V checkpoints of this folder and their float32 answers.

Needs torch, transformers, tokenizers, gguf and pillow; run it here: python3 make.py
Each <name>/ is a Hugging Face directory; glm-edge-v.gguf and glm-edge-v.mmproj.gguf hold the first
one's weights. <name>.json has {"images": [{"file", "text", "top": [[id, log-probability] ... 20],
"prompt_tokens"}], "pattern": the rows of an image that a formula gives}, from transformers' SigLIP
and GLM and the adapter below, in float32.
"""

import importlib.util
import json
import math
import pathlib

import gguf
import numpy as np
import torch
import transformers
from PIL import Image, ImageDraw
from safetensors.torch import save_file
from torch import nn

HERE = pathlib.Path(__file__).resolve().parent
spec = importlib.util.spec_from_file_location("text_models", HERE.parent / "models" / "make.py")
text_models = importlib.util.module_from_spec(spec)
spec.loader.exec_module(text_models)

IMAGE = "<|begin_of_image|>"
text_models.SPECIALS += [IMAGE, "<|end_of_image|>"]
TEMPLATE = (
    "{%% for m in messages %%}<|{{ m.role }}|>\n"
    "{%% if m.content is string %%}{{ m.content }}{%% else %%}"
    "{%% for part in m.content %%}{%% if part.type == 'image' %%}"
    "{%% for _ in range(%d) %%}<|begin_of_image|>{%% endfor %%}"
    "{%% elif part.type == 'text' %%}{{ part.text }}{%% endif %%}{%% endfor %%}{%% endif %%}"
    "{%% endfor %%}{%% if add_generation_prompt %%}<|assistant|>\n{%% endif %%}"
)
TOWER = "model.vision.vit.model.vision_model."
ADAPTER = "model.vision.adapter."


class LinearProj(nn.Module):
    def __init__(self, wide, inner):
        super().__init__()
        self.linear_proj = nn.Linear(wide, wide, bias=False)
        self.norm1 = nn.LayerNorm(wide)
        self.gate_proj = nn.Linear(wide, inner, bias=False)
        self.dense_h_to_4h = nn.Linear(wide, inner, bias=False)
        self.dense_4h_to_h = nn.Linear(inner, wide, bias=False)

    def forward(self, x):
        x = nn.functional.gelu(self.norm1(self.linear_proj(x)))
        return self.dense_4h_to_h(nn.functional.silu(self.gate_proj(x)) * self.dense_h_to_4h(x))


class Adapter(nn.Module):
    def __init__(self, vision, wide, inner):
        super().__init__()
        self.boi, self.eoi = (nn.Parameter(torch.zeros(1, 1, wide)) for _ in range(2))
        self.conv = nn.Conv2d(vision, wide, 2, stride=2)
        self.linear_proj = LinearProj(wide, inner)

    def forward(self, patches):
        batch, count, wide = patches.shape
        side = round(count**0.5)
        rows = self.conv(patches.transpose(1, 2).reshape(batch, wide, side, side))
        rows = self.linear_proj(rows.flatten(2).transpose(1, 2))
        return torch.cat([self.boi.expand(batch, 1, -1), rows, self.eoi.expand(batch, 1, -1)], 1)


def randomize(module, gain):
    with torch.no_grad():
        for name, p in module.named_parameters():
            if "norm" in name and name.endswith("weight"):
                p.copy_(1 + 0.3 * torch.randn_like(p))
            elif name.endswith("bias"):
                p.copy_(0.2 * torch.randn_like(p))
            elif "boi" in name or "eoi" in name or "position" in name:
                p.copy_(0.5 * torch.randn_like(p))
            else:
                p.copy_(torch.randn_like(p) * gain / p[0].numel() ** 0.5)
            p.copy_(p.bfloat16().float())
    return module.float().eval()


def images():
    """Makes square, wide, tall and tiny images. The last is grey, and one has a palette."""
    generator = np.random.default_rng(4)
    for name, size, mode in [
        ("square", (120, 120), "RGB"),
        ("wide", (150, 61), "RGB"),
        ("tall", (37, 90), "P"),
        ("tiny", (5, 3), "RGB"),
        ("grey", (84, 84), "L"),
    ]:
        noise = generator.integers(0, 60, (size[1], size[0], 3), dtype=np.uint8)
        image = Image.fromarray(noise)
        draw = ImageDraw.Draw(image)
        for _ in range(6):
            corner = [int(generator.integers(0, side)) for side in size]
            box = (*corner, corner[0] + size[0] // 3, corner[1] + size[1] // 4)
            draw.rectangle(box, fill=tuple(int(v) for v in generator.integers(0, 256, 3)))
        yield name, image.convert(mode)


def prepare(image, size):
    """Prepares an image as GLM-Edge-V's processor does: longer side `size`, at the top left, zeros elsewhere."""
    image = image.convert("RGB")
    width, height = image.size  # from here on get_image_size_fit_to_canvas
    if size / width < size / height:
        new = [size, min(math.floor(height * (size / width)) or 1, size)]
    else:
        new = [min(math.floor(width * (size / height)) or 1, size), size]
    canvas = np.zeros((size, size, 3), np.uint8)
    canvas[: new[1], : new[0]] = np.asarray(image.resize(new, Image.Resampling.BICUBIC))
    return canvas


def rows_of(tower, adapter, canvas):
    pixels = torch.from_numpy(canvas).permute(2, 0, 1)[None].float() / 255
    with torch.no_grad():
        return adapter(tower(pixel_values=(pixels - 0.5) / 0.5).last_hidden_state)


def golden(model, tower, adapter, tokenizer, size):
    image = tokenizer.token_to_id(IMAGE)
    role = {name: tokenizer.token_to_id(f"<|{name}|>") for name in ("user", "assistant")}
    text_ids = lambda text: tokenizer.encode(text, add_special_tokens=False).ids  # noqa: E731
    answers = []
    for name, image in images():
        rows = rows_of(tower, adapter, prepare(image, size))
        question = f"What is {name}? 12"
        for before in (True, False):
            place = [image] * rows.shape[1]
            head = [role["user"], *text_ids("\n")]
            tail = [role["assistant"], *text_ids("\n")]
            # Text that comes first is encoded together with the newline before it.
            if before:
                ids = head + place + text_ids(question) + tail
            else:
                ids = [role["user"], *text_ids("\n" + question), *place, *tail]
            ids = torch.tensor([ids])
            embedded = model.get_input_embeddings()(ids).detach().clone()
            embedded[ids == image] = rows[0]
            with torch.no_grad():
                logits = model(inputs_embeds=embedded).logits[0, -1].double()
            top = torch.log_softmax(logits, 0).topk(20)
            pairs = [[i, round(v, 5)] for i, v in zip(top.indices.tolist(), top.values.tolist())]
            answers.append(
                {
                    "file": f"{name}.png",
                    "text": question,
                    "image_first": before,
                    "prompt_tokens": ids.shape[1],
                    "top": pairs,
                }
            )
    count = size * size * 3
    pattern = ((np.arange(count, dtype=np.int64) * 7919 >> 3) & 255).astype(np.uint8)
    rows = rows_of(tower, adapter, pattern.reshape(size, size, 3))[0]
    return {"images": answers, "pattern": [[round(v, 5) for v in row] for row in rows.tolist()]}


MMPROJ = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.out_proj": "attn_out",
    "layer_norm1": "ln1",
    "layer_norm2": "ln2",
    "mlp.fc1": "ffn_down",  # the converter swaps these two
    "mlp.fc2": "ffn_up",
}


def write_mmproj(path, vision, tensors):
    w = gguf.GGUFWriter(path, "clip")
    w.add_string("clip.projector_type", "adapter")
    w.add_bool("clip.has_vision_encoder", True)
    w.add_uint32("clip.vision.image_size", vision["image_size"])
    w.add_uint32("clip.vision.patch_size", vision["patch_size"])
    w.add_uint32("clip.vision.embedding_length", vision["hidden_size"])
    w.add_uint32("clip.vision.feed_forward_length", vision["intermediate_size"])
    w.add_uint32("clip.vision.block_count", vision["num_hidden_layers"])
    w.add_uint32("clip.vision.attention.head_count", vision["num_attention_heads"])
    w.add_float32("clip.vision.attention.layer_norm_epsilon", 1e-6)
    w.add_array("clip.vision.image_mean", [0.5, 0.5, 0.5])
    w.add_array("clip.vision.image_std", [0.5, 0.5, 0.5])
    for name, tensor in tensors.items():
        data = tensor.numpy().astype(np.float32)
        if name.startswith(TOWER + "encoder.layers."):
            layer, rest = name[len(TOWER + "encoder.layers.") :].split(".", 1)
            stem, kind = rest.rsplit(".", 1)
            new = f"v.blk.{layer}.{MMPROJ[stem]}.{kind}"
        elif name.startswith(TOWER):
            new = name.replace(TOWER, "").replace("embeddings.patch_embedding", "v.patch_embd")
            new = new.replace("embeddings.position_embedding", "v.position_embd")
            new = new.replace("post_layernorm", "v.post_ln")
        elif name.startswith(ADAPTER):
            new = name.replace(ADAPTER, "adapter.").replace("linear_proj.", "linear.", 1)
            new = new.replace("linear.linear_proj", "linear.linear").replace("gate_proj", "gate")
        else:
            continue
        if data.ndim > 1 and "oi" not in new and "position" not in new:
            data = data.astype(np.float16)
        w.add_tensor(new, np.ascontiguousarray(data))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def build(name, seed, text_config, vision, tokenizer):
    torch.manual_seed(seed)
    model = text_models.make_model(text_config, seed)
    tower = transformers.SiglipVisionModel(transformers.SiglipVisionConfig(**vision))
    tower = randomize(tower, 1.2)
    adapter = Adapter(vision["hidden_size"], text_config.hidden_size, 136)
    adapter = randomize(adapter, 1.0)
    (HERE / f"{name}.json").write_text(
        json.dumps(golden(model, tower, adapter, tokenizer, vision["image_size"]))
    )
    tensors = dict(model.state_dict())
    if text_config.tie_word_embeddings:
        tensors.pop("lm_head.weight", None)
    for key, tensor in tower.state_dict().items():
        key = key.removeprefix("vision_model.")
        if not key.startswith("head.") and "position_ids" not in key:
            tensors[TOWER + key] = tensor
    tensors |= {ADAPTER + key: tensor for key, tensor in adapter.state_dict().items()}
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    save_file({k: v.bfloat16().contiguous() for k, v in tensors.items()}, folder / "model.safetensors")
    rows = (vision["image_size"] // vision["patch_size"] // 2) ** 2 + 2
    config = text_config.to_dict() | {
        "architectures": ["GlmForCausalLM"],
        "boi_token_id": tokenizer.token_to_id(IMAGE),
        "eoi_token_id": tokenizer.token_to_id("<|end_of_image|>"),
        "vision_config": vision | {"model_type": "siglip_vision_model"},
    }
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"eos_token": "<|endoftext|>", "chat_template": TEMPLATE % rows})
    )
    if name == "glm-edge-v":
        text_models.TEMPLATE = TEMPLATE % rows
        text_models.write_gguf(str(HERE / f"{name}.gguf"), "chatglm", model, tokenizer)
        write_mmproj(str(HERE / f"{name}.mmproj.gguf"), vision, tensors)


def main():
    for name, image in images():
        image.save(HERE / f"{name}.png")
    tokenizer = text_models.make_tokenizer()
    common = dict(
        **text_models.COMMON,
        vocab_size=tokenizer.get_vocab_size() + 3,
        eos_token_id=tokenizer.token_to_id("<|endoftext|>"),
        attention_bias=False,
        rms_norm_eps=1e-5,
        rope_parameters={
            "rope_type": "default",
            "rope_theta": 10000.0,
            "partial_rotary_factor": 1.0,
        },
    )
    vision = dict(
        hidden_size=144,
        intermediate_size=280,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=84,
        patch_size=14,
    )
    tied = transformers.GlmConfig(**common, tie_word_embeddings=True)
    build("glm-edge-v", 1, tied, vision, tokenizer)
    # A grid of odd sides: its last row and column reach the text model through attention alone.
    odd = vision | dict(hidden_size=60, num_attention_heads=3, num_hidden_layers=3, image_size=98)
    untied = transformers.GlmConfig(**common, tie_word_embeddings=False)
    build("glm-edge-v-odd", 2, untied, odd, tokenizer)


if __name__ == "__main__":
    main()
