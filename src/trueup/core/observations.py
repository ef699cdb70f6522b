"""How a fact or statement reached us, and what could not be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from trueup.core.facts import Fact, Source, Stream
from trueup.core.ids import Subaccount
from trueup.core.instant import Instant
from trueup.core.statements import Statement


class Observation(NamedTuple):
    """One fact or statement as it was seen: where, when, and its raw payload."""

    value: Fact | Statement
    source: Source
    observed_at: Instant
    raw: bytes


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A record that could not be read in full.  It is kept raw and reported,
    never guessed at and never dropped.

    `subaccount` is the one that was asked for it, as settlement and position rows
    do not name theirs; `None`: all at once, or nobody noted it.
    """

    stream: Stream
    reason: str
    source: Source
    observed_at: Instant
    raw: bytes
    subaccount: Subaccount | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """An observation as the journal keeps it.

    `sequence` is its place in the journal (append order).  `version` counts the
    different contents seen under one identity, from 1; all versions are kept.
    A key is only unique within its `stream` (a deposit and a withdrawal may have
    the same id); `None` is for a value of which there is one stream only.
    """

    sequence: int
    key: str
    version: int
    value: Fact | Statement
    source: Source
    observed_at: Instant
    stream: Stream | None = None
