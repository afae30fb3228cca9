"""Requests for embeddings and ranks with invalid or excessive members."""

from case import REFUSED, Case
from generate import array, join, nested, numbered, numbers, repeat

MIB = 1 << 20
EMBED, RERANK, OLLAMA = "/v1/embeddings", "/v1/rerank", "/api/embed"
# A refusal, or the whole answer.
TOO_MUCH = (200, 400)


def embed(name, change, **more):
    body = {"model": "bert", "input": "a text", **change}
    return Case(name, "embeddings", EMBED, body=body, **{"names": tuple(change)[:1], **more})


def ollama(name, change, **more):
    body = {"model": "bert", "input": "a text", **change}
    return Case(name, "embeddings", OLLAMA, body=body, **{"names": tuple(change)[:1], **more})


def rerank(name, change, **more):
    body = {"model": "bert", "query": "a", "documents": ["b"], **change}
    return Case(name, "rerank", RERANK, body=body, **{"names": tuple(change)[:1], **more})


CASES = [
    embed("2,049 texts", {"input": array("a", 2049)}, expect=REFUSED),
    embed("2,048 texts", {"input": array("a b c", 2048)}, expect=(200,)),
    embed("60,000 empty texts", {"input": array("", 60000)}, expect=REFUSED),
    embed("2 million texts", {"input": array("a", 2000000)}, expect=REFUSED,
          names=("input", "node", "value")),
    embed("15 MB of one letter", {"input": repeat("x", 15 * MIB)}, expect=REFUSED),
    embed("1 MB of one letter, cut", {"input": repeat("x", MIB), "truncate_prompt_tokens": -1},
          expect=TOO_MUCH),
    embed("1 MB of words, cut", {"input": repeat("a ", MIB // 2), "truncate_prompt_tokens": -1},
          expect=TOO_MUCH),
    embed("1 MB of blanks", {"input": repeat(" ", MIB)}, expect=TOO_MUCH),
    embed("1 MB of combining marks, cut",
          {"input": join("a", repeat("\u0301", MIB // 2 - 8)), "truncate_prompt_tokens": 5},
          expect=TOO_MUCH),
    embed("1 MB of CJK, cut",
          {"input": repeat("\u4f60", MIB // 3 - 8), "truncate_prompt_tokens": -1}, expect=TOO_MUCH),
    embed("15 texts of 1 MB, cut",
          {"input": array(repeat("a ", MIB // 2 - 8), 15), "truncate_prompt_tokens": -1},
          expect=TOO_MUCH, wall_s=20.0, cpu_s=15.0),
    embed("2 million token ids", {"input": numbers(2000000)}, expect=REFUSED,
          names=("input", "value")),
    embed("2 million token ids, cut",
          {"input": [5] * 200000, "truncate_prompt_tokens": -1}, expect=TOO_MUCH),
    embed("2,048 arrays of 900 ids", {"input": array(list(range(5, 105)) * 9, 2048)},
          expect=REFUSED, names=("input", "value")),
    embed("deep input", {"input": nested("[", "]", 5000)}, expect=REFUSED,
          names=("input", "nest", "deep", "depth")),
    embed("ids and texts", {"input": [[5], "a", 5]}, expect=REFUSED),
    embed("negative ids", {"input": [-5]}, expect=REFUSED),
    embed("ids beyond 64 bits", {"input": [2**64]}, expect=REFUSED, names=("input", "integer", "64")),
    embed("dimensions of 2^62", {"dimensions": 2**62}, expect=REFUSED),
    embed("truncation of -2", {"truncate_prompt_tokens": -2}, expect=REFUSED),
    embed("a format of 1 MB", {"encoding_format": repeat("f", MIB)}, expect=REFUSED),
    embed("a model of 1 MB", {"model": repeat("m", MIB)}, expect=(404,)),
    embed("a chat model", {"model": "smol"}, expect=REFUSED),
    embed("64 batches at once", {"input": array("some words for a batch", 512)}, expect=TOO_MUCH,
          count=64, wall_s=30.0, cpu_s=40.0),
    embed("clients that leave", {"input": array("some words for a batch", 2048)}, count=16,
          leave="sent", leave_s=0.05, wall_s=30.0, cpu_s=40.0),
    ollama("Ollama: 2,049 texts", {"input": array("a", 2049)}, expect=REFUSED),
    ollama("Ollama: 2,048 texts", {"input": array("a b c", 2048)}, expect=(200,)),
    ollama("Ollama: 2,048 empty texts", {"input": array("", 2048)}, expect=TOO_MUCH),
    ollama("Ollama: 1 MB of words", {"input": repeat("a ", MIB // 2)}, expect=TOO_MUCH),
    ollama("Ollama: deep options", {"options": {"a": nested("[", "]", 5000)}}, expect=REFUSED,
           names=("options", "nest", "deep", "depth")),
    ollama("Ollama: 100,000 options", {"options": {"stop": array("a", 100000)}}, expect=TOO_MUCH),
    rerank("2,049 documents", {"documents": array("a", 2049)}, expect=REFUSED),
    rerank("2,048 documents", {"documents": array("a b c", 2048)}, expect=(200,)),
    rerank("documents that are objects", {"documents": array({"text": "a"}, 2048)}, expect=(200,)),
    rerank("documents of documents", {"documents": [{"text": {"text": "a"}}]}, expect=REFUSED),
    rerank("a query of 15 MB", {"query": repeat("q ", 7 * MIB)}, expect=REFUSED),
    rerank("titles of 1 MB", {"documents": numbered("d{}", 2048), "top_n": 2**62}, expect=REFUSED,
           names=("top_n",)),
]
