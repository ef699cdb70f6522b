"""`case-study`: the well-known case study retold on the sandbox, from the first day to the proof."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from trueup.cli.common import Invocation, command, open_account
from trueup.cli.fetching import backfill
from trueup.cli.output import moment, shown
from trueup.cli.proving import proof, reconcile
from trueup.cli.reporting import show_report
from trueup.cli.steps import Gathering, kept_variables
from trueup.core.instant import DAY, format_age
from trueup.core.units import Price
from trueup.engine import effects as f
from trueup.ledger.entries import RoundTrip
from trueup.run.books.account import Account
from trueup.run.bot.places import decisions_path
from trueup.run.reports.weekly import Report, report_of
from trueup.run.sandbox.case_study import (
    Played,
    Release,
    Served,
    Study,
    cpi_releases,
    play,
    served,
    write_decisions,
)
from trueup.run.views import Row

_WEEK: Final = 7 * DAY

Week = tuple[Release, list[RoundTrip]]
"""A CPI release, and the trades in its markets that ended in the week before it or by it."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "case-study")(case_study)


def case_study(
    invocation: Invocation,
    *,
    seed: Annotated[int, typer.Option("--seed", help="Another course of events.")] = 7,
    days: Annotated[int, typer.Option("--days", help="How many days.", min=8, max=360)] = 90,
    html: Annotated[str, typer.Option("--html", help="Also write the report as a page.")] = "",
) -> None:
    """90 days of mean reversion and momentum on economic markets, two outages, a CPI week.

    No key, no network, no real money: an exchange on this machine, in virtual time.  The
    same seed gives the same course.  90 days take three to four minutes of one processor.
    """
    output = invocation.output
    output.lead("sandbox", "main")
    output.say(
        "A trader has $5,000, a bot with two strategies, and markets on the Fed, on consumer "
        "prices and on jobless claims that overdo their news. The exchange fails twice."
    )
    with output.progress("days") as line:
        played = play(Study(seed=seed, days=days), lambda day: line.step(f"day {day}", 1))
    _say_what_happened(invocation, played)
    with (
        tempfile.TemporaryDirectory(prefix="trueup-case-study-") as folder,
        served(played, Path(folder)) as exchange,
    ):
        steps = _Steps(invocation, exchange)
        found, weeks = _close_the_books(invocation, played, steps)
        show_report(steps.next(), found, html=html)
    _say_the_weeks(invocation, weeks)
    output.result(_document(played, found, weeks, steps.gathered))


class _Steps:
    """Gives each command that is run an invocation of its own, at the story's exchange and time."""

    def __init__(self, invocation: Invocation, exchange: Served) -> None:
        self.gathered: list[Mapping[str, Any]] = []
        self._output = invocation.output
        self._environment = {**kept_variables(invocation.environment), **exchange.environment}
        self._clock = exchange.clock

    def next(self, *, quiet: bool = False) -> Invocation:
        """One more; a `quiet` one says nothing."""
        output = Gathering(self.gathered) if self._output.as_json else self._output
        if quiet:
            output = Gathering([])
        return Invocation(output, environment=self._environment, clock=self._clock)


def _close_the_books(
    invocation: Invocation, played: Played, steps: _Steps
) -> tuple[Report, list[Week]]:
    """Fetch, reconcile and prove, by the commands that a user types; sets the exit code."""
    what = "The books are fetched from the exchange, as for any account."
    _title(invocation, what, "backfill --full")
    backfill(steps.next(), full=True)
    _title(invocation, "Do they equal the exchange's in everything it states?", "reconcile")
    judged = steps.next()
    reconcile(judged, offline=True)
    _title(invocation, "Is every cent explained by a fact?", "proof")
    proven = steps.next()
    proof(proven, offline=True)
    invocation.exit_code = judged.exit_code or proven.exit_code
    _title(invocation, "The study's table.", f"report --days {played.study.days}")
    with open_account(steps.next(quiet=True)) as account:
        decisions = decisions_path(account.desk.settings)
        write_decisions(played, decisions)
        found = report_of(
            account, decisions, since=played.began, until=played.ended, watched=played.watched
        )
        return found, [_week(account, each) for each in cpi_releases(played)]


