"""Makes the tiny random checkpoints of this folder and their float32 answers.

Needs torch, transformers, tokenizers and gguf; run it here: python3 make.py
Each <name>/ is a Hugging Face directory. <name>.gguf has the same weights. <name>.json has
{"prompts": [{"ids": [...], "top": [[id, log-probability], ... 20]}], "texts": [{"text", "plain",
"parsed"}]} from transformers in float32.
"""

import json
import pathlib

import gguf
import numpy as np
import tokenizers
import torch
import transformers
from tokenizers import decoders, models, pre_tokenizers, trainers

HERE = pathlib.Path(__file__).resolve().parent
SPECIALS = ["<|endoftext|>", "<|system|>", "<|user|>", "<|assistant|>", "<|observation|>"]
TEMPLATE = (
    "{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
CORPUS = [
    "Plain text, with punctuation; and 12345 digits.",
    "Emoji \U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467 flags \U0001f1e9\U0001f1ea end",
    "\u4f60\u597d\uff0c\u4e16\u754c\u3002\u65e5\u672c\u8a9e\u3082 mixed",
    "tabs\t\tand  spaces   \n\n\r\n newlines\u00a0nbsp ",
    "look <|user|> alike <|endoftext|><|assistant|>x",
    "accents e\u0301 \u00fc \u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd",
    "  don't I'LL we've 3.14159 1,000,000",
]
COMMON = dict(
    hidden_size=72,
    intermediate_size=200,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    head_dim=24,
    max_position_embeddings=256,
    pad_token_id=0,
)


def make_tokenizer():
    pattern = (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
        r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    )
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(tokenizers.Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=330, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS * 3, trainer)
    tokenizer.add_special_tokens(SPECIALS)
    return tokenizer


def make_model(config, seed):
    torch.manual_seed(seed)
    model = transformers.AutoModelForCausalLM.from_config(config).float().eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "norm" in name:
                p.copy_(1 + 0.3 * torch.randn_like(p))
            elif name.endswith("bias"):
                p.copy_(0.3 * torch.randn_like(p))
            elif "embed" in name or "lm_head" in name:
                p.copy_(0.25 * torch.randn_like(p))
            else:
                p.copy_(torch.randn_like(p) * 1.2 / p.shape[1] ** 0.5)
            p.copy_(p.bfloat16().float())  # rounds to values that the checkpoint can store
    return model


def golden(model, tokenizer):
    generator = np.random.default_rng(5)
    prompts = []
    for length in (1, 5, 40, 150):
        ids = generator.integers(0, 300, length).tolist()
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0, -1].double()
        top = torch.log_softmax(logits, 0).topk(20)
        pairs = [[i, round(v, 5)] for i, v in zip(top.indices.tolist(), top.values.tolist())]
        prompts.append({"ids": ids, "top": pairs})
    texts = []
    for text in CORPUS:
        tokenizer.encode_special_tokens = True
        plain = tokenizer.encode(text, add_special_tokens=False).ids
        tokenizer.encode_special_tokens = False
        parsed = tokenizer.encode(text, add_special_tokens=False).ids
        texts.append({"text": text, "plain": plain, "parsed": parsed})
    return {"prompts": prompts, "texts": texts}


def permute(w, heads):
    """Permutes rows from the half-split to the interleaved rope layout, as llama.cpp's converter does."""
    return w.reshape(heads, 2, w.shape[0] // heads // 2, *w.shape[1:]).swapaxes(1, 2).reshape(w.shape)


def llama3_factors(rope, head_dim):
    """Returns the divisor of each rotary frequency, as llama.cpp's converter writes it."""
    low, high = rope["low_freq_factor"], rope["high_freq_factor"]
    original = rope["original_max_position_embeddings"]
    factors = []
    for i in range(0, head_dim, 2):
        wavelength = 2 * np.pi * rope["rope_theta"] ** (i / head_dim)
        smooth = min(max((original / wavelength - low) / (high - low), 0), 1)
        factors.append(1 / ((1 - smooth) / rope["factor"] + smooth))
    return np.array(factors, dtype=np.float32)


GGUF_NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "mlp.gate_up_proj": "ffn_up",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}


