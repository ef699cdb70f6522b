"""The health of every connection that the figures on the page rest on."""

from __future__ import annotations

from collections.abc import Sequence

from trueup.core.instant import Instant, format_age
from trueup.run.bot.status import ConnectionShown
from trueup.web.values.bot import connection_row
from trueup.web.values.rows import TableRow
from trueup.web.values.shown import NOTHING, Shown, Tone


def health_rows(
    asked_at: Instant | None,
    *,
    now: Instant,
    stale_after: int,
    connections: Sequence[ConnectionShown] | None,
    why: str,
) -> list[TableRow]:
    """The books' line to the exchange first, then those of the bot; `None`: no bot answers."""
    rows = [_books_row(asked_at, now=now, stale_after=stale_after)]
    if connections is None:
        row = {
            "name": Shown("bot"),
            "state": Shown("○ none"),
            "heard": NOTHING,
            "words": Shown(why),
        }
        return [*rows, TableRow(key="bot", cells=row)]
    return [*rows, *(connection_row(each) for each in connections)]


def _books_row(asked_at: Instant | None, *, now: Instant, stale_after: int) -> TableRow:
    state, heard, words = Shown("○ never asked", Tone.LOOK), NOTHING, "Run `trueup sync`."
    tone = "look"
    if asked_at is not None:
        heard = Shown(f"{format_age(now - asked_at)} ago")
        state, words, tone = Shown("● up to date", Tone.GOOD), "", ""
        if now - asked_at > stale_after:
            state, words, tone = (
                Shown("◷ stale", Tone.LOOK),
                "Run `trueup sync --every 5m`.",
                "look",
            )
    return TableRow(
        key="books",
        tone=tone,
        cells={
            "name": Shown("books"),
            "state": state,
            "heard": heard,
            "words": Shown(words, Tone.MUTED),
        },
    )
