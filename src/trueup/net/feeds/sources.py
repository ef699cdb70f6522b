"""The sources of signals: news, outside probabilities, another venue's quotes."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from trueup.core.errors import ProtocolBroken, TrueupError, Unreachable
from trueup.core.ids import SeriesTicker, Ticker
from trueup.core.instant import DAY, MINUTE, SECOND, Instant, format_age, from_seconds
from trueup.core.units import Count
from trueup.engine.fedwatch import decision_anchors, level_anchors
from trueup.engine.headlines import Classified, Topic, classify, is_about, words_of
from trueup.engine.other_venue import Pair, quote_of
from trueup.engine.signals import AnchorSignal, NewsSignal, OtherLegTaken, Signal
from trueup.net.feeds import fedwatch
from trueup.net.feeds.language_model import Classifier
from trueup.net.feeds.polymarket import Polymarket
from trueup.net.feeds.source import Heard, Reader, Version
from trueup.net.feeds.stories import LinesFile, SentLeg, Stories, Story, parse_sent
from trueup.net.feeds.webhook import Webhook

_AHEAD_MAX: Final = 5 * MINUTE
"""Clocks differ by this much; what is dated later than that is not believed."""

_REPEAT: Final = 15 * MINUTE
"""An unchanged probability is said again after so long, for whoever was not listening."""

_LEVELS: Final = SeriesTicker("KXFED")
_DECISIONS: Final = SeriesTicker("KXFEDDECISION")
_NEVER: Final = Instant(0)

_FILE_BYTES_MAX: Final = 32 * 1024 * 1024

Sent = Story | SentLeg | str
"""What a place holds: stories, legs taken elsewhere, or words on what could not be read."""

Fetch = Callable[[Instant], Awaitable[Sequence[Sent]]]


# -- news --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """What a story means for which markets.  `model` of `None`: by the words of the topics."""

    topics: tuple[Topic, ...]
    age_max: int
    model: Classifier | None = None

    async def signals(self, story: Story, at: Instant, now: Instant) -> list[NewsSignal]:
        """A signal for every market that the story is about and says something of."""
        if story.ticker and story.direction is not None and story.confidence is not None:
            known = Classified(story.direction, story.confidence)
            return [_signal(story, Ticker(story.ticker), known, at)]
        words = words_of(f"{story.headline} . {story.text}")
        found: dict[Ticker, Classified] = {}
        for topic in self.topics:
            if not is_about(words, topic):
                continue
            for ticker in topic.tickers:
                judged = (
                    classify(words, topic)
                    if self.model is None
                    else await self.model.classify(story, ticker, now)
                )
                if judged is not None:
                    found[ticker] = judged
        return [_signal(story, ticker, judged, at) for ticker, judged in found.items()]


@dataclass(slots=True)
class NewsSource:
    """Stories of one place, each judged once while it is fresh.

    The first look only learns what is there already: stories from before `began`, and
    those without a date, are not news to a bot that starts (or starts again).  Only a look
    that showed something, and all of it, is one to learn from.
    """

    name: str
    every: int
    fetch: Fetch
    judge: Judge
    began: Instant
    shut: Callable[[], Awaitable[None]]
    is_live: bool = False
    """Whether nothing but news comes from there, so that also the first look counts."""
    _seen: Stories = field(default_factory=Stories, init=False)
    _has_looked: bool = field(default=False, init=False)

    async def read(self, now: Instant) -> Heard:
        """The new stories as signals."""
        sent = await self.fetch(now)
        stories = [each for each in sent if isinstance(each, Story)]
        unread = tuple(each for each in sent if isinstance(each, str))
        if not (self._has_looked or self.is_live):
            # All at once, before anything is judged: that may take too long and be ended.
            old = [each for each in stories if each.at is None or each.at < self.began]
            deque(self._seen.new(old), maxlen=0)
            self._has_looked = bool(stories) and not unread
        signals: list[Signal] = [_leg(each, now) for each in sent if isinstance(each, SentLeg)]
        refused: defaultdict[str, list[str]] = defaultdict(list)
        for story in self._seen.new(stories):
            at = now if story.at is None else story.at
            why = self._too_old_or_new(at, now)
            if why:
                refused[why].append(story.headline)
                continue
            try:
                signals += await self.judge.signals(story, min(at, now), now)
            except TrueupError as error:
                refused[str(error)].append(story.headline)
        unused = tuple(_refusal(self.name, *each) for each in refused.items())
        return Heard(tuple(signals), (*unread, *unused))

    def _too_old_or_new(self, at: Instant, now: Instant) -> str:
        if now - at > self.judge.age_max:
            return f"older than {format_age(self.judge.age_max)}"
        return "dated in the future" if at - now > _AHEAD_MAX else ""

    async def close(self) -> None:
        """Let go of what the place holds open."""
        await self.shut()


def _refusal(name: str, why: str, headlines: list[str]) -> str:
    some = "a story" if len(headlines) == 1 else f"{len(headlines)} stories"
    return f"{name}: {some} not used, {why}: {headlines[0][:80]!r}"


def _signal(story: Story, ticker: Ticker, judged: Classified, at: Instant) -> NewsSignal:
    return NewsSignal(
        signal_id=f"{story.story_id}/{ticker}",
        ticker=ticker,
        direction=judged.direction,
        confidence=judged.confidence,
        headline=story.headline,
        source=story.source,
        at=at,
    )


def _leg(sent: SentLeg, now: Instant) -> OtherLegTaken:
    count = Count.parse(sent.count)
    return OtherLegTaken(ticker=Ticker(sent.other_leg), venue=sent.venue, count=count, at=now)


def lines_of(file: LinesFile, name: str) -> Fetch:
    """The whole new lines of a file; one that makes no sense stops no other."""

    async def fetch(now: Instant) -> Sequence[Sent]:
        sent: list[Sent] = []
        for line in await asyncio.to_thread(file.lines):
            try:
                sent.append(parse_sent(line, name, now))
            except ProtocolBroken as error:
                sent.append(str(error))
        return sent

    return fetch


def told_of(hook: Webhook) -> Fetch:
    """What the webhook was told."""

    async def fetch(now: Instant) -> Sequence[Sent]:
        del now
        return hook.taken()

    return fetch


# -- probabilities -----------------------------------------------------------------------------


@dataclass(slots=True)
class AnchorSource:
    """Probabilities of the Fed's decisions from a file or an address."""

    name: str
    every: int
    place: str
    reader: Reader
    age_max: int
    upper_now: int | None = None
    _known: Version | None = field(default=None, init=False)
    _body: bytes = field(default=b"", init=False)
    _signals: tuple[AnchorSignal, ...] = field(default=(), init=False)
    _said_at: Instant = field(default=_NEVER, init=False)
    _as_of: Instant = field(default=_NEVER, init=False)

    async def read(self, now: Instant) -> Heard:
        """The probabilities, when they changed, and now and then although they did not."""
        body, changed_at, version = await self._fetch(now)
        if body is not None and body != self._body:
            self._signals = self._understood(body, changed_at)
            self._body = body
            self._said_at = Instant(0)
        self._known = version
        if not self._signals or now - self._said_at < _REPEAT:
            return Heard()
        self._said_at = now
        age = now - self._as_of
        if age > self.age_max or -age > DAY:
            when = f"{format_age(age)} old" if age > 0 else "dated in the future"
            return Heard(refused=(f"{self.name}: its probabilities are {when}: not used",))
        return Heard(self._signals)

    def _understood(self, body: bytes, changed_at: Instant) -> tuple[AnchorSignal, ...]:
        told = fedwatch.parse(body, self.name)
        self._as_of = changed_at if told.as_of is None else told.as_of
        return anchors_of(told, self.name, self._as_of, upper_now=self.upper_now)

    async def _fetch(self, now: Instant) -> tuple[bytes | None, Instant, Version | None]:
        if self.place.startswith(("http://", "https://")):
            page = await self.reader.get(self.place, known=self._known)
            return page.body, now, self._known if page.body is None else page.version
        return *await asyncio.to_thread(_read_file, self.place), None

    async def close(self) -> None:
        """Nothing is held open."""


