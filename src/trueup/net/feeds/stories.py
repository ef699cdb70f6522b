"""News: stories from RSS and Atom feeds, a file of JSON lines, or a webhook.

A story is read once, however often it is served, and whatever a source sends is
somebody else's text: it is bounded, parsed without entities of its own, and only
ever looked at for words.
"""

from __future__ import annotations

import asyncio
import os
import re
from calendar import timegm
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from io import BytesIO
from pathlib import Path
from time import struct_time
from typing import IO, Any, Final, cast

import feedparser  # pyright: ignore[reportMissingTypeStubs]
import msgspec
from feedparser.exceptions import (  # pyright: ignore[reportMissingTypeStubs]
    ThingsNobodyCaresAboutButMe,
)

from trueup.core.errors import NotANumber, ProtocolBroken, Unreachable
from trueup.core.instant import SECOND, Instant, parse_instant
from trueup.core.units import Count, Ratio
from trueup.engine.signals import Direction
from trueup.net.feeds.source import Reader, Version

_HEADLINE_MAX: Final = 500
_TEXT_MAX: Final = 20_000
_REMEMBERED_MAX: Final = 5_000
_STORIES_MAX: Final = 500
_END: Final = re.compile(rb"</(\w+:)?(rss|feed|rdf)\s*>", re.IGNORECASE)
_END_BYTES: Final = 4_096
"""Within the last so many bytes a document that was not cut off closes what it opened."""
_LINE_BYTES_MAX: Final = 64 * 1024
_LINES_MAX: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A piece of news.  `at` is when it was published, `None` where nobody says.

    `ticker`, `direction` and `confidence` are there where the sender has already
    judged it; otherwise a classifier does.
    """

    story_id: str
    headline: str
    text: str
    source: str
    at: Instant | None
    ticker: str = ""
    direction: Direction | None = None
    confidence: Ratio | None = None


class Stories:
    """Which stories were seen already.  Of the newest 5,000, so it stays small."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, None] = OrderedDict()

    def new(self, stories: Iterable[Story]) -> Iterator[Story]:
        """Those that were not seen before."""
        for story in stories:
            if story.story_id in self._seen:
                self._seen.move_to_end(story.story_id)
                continue
            self._seen[story.story_id] = None
            if len(self._seen) > _REMEMBERED_MAX:
                self._seen.popitem(last=False)
            yield story


# -- RSS and Atom ------------------------------------------------------------------------------


@dataclass(slots=True)
class FeedPage:
    """One RSS or Atom feed."""

    name: str
    url: str
    reader: Reader
    _known: Version | None = field(default=None, init=False)

    async def stories(self) -> list[Story | str]:
        """What it shows now, and words where not all of it can be read; empty when unchanged.

        Raises when it is down, cut off or no feed.
        """
        page = await self.reader.get(self.url, known=self._known)
        if page.body is None:
            return []
        # Megabytes of somebody's XML must not hold up the orders.
        shown = await asyncio.to_thread(parse_feed, page.body, self.name)
        self._known = page.version
        return [*shown.stories, *filter(None, (shown.trouble,))]


@dataclass(frozen=True, slots=True)
class ShownStories:
    """The stories of a document; `trouble` says why these may not be all, empty when they are."""

    stories: tuple[Story, ...]
    trouble: str = ""


def parse_feed(body: bytes, source: str) -> ShownStories:
    """The stories of an RSS or Atom document.

    Of one with faults in its XML only the stories with an id and a date are used: what
    else is read there may be another story's, or an old one under a new name.

    Raises `ProtocolBroken` for what is neither, for one that was cut off, and for a
    document that defines entities: no feed needs them, and a few lines of them can fill
    a memory.
    """
    if b"<!ENTITY" in body.upper() or "<!ENTITY" in body[:4096].decode("utf-16", "ignore").upper():
        raise ProtocolBroken(f"the feed {source} defines entities of its own: it is not read")
    # A stream, not the bytes: those might name a file or an address that it would open.
    stream = BytesIO(body)
    parsed = cast("Mapping[str, Any]", feedparser.parse(stream))  # pyright: ignore[reportUnknownMemberType]
    entries = cast("list[Mapping[str, Any]]", parsed.get("entries", []))
    if not parsed.get("version") or (parsed.get("bozo") and not entries):
        words = str(parsed.get("bozo_exception", "")) or "it is neither RSS nor Atom"
        raise ProtocolBroken(
            f"the feed {source} cannot be understood: {words}",
            evidence=body[:200].decode("utf-8", "replace"),
        )
    entries = entries[:_STORIES_MAX]
    if not parsed.get("bozo") or isinstance(
        parsed.get("bozo_exception"), ThingsNobodyCaresAboutButMe
    ):
        return ShownStories(tuple(_entry(each, source) for each in entries))
    words = str(parsed.get("bozo_exception"))
    if _END.search(body[-_END_BYTES:].replace(b"\0", b"")) is None:
        raise ProtocolBroken(
            f"the feed {source} was cut off ({words}): no story of it is used",
            evidence=body[-200:].decode("utf-8", "replace"),
        )
    stories = (_entry(each, source) for each in entries if each.get("id") or each.get("link"))
    return ShownStories(
        tuple(each for each in stories if each.at is not None),
        f"{source}: its XML has faults ({words}): only stories with an id and a date are used",
    )


