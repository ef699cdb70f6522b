"""View values: pure functions of books and of the bot's words, tested without a browser."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from trueup.core.catalog import Quote
from trueup.core.facts import Stream
from trueup.core.ids import PRIMARY, SHARD_ZERO, EventTicker, Ticker
from trueup.core.instant import DAY, HOUR, Instant, eastern_day, format_instant
from trueup.core.market import MarketResult
from trueup.core.orders import Side
from trueup.core.statements import BalanceStated
from trueup.core.units import ZERO_COUNT, Count, Money, Price
from trueup.ledger.accounts import Account as LedgerAccount
from trueup.ledger.breaks import Break, BreakKind, Severity
from trueup.ledger.coverage import Certificate, CertificateLine, Span
from trueup.ledger.entries import Entry, EntryKind, Posting
from trueup.ledger.proof import Interval
from trueup.ledger.reconcile import verdict
from trueup.ledger.report import OpenPosition
from trueup.run.books.proving import Proof, Reconciliation
from trueup.run.bot.status import ConnectionShown, LimitShown
from trueup.store.book_reading import ProfitRow
from trueup.store.break_register import AgedBreak, BreakStatus
from trueup.web.exports import field, write_csv
from trueup.web.reading import Answer, BooksState, Condition
from trueup.web.tables import Column
from trueup.web.values import shown
from trueup.web.values.activity import outcome, result
from trueup.web.values.badges import Badge, books_badge, bot_badge, orders_badge, venue_badge
from trueup.web.values.bot import connection_row, decision_rows, limit_bars
from trueup.web.values.breaks import break_rows
from trueup.web.values.earnings import POINTS_MAX, CurvePoint, curve, drawdown, recent_days, thinned
from trueup.web.values.holdings import Holdings, live_cells, marked, worth
from trueup.web.values.proof import timelines
from trueup.web.values.rows import TablePage, TableRow
from trueup.web.values.shown import UNKNOWN, Shown, Tone
from trueup.web.values.trace import day_span, effect, pretty

START = Instant(1_790_000_000_000_000 // HOUR * HOUR)
TICKER = Ticker("KXTEST-1")


def money(text: str) -> Money:
    return Money.parse(text)


def profit(hours: int, realized: str, fees: str = "0") -> ProfitRow:
    return ProfitRow(
        subaccount=PRIMARY,
        shard=SHARD_ZERO,
        ticker=TICKER,
        strategy="",
        hour=Instant(START + hours * HOUR),
        realized=money(realized),
        fees=money(fees),
        entries=1,
    )


def entry(kind: EntryKind, *legs: tuple[LedgerAccount, str]) -> Entry:
    return Entry(
        stream=Stream.DEPOSITS,
        key="one",
        version=1,
        kind=kind,
        at=START,
        subaccount=PRIMARY,
        shard=SHARD_ZERO,
        ticker=None,
        strategy="",
        postings=tuple(Posting(account, money(text), ZERO_COUNT) for account, text in legs),
    )


DEPOSIT = entry(EntryKind.DEPOSIT, (LedgerAccount.CASH, "100"), (LedgerAccount.DEPOSITS, "-100"))


class TestEarnings:
    def test_the_curve_is_what_was_paid_in_and_earned_so_far(self) -> None:
        rows = [profit(1, "5", "1"), profit(1, "2"), profit(3, "-4")]
        points = curve(rows, [DEPOSIT], until=Instant(START + 5 * HOUR))

        assert [str(point.equity) for point in points] == ["100.00", "106.00", "102.00", "102.00"]
        assert points[-1].at == START + 5 * HOUR

    def test_a_deposit_is_no_gain_and_ends_no_drawdown(self) -> None:
        rows = [profit(1, "10"), profit(2, "-4"), profit(3, "1")]
        found = drawdown(curve(rows, [DEPOSIT], until=Instant(START + 9 * HOUR)))

        assert (str(found.now), str(found.worst)) == ("-3.00", "-4.00")

    def test_a_long_curve_keeps_its_end_and_a_bounded_length(self) -> None:
        points = [
            CurvePoint(Instant(START + hour * HOUR), money("1"), money(str(hour)))
            for hour in range(20_000)
        ]

        found = thinned(points)
        assert len(found) <= POINTS_MAX + 1
        assert found[-1] == points[-1]

    def test_days_without_trades_are_there_and_zero(self) -> None:
        days = recent_days([], Instant(START), days=3)

        assert [str(amount) for _, amount in days] == ["0.00"] * 3
        assert days[-1][0] == eastern_day(START)


def position(net: str, cost: str, mark: str | None) -> OpenPosition:
    return OpenPosition(
        ticker=TICKER,
        event_ticker=EventTicker("KXTEST"),
        subaccount=PRIMARY,
        shard=SHARD_ZERO,
        net=Count.parse(net),
        cost=money(cost),
        realized=money("0"),
        fees=money("0"),
        mark=None if mark is None else Price.parse(mark),
    )


def reading(low: str, *, shard: Any = None) -> BalanceStated:
    return BalanceStated(
        low=money(low),
        high=money(low),
        portfolio_value=None,
        subaccount=PRIMARY,
        shard=shard,
        at=START,
        observed_at=START,
    )


def held(*positions: OpenPosition, balances: tuple[BalanceStated, ...] = ()) -> Holdings:
    return Holdings(balances=balances, positions=positions, resting=(), markets={}, quotes={})


class TestHoldings:
    def test_equity_counts_a_total_once_and_not_its_shards_again(self) -> None:
        both = (reading("50"), reading("30", shard=SHARD_ZERO))
        found = worth(held(balances=both), [position("10", "4", "0.50")])

        assert str(found.equity) == "55.00"
        assert str(found.unrealized) == "1.00"

    def test_a_position_that_nobody_quotes_stands_at_its_cost_and_is_counted(self) -> None:
        found = worth(held(balances=(reading("50"),)), [position("10", "4", None)])

        assert (found.unmarked, str(found.equity)) == (1, "54.00")

    def test_without_a_balance_nothing_is_said_about_equity(self) -> None:
        assert worth(held(), []).equity is None

    def test_a_no_position_is_marked_at_what_its_contracts_could_be_sold_for(self) -> None:
        quote = Quote(
            ticker=TICKER,
            yes_bid=Price.parse("0.30"),
            yes_ask=Price.parse("0.34"),
            last=None,
            volume=ZERO_COUNT,
            volume_24h=ZERO_COUNT,
            open_interest=ZERO_COUNT,
        )
        (fresh,) = marked([position("-10", "6", None)], {TICKER: quote})
        cells = live_cells([fresh])["0/KXTEST-1"]

        assert cells["mark"].text == "0.66"
        assert cells["unrealized"].text == "+0.60"


def broken(severity: Severity, kind: BreakKind = BreakKind.MISSING_FILL) -> AgedBreak:
    found = Break(
        identity=f"{kind}:{severity}",
        kind=kind,
        severity=severity,
        subaccount=None,
        shard=None,
        ticker=TICKER,
        amount=money("1.50"),
        occurred_at=START,
        summary="something differs",
    )
    return AgedBreak(found=found, status=BreakStatus.OPEN, first_seen=START, last_seen=START)


def judged(*breaks: AgedBreak) -> Answer[Reconciliation]:
    nothing: tuple[Interval, ...] = ()
    found = verdict((each.found for each in breaks), nothing)
    closes = replace(found, closing=found.closing, proven=1)
    certificate = Certificate(at=START, lines=(), unreachable=(), served_by_result=0)
    proof = Proof((), (), (), certificate, closes)
    return Answer(Reconciliation(tuple(breaks), proof, closes, closes), 1, START, 1)


FINE = Condition(BooksState.FINE)


class TestBadges:
    def badge(self, answer: Answer[Reconciliation] | None, *, age: int = 0) -> Badge:
        now = Instant(START + age)
        return books_badge(FINE, answer, as_of=START, now=now, stale_after=600_000_000)

    def test_red_amber_and_stale_differ_in_shape_word_and_colour(self) -> None:
        found = [
            self.badge(judged(broken(Severity.RED))),
            self.badge(judged(broken(Severity.AMBER))),
            self.badge(judged(), age=DAY),
            self.badge(None),
        ]

        for part in ("shape", "words", "tone"):
            assert len({getattr(each, part) for each in found}) == len(found)
        assert found[0].words == "1 red break"
        assert "stale" in found[2].words

    def test_a_gap_that_only_time_has_made_is_stale_and_no_break(self) -> None:
        gap = broken(Severity.AMBER, BreakKind.COVERAGE_GAP)

        assert self.badge(judged(gap), age=DAY).words == "stale"
        assert self.badge(judged(broken(Severity.RED)), age=DAY).words == "stale, with breaks"

    def test_books_that_cannot_be_read_are_never_green(self) -> None:
        for state in (BooksState.ABSENT, BooksState.UNUSABLE):
            found = books_badge(
                Condition(state, "why"), judged(), as_of=START, now=START, stale_after=1
            )
            assert found.tone != "good"

    def test_production_and_live_orders_cannot_be_overlooked(self) -> None:
        assert venue_badge("prod").words == "PRODUCTION"
        live = orders_badge(venue="prod", read_only=False, bot_is_live=True, gates_open=False)
        off = orders_badge(venue="prod", read_only=False, bot_is_live=False, gates_open=False)
        look = orders_badge(venue="prod", read_only=True, bot_is_live=False, gates_open=True)
        assert "LIVE" in live.words
        assert "off" in off.words
        assert "read only" in look.words

    def test_a_dead_bot_of_a_killed_account_is_shown_as_killed(self) -> None:
        assert bot_badge(None, is_killed=True, why="", heard_at=None).words == "killed"
        assert bot_badge("halted", is_killed=True, why="", heard_at=START).tone == "bad"


def test_breaks_are_listed_worst_first_and_filtered() -> None:
    breaks = [broken(Severity.GREEN), broken(Severity.RED), broken(Severity.AMBER)]

    rows = break_rows(breaks, now=Instant(START + HOUR), words="", picked="")
    assert [row.cells["severity"].text for row in rows] == ["✕ red", "▲ amber", "✓ green"]
    assert rows[0].cells["age"].text == "1 h"
    assert len(break_rows(breaks, now=START, words="", picked="open")) == 2
    assert break_rows(breaks, now=START, words="nothing like it", picked="") == []


def test_a_gap_in_coverage_is_drawn_where_it_is() -> None:
    now = Instant(START + 10 * DAY)
    line = CertificateLine(
        stream=Stream.FILLS,
        subaccount=None,
        complete=(Span(START, Instant(START + 4 * DAY)), Span(Instant(START + 6 * DAY), now)),
        missing=(Span(Instant(START + 4 * DAY), Instant(START + 6 * DAY)),),
    )
    certificate = Certificate(at=now, lines=(line,), unreachable=(), served_by_result=0)

    (found,) = timelines(certificate, since=START, now=now)
    assert not found.is_complete
    assert [(bar.start, bar.length, bar.is_covered) for bar in found.bars] == [
        (0, 400, True),
        (600, 400, True),
        (400, 200, False),
    ]
    assert found.state == "not complete"


def test_limits_come_fullest_first_and_warn_before_they_are_full() -> None:
    def limit(name: str, share: str) -> LimitShown:
        return LimitShown(limit=name, strategy="", used="1", allowed="2", share=share, subject="")

    bars = limit_bars([limit("a", "0.10"), limit("b", "1.02"), limit("c", "0.80")])
    assert [(bar.name, bar.percent, bar.tone) for bar in bars] == [
        ("b", 102, Tone.BAD),
        ("c", 80, Tone.LOOK),
        ("a", 10, Tone.PLAIN),
    ]


def test_the_decision_log_says_why_not_newest_first() -> None:
    refused = {
        "n": 1,
        "at": "2026-11-28T10:00:00Z",
        "strategy": "mm",
        "verdict": "refused",
        "wish": "post yes 10 KXTEST at 0.4",
        "reason": "cheap",
        "refusals": [{"code": "exposure", "scope": "mm", "used": "9", "allowed": "10"}],
    }
    told = {
        "n": 2,
        "at": "2026-11-28T10:00:01Z",
        "strategy": "",
        "alert": "operator",
        "words": "pause",
        "by": "ann",
    }

    rows = decision_rows([refused, told], words="", only="", limit=10)
    assert [row.cells["kind"].text for row in rows] == ["operator", "refused"]
    assert "by ann" in rows[0].cells["words"].text
    assert "exposure (mm): used 9, allowed 10" in rows[1].cells["words"].text
    assert len(decision_rows([refused, told], words="", only="refused", limit=10)) == 1


def test_an_entrys_effect_is_the_sum_of_its_legs() -> None:
    sold = entry(
        EntryKind.FILL,
        (LedgerAccount.CASH, "6.43"),
        (LedgerAccount.TRADING_FEES, "0.07"),
        (LedgerAccount.POSITIONS, "-6"),
        (LedgerAccount.REALIZED, "-0.50"),
    )
    did = effect(sold)

    assert (str(did.cash), str(did.realized), str(did.fees), str(did.net)) == (
        "6.43",
        "0.50",
        "0.07",
        "0.43",
    )


@pytest.mark.parametrize("day", ["2026-03-08", "2026-11-01", "2026-11-28"])
def test_an_eastern_day_is_whole_also_when_the_clocks_change(day: str) -> None:
    begin, end = day_span(day)

    assert eastern_day(begin) == day
    assert eastern_day(Instant(end - 1)) == day
    assert eastern_day(Instant(begin - 1)) != day
    assert eastern_day(end) != day


def test_a_payload_that_is_no_json_is_shown_as_it_came() -> None:
    assert pretty(b'{"a":1}') == '{\n  "a": 1\n}'
    assert pretty(b"8=FIX.4.4\x01") == "8=FIX.4.4\x01"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("1,234.50", "1234.50"),
        ("−3.00", "-3.00"),
        ("+3.00", "3.00"),
        (UNKNOWN, ""),
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("KXTEST-1", "KXTEST-1"),
    ],
)
def test_an_export_has_plain_numbers_and_no_formulas(text: str, written: str) -> None:
    assert field(text) == written


def test_an_export_has_the_tables_columns_in_their_order() -> None:
    columns = (Column(name="a", label="A"), Column(name="b", label="B, two"))
    row = TableRow(key="1", cells={"b": Shown("x"), "a": Shown("1,000")})

    assert write_csv(columns, [TablePage([row], 1)]) == 'A,"B, two"\r\n1000,x\r\n'


def test_an_export_is_exact_where_the_page_is_rounded_for_the_eye() -> None:
    columns = tuple(Column(name=name, label=name) for name in ("at", "fee", "volume"))
    cells = {
        "at": shown.moment(Instant(START + 707_884)),
        "fee": shown.money(Money.parse("-0.1271"), signed=True),
        "volume": shown.whole(Count.parse("2811.57")),
    }

    written = write_csv(columns, [TablePage([TableRow(key="1", cells=cells)], 1)])

    assert [each.text for each in cells.values()][1:] == ["−0.13", "2,812"]
    assert written.splitlines()[1] == f"{format_instant(Instant(START + 707_884))},-0.1271,2811.57"


def test_a_side_is_neither_gain_nor_loss_and_an_order_that_rests_is_nothing_to_look_at() -> None:
    assert (outcome(Side.NO).text, outcome(Side.NO).tone) == ("NO", Tone.NO)
    assert result(MarketResult.YES, Price.parse("1")).tone is Tone.YES
    assert result(MarketResult.SCALAR, Price.parse("0.62")).text == "scalar $0.62"
    assert shown.change(Money.parse("-12.8")) == replace(
        shown.money(Money.parse("-12.8"), signed=True), tone=Tone.PLAIN
    )


def test_nothing_to_say_is_empty_and_not_unknown() -> None:
    row = connection_row(
        ConnectionShown(
            name="other_pots", up=True, heard_at=None, age_seconds=105, failed_at=None, words=""
        )
    )
    assert {name: cell.text for name, cell in row.cells.items()} == {
        "name": "other pots",
        "state": "● up",
        "heard": "1 min ago",
        "words": "",
    }


def test_limits_name_what_they_count() -> None:
    def bar(name: str, used: str, allowed: str) -> tuple[str, str]:
        (made,) = limit_bars(
            [
                LimitShown(
                    limit=name, strategy="", used=used, allowed=allowed, share="0.5", subject=""
                )
            ]
        )
        return made.used, made.allowed

    assert bar("position_max", "73.00", "100.00") == ("73", "100 contracts")
    assert bar("exposure_max", "142.4391", "600.00") == ("$142.44", "$600.00")
    assert bar("open_orders_max", "14", "50") == ("14", "50")
