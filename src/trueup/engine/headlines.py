"""What a piece of news means for a market, by the words in it.  Pure, exact, and easy to check.

A `Topic` says which markets a story may be about and which words speak for YES and
which against.  Confidence grows with the number of words that agree and falls with
those that do not:

    (agreeing − disagreeing) / (agreeing + disagreeing) × (1 − 1 / 2^(agreeing + disagreeing))

One word alone is 1/2, two that agree are 3/4, three 7/8: with the usual threshold
of 0.7 a single word never trades.  A phrase counts as many times as it has words.
"Not", "no", "denies" and the like within two words before turn a word round.

**What it cannot do.**  It does not understand: irony, quotes of yesterday's news and
unusual wording are lost on it.  A language model may take its place (`run.feeds`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from trueup.core.ids import Ticker
from trueup.core.units import Ratio
from trueup.engine.signals import Direction

_WORD: Final = re.compile(r"[^\W_]+(?:[.'’%-][^\W_]+)*%?")
_NEGATIONS: Final = frozenset(
    [
        "not",
        "no",
        "never",
        "without",
        "denies",
        "denied",
        "deny",
        "unlikely",
        "isn't",
        "won't",
        "doesn't",
        "didn't",
        "rejects",
    ]
)
_NEGATION_REACH: Final = 2
_WORDS_MAX: Final = 600
"""Of a story only so many words are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """Which markets a story may be about, and which words speak for or against YES.

    A story is on the topic when one of the `about` phrases stands in it.
    """

    tickers: tuple[Ticker, ...]
    about: tuple[str, ...]
    positive: tuple[str, ...]
    negative: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Classified:
    """What a story means for YES; `confidence` lies between 0 and 1."""

    direction: Direction
    confidence: Ratio


def words_of(text: str) -> list[str]:
    """The words of a text in small letters, at most the first 600."""
    return [each.lower().replace("’", "'") for each in _WORD.findall(text)[:_WORDS_MAX]]


def is_about(words: Sequence[str], topic: Topic) -> bool:
    """Whether one of the topic's phrases stands in the text."""
    return any(_places(words, words_of(phrase)) for phrase in topic.about)


def classify(words: Sequence[str], topic: Topic) -> Classified | None:
    """What the words mean for YES; `None` when they say nothing, or as much for as against."""
    speaking_for, against = _weight(words, topic.positive), _weight(words, topic.negative)
    positive = speaking_for[0] + against[1]
    negative = against[0] + speaking_for[1]
    if positive == negative:
        return None
    heard = positive + negative
    confidence = Ratio(abs(positive - negative), heard) * (1 - Ratio(1, 2**heard))
    direction = Direction.POSITIVE if positive > negative else Direction.NEGATIVE
    return Classified(direction, confidence)


def _weight(words: Sequence[str], phrases: Iterable[str]) -> tuple[int, int]:
    """How often the phrases stand in the text: as they are, and turned round."""
    plain = turned = 0
    for phrase in phrases:
        parts = words_of(phrase)
        for place in _places(words, parts):
            before = words[max(0, place - _NEGATION_REACH) : place]
            if _NEGATIONS.isdisjoint(before):
                plain += len(parts)
            else:
                turned += len(parts)
    return plain, turned


def _places(words: Sequence[str], parts: Sequence[str]) -> list[int]:
    if not parts:
        return []
    last = len(words) - len(parts)
    return [n for n in range(last + 1) if list(words[n : n + len(parts)]) == list(parts)]