def write_gguf(path, arch, model, tokenizer):
    c = model.config
    w = gguf.GGUFWriter(path, arch)
    w.add_context_length(c.max_position_embeddings)
    w.add_embedding_length(c.hidden_size)
    w.add_block_count(c.num_hidden_layers)
    w.add_feed_forward_length(c.intermediate_size)
    w.add_head_count(c.num_attention_heads)
    w.add_head_count_kv(c.num_key_value_heads)
    w.add_layer_norm_rms_eps(c.rms_norm_eps)
    w.add_key_length(c.head_dim)
    rope = c.rope_parameters
    w.add_rope_freq_base(rope["rope_theta"])
    w.add_rope_dimension_count(int(c.head_dim * rope.get("partial_rotary_factor", 1.0)))
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("glm4")
    size = tokenizer.get_vocab_size()
    w.add_token_list([tokenizer.id_to_token(i) for i in range(size)])
    w.add_token_types([3 if tokenizer.id_to_token(i) in SPECIALS else 1 for i in range(size)])
    state = json.loads(tokenizer.to_str())["model"]
    w.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in state["merges"]])
    w.add_eos_token_id(tokenizer.token_to_id("<|endoftext|>"))
    w.add_chat_template(TEMPLATE)
    if rope["rope_type"] == "llama3":
        w.add_tensor("rope_freqs.weight", llama3_factors(rope, c.head_dim))
    state = model.state_dict()
    for name, tensor in state.items():
        data = tensor.numpy().astype(np.float32)
        stem, kind = name.rsplit(".", 1)
        if name == "lm_head.weight" and c.tie_word_embeddings:
            continue
        if stem.startswith("model.layers."):
            layer, part = stem[13:].split(".", 1)
            stem = f"blk.{layer}.{GGUF_NAMES[part]}"
            if arch == "llama" and part in ("self_attn.q_proj", "self_attn.k_proj"):
                heads = c.num_attention_heads if "q_proj" in part else c.num_key_value_heads
                data = permute(data, heads)
        else:
            stem = {
                "model.embed_tokens": "token_embd",
                "model.norm": "output_norm",
                "lm_head": "output",
            }[stem]
        if data.ndim == 2:
            data = data.astype(np.float16)
        w.add_tensor(f"{stem}.{kind}", np.ascontiguousarray(data))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def main():
    tokenizer = make_tokenizer()
    vocab = tokenizer.get_vocab_size() + 3  # rows that no token has
    eos = tokenizer.token_to_id("<|endoftext|>")
    rope = {"rope_type": "default", "rope_theta": 10000.0}
    common = dict(**COMMON, vocab_size=vocab, eos_token_id=eos)
    llama3 = dict(
        rope_type="llama3",
        rope_theta=10000.0,
        factor=8.0,
        low_freq_factor=1.0,
        high_freq_factor=4.0,
        original_max_position_embeddings=64,
    )
    configs = {
        "glm-edge": (
            "chatglm",
            transformers.GlmConfig(
                **common,
                tie_word_embeddings=True,
                attention_bias=False,
                rms_norm_eps=1e-5,
                rope_parameters={**rope, "partial_rotary_factor": 1.0},
            ),
        ),
        "glm4-9b": (
            "chatglm",
            transformers.GlmConfig(
                **{**common, "head_dim": 32},
                attention_bias=True,
                rms_norm_eps=1.5625e-7,
                rope_parameters={**rope, "partial_rotary_factor": 0.5},
            ),
        ),
        "llama-tied": (
            "llama",
            transformers.LlamaConfig(**common, tie_word_embeddings=True, rope_parameters=rope),
        ),
        "llama3": ("llama", transformers.LlamaConfig(**common, rope_parameters=llama3)),
        "qwen2": (
            "qwen2",
            transformers.Qwen2Config(**{**common, "head_dim": 18}, rope_parameters=rope),
        ),
        "qwen3": ("qwen3", transformers.Qwen3Config(**common, rope_parameters=rope)),
    }
    for seed, (name, (arch, config)) in enumerate(configs.items()):
        model = make_model(config, seed)
        (HERE / f"{name}.json").write_text(json.dumps(golden(model, tokenizer)))
        if arch:
            write_gguf(str(HERE / f"{name}.gguf"), arch, model, tokenizer)
        folder = HERE / name
        model.to(torch.bfloat16).save_pretrained(folder)
        tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
        (folder / "tokenizer_config.json").write_text(
            json.dumps({"eos_token": "<|endoftext|>", "chat_template": TEMPLATE})
        )
        top = json.loads((HERE / f"{name}.json").read_text())["prompts"][2]["top"]
        print(name, "most likely log-probability", top[0][1])


if __name__ == "__main__":
    main()
