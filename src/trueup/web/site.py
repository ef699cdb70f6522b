"""Everything that the pages are made from, put together once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from trueup.core.catalog import Quote
from trueup.core.ids import Ticker
from trueup.core.instant import Instant
from trueup.run.desk import DeskSettings
from trueup.run.sandbox.companions import Companions
from trueup.web.actions import Actions
from trueup.web.bot_link import BotLink
from trueup.web.exchange import Exchange
from trueup.web.live import Hub
from trueup.web.reading import Answer, BooksReader
from trueup.web.security import Safety, Sessions
from trueup.web.values.earnings import Earnings, earnings


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteOptions:
    """How the dashboard was started."""

    host: str = "127.0.0.1"
    port: int = 8050
    read_only: bool = False
    live: bool = False
    """Whether orders from this page may reach the production exchange (one of the gates)."""
    path_prefix: str = ""
    bot_database: str = ""
    """A bot's own table to be checked, as a beginning; another one can be named on the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What a page may use."""

    settings: DeskSettings
    options: SiteOptions
    reader: BooksReader
    hub: Hub
    bot: BotLink
    exchange: Exchange
    actions: Actions
    safety: Safety
    companions: Companions | None = None
    """The programs beside a demonstration; `None` for an account of somebody's own."""
    sessions: Sessions = field(default_factory=Sessions)

    @property
    def venue(self) -> str:
        """``sandbox``, ``demo`` or ``prod``."""
        return self.settings.venue.value

    @property
    def account(self) -> str:
        """The account's name."""
        return self.settings.config.account

    @property
    def first_at(self) -> Instant | None:
        """When the account's history begins, where it is known already."""
        answer: Answer[Earnings] | None = self.reader.latest("earnings", earnings)
        curve = () if answer is None else answer.value.curve
        return curve[0].at if curve else None

    def tops(self) -> Mapping[Ticker, Quote]:
        """The freshest tops of followed markets; empty where nobody follows any."""
        return self.bot.tops

    def url(self, path: str) -> str:
        """The address of one of our paths, below the prefix."""
        return f"{self.options.path_prefix}{path}"
