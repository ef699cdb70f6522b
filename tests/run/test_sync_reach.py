"""How far a sync reaches: subaccounts, keys that may see little, positions that are gone, tiers."""

from __future__ import annotations

from typing import Any

import pytest
from script_exchange import (
    NOW,
    REFUSED,
    Answer,
    SmallExchange,
    deposit,
    fill,
    later,
    market,
    page,
    position,
    put,
    settlement,
)

from trueup.core.errors import NotAuthorized, OutcomeUnknown
from trueup.core.facts import Filled, Stream
from trueup.core.instant import DAY, HOUR, Instant
from trueup.core.orders import Side
from trueup.core.units import Count
from trueup.ledger.breaks import BreakKind, Severity
from trueup.ledger.reconcile import Closing
from trueup.run.books.listings import BEGINNING
from trueup.run.books.proving import Reconciliation
from trueup.store.progress import Tier
from trueup.wire.rest.call import Page


def told(found: Reconciliation) -> list[tuple[BreakKind, Severity]]:
    return [(each.found.kind, each.found.severity) for each in found.breaks]


def bought_and_sold(subaccount: int) -> list[Filled]:
    return [
        fill(1, at=later(-7200), subaccount=subaccount),
        fill(2, at=later(-7000), subaccount=subaccount, side=Side.NO),
    ]


# Keys that may not see everything


def test_account_that_may_not_list_transfers_closes_and_the_certificate_says_so() -> None:
    exchange = SmallExchange()
    exchange.answers |= {"GetSubaccountBalances": REFUSED, "GetSubaccountTransfers": REFUSED}

    report = exchange.sync()
    exchange.an_hour_later()
    exchange.sync()
    found = exchange.reconciled()

    assert any("subaccounts are not listed" in note for note in report.notes)
    assert any(note.startswith("transfers") for note in report.notes)
    assert found.verdict.closing is Closing.CLOSES
    lines = found.proof.certificate.words()
    assert "transfers: not applicable to this key, the exchange refuses it" in lines


def test_transfers_that_may_not_be_listed_matter_between_two_subaccounts() -> None:
    exchange = SmallExchange(cash={0: "0", 1: "0"})
    exchange.answers["GetSubaccountTransfers"] = REFUSED

    exchange.sync()
    exchange.an_hour_later()
    exchange.sync()
    refused = exchange.reconciled()
    del exchange.answers["GetSubaccountTransfers"]
    exchange.sync()
    allowed = exchange.reconciled()

    assert told(refused) == [(BreakKind.COVERAGE_GAP, Severity.AMBER)]
    assert "refuses it to this key" in refused.breaks[0].found.remedy
    assert allowed.verdict.closing is Closing.CLOSES


def test_deposits_that_may_not_be_listed_matter_to_the_primary_subaccount() -> None:
    exchange = SmallExchange()
    exchange.answers["GetDeposits"] = REFUSED

    exchange.sync()
    exchange.an_hour_later()
    exchange.sync()

    assert told(exchange.reconciled()) == [(BreakKind.COVERAGE_GAP, Severity.AMBER)]


def test_subaccount_that_only_fills_name_is_asked_too() -> None:
    exchange = SmallExchange(cash={0: "0", 3: "-0.34"})
    exchange.answers["GetSubaccountBalances"] = REFUSED
    exchange.answers["GetFills"] = lambda _: [page(*bought_and_sold(3))]
    put(exchange.books, Stream.MARKETS, market())

    report = exchange.sync()
    exchange.an_hour_later()
    exchange.sync()
    found = exchange.reconciled()

    assert report.subaccounts == (0, 3)
    for operation in ("GetBalance", "GetPositions", "GetSettlements"):
        assert (operation, "3") in {(name, q.get("subaccount")) for name, q in exchange.asked}
    assert (3, None) in {(each.subaccount, each.shard) for each in found.proof.scopes}
    assert found.verdict.closing is Closing.CLOSES


def test_subaccount_that_fills_name_and_the_key_may_not_read_is_amber() -> None:
    exchange = SmallExchange()
    exchange.answers["GetSubaccountBalances"] = REFUSED
    exchange.answers["GetFills"] = lambda _: [page(*bought_and_sold(3))]
    exchange.answers["GetPositions"] = refuse_subaccount("3")
    put(exchange.books, Stream.MARKETS, market())

    report = exchange.sync()
    exchange.an_hour_later()
    exchange.sync()

    assert any("subaccount 3: not available" in note for note in report.notes)
    assert (BreakKind.COVERAGE_GAP, Severity.AMBER) in told(exchange.reconciled())


def refuse_subaccount(number: str) -> Answer:
    def answer(query: dict[str, str]) -> list[Page[Any]]:
        if query.get("subaccount") == number:
            raise REFUSED
        return [page()]

    return answer


