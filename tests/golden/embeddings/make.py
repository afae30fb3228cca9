"""Makes the tiny random embedding models of this folder and the embeddings of transformers.

Needs torch, transformers and tokenizers; run it here: python3 make.py MINILM
MINILM is the folder of all-MiniLM-L6-v2 that scripts/fetch-minilm makes. Each <name>/ is a Hugging
Face directory with the files of sentence-transformers. <name>.json, and minilm.json, have
[{"text", "ids", "embedding"}] in float32.
"""

import json
import pathlib
import sys

import tokenizers
import torch
import transformers
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).resolve().parent
TEXTS = [
    "A",
    "The quick brown fox jumps over the lazy dog.",
    "Motion at the front door: a person with a parcel.",
    "Turn the lights in the kitchen off, please!",
    "Plain text, with punctuation; and 12345 digits.",
    "Emoji \U0001f600 flags \U0001f1e9\U0001f1ea end, accents e\u0301 \u00fc",
    "\u4f60\u597d\uff0c\u4e16\u754c\u3002 mixed \u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd",
    "tabs\t\tand  spaces   \n\n\r\n newlines\u00a0nbsp ",
    "look [SEP] alike [CLS] of [MASK] tokens <|endoftext|>",
    "x" * 120,
    " ".join(f"word{i} and number {i}." for i in range(30)),
]
MODULE = "sentence_transformers.models."


def write_modules(folder, pooling, normalize, max_tokens):
    """Writes the files of sentence-transformers."""
    kinds = ["Transformer", "Pooling"] + ["Normalize"] * normalize
    paths = ["", "1_Pooling", "2_Normalize"]
    modules = [
        {"idx": i, "name": str(i), "path": paths[i], "type": MODULE + kind}
        for i, kind in enumerate(kinds)
    ]
    (folder / "modules.json").write_text(json.dumps(modules, indent=1) + "\n")
    (folder / "1_Pooling").mkdir(exist_ok=True)
    flags = {f"pooling_mode_{name}": name == pooling for name in ("mean_tokens", "cls_token", "lasttoken")}
    (folder / "1_Pooling/config.json").write_text(json.dumps(flags, indent=1) + "\n")
    length = {"max_seq_length": max_tokens, "do_lower_case": False}
    (folder / "sentence_bert_config.json").write_text(json.dumps(length) + "\n")


def wordpiece():
    tokenizer = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(
        vocab_size=400, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS * 3, trainer)
    ends = [(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ends
    )
    # Published files cut and pad. The limits of the server are others.
    tokenizer.enable_truncation(16)
    tokenizer.enable_padding(length=16)
    return tokenizer


def byte_level():
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=330, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(TEXTS * 3, trainer)
    tokenizer.add_special_tokens(["<|endoftext|>"])
    end = ("<|endoftext|>", tokenizer.token_to_id("<|endoftext|>"))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A <|endoftext|>", pair="$A $B <|endoftext|>", special_tokens=[end]
    )
    return tokenizer


def randomize(model, seed):
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "norm" in name.lower() and name.endswith("weight"):
                p.copy_(1 + 0.3 * torch.randn_like(p))
            elif name.endswith("bias"):
                p.copy_(0.3 * torch.randn_like(p))
            elif "embed" in name:
                p.copy_(0.25 * torch.randn_like(p))
            else:
                p.copy_(torch.randn_like(p) * 1.2 / p.shape[1] ** 0.5)
    return model.float().eval()


def golden(model, tokenizer, pooling, normalize, max_tokens):
    tokenizer.no_truncation()
    tokenizer.no_padding()
    answers = []
    for text in TEXTS:
        ids = tokenizer.encode(text).ids
        if len(ids) > (max_tokens or 160):
            continue
        with torch.no_grad():
            rows = model(torch.tensor([ids])).last_hidden_state[0]
        pooled = {"mean_tokens": rows.mean(0), "cls_token": rows[0], "lasttoken": rows[-1]}[pooling]
        if normalize:
            pooled = torch.nn.functional.normalize(pooled, dim=0)
        answers.append({"text": text, "ids": ids, "embedding": [round(x, 6) for x in pooled.tolist()]})
    return answers


def save(name, model, tokenizer, pooling, normalize, max_tokens):
    folder = HERE / name
    model.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    write_modules(folder, pooling, normalize, max_tokens)
    write(name, golden(model, tokenizer, pooling, normalize, max_tokens))


def write(name, answers):
    (HERE / f"{name}.json").write_text(json.dumps(answers, indent=0, ensure_ascii=True) + "\n")


def main():
    torch.set_num_threads(1)
    tokenizer = wordpiece()
    sizes = dict(
        vocab_size=tokenizer.get_vocab_size() + 3,
        hidden_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=100,
        max_position_embeddings=160,
    )
    bert = transformers.BertModel(transformers.BertConfig(**sizes), add_pooling_layer=False)
    save("bert", randomize(bert, 1), tokenizer, "mean_tokens", True, 150)
    config = transformers.BertConfig(**sizes, hidden_act="gelu_new")
    masked = randomize(transformers.BertForMaskedLM(config), 2)
    save("bert-cls", masked.bert, tokenizer, "cls_token", False, 0)
    masked.save_pretrained(HERE / "bert-cls")  # with the prefix "bert." and a head
    tokenizer = byte_level()
    config = transformers.Qwen3Config(
        vocab_size=tokenizer.get_vocab_size() + 5,
        hidden_size=64,
        intermediate_size=160,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        max_position_embeddings=256,
        tie_word_embeddings=True,
        eos_token_id=tokenizer.token_to_id("<|endoftext|>"),
    )
    decoder = randomize(transformers.Qwen3Model(config), 3)
    save("qwen3-embedding", decoder, tokenizer, "lasttoken", True, 200)
    config_path = HERE / "qwen3-embedding/config.json"
    written = json.loads(config_path.read_text())
    written["architectures"] = ["Qwen3ForCausalLM"]  # as in published embedding models
    config_path.write_text(json.dumps(written, indent=2) + "\n")
    minilm = pathlib.Path(sys.argv[1])
    tokenizer = tokenizers.Tokenizer.from_file(str(minilm / "tokenizer.json"))
    model = transformers.BertModel.from_pretrained(minilm, add_pooling_layer=False).float().eval()
    write("minilm", golden(model, tokenizer, "mean_tokens", True, 256))


main()