def anchors_of(
    told: fedwatch.Told, source: str, at: Instant, *, upper_now: int | None = None
) -> tuple[AnchorSignal, ...]:
    """A probability for every market of which something is said: all levels, and the next
    decision where the present upper bound is known.
    """
    signals: list[AnchorSignal] = []
    upper = upper_now if told.upper_now is None else told.upper_now
    for number, known in enumerate(told.distributions):
        signals += level_anchors(known, series=_LEVELS, source=source, at=at)
        if number == 0 and upper is not None:
            signals += decision_anchors(known, upper, series=_DECISIONS, source=source, at=at)
    return tuple(signals)


def _read_file(place: str) -> tuple[bytes, Instant]:
    path = Path(place).expanduser()
    try:
        stat = path.stat()
        if stat.st_size > _FILE_BYTES_MAX:
            raise ProtocolBroken(f"{path} is larger than {_FILE_BYTES_MAX:,} bytes")
        return path.read_bytes(), from_seconds(int(stat.st_mtime))
    except OSError as error:
        raise Unreachable(f"{path} cannot be read: {error.strerror}") from error


# -- another venue -----------------------------------------------------------------------------


@dataclass(slots=True)
class VenueSource:
    """What the mapped markets cost on the other venue."""

    name: str
    every: int
    pairs: tuple[Pair, ...]
    venue: Polymarket
    age_max: int = 10 * SECOND

    async def read(self, now: Instant) -> Heard:
        """A quote for every pair that can be compared, and why the others cannot."""
        markets = await self.venue.markets((pair.market_id for pair in self.pairs), now)
        by_id = {market.market_id: market for market in markets}
        quotes = [
            quote_of(pair, by_id[pair.market_id], now=now, age_max=self.age_max)
            for pair in self.pairs
            if pair.market_id in by_id
        ]
        missing = [
            f"{pair.ticker}: {pair.venue} answered for another market than {pair.market_id}"
            for pair in self.pairs
            if pair.market_id not in by_id
        ]
        return Heard(
            tuple(each for each in quotes if not isinstance(each, str)),
            (*missing, *(each for each in quotes if isinstance(each, str))),
        )

    async def close(self) -> None:
        """Nothing is held open."""
