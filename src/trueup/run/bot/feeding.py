"""The feeds beside a bot: every source asked at its own pace, its signals given to the machine.

A source that is down, slow or talks nonsense is told once, when it fails and when it
is back, and asked ever less often in between, up to every five minutes.  Nothing that
a source does stops the bot or another source.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from secrets import token_urlsafe
from typing import Final

from trueup.core.alerts import Alert, AlertKind
from trueup.core.errors import ConfigError, NotANumber, TrueupError
from trueup.core.ids import Ticker
from trueup.core.instant import MINUTE, SECOND, Instant, format_age, parse_length
from trueup.engine import effects as f
from trueup.engine import inputs as i
from trueup.engine.headlines import Topic
from trueup.net.feeds.language_model import LanguageModel
from trueup.net.feeds.pairs_file import read_pairs
from trueup.net.feeds.polymarket import CLOB, GAMMA, Polymarket
from trueup.net.feeds.source import Heard, Reader, Source
from trueup.net.feeds.sources import (
    AnchorSource,
    Fetch,
    Judge,
    NewsSource,
    Sent,
    VenueSource,
    lines_of,
    told_of,
)
from trueup.net.feeds.stories import FeedPage, LinesFile
from trueup.net.feeds.webhook import PATH, Webhook
from trueup.net.secret import Secret
from trueup.run.bot.at_work import Beside, BotAtWork
from trueup.run.bot.connections import Connections
from trueup.run.bot.feeds_settings import FeedSettings, ModelSettings, WebhookSettings
from trueup.run.bot.hearing import Told
from trueup.run.clock import Clock, SystemClock
from trueup.run.desk import DeskSettings
from trueup.run.private_files import write_private_file

TOKEN_NAME: Final = "webhook-token"  # noqa: S105  # the name of a file
_READ_SECONDS_MAX: Final = 60
_PAUSE_MAX: Final = 5 * MINUTE
_SAID_AGAIN: Final = 15 * MINUTE
_FIGURES: Final = re.compile(r"\d+")
_LOGGED_AS: Final = "feeds"
"""Under which name the decision log says what of the feeds was not used."""


# -- what is configured ------------------------------------------------------------------------


@dataclass(slots=True)
class Configured:
    """The sources of a configuration, not opened yet."""

    clock: Clock
    sources: list[Source] = field(default_factory=list[Source])
    reader: Reader = field(default_factory=Reader)
    webhook: Webhook | None = None
    notices: list[str] = field(default_factory=list[str])

    def now(self) -> Instant:
        """The time by which they are asked."""
        return self.clock.now()

    async def open(self) -> None:
        """Begin to listen where something is listened for.  Raises `ConfigError`."""
        if self.webhook is not None:
            await self.webhook.open()

    async def close(self) -> None:
        """Close everything."""
        for source in self.sources:
            await source.close()
        if self.webhook is not None:
            await self.webhook.close()
        await self.reader.close()


def configure(
    settings: DeskSettings, clock: Clock | None = None, *, shows_all: bool = False
) -> Configured:
    """The sources that ``[feeds]`` names.  Raises `ConfigError` for what cannot be.

    `shows_all` is for a look without a bot: what a feed showed before counts, too.
    """
    chosen = SystemClock() if clock is None else clock
    return _Builder(settings, chosen, shows_all=shows_all).build()


def topics_of(feeds: FeedSettings) -> tuple[Topic, ...]:
    """The words that are about markets, as ``[[feeds.topics]]`` names them."""
    return tuple(
        Topic(
            tickers=tuple(map(Ticker, each.tickers)),
            about=each.about,
            positive=each.positive,
            negative=each.negative,
        )
        for each in feeds.topics
    )


class _Builder:
    """Makes the sources of one configuration."""

    def __init__(self, settings: DeskSettings, clock: Clock, *, shows_all: bool) -> None:
        self._shows_all = shows_all
        self._home = settings.home
        self._environment = settings.environment
        self._feeds: FeedSettings = settings.config.feeds
        self._clock = clock
        self._began = clock.now()
        self._made = Configured(clock)

    def build(self) -> Configured:
        """All of them."""
        feeds, made, reader = self._feeds, self._made, self._made.reader
        judge = self._judge()
        for name, feed in feeds.news.items():
            page = FeedPage(name, feed.url, reader)
            self._news(name, feed.every, _page_of(page), judge=judge)
        if feeds.file is not None:
            file = LinesFile(self._path(feeds.file.path))
            self._news("file", feeds.file.every, lines_of(file, "file"), judge=judge, file=file)
        if feeds.webhook is not None:
            made.webhook = self._webhook(feeds.webhook)
            self._news("webhook", "1s", told_of(made.webhook), judge=judge)
        if feeds.fedwatch is not None:
            made.sources.append(
                AnchorSource(
                    name="FedWatch",
                    every=_length(feeds.fedwatch.every),
                    place=self._place(feeds.fedwatch.place),
                    reader=reader,
                    age_max=_length(feeds.fedwatch.age_max),
                    upper_now=feeds.fedwatch.upper_now,
                )
            )
        if feeds.polymarket is not None:
            venue = Polymarket(
                reader, feeds.polymarket.gamma or GAMMA, feeds.polymarket.clob or CLOB
            )
            pairs = read_pairs(self._path(feeds.polymarket.mapping))
            every = _length(feeds.polymarket.every)
            made.sources.append(VenueSource("polymarket", every, pairs, venue))
        return made

    def _news(
        self, name: str, every: str, fetch: Fetch, *, judge: Judge, file: LinesFile | None = None
    ) -> None:
        async def shut() -> None:
            if file is not None:
                file.close()

        pushed = self._shows_all or name in {"file", "webhook"}
        self._made.sources.append(
            NewsSource(name, _length(every), fetch, judge, self._began, shut, is_live=pushed)
        )

    def _judge(self) -> Judge:
        topics = topics_of(self._feeds)
        if self._feeds.news and not topics:
            raise ConfigError(
                "[feeds.news] without [[feeds.topics]] would never mean anything for a market",
                remedy="Name the markets and the words that speak for and against YES.",
            )
        model = self._feeds.language_model
        return Judge(
            topics=topics,
            age_max=_length(self._feeds.news_age_max),
            model=None if model is None else self._model(model),
        )

    def _model(self, asked: ModelSettings) -> LanguageModel | None:
        key = self._environment.get(asked.key_variable, "")
        if not key:
            self._made.notices.append(
                f"{asked.key_variable} is empty: the word lists judge the news, not {asked.model}"
            )
            return None
        return LanguageModel(
            self._made.reader,
            asked.url,
            asked.model,
            Secret(key),
            {Ticker(name): words for name, words in asked.questions.items()},
            asked.calls_per_hour,
        )

    def _webhook(self, asked: WebhookSettings) -> Webhook:
        if not asked.open_to_network and not _is_loopback(asked.host):
            raise ConfigError(
                f"the webhook would listen on {asked.host}, where other machines can reach it",
                remedy="Use 127.0.0.1, or set open_to_network = true in [feeds.webhook].",
            )
        path = self._home / TOKEN_NAME
        try:
            if not path.exists():
                write_private_file(path, f"{token_urlsafe(32)}\n".encode())
            token = Secret(path.read_text(encoding="utf-8").strip())
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"the webhook's token {path} cannot be used: {error}",
                remedy="Take the file away; a new one is written.",
            ) from error
        self._made.notices.append(
            f"news may be sent to http://{asked.host}:{asked.port}{PATH}, token in {path}"
        )
        return Webhook(token, host=asked.host, port=asked.port, clock=self._clock.now)

    def _path(self, text: str) -> Path:
        return self._home / Path(text).expanduser()

    def _place(self, text: str) -> str:
        return text if text.startswith(("http://", "https://")) else str(self._path(text))


def _page_of(page: FeedPage) -> Fetch:
    async def fetch(now: Instant) -> Sequence[Sent]:
        del now
        return await page.stories()

    return fetch


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _length(text: str) -> int:
    try:
        length = parse_length(text)
    except NotANumber as error:
        raise ConfigError(f"[feeds]: {error}", remedy="Correct config.toml.") from error
    if length < SECOND:
        raise ConfigError(f"[feeds]: {text!r} is too short", remedy="Give a second or more.")
    return length


# -- at work -----------------------------------------------------------------------------------


class Feeding:
    """Asks sources for as long as it runs."""

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        give: Callable[[i.Input], None],
        told: Told,
        clock: Clock,
        connections: Connections | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._sleep = sleep
        self._sources = sources
        self._give = give
        self._told = told
        self._clock = clock
        self._connections = Connections() if connections is None else connections
        self._failing_since: dict[str, Instant] = {}
        self._said: dict[str, Instant] = {}

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            for source in self._sources:
                group.create_task(self._follow(source))

    async def _follow(self, source: Source) -> None:
        pause = source.every
        while True:
            if await self.ask(source):
                pause = source.every
            else:
                pause = max(source.every, min(2 * pause, _PAUSE_MAX))
            await self._sleep(pause / SECOND)

    async def ask(self, source: Source) -> bool:
        """Ask once, and give on what it said; `False` when it failed."""
        now = self._clock.now()
        try:
            async with asyncio.timeout(_READ_SECONDS_MAX):
                heard = await source.read(now)
        except TimeoutError:
            return self._failed(source, f"it said nothing for {_READ_SECONDS_MAX} s")
        except TrueupError as error:
            return self._failed(source, str(error))
        except Exception as error:  # noqa: BLE001  (whatever it is, the bot goes on)
            return self._failed(source, f"{type(error).__name__}: {error}")
        self._is_well(source)
        self._pass_on(source, heard)
        return True

    def _pass_on(self, source: Source, heard: Heard) -> None:
        for signal in heard.signals:
            self._give(i.SignalSeen(at=self._clock.now(), signal=signal))
        now = self._clock.now()
        self._said = {words: at for words, at in self._said.items() if now - at < _SAID_AGAIN}
        for words in heard.refused:
            # The same trouble with other figures is the same trouble.
            alike = f"{source.name}/{_FIGURES.sub('#', words)}"
            if alike not in self._said:
                self._said[alike] = now
                self._told(
                    f.Decision(at=now, strategy=_LOGGED_AS, wish=words, verdict=f.Verdict.REFUSED)
                )

    def _failed(self, source: Source, words: str) -> bool:
        now = self._clock.now()
        self._connections.failed(source.name, now, words)
        if source.name not in self._failing_since:
            self._failing_since[source.name] = now
            self._alert(f"feed {source.name} fails: {words}; it is asked again, the bot goes on")
        return False

    def _is_well(self, source: Source) -> None:
        now = self._clock.now()
        self._connections.heard(source.name, now)
        since = self._failing_since.pop(source.name, None)
        if since is not None:
            self._alert(f"feed {source.name} is back after {format_age(now - since)}")

    def _alert(self, words: str) -> None:
        self._told(Alert(at=self._clock.now(), kind=AlertKind.FEED, words=words))


def feeds_beside(configured: Configured) -> Beside:
    """What runs these sources beside a bot, until the bot ends."""

    async def feeds(bot: BotAtWork) -> None:
        feeding = Feeding(
            configured.sources,
            give=bot.live.give,
            told=bot.hearing,
            clock=bot.clock,
            connections=bot.live.connections,
        )
        try:
            try:
                await configured.open()
            except ConfigError as error:
                # The other sources are none the worse for it.
                words = f"the webhook does not listen: {error}"
                bot.hearing(Alert(at=bot.clock.now(), kind=AlertKind.FEED, words=words))
            await feeding.run()
        finally:
            await configured.close()

    return feeds
