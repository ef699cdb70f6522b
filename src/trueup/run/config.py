"""Where trueup keeps its state and what the user has set.

State lives under `TRUEUP_HOME` (default: the platform's user data directory):
`config.toml`, one database per venue, mode and account, undo files, exports.
The configuration never holds a secret: keys come from the environment, a key
file or the keyring.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
import platformdirs

from trueup.core.errors import ConfigError, NotANumber, writing_remedy
from trueup.core.instant import parse_instant
from trueup.core.settlement import PayoutUnit
from trueup.net.venues import Venue
from trueup.run.books.settings import BooksSettings, check_books
from trueup.run.bot.feeds_settings import FeedSettings
from trueup.run.bot.first_hours_settings import FirstHoursSettings, check_first_hours
from trueup.run.bot.settings import BotSettings
from trueup.run.fix.settings import FixSettings, OrderEntry, check_fix, order_entry
from trueup.run.operator.settings import (
    AlertSettings,
    LogSettings,
    MetricsSettings,
    alert_rules,
    check_logs,
    check_metrics,
)
from trueup.run.toml_reading import read_toml
from trueup.store.private_folder import make_private_folder

CONFIG_NAME: Final = "config.toml"


class CategoryRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Puts trades into a category of your own, e.g. market making.

    A trade belongs to it when any of the three lists matches; otherwise its
    series' category counts.
    """

    strategies: tuple[str, ...] = ()
    client_id_prefixes: tuple[str, ...] = ()
    series: tuple[str, ...] = ()


class StrategyRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Gives a strategy tag to orders by their client order id or series."""

    client_id_prefixes: tuple[str, ...] = ()
    series: tuple[str, ...] = ()


class BotDatabase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a bot's own trades table is laid out, where it differs from the default
    `trades(id, market_ticker, status, settled_price, profit_loss, updated_at)`.
    """

    table: str = "trades"
    columns: Mapping[str, str] = {}
    """Our word → the table's column, e.g. ``ticker = "market"``."""
    open_words: tuple[str, ...] = ()
    """More words of the status column that mean an open trade; the usual ones are known."""
    settled_words: tuple[str, ...] = ()
    """Words for a settled one; the first is written."""
    won_words: tuple[str, ...] = ()
    lost_words: tuple[str, ...] = ()
    """Words for a settled one that say how it ended; the first that fits is written.  A
    table that says won or lost itself needs neither."""
    closed_words: tuple[str, ...] = ()
    """Words for one that was sold before the market ended."""
    subaccount: int | None = None
    """The subaccount in which the bot trades; unset: found by quantity and price."""


class ArchiveRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where recorded market data is kept, and for how long."""

    folder: str = ""
    """Empty: ``archive/VENUE`` under the home."""
    keep_days: int = 30
    """How many days of raw messages are kept; what each day added up to is kept for ever."""


def _default_categories() -> Mapping[str, CategoryRule]:
    return {"market making": CategoryRule(client_id_prefixes=("mm-",))}


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`config.toml`, checked.  Every field has a safe default."""

    venue: str = Venue.SANDBOX.value
    account: str = "main"
    database: str = ""
    """An SQLAlchemy URL for PostgreSQL; empty: an SQLite file under the home."""
    key_id: str = ""
    private_key_path: str = ""
    base_url: str = ""
    """Another REST root than the venue's own, e.g. a sandbox on another port."""
    allow_hosts: tuple[str, ...] = ()
    member: str = "direct"
    """``direct`` (balances to $0.0001) or ``non_direct`` (to the cent)."""
    collateral_return_since: str = ""
    """Since when the exchange releases the collateral of mutually exclusive events early (you
    switched it on there), as RFC 3339; empty: it does not."""
    live: bool = False
    """Whether orders may go to the production exchange; also needs --live and `trueup arm`."""
    max_age_seconds: int = 300
    """Read commands refresh the books first when they are older than this."""
    categories: Mapping[str, CategoryRule] = msgspec.field(default_factory=_default_categories)
    strategies: Mapping[str, StrategyRule] = {}
    bot_database: BotDatabase = BotDatabase()
    archive: ArchiveRule = ArchiveRule()
    bot: BotSettings | None = None
    """What `trueup bot run` runs when it is given no strategy."""
    books: BooksSettings = BooksSettings()
    first_hours: FirstHoursSettings = FirstHoursSettings()
    fix_parties: Mapping[str, int] = {}
    """Which subaccount a party of FIX settlement reports is, e.g. ``"P-17" = 1``; ``"*"`` is
    every party that is not named."""
    fix_payouts: str = "dollars"
    """In what FIX settlement reports write payouts: ``dollars``, or ``cents`` as in the oldest."""
    order_entry: str = OrderEntry.REST.value
    """By which road a bot's orders go out: ``rest`` or ``fix``."""
    fix: FixSettings = FixSettings()
    alerts: AlertSettings = AlertSettings()
    logs: LogSettings = LogSettings()
    metrics: MetricsSettings = MetricsSettings()
    feeds: FeedSettings = FeedSettings()


