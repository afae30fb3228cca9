"""A peer's side of embeddings.py.

usage: peer_embeddings.py KIND MODEL_FOLDER; KIND: onnxruntime, transformers (PyTorch) or
sentence-transformers. Prints "ready". Then prints for each line of input, which is the name of a case of
embedding_texts.py, the seconds that it took. Texts are sorted by length and computed in batches
of 32, as sentence-transformers does, with all processors that this process may use.
"""

import pathlib
import sys
import tempfile

import embedding_texts
import numpy as np

BATCH = 32


def tokenizer_of(folder):
    import tokenizers

    tokenizer = tokenizers.Tokenizer.from_file(str(pathlib.Path(folder) / "tokenizer.json"))
    tokenizer.enable_truncation(256)
    tokenizer.enable_padding()
    return tokenizer


def in_batches(tokenizer, texts, run):
    """Mean pooling and length 1 over what `run` returns for ids and mask."""
    order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
    rows = [None] * len(texts)
    for first in range(0, len(order), BATCH):
        part = order[first : first + BATCH]
        encoded = tokenizer.encode_batch([texts[i] for i in part])
        ids = np.array([e.ids for e in encoded], np.int64)
        mask = np.array([e.attention_mask for e in encoded], np.int64)
        hidden = run(ids, mask)
        weights = mask[..., None].astype(np.float32)
        pooled = (hidden * weights).sum(1) / weights.sum(1)
        pooled /= np.linalg.norm(pooled, axis=1, keepdims=True)
        for i, row in zip(part, pooled, strict=True):
            rows[i] = row
    return np.array(rows)


def load_transformers(folder):
    import torch
    import transformers

    model = transformers.BertModel.from_pretrained(folder, add_pooling_layer=False).float().eval()
    tokenizer = tokenizer_of(folder)

    def run(ids, mask):
        with torch.inference_mode():
            inputs = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}
            return model(**inputs).last_hidden_state.numpy()

    return lambda texts: in_batches(tokenizer, texts, run)


def load_onnxruntime(folder):
    import onnxruntime
    import torch
    import transformers

    model = transformers.BertModel.from_pretrained(
        folder, add_pooling_layer=False, attn_implementation="eager"
    )

    class Rows(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model.float().eval()

        def forward(self, input_ids, attention_mask):
            return self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state

    with tempfile.TemporaryDirectory() as work:
        path = str(pathlib.Path(work) / "model.onnx")
        names = ["input_ids", "attention_mask"]
        sample = (torch.ones(2, 8, dtype=torch.int64), torch.ones(2, 8, dtype=torch.int64))
        axes = {name: {0: "batch", 1: "tokens"} for name in [*names, "rows"]}
        torch.onnx.export(
            Rows(), sample, path, input_names=names, output_names=["rows"], dynamic_axes=axes, dynamo=False
        )
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    tokenizer = tokenizer_of(folder)

    def run(ids, mask):
        return session.run(None, {"input_ids": ids, "attention_mask": mask})[0]

    return lambda texts: in_batches(tokenizer, texts, run)


def load_sentence_transformers(folder):
    import sentence_transformers

    model = sentence_transformers.SentenceTransformer(folder, device="cpu")
    return lambda texts: model.encode(texts, batch_size=BATCH)


def main():
    kind, folder = sys.argv[1:]
    load = {
        "onnxruntime": load_onnxruntime,
        "transformers": load_transformers,
        "sentence-transformers": load_sentence_transformers,
    }[kind]
    embed = load(folder)
    print("ready", flush=True)
    for line in sys.stdin:
        print(embedding_texts.measure(embed, line.strip()), flush=True)


if __name__ == "__main__":
    main()
