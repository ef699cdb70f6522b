"""`fix decode`: somebody else's log in words."""

from __future__ import annotations

from pathlib import Path

import pytest
from typing_user import User

LOG = """2026-10-16 23:02:24 out: 8=FIXT.1.1|9=97|35=D|49=key-1|56=KalshiNR|34=7|52=20261016-23:02:24.000|11=c-1|38=10.00|40=2|44=49|54=2|55=KXA-1|10=121|
2026-10-16 23:02:25 in:  8=FIXT.1.1|35=5|49=KalshiNR|56=key-1|34=1|52=20261016-23:02:25.000|58=already exists|29999=\x1b[31mred|
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    file = tmp_path / "session.log"
    file.write_text(LOG, encoding="utf-8")
    return file


def test_log_is_told_in_words(user: User, log: Path) -> None:
    said = user.type("fix", "decode", str(log))

    assert said.code == 0
    assert "new order c-1: sell YES (buy NO) 10.00 KXA-1 at 49" in " ".join(said.out.split())
    assert "“already exists”" in said.out
    assert "BodyLength and CheckSum missing" in said.out
    assert "not in the dictionary: 29999" in said.out
    assert "1 with something to look at" in said.out
    assert "\x1b[31m" not in said.out


def test_fields_have_names_and_meanings(user: User, log: Path) -> None:
    said = user.type("fix", "decode", str(log), "--fields", "--type", "D")

    assert "Symbol" in said.out
    assert "10.00 contracts" in said.out
    assert "Logout" not in said.out


def test_programs_get_one_object(user: User, log: Path) -> None:
    payload = user.type("fix", "decode", str(log), "--prices", "cents", "--json").payload

    order, logout = payload["messages"]
    assert (order["type"], order["problems"], order["front"]) == (
        "NewOrderSingle",
        [],
        "2026-10-16 23:02:24 out:",
    )
    prices = [field for field in order["fields"] if field["tag"] == 44]
    assert prices == [{"tag": 44, "name": "Price", "value": "49", "meaning": "49 cents"}]
    assert logout["unknown_fields"] == ["29999"]
    assert payload["with_problems"] == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("missing.log",), "cannot be read"),
        (("empty.log",), "holds no FIX message"),
        (("empty.log", "--prices", "euros"), "no unit of prices"),
    ],
)
def test_what_cannot_be_explained_is_said(
    user: User, arguments: tuple[str, ...], says: str
) -> None:
    (user.folder / "empty.log").write_text("nothing here\n", encoding="utf-8")

    said = user.type("fix", "decode", str(user.folder / arguments[0]), *arguments[1:])

    assert said.code == 2
    assert says in said.err
    assert "What to do" in said.err
