"""The section ``[feeds]`` of `config.toml`: what the world outside may tell a bot.

It never holds a secret: the webhook's token is a file of its own, and the language
model's key comes from the environment variable that is named here.  Lengths of time
are like 30s, 10m or 36h; a path that is not absolute lies under the home.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class NewsFeed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[feeds.news.NAME]``: an RSS or Atom feed."""

    url: str
    every: str = "30s"


class NewsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[feeds.file]``: a file to which another program appends JSON lines."""

    path: str
    every: str = "1s"


class WebhookSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[feeds.webhook]``: where another program may POST news."""

    port: int
    host: str = "127.0.0.1"
    open_to_network: bool = False
    """Whether `host` may be an address that other machines can reach."""


class TopicSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[[feeds.topics]]``: which words are about these markets, and what they mean for YES."""

    tickers: tuple[str, ...]
    about: tuple[str, ...]
    positive: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()


class ModelSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[feeds.language_model]``: a model judges instead of the word lists."""

    url: str
    """The root of a service with the usual chat form, e.g. ``http://127.0.0.1:11434/v1``."""
    model: str
    key_variable: str
    """The environment variable that holds its key; while it is empty nothing is asked."""
    calls_per_hour: int = 60
    questions: Mapping[str, str] = {}
    """What a market asks, in words, by its ticker."""


class FedWatchSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[feeds.fedwatch]``: probabilities, or futures prices to compute them from."""

    place: str
    """A file or an address: CSV or JSON."""
    every: str = "30s"
    age_max: str = "36h"
    upper_now: int | None = None
    """The upper end of the present target range in basis points, where the file does not say."""


class PolymarketSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[feeds.polymarket]``: public prices of the markets of a mapping file."""

    mapping: str
    every: str = "5s"
    gamma: str = ""
    clob: str = ""
    """Other addresses than its own, e.g. of a proxy."""


class FeedSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[feeds]``."""

    news_age_max: str = "10m"
    news: Mapping[str, NewsFeed] = {}
    file: NewsFile | None = None
    webhook: WebhookSettings | None = None
    topics: tuple[TopicSettings, ...] = ()
    language_model: ModelSettings | None = None
    fedwatch: FedWatchSettings | None = None
    polymarket: PolymarketSettings | None = None
