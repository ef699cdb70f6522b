"""A trading report as tables of text: what the command prints and the page shows."""

from __future__ import annotations

from typing import Final

from trueup.core.instant import Instant, format_instant
from trueup.core.units import Money, Ratio, format_decimal, rounded_text
from trueup.ledger.performance import Trades
from trueup.run.reports.pictures import Table
from trueup.run.reports.weekly import Period, Report

DASH: Final = "–"
"""What is not known."""


def tables(found: Report) -> list[Table]:
    """The report's tables as text."""
    now, earlier = found.now, found.earlier
    heading = [
        "",
        f"{day_of(earlier.since)} to {day_of(earlier.until)}",
        f"{day_of(now.since)} to {day_of(now.until)}",
    ]
    both = [
        (title, before, after)
        for (title, before), (_, after) in zip(
            _lines(earlier, None), _lines(now, found.watched), strict=True
        )
    ]
    made: list[Table] = [("Trading", heading, both)]
    names = ["trades", "win rate", "mean winner", "mean loser", "reward:risk", "fees", "profit"]
    made += [
        (f"By {title}", [title, *names], [(name, *_trades(each)) for name, each in groups.items()])
        for title, groups in (("strategy", now.by_strategy), ("category", now.by_category))
        if groups
    ]
    return made


def _lines(period: Period, watched: int | None) -> list[tuple[str, str]]:
    trades, fallen = period.trades, period.drawdown
    depth = DASH if fallen is None else f"{_cents(fallen.amount)} ({_percent(fallen.share)})"
    return [
        ("Trades closed", str(trades.number)),
        ("Win rate", _percent(trades.win_rate)),
        ("Mean winner", _dollars(trades.mean_winner)),
        ("Mean loser", _dollars(trades.mean_loser)),
        ("Reward to risk", _to_one(trades.reward_to_risk)),
        ("Profit after fees", _cents(period.gain)),
        ("Net return", _percent(period.net_return)),
        ("Time-weighted return", _percent(period.time_weighted)),
        ("Deepest fall", depth),
        ("Fees", _cents(period.fees)),
        ("Slippage per order", _dollars(period.slippage)),
        (
            "Seconds per decision",
            DASH if period.seconds is None else rounded_text(period.seconds, 3),
        ),
        ("Orders", str(period.orders)),
        ("Markets wished for or traded", str(period.markets)),
        ("Markets watched at once", DASH if watched is None else str(watched)),
        ("Manual orders", DASH if period.manual_orders is None else str(period.manual_orders)),
        ("Overrides", str(period.overrides)),
        ("Deposits less withdrawals", _cents(Money(sum(x.amount.units for x in period.flows)))),
    ]


def _trades(trades: Trades) -> tuple[str, ...]:
    return (
        str(trades.number),
        _percent(trades.win_rate),
        _dollars(trades.mean_winner),
        _dollars(trades.mean_loser),
        _to_one(trades.reward_to_risk),
        _cents(trades.fees),
        _cents(trades.profit),
    )


def notes(found: Report) -> list[str]:
    """What the tables do not say."""
    lines = [
        f"{one} and {other}: daily profits correlate with "
        + (DASH if value is None else rounded_text(value, 2))
        for one, other, value in found.now.correlations
    ]
    if found.open_positions:
        worth = DASH if found.unrealized is None else _cents(found.unrealized)
        lines.append(f"{found.open_positions} positions are open, unrealised {worth}.")
    return lines


def day_of(at: Instant) -> str:
    """The UTC day of a moment."""
    return format_instant(at)[:10]


def _percent(share: Ratio | None) -> str:
    return DASH if share is None else f"{rounded_text(share * 100, 1)} %"


def _dollars(amount: Ratio | None) -> str:
    return DASH if amount is None else rounded_text(amount, 2)


def _cents(amount: Money) -> str:
    """To the cent, as the means beside it; the exact amounts are in the JSON."""
    cents = (abs(amount.units) + 5_000) // 10_000
    text = format_decimal(cents, 2, 2, thousands=True)
    return f"-{text}" if amount.units < 0 and cents else text


def _to_one(ratio: Ratio | None) -> str:
    return DASH if ratio is None else f"{rounded_text(ratio, 2)} : 1"
