from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random

import msgspec
import pytest
from fix_strategies import HEAD, framed
from hypothesis import given, settings
from hypothesis import strategies as st

from trueup.core.errors import CallerError, ProtocolBroken
from trueup.core.ids import Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.market import MarketResult
from trueup.core.settlement import (
    PayoutDoubt,
    PayoutUnit,
    SettlementFee,
    SettlementReported,
)
from trueup.core.units import Count, Money, Price
from trueup.wire.fix.codec import Codec
from trueup.wire.fix.message import Sender
from trueup.wire.fix.messages.orders import CollateralChange, Fee
from trueup.wire.fix.messages.session import Header
from trueup.wire.fix.messages.settlement import MarketSettlementReport, SettlementParty
from trueup.wire.fix.settlement import (
    Completeness,
    SettlementPages,
    party_bytes,
    read_parties,
    write_pages,
)
from trueup.wire.fix.words import CollateralType

DAY = date(2026, 10, 16)
OURS = {"main": Subaccount(0), "bot": Subaccount(7)}


def party(
    name: str = "main",
    *,
    long: str = "0",
    short: str = "0",
    payout: str = "0",
    fee: str = "0",
    result: MarketResult = MarketResult.YES,
    value: str = "1",
) -> SettlementReported:
    return SettlementReported(
        ticker=Ticker("KXA-1"),
        clearing_date=DAY,
        party=name,
        subaccount=OURS.get(name),
        result=result,
        value=Price.parse(value),
        long=Count.parse(long),
        short=Count.parse(short),
        payout=Money.parse(payout),
        fees=(SettlementFee("4", Money.parse(fee)),),
        report_id="",
    )


def pages(count: int, size: int = 2) -> list[MarketSettlementReport]:
    parties = [party(f"p-{number}", long="1", payout="1") for number in range(count)]
    return write_pages(parties, report_ids=[f"r-{n}" for n in range(count)], page_size=size)


def test_pages_join_by_market_and_date_though_every_id_differs() -> None:
    joined = SettlementPages(OURS)

    taken = [joined.take(page) for page in pages(5)]

    assert [len(each.parties) for each in taken] == [2, 2, 1]
    assert taken[-1].batch.completeness is Completeness.COMPLETE
    assert taken[-1].batch.parties == 5
    assert list(joined.open()) == []


def test_lost_page_leaves_the_settlement_open_until_it_comes() -> None:
    joined, (first, second, third) = SettlementPages(OURS), pages(5)

    joined.take(first)
    joined.take(third)
    ((ticker, day, batch),) = joined.open()
    assert (ticker, day, batch.completeness) == ("KXA-1", DAY, Completeness.OPEN)

    joined.take(second)
    assert list(joined.open()) == []


def test_page_that_comes_again_pays_nothing_again() -> None:
    joined, (first, *_) = SettlementPages(OURS), pages(5)
    joined.take(first)

    again = joined.take(first)

    assert again.is_repeated
    assert again.parties == ()
    assert again.batch.parties == 2


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"result": MarketResult.NO}, "says no"),
        ({"settlement_price": Price(5000)}, "at 0.50"),
        ({"reports_in_all": 4}, "announces 4 pages"),
    ],
)
def test_pages_that_disagree_are_told(change: dict[str, object], says: str) -> None:
    joined, (first, second, _) = SettlementPages(OURS), pages(5)
    joined.take(first)

    taken = joined.take(msgspec.structs.replace(second, **change))

    assert taken.batch.completeness is Completeness.CONTRADICTED
    assert says in taken.batch.contradictions[0]


def test_more_pages_than_announced_are_a_contradiction() -> None:
    joined = SettlementPages(OURS)
    for page in pages(5):
        joined.take(page)

    extra = msgspec.structs.replace(pages(5)[0], report_id="r-9")

    assert joined.take(extra).batch.completeness is Completeness.CONTRADICTED


def test_single_page_without_marks_is_not_called_complete() -> None:
    page = MarketSettlementReport(
        report_id="r", symbol="KXA-1", clearing_date=DAY, result=MarketResult.YES
    )

    assert SettlementPages(OURS).take(page).batch.completeness is Completeness.OPEN


def test_parties_go_to_subaccounts_and_strangers_to_none() -> None:
    three = [party("main", long="1"), party("bot", short="2"), party("who", long="3")]
    (page,) = write_pages(three, report_ids=["r"], page_size=10)

    read = read_parties(page, OURS)

    assert [each.subaccount for each in read] == [0, 7, None]


