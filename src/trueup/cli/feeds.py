"""`feeds`: what the world outside says now, without a bot."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import typer

from trueup.cli.common import Invocation, command, lead
from trueup.cli.output import moment
from trueup.core.errors import TrueupError
from trueup.core.units import Ratio, rounded_text
from trueup.engine.signals import AnchorSignal, NewsSignal, OtherLegTaken, Signal, VenueQuote
from trueup.net.feeds.source import Heard, Source
from trueup.run.bot.at_work import Beside
from trueup.run.bot.feeding import Configured, configure, feeds_beside
from trueup.run.desk import DeskSettings
from trueup.run.views import Row

_EXIT_FAILED = 1


def register(app: typer.Typer) -> None:
    """Add the commands of the feeds."""
    group = typer.Typer(
        help="News, probabilities and other venues' prices, as config.toml names them.",
        no_args_is_help=True,
    )
    command(group, "check")(check)
    app.add_typer(group, name="feeds")


@dataclass(frozen=True, slots=True)
class _Checked:
    name: str
    heard: Heard
    trouble: str


def check(invocation: Invocation) -> None:
    """Ask every configured source once, and show what it says.  Nothing trades."""
    settings = lead(invocation)
    output = invocation.output
    configured = configure(settings, shows_all=True)
    for notice in configured.notices:
        output.notice(notice)
    checked = asyncio.run(_ask(configured))
    output.result({"sources": [_row(each) for each in checked]})
    if not checked:
        output.say("No feed is configured: see [feeds] in the guide on feeds.")
    for each in checked:
        if each.trouble:
            invocation.exit_code = _EXIT_FAILED
            output.say(f"{each.name}: FAILS, {each.trouble}", style="red")
            continue
        output.say(f"{each.name}: {len(each.heard.signals)} signals", style="bold")
        for signal in each.heard.signals:
            output.say(f"  {_words(signal)}")
        for words in each.heard.refused:
            output.say(f"  not used: {words}")


def feeds_of(invocation: Invocation, settings: DeskSettings) -> tuple[Beside, ...]:
    """The configured feeds, to run beside a bot; says which they are."""
    feeds = configure(settings)
    for notice in feeds.notices:
        invocation.output.notice(notice)
    if not feeds.sources:
        return ()
    invocation.output.say(f"feeds: {', '.join(each.name for each in feeds.sources)}")
    return (feeds_beside(feeds),)


async def _ask(configured: Configured) -> list[_Checked]:
    try:
        return [await _one(source, configured) for source in configured.sources]
    finally:
        await configured.close()


async def _one(source: Source, configured: Configured) -> _Checked:
    try:
        return _Checked(source.name, await source.read(configured.now()), "")
    except TrueupError as error:
        return _Checked(source.name, Heard(), str(error))


def _row(each: _Checked) -> Row:
    return {
        "name": each.name,
        "trouble": each.trouble,
        "signals": [_signal_row(signal) for signal in each.heard.signals],
        "refused": list(each.heard.refused),
    }


def _signal_row(signal: Signal) -> Row:
    row: Row = {"ticker": signal.ticker, "at": moment(signal.at), "words": _words(signal)}
    match signal:
        case NewsSignal():
            row |= {
                "kind": "news",
                "direction": signal.direction.value,
                "confidence": signal.confidence,
                "headline": signal.headline,
            }
        case AnchorSignal():
            row |= {"kind": "probability", "probability": signal.probability}
        case VenueQuote():
            row |= {"kind": "quote", "yes_ask": signal.yes_ask, "no_ask": signal.no_ask}
        case OtherLegTaken():
            row |= {"kind": "other_leg", "count": signal.count}
    return row


def _words(signal: Signal) -> str:
    match signal:
        case NewsSignal():
            share = _percent(signal.confidence)
            return f"{signal.ticker}: {signal.direction.value}, {share} sure: {signal.headline}"
        case AnchorSignal():
            return f"{signal.ticker}: {_percent(signal.probability)} by {signal.source}"
        case VenueQuote():
            yes, no = (_dollars(each) for each in (signal.yes_ask, signal.no_ask))
            return f"{signal.ticker}: YES {yes}, NO {no} on {signal.venue}"
        case OtherLegTaken():
            return f"{signal.ticker}: {signal.count} taken on {signal.venue}"


def _percent(share: Ratio) -> str:
    return f"{rounded_text(share * 100, 1)} %"


def _dollars(price: Ratio | None) -> str:
    return "–" if price is None else rounded_text(price, 4)
