"""`fix decode`: somebody else's log in words."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from msgspec.structs import replace
from typing_user import User

from trueup.core.instant import Instant
from trueup.core.market import MarketResult
from trueup.core.units import Count, Money, Price
from trueup.wire.fix.codec import Codec
from trueup.wire.fix.message import Sender
from trueup.wire.fix.messages.orders import CollateralChange, Fee
from trueup.wire.fix.messages.session import Header
from trueup.wire.fix.messages.settlement import MarketSettlementReport, SettlementParty
from trueup.wire.fix.words import CollateralType

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


PAGE = MarketSettlementReport(
    report_id="r-1",
    symbol="KXA-1",
    clearing_date=date(2026, 10, 16),
    reports_in_all=1,
    result=MarketResult.SCALAR,
    settlement_price=Price.parse("0.3060"),
    is_last=True,
    parties=(
        SettlementParty(
            party_id="P-17",
            long_quantity=Count.parse("100.01"),
            short_quantity=Count(0),
            collateral_changes=(
                CollateralChange(amount=Money.parse("30.6030"), kind=CollateralType.PAYOUT),
            ),
            fees=(Fee(amount=Money.parse("0.00006")),),
        ),
    ),
)


FEE_OF_REST = Fee(amount=Money.parse("0.00306"))


def settlement_log(
    folder: Path,
    *,
    spoilt: bool = False,
    session: str = "KalshiPT",
    page: MarketSettlementReport = PAGE,
    later: int = 0,
) -> str:
    sent_at = Instant(1_792_000_000_000_000 + later)
    header = Header(sender=session, target="key-1", sequence=2, sending_time=sent_at)
    raw = Codec(reads=Sender.CLIENT).encode(header, page)
    file = folder / f"{session} {later} engine.log"
    shown = raw.replace(b"\x01", b"|")
    file.write_bytes(b"in: " + (shown.replace(b"=30.603|", b"=31.603|") if spoilt else shown))
    return str(file)


def test_a_day_is_reported_from_somebody_elses_log(user: User, tmp_path: Path) -> None:
    file = settlement_log(tmp_path)
    told = user.json("fix", "report", file, file, "--date", "2026-10-16")
    (row,) = told["settlements"]
    assert (row["gross"], row["fees"], row["payout"]) == ("30.60306", "0.00006", "30.603")
    assert (told["pages"], told["repeated_pages"], told["problems"]) == (2, 1, [])
    page = user.type("fix", "report", file, "--date", "2026-10-16")
    assert page.code == 0
    assert "4 exchange fee: 0.00006" in page.out
    other = user.type("fix", "report", file, "--date", "2026-10-17")
    assert "No settlement of 2026-10-17" in other.out


def test_a_page_with_a_wrong_checksum_counts_for_nothing(user: User, tmp_path: Path) -> None:
    told = user.json(
        "fix", "report", settlement_log(tmp_path, spoilt=True), "--date", "2026-10-16", code=1
    )
    assert told["settlements"] == []
    assert "engine.log, line 1: not counted: CheckSum" in told["problems"][0]


def test_a_report_that_two_sessions_heard_counts_once(user: User, tmp_path: Path) -> None:
    """PT and RT tell the same, on pages with ids of their own."""
    files = [
        settlement_log(tmp_path, session=session, page=replace(PAGE, report_id=session))
        for session in ("KalshiPT", "KalshiRT")
    ]

    told = user.json("fix", "report", *files, "--date", "2026-10-16")
    page = user.type("fix", "report", *files, "--date", "2026-10-16")

    (totals,) = told["parties"]
    assert (totals["settlements"], totals["payout"], totals["fees"]) == (1, "30.603", "0.00006")
    assert (told["sessions"], told["told_again"], told["problems"]) == (
        ["KalshiPT/key-1", "KalshiRT/key-1"],
        1,
        [],
    )
    assert "1 party told again by other pages and counted once" in " ".join(page.out.split())


@pytest.mark.parametrize("newest_first", [True, False])
def test_of_what_two_sessions_tell_otherwise_the_newer_word_counts_and_is_named(
    user: User, tmp_path: Path, *, newest_first: bool
) -> None:
    (party,) = PAGE.parties
    paid = CollateralChange(amount=Money.parse("30.60"), kind=CollateralType.PAYOUT)
    other = replace(
        PAGE, parties=(replace(party, collateral_changes=(paid,), fees=(FEE_OF_REST,)),)
    )
    files = [
        settlement_log(tmp_path),
        settlement_log(tmp_path, session="KalshiRT", page=other, later=1_000_000),
    ]

    told = user.json(
        *("fix", "report", *(reversed(files) if newest_first else files)),
        *("--date", "2026-10-16"),
        code=1,
    )

    (totals,) = told["parties"]
    assert (totals["settlements"], totals["payout"]) == (1, "30.60")
    assert "party P-17: told in two ways" in told["problems"][0]
    assert "the newer one counts, 30.60 for 100.01 at scalar" in told["problems"][0]


def test_a_page_that_one_session_lost_is_there_when_another_has_all(
    user: User, tmp_path: Path
) -> None:
    part = replace(PAGE, report_id="part", reports_in_all=2, is_last=False)
    files = [settlement_log(tmp_path, session="KalshiRT", page=part), settlement_log(tmp_path)]

    alone = user.json("fix", "report", files[0], "--date", "2026-10-16", code=1)
    both = user.json("fix", "report", *files, "--date", "2026-10-16")

    assert alone["problems"] == ["KXA-1: open, 1 of 2 pages"]
    assert (both["problems"], len(both["settlements"])) == ([], 1)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("fix", "listen", "--session", "MD"), "nothing to listen to"),
        (("fix", "listen"), "the built-in sandbox has no FIX sessions"),
        (("fix", "report"), "no FIX session was listened to yet"),
        (("fix", "report", "no.log", "--date", "2026-10-16"), "no.log cannot be read"),
        (("fix", "report", "no.log", "--date", "yesterday"), "is no date"),
        (("fix", "report", "no.log", "--payouts", "euros"), "is no unit of payouts"),
    ],
)
def test_what_cannot_be_done_is_said(user: User, words: tuple[str, ...], says: str) -> None:
    said = user.type(*words)
    assert said.code != 0
    assert says in " ".join(said.err.split())
