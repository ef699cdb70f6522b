"""The reference pages say what the code says."""

from __future__ import annotations

import re
from pathlib import Path

from trueup.ledger.accounts import Account
from trueup.ledger.breaks import EXPLANATIONS, BreakKind, Severity
from trueup.ledger.position_check import AVERAGING_TOLERANCE

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def test_every_kind_of_break_is_explained_in_code_and_page() -> None:
    page = (REFERENCE / "breaks.md").read_text(encoding="utf-8")
    sections = dict(
        re.findall(r"^## `(\w+)`\n\n(.+?)(?=\n\n##|\s*\Z)", page, re.MULTILINE | re.DOTALL)
    )

    assert list(EXPLANATIONS) == list(BreakKind)
    assert {kind: " ".join(text.split()) for kind, text in sections.items()} == {
        str(kind): text for kind, text in EXPLANATIONS.items()
    }
    assert list(sections) == [str(kind) for kind in BreakKind]
    for severity in Severity:
        assert f"**{severity}**" in page


def test_every_account_is_in_the_chart() -> None:
    page = (REFERENCE / "ledger.md").read_text(encoding="utf-8")

    assert re.findall(r"^\| `([\w:]+)` \|", page, re.MULTILINE) == [
        str(account) for account in Account
    ]
    assert f"${AVERAGING_TOLERANCE}" in page