def home_directory(environment: Mapping[str, str]) -> Path:
    """The folder that holds all state; not created here."""
    named = environment.get("TRUEUP_HOME", "")
    return Path(named).expanduser() if named else Path(platformdirs.user_data_path("trueup"))


def make_home(home: Path) -> None:
    """Make the folder that holds all state, for its owner alone.  Raises `ConfigError`."""
    try:
        make_private_folder(home)
    except OSError as error:
        raise ConfigError(
            f"the folder {home} cannot be made: {error.strerror}",
            remedy="Set TRUEUP_HOME to a folder that you may write to.",
        ) from error


def load_config(home: Path) -> Config:
    """Read `config.toml`, or the defaults where there is none.

    Raises `ConfigError` naming the file and the setting that is wrong.
    """
    path = home / CONFIG_NAME
    if home.exists() and not home.is_dir():
        raise ConfigError(
            f"the folder {home} cannot be made: there is a file of that name",
            remedy="Set TRUEUP_HOME to a folder that you may write to.",
        )
    try:
        config = read_toml(path, Config)
    except FileNotFoundError:
        return Config()
    if config.venue not in {venue.value for venue in Venue}:
        raise ConfigError(
            f"{path}: venue = {config.venue!r} is unknown",
            remedy=f"Use one of {', '.join(venue.value for venue in Venue)}.",
        )
    if config.member not in {"direct", "non_direct"}:
        raise ConfigError(
            f"{path}: member = {config.member!r} is unknown",
            remedy='Use "direct" or "non_direct".',
        )
    order_entry(config.order_entry)
    check_fix(config.fix)
    alert_rules(config.alerts, path)
    check_books(config.books, path)
    check_first_hours(config.first_hours, path)
    check_logs(config.logs, path)
    check_metrics(config.metrics, path)
    if config.fix_payouts not in {unit.value for unit in PayoutUnit}:
        raise ConfigError(
            f"{path}: fix_payouts = {config.fix_payouts!r} is unknown",
            remedy='Use "dollars" or "cents".',
        )
    if config.collateral_return_since:
        try:
            parse_instant(config.collateral_return_since)
        except NotANumber as error:
            raise ConfigError(
                f"{path}: collateral_return_since: {error}",
                remedy='Write it like "2026-05-01T00:00:00Z".',
            ) from error
    return config


def save_config(home: Path, settings: Mapping[str, str]) -> Path:
    """Write a new `config.toml` with these plain settings; refuses to overwrite one."""
    path = home / CONFIG_NAME
    if path.exists():
        raise ConfigError(f"{path} exists already.", remedy="Edit it, or move it away first.")
    lines = ["# trueup. Keys do not belong here: see the guide on keys.\n"]
    lines += [f"{name} = {_toml_text(value)}\n" for name, value in settings.items() if value]
    make_home(home)
    try:
        path.write_text("".join(lines), encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror}",
            remedy=writing_remedy(error),
        ) from error
    return path


def books_path(home: Path, config: Config, *, mode: str) -> str:
    """The database of this venue, mode and account: a path or a URL."""
    if config.database:
        return config.database
    return str(home / "books" / f"{config.venue}-{mode}-{config.account}.db")


def archive_path(home: Path, config: Config) -> Path:
    """The folder of this venue's market archive."""
    named = config.archive.folder
    return Path(named).expanduser() if named else home / "archive" / config.venue


def read_environment() -> Mapping[str, str]:
    """The process environment, read in this one place."""
    return os.environ


def _toml_text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
