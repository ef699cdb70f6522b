"""The control reference lists every word with every field."""

from __future__ import annotations

from pathlib import Path

import pytest

from trueup.net.acceptor.control_words import WORDS

CONTROL = (Path(__file__).parents[3] / "docs" / "reference" / "control.md").read_text(
    encoding="utf-8"
)


@pytest.mark.parametrize("name", WORDS)
def test_every_word_is_documented_with_what_it_takes(name: str) -> None:
    row = next(line for line in CONTROL.splitlines() if line.startswith(f"| `{name}` |"))
    takes = row.split("|")[3]

    documented = {field for field in WORDS[name].body.__struct_fields__ if f"`{field}`" in takes}
    known = set(WORDS[name].body.__struct_fields__)

    assert known - documented <= {"ticker"} if name == "account" else documented == known


def test_no_word_is_documented_that_does_not_exist() -> None:
    words = CONTROL.partition("## Words")[2].partition("## Faults")[0]
    rows = [line.split("`")[1] for line in words.splitlines() if line.startswith("| `")]

    assert rows == list(WORDS)