def _entry(entry: Mapping[str, Any], source: str) -> Story:
    headline = str(entry.get("title", ""))[:_HEADLINE_MAX]
    text = str(entry.get("summary", ""))[:_TEXT_MAX]
    told = cast("struct_time | None", entry.get("published_parsed") or entry.get("updated_parsed"))
    own = str(entry.get("id") or entry.get("link") or "")
    return Story(
        story_id=identity(source, own or headline + text),
        headline=headline,
        text=text,
        source=source,
        at=None if told is None else Instant(timegm(told) * SECOND),
    )


def identity(source: str, own: str) -> str:
    """A story's name among those of all sources."""
    return blake2b(f"{source}\n{own}".encode(), digest_size=12).hexdigest()


# -- what a program sends ----------------------------------------------------------------------


class SentStory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A story as a webhook or a line of a file holds it.

    Only `headline` must be there.  `at` is RFC 3339 (default: now), `id` makes a
    repeated story the same one.  `ticker`, `direction` (``positive`` or ``negative``
    for YES) and `confidence` (0 to 1, as text or number) go together: with them
    nothing is classified.
    """

    headline: str
    text: str = ""
    id: str = ""
    at: str = ""
    ticker: str = ""
    direction: str = ""
    confidence: str | float | int | None = None


class SentLeg(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The other leg of an arbitrage was taken: `count` contracts on `venue`."""

    other_leg: str
    """The ticker of the market here."""
    venue: str
    count: str


_SENT = msgspec.json.Decoder(SentStory)
_LEG = msgspec.json.Decoder(SentLeg)


def parse_sent(raw: bytes, source: str, now: Instant) -> Story | SentLeg:
    """What a program sent.  Raises `ProtocolBroken` that says what is wrong with it."""
    try:
        if b'"other_leg"' in raw:
            leg = _LEG.decode(raw)
            Count.parse(leg.count)
            return leg
        sent = _SENT.decode(raw)
        at = parse_instant(sent.at) if sent.at else now
        confidence = None if sent.confidence is None else Ratio(str(sent.confidence))
        direction = Direction(sent.direction) if sent.direction else None
    except (msgspec.MsgspecError, NotANumber, ValueError, ZeroDivisionError) as error:
        raise ProtocolBroken(
            f"{source}: {error}",
            evidence=raw[:200].decode("utf-8", "replace"),
            remedy='Send one JSON object such as {"headline": "CPI rises more than expected"}.',
        ) from error
    judged = (bool(sent.ticker), direction is not None, confidence is not None)
    if not sent.headline.strip() or len(set(judged)) > 1:
        raise ProtocolBroken(
            f"{source}: a headline is needed, and ticker, direction and confidence go together"
        )
    if confidence is not None and not 0 <= confidence <= 1:
        raise ProtocolBroken(f"{source}: a confidence lies between 0 and 1, got {sent.confidence}")
    return Story(
        story_id=identity(source, sent.id or f"{sent.at}{sent.headline}{sent.text}"),
        headline=sent.headline[:_HEADLINE_MAX],
        text=sent.text[:_TEXT_MAX],
        source=source,
        at=at,
        ticker=sent.ticker,
        direction=direction,
        confidence=confidence,
    )


class LinesFile:
    """A file of JSON lines that grows: what was there at the start is old, the rest is news.

    A file that was replaced or cut short is read from its beginning.  A line that is
    not finished yet waits for its end.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None
        self._rest = b""
        self._is_first = True

    def lines(self) -> list[bytes]:
        """The whole lines since the last call, at most 1,000.  Raises `Unreachable`."""
        try:
            self._follow()
            if self._file is None:
                return []
            chunk = self._file.read(_LINE_BYTES_MAX * 16)
        except OSError as error:
            self.close()
            raise Unreachable(f"{self._path} cannot be read: {error.strerror}") from error
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > _LINE_BYTES_MAX:
            self._rest = b""
            raise ProtocolBroken(f"{self._path} holds a line of more than {_LINE_BYTES_MAX} bytes")
        return [line for line in lines if line.strip()]

    def _follow(self) -> None:
        """Open the file, or open it anew when another one has its name."""
        file = self._file
        if file is not None:
            here = os.fstat(file.fileno())
            there = self._path.stat() if self._path.exists() else None
            replaced = there is not None and (there.st_ino, there.st_dev) != (
                here.st_ino,
                here.st_dev,
            )
            if replaced or here.st_size < file.tell():
                self.close()
        if self._file is None and self._path.exists():
            self._file = self._path.open("rb")
            if self._is_first:
                self._file.seek(0, os.SEEK_END)
        self._is_first = False

    def close(self) -> None:
        """Close it."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self._rest = b""