@pytest.mark.parametrize("unit", PayoutUnit)
def test_pages_come_back_as_they_were_written(unit: PayoutUnit) -> None:
    parties = [party("main", long="100.01", payout="30.6030", fee="0.00006", value="0.3060",
                     result=MarketResult.SCALAR),
               party("bot", short="5", payout="3.47", value="0.3060", result=MarketResult.SCALAR)]  # fmt: skip

    (page,) = write_pages(parties, report_ids=["r"], page_size=10, unit=unit)
    read = read_parties(page, OURS, unit=unit)

    assert [(each.payout, each.fee, each.net) for each in read] == [
        (each.payout, each.fee, each.net) for each in parties
    ]
    assert [each.doubt() for each in read] == [None, None]
    assert read[0].gross == Money.parse("30.603060") == read[0].expected_gross


@pytest.mark.parametrize(
    ("reported", "doubt"),
    [
        (party(long="100", payout="100.00"), None),
        (party(long="100", payout="10000"), PayoutDoubt.CENTS),
        (party(long="100", payout="1.00"), PayoutDoubt.DOLLARS),
        (party(long="100", payout="100.00", fee="0.006"), PayoutDoubt.FEE_ON_TOP),
        (party(short="100", payout="100.00"), PayoutDoubt.OTHER_SIDE),
        (party(long="100", payout="90.00"), PayoutDoubt.UNEXPLAINED),
        (party(short="100", payout="0"), None),
        (
            party(long="33.33", payout="10.19", value="0.3060", result=MarketResult.SCALAR),
            PayoutDoubt.UNEXPLAINED,  # 10.19898 cut to cents, and no fee says so
        ),
        (
            party(long="33.33", payout="10.18", value="0.3060", result=MarketResult.SCALAR),
            PayoutDoubt.UNEXPLAINED,
        ),
    ],
)
def test_report_that_contradicts_itself_names_the_likely_cause(
    reported: SettlementReported, doubt: PayoutDoubt | None
) -> None:
    assert reported.doubt() is doubt


@pytest.mark.parametrize(
    ("day", "doubt"),
    [(date(2026, 2, 26), None), (date(2026, 2, 27), PayoutDoubt.UNEXPLAINED)],
)
def test_only_before_2026_02_27_a_cut_needs_no_fee(day: date, doubt: PayoutDoubt | None) -> None:
    cut = party(long="33.33", payout="10.19", value="0.3060", result=MarketResult.SCALAR)

    assert replace(cut, clearing_date=day).doubt() is doubt


def test_report_without_its_figures_doubts_nothing() -> None:
    page = MarketSettlementReport(
        report_id="r", symbol="KXA-1", clearing_date=DAY, result=MarketResult.SCALAR,
        parties=(SettlementParty(party_id="main"),),
    )  # fmt: skip

    (read,) = read_parties(page, OURS)

    assert (read.payout, read.gross, read.net, read.expected_gross) == (None, None, None, None)
    assert read.doubt() is None


def odd_page(**fields: object) -> MarketSettlementReport:
    odd = SettlementParty(party_id="main", **fields)  # type: ignore[arg-type]
    return MarketSettlementReport(
        report_id="r", symbol="KXA-1", clearing_date=DAY, result=MarketResult.YES, parties=(odd,)
    )


def test_what_cannot_be_read_for_certain_is_not_read() -> None:
    paid = CollateralChange(amount=Money.parse("1"), kind=CollateralType.PAYOUT)

    with pytest.raises(ProtocolBroken, match="2 collateral changes"):
        read_parties(odd_page(collateral_changes=(paid, paid)), OURS)
    with pytest.raises(ProtocolBroken, match="EUR"):
        read_parties(odd_page(fees=(Fee(amount=Money(1), currency="EUR"),)), OURS)
    cents = CollateralChange(amount=Money(1), kind=CollateralType.PAYOUT)
    with pytest.raises(ProtocolBroken, match="finer"):
        read_parties(odd_page(collateral_changes=(cents,)), OURS, unit=PayoutUnit.CENTS)


