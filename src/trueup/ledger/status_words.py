"""What the words of a bot's status column mean, and which of them is written.

Some tables have one word for a settled trade, others say how it ended: won or
lost.  A patch writes what the table itself would have written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

_PAIRS: Final = (("won", "lost"), ("win", "loss"), ("winner", "loser"), ("wins", "losses"))
"""Words that belong together."""

_COUNTERPART: Final = {word: other for pair in _PAIRS for word, other in (pair, pair[::-1])}


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusWords:
    """What the words in the status column mean, in small letters.

    `won` and `lost` are also words for a settled trade.  Written is `won_word` or
    `lost_word` by the outcome where both are set, else `settled_word`.  `chosen`
    says that somebody has named the word to be written.
    """

    open: frozenset[str] = frozenset({"open", "filled", "active"})
    settled: frozenset[str] = frozenset({"settled", "resolved", *_COUNTERPART})
    closed: frozenset[str] = frozenset({"closed", "sold", "exited"})
    won: frozenset[str] = frozenset(pair[0] for pair in _PAIRS)
    lost: frozenset[str] = frozenset(pair[1] for pair in _PAIRS)
    settled_word: str = "settled"
    won_word: str = ""
    lost_word: str = ""
    chosen: bool = False

    @property
    def tells_outcomes(self) -> bool:
        """Whether a settled row's word says how it ended."""
        return bool(self.won_word and self.lost_word)

    def written(self, *, won: bool) -> str:
        """The word that a settled row gets."""
        if not self.tells_outcomes:
            return self.settled_word
        return self.won_word if won else self.lost_word

    def said(self, status: str) -> bool | None:
        """Whether a row's word says that it won; `None`: it does not say."""
        word = status.strip().lower()
        if word not in self.settled:
            return None
        return True if word in self.won else False if word in self.lost else None

    def opposite(self, status: str) -> str:
        """The word for the other outcome, in the spelling of this one."""
        return _other_word(status.strip()) or self.written(won=self.said(status) is False)

    def as_used(self, statuses: Iterable[str]) -> StatusWords:
        """With the words for won and lost that a table uses itself.

        Where somebody has chosen a word, or the table has a neutral word for a
        settled trade as well, nothing is taken from it.
        """
        if self.chosen or self.tells_outcomes:
            return self
        used = Counter(
            word for word in (each.strip() for each in statuses) if word.lower() in self.settled
        )
        telling = [word for word, _ in used.most_common() if self.said(word) is not None]
        if not telling or len(telling) < len(used):
            return self
        won = next((word for word in telling if self.said(word)), "")
        lost = next((word for word in telling if not self.said(word)), "")
        return replace(self, won_word=won or _other_word(lost), lost_word=lost or _other_word(won))


def _other_word(word: str) -> str:
    other = _COUNTERPART.get(word.lower(), "")
    if word.isupper():
        return other.upper()
    return other.capitalize() if word[:1].isupper() else other
