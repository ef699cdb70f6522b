"""Pairs of markets on two venues, and what a bot has said about such pairs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from trueup.core.units import Ratio, rounded_text
from trueup.run.bot.decision_log import Line
from trueup.run.markets.arbitrage import Compared
from trueup.web.values import shown
from trueup.web.values.bot import decision_rows
from trueup.web.values.rows import TableRow
from trueup.web.values.shown import MINUS, Shown, Tone


def pair_rows(compared: Iterable[Compared], *, prefix: str = "") -> list[TableRow]:
    """A row for each pair, what pays first."""
    ordered = sorted(compared, key=lambda each: (each.found is None, each.pair.ticker))
    return [_row(each, prefix) for each in ordered]


def _row(each: Compared, prefix: str) -> TableRow:
    pair, top, quote, best = each.pair, each.top, each.quote, each.best
    alike = f"{pair.source} {pair.time} {pair.rules} ({pair.checked_by}, {pair.checked_on})"
    return TableRow(
        key=f"{pair.venue}/{pair.ticker}",
        href=f"{prefix}/market/{pair.ticker}",
        cells={
            "market": Shown(pair.ticker, title=alike),
            "venue": shown.words(f"{pair.venue} {pair.market_id}", title=f"YES is {pair.yes_is}"),
            "bid": shown.price(None if top is None else top.bid),
            "ask": shown.price(None if top is None else top.ask),
            "yes_there": _dollars(None if quote is None else quote.yes_ask),
            "no_there": _dollars(None if quote is None else quote.no_ask),
            "buy": shown.NOTHING if best is None else Shown(best.here.value.upper()),
            "combined": _dollars(None if best is None else best.combined),
            "fees": _dollars(None if best is None else best.fees),
            "net": _net(None if best is None else best.net),
            "shares": shown.count(None if best is None else best.shares),
            "quoted": shown.moment(None if quote is None else quote.at),
            "verdict": verdict(each),
        },
    )


def verdict(each: Compared) -> Shown:
    """Whether the pair pays, in a shape, a word and a colour."""
    if each.refused:
        return Shown("▲ not compared", Tone.LOOK, each.refused)
    if each.found is None:
        return Shown("○ does not pay", Tone.MUTED)
    return Shown("● pays", Tone.GOOD, each.found.words)


def opportunity_rows(lines: Sequence[Line], *, limit: int) -> list[TableRow]:
    """What a bot has told of pairs, newest first."""
    told = [line for line in lines if line.get("alert") == "opportunity"]
    return decision_rows(told, words="", only="", limit=limit)


def _dollars(value: Ratio | None) -> Shown:
    return (
        shown.NOTHING if value is None else Shown(rounded_text(value, 4), title=f"exactly {value}")
    )


def _net(value: Ratio | None) -> Shown:
    if value is None:
        return shown.NOTHING
    text = rounded_text(abs(value), 4)
    if value > 0:
        return Shown(f"+{text}", Tone.GAIN, f"exactly {value}")
    return Shown(f"{MINUS}{text}" if value < 0 else text, Tone.LOSS if value < 0 else Tone.PLAIN)
