"""Makes cases.json: the tokens that the sampler must choose, computed by NumPy in double precision.

    python3 tests/golden/sampling/make.py

The order of operations is vLLM's: logit bias, repetition penalty, frequency and presence penalty,
temperature, min_p, top_k, top_p, a draw. The uniform number of a draw comes from Philox4x32-10
(Salmon et al. 2011), written here a second time and checked by the vectors of its authors. Cases
whose draw is within 1e-5 of another token's are left out.
"""

import json
import pathlib

import numpy as np

CASES = 300
VOCABULARY = 40
MARGIN = 1e-5
KNOWN_ANSWERS = [  # kat_vectors of Random123: counter, key, result
    ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
]


def philox(counter, key):
    """Ten rounds of Philox4x32."""
    c, k = list(counter), list(key)
    for _ in range(10):
        first, second = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [
            (second >> 32) ^ c[1] ^ k[0],
            second & 0xFFFFFFFF,
            (first >> 32) ^ c[3] ^ k[1],
            first & 0xFFFFFFFF,
        ]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def uniform(seed, position):
    words = philox(
        [position & 0xFFFFFFFF, position >> 32, 0, 0], [seed & 0xFFFFFFFF, seed >> 32]
    )
    return ((words[1] << 32 | words[0]) >> 11) / 2**53


def adjusted(case):
    row = np.array(case["logits"], dtype=np.float32).astype(np.float64)
    for token, bias in case["logit_bias"]:
        row[token] += bias
    seen = set(case["prompt"]) | {token for token, _ in case["output"]}
    for token in seen:
        penalty = case["repetition_penalty"]
        row[token] = row[token] / penalty if row[token] > 0 else row[token] * penalty
    for token, count in case["output"]:
        row[token] -= case["frequency_penalty"] * count + case["presence_penalty"]
    row[case["forbidden"]] = -np.inf
    return row


def kept(row, case):
    """Returns the probabilities of the tokens that the filters keep, and the distance to another choice."""
    scaled = row / case["temperature"]
    p = np.exp(scaled - scaled.max())
    near = np.inf
    if case["min_p"] > 0:
        near = min(near, np.abs(p / p.max() - case["min_p"]).min())
        p[p < case["min_p"] * p.max()] = 0
    order = np.lexsort((np.arange(len(p)), -row))
    if case["top_k"] > 0:
        p[order[case["top_k"] :]] = 0
    p /= p.sum()
    if case["top_p"] < 1:
        sums = np.cumsum(p[order])
        near = min(near, np.abs(sums - case["top_p"]).min())
        enough = int(np.argmax(sums >= case["top_p"]))
        p[order[enough + 1 :]] = 0
    return p / p.sum(), order, near


def expected(case):
    """Returns the token. None: rounding could decide."""
    row = adjusted(case)
    if case["temperature"] == 0:
        largest = np.sort(row)[-2:]
        return None if largest[1] - largest[0] < MARGIN else int(row.argmax())
    p, order, near = kept(row, case)
    sums = np.cumsum(p[order])
    draw = uniform(case["seed"], case["position"])
    if min(near, np.abs(sums - draw).min()) < MARGIN:
        return None
    return int(order[np.argmax(sums > draw)])


def random_case(rng):
    def sometimes(value, otherwise):
        return value if rng.random() < 0.5 else otherwise

    def number(low, high):
        return round(rng.uniform(low, high), 3)

    def tokens(most):
        return [int(t) for t in rng.choice(VOCABULARY, rng.integers(0, most), replace=False)]

    return {
        "logits": [round(x, 3) for x in rng.normal(0, 3, VOCABULARY)],
        "temperature": sometimes(number(0.1, 2), sometimes(0, 1.0)),
        "top_p": sometimes(number(0.05, 1), 1.0),
        "top_k": sometimes(int(rng.integers(1, 12)), 0),
        "min_p": sometimes(number(0.001, 0.5), 0.0),
        "presence_penalty": sometimes(number(-2, 2), 0.0),
        "frequency_penalty": sometimes(number(-2, 2), 0.0),
        "repetition_penalty": sometimes(number(0.5, 2), 1.0),
        "logit_bias": sometimes([[t, number(-100, 100)] for t in tokens(4)], []),
        "forbidden": sometimes(tokens(20), []),
        "prompt": sorted(tokens(12)),
        "output": [[t, int(rng.integers(1, 5))] for t in tokens(8)],
        "seed": int(rng.integers(0, 2**63)) * 2 + 1,
        "position": int(rng.integers(0, 2**20)),
    }


def log_softmax(case):
    row = np.array(case["logits"], dtype=np.float32).astype(np.float64)
    return row - row.max() - np.log(np.exp(row - row.max()).sum())


def main():
    for counter, key, result in KNOWN_ANSWERS:
        assert philox(counter, key) == result
    rng = np.random.default_rng(20261126)
    cases = []
    while len(cases) < CASES:
        case = random_case(rng)
        case["token"] = expected(case)
        if case["token"] is None:
            continue
        case["logprob"] = float(log_softmax(case)[case["token"]])
        cases.append(case)
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    pathlib.Path(__file__).with_name("cases.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