def test_settlement_that_no_subaccount_gives_is_a_break_until_one_does() -> None:
    row = settlement(at=later(-7200))

    def only_in_all(query: dict[str, str]) -> list[Page[Any]]:
        return [page()] if "subaccount" in query else [page(row)]

    exchange = SmallExchange()
    exchange.answers["GetSettlements"] = only_in_all

    first = exchange.sync()
    exchange.sync()
    blind = exchange.reconciled()
    exchange.answers["GetSettlements"] = lambda _: [page(row)]
    second = exchange.sync()
    seeing = exchange.reconciled()

    assert (len(first.only_in_all), second.only_in_all) == (1, [])
    assert told(blind) == [(BreakKind.QUARANTINED, Severity.RED)]
    assert BreakKind.QUARANTINED not in {kind for kind, _ in told(seeing)}


@pytest.mark.parametrize("may_list_keys", [True, False])
def test_locked_key_is_asked_for_its_own_subaccount(may_list_keys: bool) -> None:
    exchange = SmallExchange(cash={3: "5"}, locked_to=3)
    if not may_list_keys:
        exchange.answers["GetApiKeys"] = REFUSED

    report = exchange.sync()
    exchange.an_hour_later()
    exchange.sync()
    found = exchange.reconciled()

    assert (report.subaccounts, report.locked) == ((3,), True)
    assert any("locked to subaccount 3" in note for note in report.notes)
    assert found.verdict.closing is Closing.CLOSES
    # The money came by a transfer that this key may not see: the level is nobody's claim.
    assert all(each.since is not None for each in found.proof.intervals())


def lines_of(exchange: SmallExchange) -> list[str]:
    return list(exchange.reconciled().proof.certificate.words())


def test_what_a_locked_key_proved_is_of_its_subaccount_only() -> None:
    exchange = SmallExchange(cash={3: "5"}, locked_to=3)

    exchange.sync()

    lines = lines_of(exchange)
    assert any(line.startswith("fills of subaccount 3 complete: the beginning") for line in lines)
    assert not any(line.startswith("fills complete") for line in lines)


def test_open_key_after_a_locked_one_asks_for_what_that_one_could_not_see() -> None:
    exchange = SmallExchange(cash={0: "4.83", 3: "0"}, locked_to=3)
    exchange.sync()
    exchange.an_hour_later()
    early = fill(1, at=later(-20 * 24 * 3600))
    exchange.locked_to = None
    exchange.answers["GetFillsHistorical"] = lambda _: [page(early)]

    exchange.sync()

    asked = [query for operation, query in exchange.asked if operation == "GetFillsHistorical"]
    assert list(exchange.books.fills()) == [early]
    assert "min_ts" not in asked[-1]
    assert any(line.startswith("fills complete: the beginning") for line in lines_of(exchange))


def test_locked_key_after_an_open_one_leaves_the_account_unproven_since() -> None:
    exchange = SmallExchange(cash={0: "0", 3: "0"})
    exchange.sync()
    exchange.an_hour_later()
    exchange.locked_to = 3
    exchange.sync()

    found = exchange.reconciled()

    gaps = [each.found for each in found.breaks if each.found.kind is BreakKind.COVERAGE_GAP]
    assert {each.subaccount for each in gaps} == {None, 0}
    assert any("fills of subaccount 3 complete" in line for line in lines_of(exchange))
    assert any("a key of the whole account" in each.remedy for each in gaps)


def test_key_locked_to_the_primary_subaccount_does_not_speak_for_the_account() -> None:
    """It may read the balance like any other key: only the exchange's words tell."""
    exchange = SmallExchange(locked_to=0)
    exchange.refusal = NotAuthorized(
        "this API key is restricted to a single sub-account and cannot access this endpoint",
        status=403,
    )

    report = exchange.sync()

    assert (report.subaccounts, report.locked) == ((0,), True)
    assert any(line.startswith("fills of subaccount 0 complete") for line in lines_of(exchange))


def test_interrupted_backfill_of_a_locked_key_does_not_keep_an_open_one_busy() -> None:
    exchange = SmallExchange(cash={0: "0", 3: "0"}, locked_to=3)
    exchange.answers["GetOrders"] = OutcomeUnknown("cut off")
    with pytest.raises(OutcomeUnknown):
        exchange.sync(since=BEGINNING)
    del exchange.answers["GetOrders"]
    exchange.locked_to = None
    exchange.sync()
    exchange.an_hour_later()

    report = exchange.sync()

    asked = [query for operation, query in exchange.asked if operation == "GetFills"]
    assert not report.resumed
    assert "min_ts" in asked[-2]