def _title(invocation: Invocation, what: str, typed: str) -> None:
    invocation.output.say()
    invocation.output.say(what, style="bold")
    invocation.output.say(f"$ trueup {typed}", style="cyan")


def _say_what_happened(invocation: Invocation, played: Played) -> None:
    say = invocation.output.say
    heard = played.venue.heard
    refused = Counter(refusal.code.value for each in heard.decisions for refusal in each.refusals)
    say(
        f"{played.study.days} days, {played.listed} markets in all, {played.watched} watched at once. "
        f"{len(heard.placed)} orders, {len(heard.fills)} fills, "
        f"{len(heard.settled)} settlements of what was held."
    )
    if refused:
        words = ", ".join(f"{name} {number}" for name, number in refused.most_common(6))
        say(f"Wishes that the checks refused: {words}.")
    for outage in played.outages:
        lasted = format_age(outage.ended - outage.began)
        halted, lifted = (shown(moment(each)) for each in (outage.halted_at, outage.lifted_at))
        say(f"{moment(outage.began)}: every call fails for {lasted}.")
        say(f"  {halted} {outage.words or 'no halt'}")
        say(f"  {lifted} trading again")


def _week(account: Account, release: Release) -> Week:
    """The round trips in a release's markets that ended in the week before it or by it."""
    trips = [
        trip
        for ticker in release.markets
        for trip in account.books.trades(ticker=ticker)
        if trip.closed_at is not None and trip.closed_at >= release.at - _WEEK
    ]
    trips.sort(key=lambda trip: trip.closed_at or 0)
    return release, trips


def _say_the_weeks(invocation: Invocation, weeks: list[Week]) -> None:
    for release, trips in weeks:
        invocation.output.table(
            ["market", "strategy", "side", "contracts", "cost", "brought", "profit", "ended"],
            [
                (
                    trip.ticker,
                    trip.strategy,
                    trip.side,
                    trip.bought,
                    trip.bought_cost,
                    trip.sold_proceeds + trip.payout,
                    trip.profit_loss,
                    trip.status.value,
                )
                for trip in trips
            ],
            title=f"The CPI week of {release.event}, released {(moment(release.at) or '')[:10]}",
            right=["contracts", "cost", "brought", "profit"],
            empty=f"The CPI week of {release.event}: nothing was traded in its markets.",
        )


def _document(
    played: Played,
    found: Report,
    weeks: list[Week],
    steps: list[Mapping[str, Any]],
) -> Row:
    heard = played.venue.heard
    return {
        "seed": played.study.seed,
        "days": played.study.days,
        "markets_listed": played.listed,
        "markets_watched": played.watched,
        "orders": len(heard.placed),
        "fills": len(heard.fills),
        "refused": sum(each.verdict is f.Verdict.REFUSED for each in heard.decisions),
        "trades": found.now.trades.number,
        "outages": [
            {
                "began": moment(each.began),
                "ended": moment(each.ended),
                "halted_at": moment(each.halted_at),
                "lifted_at": moment(each.lifted_at),
                "words": each.words,
            }
            for each in played.outages
        ],
        "cpi_weeks": [
            {"event": release.event, "trades": [_trip_row(trip) for trip in trips]}
            for release, trips in weeks
        ],
        "steps": steps,
    }


def _trip_row(trip: RoundTrip) -> Row:
    per_contract = trip.bought_cost.units // max(1, trip.bought.units)
    return {
        "ticker": trip.ticker,
        "strategy": trip.strategy,
        "side": trip.side,
        "contracts": trip.bought,
        "cost": trip.bought_cost,
        "price": Price(min(10_000, per_contract)),
        "profit": trip.profit_loss,
        "status": trip.status.value,
    }
