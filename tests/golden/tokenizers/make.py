"""Makes tokenizers.json: small tokenizers of several kinds, and the ids that the published code gives.

Needs sentencepiece, tokenizers and transformers; run it here: python3 make.py
A list of {"name", "kind", ..., "texts": [{"text", "plain", "decoded", "parsed"}]}.
`kind` is "sentencepiece"
("model" in base64, "config"), "huggingface" ("model" is a tokenizer.json) or "gguf" ("vocab" as in
engine/text/tokenizer_assets.h). `plain`: special tokens' look-alikes are text; `parsed`: they are
special tokens, and the tokens that the tokenizer adds are included. `decoded`: the text of `plain`.
"""

import base64
import io
import json
import pathlib
import tempfile

import sentencepiece
import tokenizers
import transformers
from tokenizers import decoders, models, normalizers, pre_tokenizers, trainers

HERE = pathlib.Path(__file__).resolve().parent
SPECIALS = ["<|endoftext|>", "<|user|>"]
CORPUS = [
    "Plain text, with punctuation; and 12345 digits.",
    " leading space and  two  between ",
    "Emoji \U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467 end",
    "\u4f60\u597d\uff0c\u4e16\u754c\u3002\u65e5\u672c\u8a9e mixed",
    "tabs\t\tand   \n\n\r\n newlines\u00a0nbsp ",
    "accents e\u0301 \u00fc \u0645\u0631\u062d\u0628\u0627",
    "don't I'LL we've 3.14159 1,000,000",
    "",
    " ",
]
LOOK_ALIKES = ["look <|user|> alike <|endoftext|>x", "<|user|>hello <|user|> again", "</s> <s>a"]
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|"
    r"\s*[\r\n]+|\s+(?!\S)|\s+"
)


def byte_level(pre_tokenizer, normalizer=None, ignore_merges=False):
    tokenizer = tokenizers.Tokenizer(models.BPE(ignore_merges=ignore_merges))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=360, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(CORPUS * 3, trainer)
    tokenizer.add_special_tokens(SPECIALS)
    return tokenizer


def texts_of(tokenizer, texts, bos=()):
    out = []
    for text in texts:
        tokenizer.encode_special_tokens = True
        plain = tokenizer.encode(text, add_special_tokens=False).ids
        tokenizer.encode_special_tokens = False
        parsed = tokenizer.encode(text, add_special_tokens=False).ids
        decoded = tokenizer.decode(plain)
        out.append({"text": text, "plain": plain, "decoded": decoded, "parsed": [*bos, *parsed]})
    return out


def split(pattern):
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(tokenizers.Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


def gguf_case(pre, tokenizer):
    """The vocabulary as llama.cpp's converter writes it."""
    state = json.loads(tokenizer.to_str())["model"]
    names = [tokenizer.id_to_token(i) for i in range(tokenizer.get_vocab_size())]
    vocab = {
        "model": "gpt2",
        "pre": pre,
        "tokens": names,
        "types": [3 if n in SPECIALS else 1 for n in names],
        "merges": [m if isinstance(m, str) else " ".join(m) for m in state["merges"]],
        "bos": names.index("<|endoftext|>"),
    }
    bos = [vocab["bos"]] if pre == "llama-bpe" else []
    texts = texts_of(tokenizer, CORPUS + LOOK_ALIKES, bos)
    return {"name": f"gguf {pre}", "kind": "gguf", "vocab": vocab, "texts": texts}


def byte_level_cases():
    plain = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    digits = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), plain])
    qwen = split(LLAMA3.replace("{1,3}", ""))
    yield gguf_case("gpt-2", byte_level(plain))
    yield gguf_case("smollm", byte_level(digits))
    yield gguf_case("llama-bpe", byte_level(split(LLAMA3), ignore_merges=True))
    yield gguf_case("qwen2", byte_level(qwen, normalizers.NFC()))
    yield gguf_case("chatglm-bpe", byte_level(split(LLAMA3)))


def train_sentencepiece(kind):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([line for line in CORPUS if line.strip()] * 4),
        model_writer=model,
        model_type=kind,
        vocab_size=380,
        byte_fallback=True,
        character_coverage=0.98,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        add_dummy_prefix=True,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    return model.getvalue()


def is_tie(processor, text):
    """True if two segmentations are equally likely. Versions of the library then differ."""
    best = processor.nbest_encode(text, nbest_size=2, return_type="proto").nbests
    return len(best) > 1 and abs(best[0].score - best[1].score) < 1e-3


def sentencepiece_texts(processor, unigram=False):
    out = []
    for text in CORPUS:
        if unigram and is_tie(processor, text):
            continue
        ids = processor.encode(text)
        parsed = [processor.bos_id(), *ids]
        out.append({"text": text, "plain": ids, "decoded": processor.decode(ids), "parsed": parsed})
    return out


def sentencepiece_case(kind):
    model = train_sentencepiece(kind)
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    texts = sentencepiece_texts(processor, kind == "unigram")
    encoded = base64.b64encode(model).decode()
    case = {"name": f"sentencepiece {kind}", "kind": "sentencepiece", "texts": texts}
    return {**case, "model": encoded, "config": json.dumps({"add_bos_token": True})}


def gguf_sentencepiece_case():
    processor = sentencepiece.SentencePieceProcessor(model_proto=train_sentencepiece("bpe"))
    size = processor.get_piece_size()

    def kind(i):
        if processor.is_unknown(i):
            return 2
        return 3 if processor.is_control(i) else 6 if processor.is_byte(i) else 1

    vocab = {
        "model": "llama",
        "pre": "default",
        "tokens": [processor.id_to_piece(i) for i in range(size)],
        "scores": [processor.get_score(i) for i in range(size)],
        "types": [kind(i) for i in range(size)],
        "merges": [],
        "bos": processor.bos_id(),
        "unk": processor.unk_id(),
    }
    texts = sentencepiece_texts(processor)
    return {"name": "gguf llama", "kind": "gguf", "vocab": vocab, "texts": texts}


def llama2_case(legacy):
    """tokenizer.json as transformers makes it from a tokenizer.model."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        (path / "tokenizer.model").write_bytes(train_sentencepiece("bpe"))
        config = {"tokenizer_class": "LlamaTokenizer", "legacy": legacy}
        (path / "tokenizer_config.json").write_text(json.dumps(config))
        (path / "config.json").write_text(json.dumps({"model_type": "llama"}))
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder).backend_tokenizer
    texts = texts_of(tokenizer, CORPUS + LOOK_ALIKES)
    for text in texts:
        text["parsed"] = tokenizer.encode(text["text"]).ids
    name = "legacy" if legacy else "prefix first"
    model = tokenizer.to_str()
    return {"name": f"llama 2, {name}", "kind": "huggingface", "model": model, "texts": texts}


def main():
    cases = list(byte_level_cases())
    cases += [sentencepiece_case(kind) for kind in ("bpe", "unigram")]
    cases += [gguf_sentencepiece_case(), llama2_case(True), llama2_case(False)]
    lines = ",\n".join(json.dumps(case) for case in cases)
    (HERE / "tokenizers.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
