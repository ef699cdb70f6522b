"""Paper beside live, as the page shows it: the same decisions, and where paper was kinder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from trueup.core.errors import TrueupError
from trueup.core.facts import OrderReported
from trueup.core.units import Ratio
from trueup.run.books.account import Account
from trueup.run.desk import Desk, DeskSettings
from trueup.run.paper.beside import Comparison, Got, Pair, compare
from trueup.web.values import shown
from trueup.web.values.activity import outcome
from trueup.web.values.rows import TableRow
from trueup.web.values.shown import Shown, Tone

PAIRS_MAX: Final = 500
"""So many of the newest decisions are listed; the sums are over all."""


@dataclass(frozen=True, slots=True)
class Beside:
    """The comparison, or why there is none, in words."""

    found: Comparison | None
    words: str = ""


def paper_beside(account: Account) -> Beside:
    """Ask the books of the account and of its paper account; walks over all orders of both."""
    settings = account.desk.settings
    try:
        paper = _orders(settings.on_paper())
        live = _orders(settings.off_paper())
    except TrueupError as error:
        return Beside(None, shown.sentences(error, error.remedy))
    if paper is None or live is None:
        which = "traded on paper" if paper is None else "traded live"
        return Beside(None, f"This account has not {which}, so there is nothing to compare yet.")
    return Beside(compare(paper, live))


def _orders(settings: DeskSettings) -> list[OrderReported] | None:
    with Desk(settings) as desk:
        if not desk.has_books():
            return None
        return list(desk.books(create=False, read_only=True).orders())


def beside_figures(found: Comparison) -> dict[str, Shown]:
    """The sums over all decisions."""
    return {
        "Decisions on both": shown.number(len(found.pairs)),
        "On paper only": shown.number(found.only_paper),
        "Live only": shown.number(found.only_live),
        "Paper was kinder in": shown.number(found.kinder),
        "Paper filled more": shown.count(found.filled_more, signed=True),
        "Paper paid more a contract": shown.average(found.price_difference),
    }


def pair_rows(pairs: Sequence[Pair]) -> list[TableRow]:
    """A row for each decision, the newest first."""
    newest = sorted(pairs, key=lambda each: -each.live.at)[:PAIRS_MAX]
    return [_row(each, place) for place, each in enumerate(newest)]


def _row(pair: Pair, place: int) -> TableRow:
    kinder = Shown("kinder", Tone.LOOK, "paper filled more of it, or for less than live did")
    return TableRow(
        key=f"{pair.live.at}/{place}",
        cells={
            "at": shown.moment(pair.live.at),
            "ticker": Shown(pair.ticker),
            "strategy": shown.words(pair.strategy),
            "side": outcome(pair.side),
            "paper_filled": _filled(pair.paper),
            "live_filled": _filled(pair.live),
            "paper_price": shown.average(pair.paper.price),
            "live_price": shown.average(pair.live.price),
            "difference": _difference(pair.price_difference),
            "kinder": kinder if pair.is_kinder else shown.words("as live", tone=Tone.MUTED),
        },
    )


def _filled(got: Got) -> Shown:
    return Shown(f"{shown.count(got.filled).text} of {shown.count(got.wanted).text}")


def _difference(more: Ratio | None) -> Shown:
    """What paper paid more: less is what a trader should not count on."""
    if more is None:
        return shown.NOTHING
    found = shown.average(more)
    return Shown(f"+{found.text}" if more > 0 else found.text, Tone.PLAIN, found.title)