@pytest.mark.parametrize("payout_first", [True, False])
def test_the_payout_counts_and_a_change_of_the_balance_beside_it_is_evidence(
    *, payout_first: bool
) -> None:
    paid = CollateralChange(amount=Money.parse("9.99"), kind=CollateralType.PAYOUT)
    balance = CollateralChange(amount=Money.parse("10"), kind=CollateralType.BALANCE)
    changes = (paid, balance) if payout_first else (balance, paid)
    page = msgspec.structs.replace(
        odd_page(collateral_changes=changes), settlement_price=Price.parse("1")
    )

    (read,) = read_parties(page, OURS)
    header = Header(sender="KalshiPT", target="key-1", sequence=2, sending_time=Instant(0))
    _, (raw,) = party_bytes(Codec(reads=Sender.CLIENT).encode(header, page), 1)

    assert read.payout == Money.parse("9.99")
    assert b"1704=10.00\x011705=BALANCE" in raw


def test_without_a_payout_the_change_of_the_balance_is_it_as_in_the_oldest_reports() -> None:
    balance = CollateralChange(amount=Money.parse("10"), kind=CollateralType.BALANCE)

    (read,) = read_parties(odd_page(collateral_changes=(balance,)), OURS)

    assert read.payout == Money.parse("10")
    with pytest.raises(ProtocolBroken, match="2 collateral changes"):
        read_parties(odd_page(collateral_changes=(balance, balance)), OURS)


def test_fees_of_kinds_to_come_are_kept_apart() -> None:
    fees = (Fee(amount=Money(60)), Fee(amount=Money(1_000), kind="7"))

    (read,) = read_parties(odd_page(fees=fees), OURS)

    assert read.fees == (SettlementFee("4", Money(60)), SettlementFee("7", Money(1_000)))
    assert read.fee == Money(1_060)


def test_pages_are_of_one_settlement_and_have_names() -> None:
    with pytest.raises(CallerError, match="exactly one settlement"):
        write_pages([party(), party(value="0.5")], report_ids=["r"], page_size=1)
    with pytest.raises(CallerError, match="2 pages"):
        write_pages([party(), party()], report_ids=["r"], page_size=1)


def test_large_batch_holds_counters_only() -> None:
    """Twenty thousand parties leave no more behind than two hundred."""

    def left_behind(count: int) -> int:
        joined = SettlementPages(OURS)
        tracemalloc.start()
        try:
            for number in range(count // 100):
                many = tuple(SettlementParty(party_id=f"p-{number}-{n}") for n in range(100))
                joined.take(
                    MarketSettlementReport(
                        report_id=f"r-{number}", symbol="KXA-1", clearing_date=DAY,
                        result=MarketResult.YES, parties=many,
                    )
                )  # fmt: skip
            return tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()

    assert left_behind(20_000) - left_behind(200) < 200 * 400


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(1, 9), st.randoms(use_true_random=False))
def test_any_order_of_pages_gives_every_party_once(count: int, size: int, chance: Random) -> None:
    parts = pages(count, size)
    shuffled = [*parts, *parts]
    chance.shuffle(shuffled)
    joined = SettlementPages(OURS)

    names = [each.party for page in shuffled for each in joined.take(page).parties]

    assert sorted(names) == sorted(f"p-{number}" for number in range(count))
    assert list(joined.open()) == []


@pytest.mark.recorded
@pytest.mark.parametrize(
    ("name", "unit", "payout", "doubt"),
    [
        ("doc_ums_yes", PayoutUnit.DOLLARS, "100.00", None),
        ("doc_ums_scalar", PayoutUnit.DOLLARS, "30.6030", None),
        ("doc_ums_subcent_fee", PayoutUnit.DOLLARS, "100.00", PayoutDoubt.FEE_ON_TOP),
        ("doc_ums_old", PayoutUnit.DOLLARS, "10000", PayoutDoubt.CENTS),
        ("doc_ums_old", PayoutUnit.CENTS, "100.00", None),
    ],
)
def test_documented_reports_are_read_and_judged(
    name: str, unit: PayoutUnit, payout: str, doubt: PayoutDoubt | None, recorded_data: Path
) -> None:
    """The examples of three versions of the page, with the header that they leave out."""
    lines = (recorded_data / "fix" / "kalshi_fix_messages.jsonl").read_text(encoding="utf-8")
    records = {each["id"]: each["fix"] for each in map(json.loads, lines.splitlines())}
    body = records[name].removeprefix("8=FIXT.1.1|35=UMS|").rstrip("|")

    page = Codec().decode(framed(f"35=UMS|{HEAD}{body}|")).message

    assert isinstance(page, MarketSettlementReport)
    (read,) = read_parties(page, {"user-456": Subaccount(0)}, unit=unit)
    assert read.payout == Money.parse(payout)
    assert read.doubt() is doubt