def test_key_that_may_read_no_balance_at_all_is_refused() -> None:
    exchange = SmallExchange()
    exchange.answers |= {"GetSubaccountBalances": REFUSED, "GetBalance": REFUSED}

    with pytest.raises(NotAuthorized, match="not for you"):
        exchange.sync()


# Positions


def held(exchange: SmallExchange) -> None:
    """Ten contracts bought and listed as a position."""
    put(exchange.books, Stream.DEPOSITS, deposit("100", at=later(-8000)))
    exchange.cash[0] = "93.83"
    exchange.answers["GetDeposits"] = lambda _: [page(deposit("100", at=later(-8000)))]
    exchange.answers["GetFills"] = lambda _: [page(fill(1, at=later(-7200)))]
    exchange.answers["GetPositions"] = lambda _: [page(position(10, at=later(-7200)))]
    put(exchange.books, Stream.MARKETS, market())
    exchange.sync()


def test_position_that_was_settled_is_no_break_for_ever() -> None:
    exchange = SmallExchange()
    held(exchange)
    before = exchange.reconciled()
    exchange.an_hour_later()
    settled_at = exchange.clock.now()
    exchange.an_hour_later()
    exchange.cash[0] = "103.83"
    exchange.answers["GetPositions"] = lambda _: [page()]
    exchange.answers["GetSettlements"] = lambda _: [page(settlement(at=settled_at))]
    put(exchange.books, Stream.MARKETS, market(settled_at=settled_at))
    exchange.sync()
    exchange.an_hour_later()
    exchange.sync()

    found = exchange.reconciled()

    assert before.verdict.closing is Closing.CLOSES
    assert told(found) == []
    assert found.verdict.closing is Closing.CLOSES


def test_position_that_only_the_books_hold_any_more_is_red() -> None:
    exchange = SmallExchange()
    held(exchange)
    exchange.an_hour_later()
    exchange.answers["GetPositions"] = lambda _: [page()]
    exchange.sync()

    found = exchange.reconciled()

    assert told(found) == [(BreakKind.POSITION_DIFFERS, Severity.RED)]
    (stated,) = exchange.books.latest_positions()
    assert (stated.net, stated.updated_at) == (Count(0), later(3600))


def test_position_on_a_later_page_is_not_gone() -> None:
    exchange = SmallExchange()
    held(exchange)
    exchange.answers["GetPositions"] = lambda _: [
        page(cursor="more"),
        page(position(10, at=later(-7200))),
    ]
    exchange.sync()

    assert [each.net for each in exchange.books.latest_positions()] == [Count.of_contracts(10)]


# Tiers


class Stopped(Exception):
    """Somebody pressed Ctrl-C."""


def test_first_sync_interrupted_in_the_historical_tier_is_finished_by_the_next_one() -> None:
    exchange = SmallExchange(cash={0: "-12.34"})
    pages = [[], [page(fill(9, at=later(-30 * 86_400)))]]

    def historical(_: dict[str, str]) -> list[Page[Any]]:
        found = pages.pop(0)
        if not found:
            raise Stopped
        return found

    exchange.answers["GetFills"] = lambda _: [page(fill(1, at=later(-500)))]
    exchange.answers["GetFillsHistorical"] = historical
    put(exchange.books, Stream.MARKETS, market())
    with pytest.raises(Stopped):
        exchange.sync()
    exchange.an_hour_later()
    second = exchange.sync()
    asked = exchange.count("GetFillsHistorical")
    exchange.an_hour_later()
    third = exchange.sync()

    assert (second.resumed, third.resumed) == (True, False)
    assert (asked, exchange.count("GetFillsHistorical")) == (2, 2)
    assert len(list(exchange.books.fills())) == 2
    assert exchange.reconciled().proof.certificate.complete


def test_live_tier_that_may_have_shrunk_while_it_was_read_is_not_trusted_alone() -> None:
    """The cutoff lies just before what is asked for: a day of both tiers is read."""
    exchange = SmallExchange()
    exchange.sync()
    exchange.clock.sleep(DAY)
    exchange.cutoff = Instant(exchange.clock.now() - DAY - 2 * HOUR)
    exchange.sync()
    near = exchange.count("GetFillsHistorical")
    exchange.clock.sleep(DAY)
    exchange.sync()

    assert near == 2
    assert exchange.count("GetFillsHistorical") == 2
    assert exchange.reconciled().proof.certificate.complete


def test_live_tier_claims_nothing_within_the_margin_of_its_border() -> None:
    exchange = SmallExchange()
    exchange.answers["GetFillsHistorical"] = NotAuthorized("later", status=503)
    with pytest.raises(NotAuthorized):
        exchange.sync()

    (fills,) = [each for each in exchange.books.coverage() if each.stream is Stream.FILLS]

    assert (fills.tier, fills.start, fills.end) == (Tier.LIVE, exchange.cutoff + DAY, NOW)
