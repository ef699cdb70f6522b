"""What a bot does, as rows: strategies, limits, orders, and why it did not trade."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from trueup.core.errors import NotANumber
from trueup.core.instant import SECOND, format_age, parse_instant
from trueup.core.units import Money
from trueup.run.bot.decision_log import Line, line_words
from trueup.run.bot.status import ConnectionShown, LimitShown, OrderShown, Status, StrategyShown
from trueup.web.values import shown
from trueup.web.values.rows import TableRow
from trueup.web.values.shown import Shown, Tone

LOOK_FROM: Final = Decimal("0.75")
"""From this share on a limit is worth a look."""

_STATES: Final = {
    "trading": ("▶ trading", Tone.GOOD),
    "paused": ("⏸ paused", Tone.LOOK),
    "halted": ("■ halted", Tone.BAD),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitBar:
    """A limit and how full it is."""

    name: str
    used: str
    allowed: str
    percent: int
    tone: Tone


def strategy_row(strategy: StrategyShown) -> TableRow:
    """A strategy at work."""
    actions = ("resume",) if strategy.state == "paused" else ("pause",)
    parameters = ", ".join(f"{name} {value}" for name, value in strategy.parameters.items())
    return TableRow(
        key=strategy.name,
        actions=() if strategy.state == "halted" else actions,
        cells={
            "name": Shown(strategy.name),
            "state": state_words(strategy.state, strategy.why),
            "profit": amount(strategy.profit, signed=True),
            "realized": amount(strategy.realized, signed=True),
            "fees": amount(strategy.fees),
            "exposure": amount(strategy.exposure),
            "capital": amount(strategy.capital),
            "orders": shown.number(strategy.open_orders),
            "markets": shown.number(strategy.markets),
            "parameters": shown.note(parameters, tone=Tone.MUTED),
        },
    )


def state_words(state: str, why: str = "") -> Shown:
    """The state of a strategy, by a shape, a word and a colour."""
    words, tone = _STATES.get(state, (state, Tone.LOOK))
    return Shown(words, tone, why)


def amount(text: str | None, *, signed: bool = False, stands_alone: bool = False) -> Shown:
    """Dollars of the status document; with the dollar sign where no column's heading says so."""
    if text is None:
        return shown.NOTHING
    show = shown.dollars if stands_alone else shown.money
    try:
        return show(Money.parse(text), signed=signed)
    except NotANumber:
        return shown.words(text)


def order_row(order: OrderShown) -> TableRow:
    """A living order of the bot."""
    return TableRow(
        key=order.client_order_id,
        cells={
            "ticker": Shown(order.ticker),
            "strategy": shown.words(order.strategy),
            "side": shown.side(order.side),
            "limit": shown.words(order.limit),
            "count": shown.contracts(order.count),
            "filled": shown.contracts(order.filled),
            "state": shown.words(
                order.state, tone=Tone.BAD if order.state == "unknown" else Tone.PLAIN
            ),
            "reason": shown.note(order.reason, tone=Tone.MUTED),
        },
    )


def connection_row(connection: ConnectionShown) -> TableRow:
    """A feed of the bot."""
    age = connection.age_seconds
    return TableRow(
        key=connection.name,
        tone="" if connection.up else "bad",
        cells={
            "name": Shown(connection.name.replace("_", " ")),
            "state": Shown("● up", Tone.GOOD) if connection.up else Shown("✕ down", Tone.BAD),
            "heard": shown.NOTHING if age is None else Shown(f"{format_age(age * SECOND)} ago"),
            "words": shown.note(connection.words, tone=Tone.MUTED),
        },
    )


def limit_bars(limits: Iterable[LimitShown]) -> list[LimitBar]:
    """How full each limit is, the fullest first."""
    bars = [_bar(each) for each in limits]
    return sorted(bars, key=lambda each: -each.percent)


def _bar(limit: LimitShown) -> LimitBar:
    try:
        share = max(Decimal(0), Decimal(limit.share))
    except InvalidOperation:
        share = Decimal(0)
    tone = Tone.PLAIN
    if share >= 1:
        tone = Tone.BAD
    elif share >= LOOK_FROM:
        tone = Tone.LOOK
    of = f" of {limit.subject}" if limit.subject else ""
    owner = f"{limit.strategy}: " if limit.strategy else ""
    return LimitBar(
        name=f"{owner}{limit.limit.replace('_', ' ')}{of}",
        used=_limited(limit.limit, limit.used),
        allowed=_limited(limit.limit, limit.allowed, with_unit=True),
        percent=int(share * 100),
        tone=tone,
    )


_IN_CONTRACTS: Final = frozenset({"position_max"})


def _limited(limit: str, text: str, *, with_unit: bool = False) -> str:
    """A side of a limit: dollars, contracts, or a bare number of things."""
    if limit in _IN_CONTRACTS:
        return shown.contracts(text).text + (" contracts" if with_unit else "")
    return amount(text, stands_alone=True).text if "." in text else text


_LINE_TONES: Final = {
    "refused": Tone.LOOK,
    "sent": Tone.GOOD,
    "fill": Tone.GAIN,
    "halt": Tone.BAD,
    "trouble": Tone.BAD,
}


def decision_rows(lines: Sequence[Line], *, words: str, only: str, limit: int) -> list[TableRow]:
    """The newest lines first, those with `words` in them and of one kind."""
    found: list[TableRow] = []
    for line in reversed(lines):
        kind = str(line.get("verdict") or line.get("alert") or "")
        if only and kind != only:
            continue
        row = _decision_row(line, kind)
        if words and not any(words in cell.text.lower() for cell in row.cells.values()):
            continue
        found.append(row)
        if len(found) >= limit:
            break
    return found


def _decision_row(line: Line, kind: str) -> TableRow:
    at = str(line.get("at", ""))
    try:
        when = shown.moment(parse_instant(at))
    except NotANumber:
        when = shown.words(at)
    told = line_words(line) if "verdict" in line or "alert" in line else str(dict(line))
    head, _, rest = told.partition(str(line.get("strategy") or " "))
    why = (rest or head).strip()
    by = str(line.get("by") or "")
    return TableRow(
        key=f"{at}/{line.get('n', id(line))}/{kind}",
        cells={
            "at": when,
            "kind": shown.words(kind, tone=_LINE_TONES.get(kind, Tone.PLAIN)),
            "strategy": shown.words(str(line.get("strategy") or "")),
            "words": shown.words(f"{why} (by {by})" if by else why),
        },
    )


def summary(status: Status) -> dict[str, Shown]:
    """The bot as a whole."""
    return {
        "State": state_words(status.state),
        "Mode": shown.words(f"{status.mode}, {status.venue}" + (", LIVE" if status.live else "")),
        "Value": amount(status.value, stands_alone=True),
        "P&L": amount(status.profit, signed=True, stands_alone=True),
        "Running since": shown.moment(parse_instant(status.started_at)),
        "Markets followed": shown.number(status.markets_followed),
        "Orders sent": shown.number(status.counters.sent),
        "Fills": shown.number(status.counters.fills),
        "Wishes refused": shown.number(status.counters.refused),
        "Process": shown.words(str(status.pid)),
    }
