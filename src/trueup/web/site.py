"""Everything that the pages are made from, put together once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from trueup.core.catalog import Quote
from trueup.core.ids import Ticker
from trueup.run.desk import DeskSettings
from trueup.web.actions import Actions
from trueup.web.bot_link import BotLink
from trueup.web.live import Hub
from trueup.web.reading import BooksReader
from trueup.web.security import Safety, Sessions


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteOptions:
    """How the dashboard was started."""

    host: str = "127.0.0.1"
    port: int = 8050
    read_only: bool = False
    live: bool = False
    """Whether orders from this page may reach the production exchange (one of the gates)."""
    path_prefix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What a page may use."""

    settings: DeskSettings
    options: SiteOptions
    reader: BooksReader
    hub: Hub
    bot: BotLink
    actions: Actions
    safety: Safety
    sessions: Sessions = field(default_factory=Sessions)

    @property
    def venue(self) -> str:
        """``sandbox``, ``demo`` or ``prod``."""
        return self.settings.venue.value

    @property
    def account(self) -> str:
        """The account's name."""
        return self.settings.config.account

    def tops(self) -> Mapping[Ticker, Quote]:
        """The freshest tops of followed markets; empty where nobody follows any."""
        return self.bot.tops

    def url(self, path: str) -> str:
        """The address of one of our paths, below the prefix."""
        return f"{self.options.path_prefix}{path}"
