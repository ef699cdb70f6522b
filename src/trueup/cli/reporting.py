"""`report`: how trading went, in figures and as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from trueup.cli.common import Invocation, command, open_account
from trueup.cli.output import DASH
from trueup.core.errors import CallerError, ConfigError
from trueup.core.instant import DAY, HOUR, Instant, format_instant, parse_instant
from trueup.core.units import Money, Ratio, rounded_text
from trueup.ledger.performance import Trades
from trueup.run.bot_places import decisions_path
from trueup.run.pictures import Table, braille, page, svg
from trueup.run.weekly import Period, Report, document, report_of

_WEEK: Final = 7


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "report")(report)


def report(
    invocation: Invocation,
    *,
    weekly: Annotated[
        bool, typer.Option("--weekly", help="The last seven days (the default).")
    ] = False,
    days: Annotated[
        int | None, typer.Option("--days", help="The last so many days instead.", min=1, max=3660)
    ] = None,
    until: Annotated[
        str, typer.Option("--until", help="Up to when, RFC 3339 (default: now).")
    ] = "",
    html: Annotated[
        str, typer.Option("--html", help="Also write a page with the picture to this file.")
    ] = "",
) -> None:
    """Trades, winners and losers, return, drawdown, fees and slippage, an earlier period beside."""
    if weekly and days is not None:
        raise CallerError("--weekly means --days 7", remedy="Give one of the two.")
    with open_account(invocation, refresh=True) as account:
        end = parse_instant(until) if until else account.now()
        # The books count by whole hours; the present one belongs to the period.
        end = Instant(-(-end // HOUR) * HOUR)
        since = Instant(max(0, end - (days or _WEEK) * DAY))
        decisions = decisions_path(account.desk.settings)
        found = report_of(account, decisions, since=since, until=end)
    show_report(invocation, found, html=html)


def show_report(invocation: Invocation, found: Report, *, html: str = "") -> None:
    """Print a report, and write its page where one is wanted."""
    output = invocation.output
    output.result({**document(found), "html": html or None})
    now = found.now
    output.say()
    output.say(f"{_day(now.since)} to {_day(now.until)}", style="bold")
    for caption, headings, lines in tables(found):
        output.table(headings, lines, title=caption, right=headings[1:])
    picture = braille(now.points, now.until)
    if picture:
        output.say("Equity, positions at what they cost", style="bold")
        for line in picture:
            output.say(line)
    for note in notes(found):
        output.say(note)
    if html:
        _write(Path(html), found)
        output.say(f"written: {html}")


def _write(path: Path, found: Report) -> None:
    now = found.now
    title = f"trueup report, {_day(now.since)} to {_day(now.until)}"
    picture = svg(now.points, now.until, title="Equity")
    try:
        path.write_text(page(title, picture, tables(found), notes(found)), encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror}", remedy="Name another file."
        ) from error


def tables(found: Report) -> list[Table]:
    """The report's tables as text."""
    now, earlier = found.now, found.earlier
    heading = [
        "",
        f"{_day(earlier.since)} to {_day(earlier.until)}",
        f"{_day(now.since)} to {_day(now.until)}",
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
    depth = DASH if fallen is None else f"{fallen.amount.dollars()} ({_percent(fallen.share)})"
    return [
        ("Trades closed", str(trades.number)),
        ("Win rate", _percent(trades.win_rate)),
        ("Mean winner", _dollars(trades.mean_winner)),
        ("Mean loser", _dollars(trades.mean_loser)),
        ("Reward to risk", _to_one(trades.reward_to_risk)),
        ("Profit after fees", period.gain.dollars()),
        ("Net return", _percent(period.net_return)),
        ("Time-weighted return", _percent(period.time_weighted)),
        ("Deepest fall", depth),
        ("Fees", period.fees.dollars()),
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
        ("Deposits less withdrawals", Money(sum(x.amount.units for x in period.flows)).dollars()),
    ]


def _trades(trades: Trades) -> tuple[str, ...]:
    return (
        str(trades.number),
        _percent(trades.win_rate),
        _dollars(trades.mean_winner),
        _dollars(trades.mean_loser),
        _to_one(trades.reward_to_risk),
        trades.fees.dollars(),
        trades.profit.dollars(),
    )


def notes(found: Report) -> list[str]:
    """What the tables do not say."""
    lines = [
        f"{one} and {other}: daily profits correlate with "
        + (DASH if value is None else rounded_text(value, 2))
        for one, other, value in found.now.correlations
    ]
    if found.open_positions:
        worth = DASH if found.unrealized is None else found.unrealized.dollars()
        lines.append(f"{found.open_positions} positions are open, unrealised {worth}.")
    return lines


def _day(at: Instant) -> str:
    return format_instant(at)[:10]


def _percent(share: Ratio | None) -> str:
    return DASH if share is None else f"{rounded_text(share * 100, 1)} %"


def _dollars(amount: Ratio | None) -> str:
    return DASH if amount is None else rounded_text(amount, 2)


def _to_one(ratio: Ratio | None) -> str:
    return DASH if ratio is None else f"{rounded_text(ratio, 2)} : 1"
