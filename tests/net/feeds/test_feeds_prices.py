"""Outside prices: FedWatch files and Polymarket's public services, in their own forms."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from pathlib import Path

import pytest
from small_web import SmallWeb

from trueup.core.errors import ConfigError, ProtocolBroken, TrueupError, Unreachable
from trueup.core.instant import DAY, HOUR, MINUTE, SECOND, Instant, parse_instant
from trueup.core.units import Ratio
from trueup.engine.signals import AnchorSignal, VenueQuote
from trueup.net.feeds import fedwatch
from trueup.net.feeds.pairs_file import EXAMPLE, read_pairs
from trueup.net.feeds.polymarket import FEE_RATE_MAX, Polymarket
from trueup.net.feeds.source import Heard, Reader
from trueup.net.feeds.sources import AnchorSource, VenueSource

NOON = parse_instant("2026-11-27T22:00:00Z")

TABLE = """\
date,meeting,range_bp,prob
2026-11-26,2026-12-09,350-375,0.9
2026-11-26,2026-12-09,375-400,0.1
2026-11-27,2026-12-09,350-375,0.71
2026-11-27,2026-12-09,375-400,0.29
2026-11-27,2027-01-27,350-375,1.0
"""


# -- probabilities -----------------------------------------------------------------------------


def test_a_table_is_read_as_of_its_newest_day() -> None:
    told = fedwatch.parse(TABLE.encode(), "table")

    assert told.as_of == parse_instant("2026-11-27T21:00:00Z")
    assert [each.meeting for each in told.distributions] == [date(2026, 12, 9), date(2027, 1, 27)]
    assert told.distributions[0].uppers == {375: Ratio("0.71"), 400: Ratio("0.29")}


def test_probabilities_and_futures_come_as_json_too() -> None:
    stated = {
        "as_of": "2026-11-27T21:00:00Z",
        "upper_now": 400,
        "meetings": {"2026-12-09": {"350-375": "0.71", "375-400": 0.29}},
    }
    prices = {
        "upper_now": 400,
        "effective": "3.88",
        "futures": {"2026-11": "96.12", "2026-12": "96.2937"},
        "meetings": ["2026-12-09"],
    }

    one = fedwatch.parse(json.dumps(stated).encode(), "stated")
    two = fedwatch.parse(json.dumps(prices).encode(), "prices")

    assert one.distributions[0].uppers == {375: Ratio("0.71"), 400: Ratio("0.29")}
    assert (one.upper_now, two.upper_now, two.as_of) == (400, 400, None)
    # December averages 3.7063 %: (31 × 3.7063 − 9 × 3.88) / 22 = 3.635241 %, 97.9 % of a cut.
    assert two.distributions[0].uppers[375] == (Ratio("3.88") * 31 - Ratio("3.7063") * 31) / (
        22 * Ratio("0.25")
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"meeting,range_bp\n2026-12-09,350-375\n",
        b"meeting,range_bp,prob\n2026-12-09,350-375,likely\n",
        b"meeting,range_bp,prob\n2026-12-09,350-375,0.5\n",
        b"meeting,range_bp,prob\nsoon,350-375,1\n",
        b'{"meetings": ["2026-12-09"]}',
        b'{"meetings": {"2026-12-09": {"a-b": 1}}}',
        b'{"meetings": {}, "extra": 1}',
        b"\xff\xfe",
    ],
)
def test_probabilities_that_cannot_be_used_are_told(body: bytes) -> None:
    with pytest.raises(ProtocolBroken):
        fedwatch.parse(body, "table")


def anchor_source(
    place: str, reader: Reader | None = None, upper_now: int | None = None
) -> AnchorSource:
    return AnchorSource(
        "FedWatch", 30 * SECOND, place, reader or Reader(), age_max=36 * HOUR, upper_now=upper_now
    )


def read(source: AnchorSource, now: Instant = NOON) -> Heard:
    return asyncio.run(source.read(now))


def test_anchors_are_said_when_they_change_and_now_and_then(tmp_path: Path) -> None:
    path = tmp_path / "fedwatch.csv"
    path.write_text(TABLE)
    source = anchor_source(str(path), upper_now=400)

    first = read(source)
    second = read(source, Instant(NOON + 30 * SECOND))
    third = read(source, Instant(NOON + 15 * MINUTE))
    path.write_text(TABLE.replace("0.71", "0.70").replace("0.29", "0.30"))
    fourth = read(source, Instant(NOON + 16 * MINUTE))

    by_ticker = {str(e.ticker): e.probability for e in first.signals if isinstance(e, AnchorSignal)}
    assert by_ticker["KXFED-26DEC-T3.75"] == Ratio("0.29")
    assert by_ticker["KXFEDDECISION-26DEC-C25"] == Ratio("0.71")
    assert by_ticker["KXFED-27JAN-T3.50"] == 1
    assert not any(name.startswith("KXFEDDECISION-27JAN") for name in by_ticker)
    assert (len(second.signals), third, len(fourth.signals)) == (0, first, len(first.signals))
    assert fourth != first


def test_old_probabilities_are_refused_with_words(tmp_path: Path) -> None:
    path = tmp_path / "fedwatch.csv"
    path.write_text(TABLE)

    heard = read(anchor_source(str(path)), Instant(NOON + 3 * DAY))

    assert heard.signals == ()
    assert heard.refused == ("FedWatch: its probabilities are 3 d old: not used",)


def test_a_missing_file_and_a_broken_address_are_told(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="cannot be read"):
        read(anchor_source(str(tmp_path / "none.csv")))

    web = SmallWeb()
    web.page("/table", TABLE, headers={"ETag": '"a"'})

    async def twice(reader: Reader) -> tuple[Heard, Heard]:
        source = anchor_source(f"{web.url}/table", reader)
        return await source.read(NOON), await source.read(NOON)

    first, second = web.run(twice)
    assert len(first.signals) > 4
    assert second == Heard()


# -- Polymarket --------------------------------------------------------------------------------

GAMMA = {
    "id": "2589812",
    "question": "No change in Fed interest rates after December 2026 meeting?",
    "conditionId": "0xabc",
    "slug": "fed-no-change-december",
    "outcomes": '["Yes", "No"]',
    "outcomePrices": '["0.675", "0.325"]',
    "clobTokenIds": '["111", "222"]',
    "active": True,
    "closed": False,
    "acceptingOrders": True,
    "enableOrderBook": True,
    "negRisk": True,
    "bestBid": 0.67,
    "bestAsk": 0.68,
    "feesEnabled": True,
    "feeSchedule": {"rate": 0.05, "exponent": 1, "takerOnly": True, "rebateRate": 0.25},
}
BOOKS = [
    {
        "market": "0xabc",
        "asset_id": "111",
        "timestamp": "1795816800000",
        "hash": "0x1",
        "bids": [{"price": "0.66", "size": "50"}, {"price": "0.67", "size": "10"}],
        "asks": [{"price": "0.70", "size": "500"}, {"price": "0.68", "size": "120.5"}],
        "tick_size": "0.01",
    },
    {
        "market": "0xabc",
        "asset_id": "222",
        "timestamp": "1795816800000",
        "hash": "0x2",
        "bids": [{"price": "0.32", "size": "120.5"}],
        "asks": [{"price": "0.34", "size": "50"}, {"price": "0.33", "size": "10"}],
        "tick_size": "0.01",
    },
]


def quotes(
    tmp_path: Path,
    gamma: object = GAMMA,
    books: object = BOOKS,
    mapping: str = EXAMPLE,
) -> tuple[Heard, SmallWeb]:
    web = SmallWeb()
    web.page("/markets/2589812", json.dumps(gamma) if not isinstance(gamma, bytes) else gamma)
    web.page("/books", json.dumps(books) if not isinstance(books, bytes) else books)
    path = tmp_path / "pairs.toml"
    path.write_text(mapping)

    async def ask(reader: Reader) -> Heard:
        venue = Polymarket(reader, gamma=web.url, clob=web.url)
        source = VenueSource("polymarket", 5 * SECOND, read_pairs(path), venue)
        await source.read(NOON)
        return await source.read(NOON)

    return web.run(ask), web


def test_best_asks_of_both_sides_are_read(tmp_path: Path) -> None:
    heard, web = quotes(tmp_path)

    (quote,) = heard.signals
    assert isinstance(quote, VenueQuote)
    assert quote.ticker == "KXFEDDECISION-26DEC-H0"
    assert (quote.yes_ask, quote.yes_size) == (Ratio("0.68"), Ratio("120.5"))
    assert (quote.no_ask, quote.no_size) == (Ratio("0.33"), 10)
    assert quote.fee_per_share == Ratio("0.05") * Ratio("0.33") * Ratio("0.67")
    assert [each.path for each in web.asked] == ["/markets/2589812", "/books", "/books"]
    assert json.loads(web.bodies[1]) == [{"token_id": "111"}, {"token_id": "222"}]


def test_a_market_that_says_nothing_of_fees_is_taken_to_charge_the_most(tmp_path: Path) -> None:
    silent = {n: v for n, v in GAMMA.items() if n not in {"feesEnabled", "feeSchedule"}}
    free = {**silent, "feesEnabled": False}

    (quote,) = quotes(tmp_path, silent)[0].signals
    (unpaid,) = quotes(tmp_path, free)[0].signals

    assert isinstance(quote, VenueQuote)
    assert isinstance(unpaid, VenueQuote)
    assert quote.fee_per_share == FEE_RATE_MAX * Ratio("0.33") * Ratio("0.67")
    assert unpaid.fee_per_share == 0


def test_legs_that_are_missing_and_markets_that_are_closed_are_refused(tmp_path: Path) -> None:
    closed, _ = quotes(tmp_path, {**GAMMA, "acceptingOrders": False})
    empty, _ = quotes(tmp_path, books=[])
    one_leg, _ = quotes(tmp_path, books=BOOKS[:1])

    assert "closed" in closed.refused[0]
    assert "a leg is missing" in empty.refused[0]
    (quote,) = one_leg.signals
    assert isinstance(quote, VenueQuote)
    assert (quote.yes_ask, quote.no_ask) == (Ratio("0.68"), None)


@pytest.mark.parametrize(
    ("gamma", "books"),
    [
        (b"<html>", BOOKS),
        ({**GAMMA, "clobTokenIds": '["111"]'}, BOOKS),
        ({**GAMMA, "outcomes": "Yes, No"}, BOOKS),
        (GAMMA, b"{}"),
        (GAMMA, [{"asset_id": "111", "asks": [{"price": "cheap", "size": "1"}]}]),
    ],
)
def test_answers_that_cannot_be_understood_are_told(
    tmp_path: Path, gamma: object, books: object
) -> None:
    with pytest.raises(ProtocolBroken, match="Polymarket's answer"):
        quotes(tmp_path, gamma, books)


# -- the mapping -------------------------------------------------------------------------------


def test_the_example_is_a_mapping(tmp_path: Path) -> None:
    path = tmp_path / "pairs.toml"
    path.write_text(EXAMPLE)

    (pair,) = read_pairs(path)

    assert (pair.ticker, pair.yes_is, pair.checked_on) == (
        "KXFEDDECISION-26DEC-H0",
        "Yes",
        "2026-11-20",
    )
    assert "FOMC" in pair.source


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('checked_by = "ada"', 'checked_by = " "'), "checked_by is empty"),
        (('rules = "Both', 'rule = "Both'), "rule"),
        (("checked_on = 2026-11-20", 'checked_on = "soon"'), "checked_on"),
        (('venue = "polymarket"', 'venue = "elsewhere"'), "unknown"),
        (("[[pair]]", "[pair"), "cannot be used"),
    ],
)
def test_a_mapping_without_its_reasons_is_not_used(
    tmp_path: Path, change: tuple[str, str], words: str
) -> None:
    path = tmp_path / "pairs.toml"
    path.write_text(EXAMPLE.replace(*change))

    with pytest.raises(ConfigError, match=words):
        read_pairs(path)


def test_an_empty_a_doubled_and_a_missing_mapping_are_told(tmp_path: Path) -> None:
    path = tmp_path / "pairs.toml"
    for text, words in (("", "names no pair"), (EXAMPLE * 2, "mapped twice")):
        path.write_text(text)
        with pytest.raises(ConfigError, match=words):
            read_pairs(path)
    with pytest.raises(TrueupError, match="cannot be read"):
        read_pairs(tmp_path / "none.toml")
