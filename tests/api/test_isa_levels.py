"""Each instruction set of this processor gives the tokens, log-probabilities and embeddings of
tests/golden/processors.json. The models are quantized at the same level."""

import json
import platform
import sys

import conftest
import pytest
from conftest import DEMO, ROOT

sys.path.append(str(ROOT / "tests/golden"))
import processors

LEVELS = {
    "x86_64": ("scalar", "sse4", "avx2", "avx-vnni", "avx512", "avx512-vnni", "amx"),
    "aarch64": ("scalar", "neon", "dotprod", "i8mm"),
}


@pytest.mark.parametrize("isa", LEVELS[platform.machine()])
def test_a_level_gives_the_bits_of_the_golden(tmp_path, isa):
    found = processors.answers(conftest, DEMO, isa, tmp_path)
    if found is None:
        pytest.skip("this processor lacks it")
    assert list(processors.differences(json.loads(processors.GOLDEN.read_text()), found)) == []
