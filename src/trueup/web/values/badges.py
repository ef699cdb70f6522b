"""The badges of the header: what venue this is, whether orders are live, whether the books close.

Every badge says the same three times, by its shape, its word and its colour, so that it
can be read without seeing colours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trueup.core.instant import Instant
from trueup.ledger.breaks import BreakKind, Severity
from trueup.ledger.reconcile import Closing
from trueup.run.books.proving import Reconciliation
from trueup.web.reading import Answer, BooksState, Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class Badge:
    """A shape, a word and a class for the colour; `at` is when it was true."""

    shape: str
    words: str
    tone: str
    title: str = ""
    at: Instant | None = None


_VENUES: Final = {
    "sandbox": ("◇", "sandbox", "sandbox", "An exchange on this machine. No real money."),
    "demo": ("◈", "demo", "demo", "The exchange's demo. No real money."),
    "prod": ("◆", "PRODUCTION", "prod", "The real exchange: real money."),
}


def venue_badge(venue: str) -> Badge:
    """Which exchange this is."""
    shape, words, tone, title = _VENUES[venue]
    return Badge(shape=shape, words=words, tone=f"venue {tone}", title=title)


def orders_badge(*, venue: str, read_only: bool, bot_is_live: bool, gates_open: bool) -> Badge:
    """Whether anything that is done here can reach an exchange."""
    if bot_is_live:
        return Badge(
            shape="▶", words="orders are LIVE", tone="armed", title="A bot trades real money."
        )
    if read_only:
        return Badge(
            shape="⊘",
            words="read only",
            tone="",
            title="This page was started with --read-only: it sends nothing and changes nothing.",
        )
    if venue != "prod":
        return Badge(shape="▷", words="play money", tone="", title="Orders cost nothing here.")
    if gates_open:
        return Badge(
            shape="▶",
            words="orders may go LIVE",
            tone="armed",
            title="All gates are open: commands on this page reach the real exchange.",
        )
    return Badge(
        shape="▢",
        words="orders are off",
        tone="",
        title="At least one of the gates for live orders is closed (--live, live = true, trueup arm).",
    )


def bot_badge(state: str | None, *, is_killed: bool, why: str, heard_at: Instant | None) -> Badge:
    """Whether a bot trades."""
    if is_killed and state in {None, "halted"}:
        at = None if state is None else heard_at
        return Badge(shape="■", words="killed", tone="bad", title="The kill switch is on.", at=at)
    match state:
        case None:
            return Badge(shape="○", words="no bot", tone="", title=why)
        case "trading":
            return Badge(shape="▶", words="bot trading", tone="good", at=heard_at)
        case "starting":
            return Badge(shape="◌", words="bot starting", tone="look", at=heard_at)
        case "paused":
            return Badge(shape="⏸", words="bot paused", tone="look", at=heard_at)
        case _:
            return Badge(shape="■", words=f"bot {state}", tone="bad", at=heard_at)


def books_badge(
    condition: Condition,
    judged: Answer[Reconciliation] | None,
    *,
    as_of: Instant | None,
    now: Instant,
    stale_after: int,
) -> Badge:
    """*Books close*, *breaks* or *stale*, with the age of what the proof rests on."""
    if condition.state is BooksState.ABSENT:
        return Badge(shape="○", words="no books yet", tone="", title=condition.words)
    if condition.state is BooksState.UNUSABLE:
        return Badge(shape="✕", words="books unusable", tone="bad", title=condition.words)
    if judged is None:
        return Badge(shape="○", words="proving …", tone="", title="The books are being proven.")
    verdict = judged.value.verdict
    if as_of is None or now - as_of > stale_after:
        return Badge(
            shape="◷",
            words="stale, with breaks" if _broken(judged.value) else "stale",
            tone="look stale",
            title=f"The exchange has not been asked for a while. {verdict.words()}",
            at=as_of,
        )
    match verdict.closing:
        case Closing.CLOSES:
            shape, words, tone = "✓", "books close", "good"
        case Closing.AMBER:
            shape, words, tone = "▲", _breaks(verdict.amber), "look"
        case Closing.RED:
            shape, words, tone = "✕", _breaks(verdict.red, "red "), "bad"
    return Badge(shape=shape, words=words, tone=tone, title=verdict.words(), at=as_of)


def _broken(found: Reconciliation) -> bool:
    """Whether anything is wrong besides the time that nobody has asked about yet."""
    return any(
        each.found.severity is not Severity.GREEN and each.found.kind is not BreakKind.COVERAGE_GAP
        for each in found.breaks
    )


def _breaks(count: int, kind: str = "") -> str:
    if not count:
        return "do not close" if kind else "not proven"
    return f"1 {kind}break" if count == 1 else f"{count} {kind}breaks"
