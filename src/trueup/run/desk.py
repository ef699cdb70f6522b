"""The desk: one account at one venue, with its settings, books, clock and client.

This is where the layers are plugged together.  Nothing is opened before it is
needed, so that a command that only reads the books needs no key.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from trueup.core.errors import ConfigError
from trueup.core.fees import Precision
from trueup.core.instant import Instant, parse_instant
from trueup.net.client import Client, open_client
from trueup.net.credentials import (
    SECRET_FOLDERS,
    Credentials,
    explicit_settings,
    load_credentials,
    read_secret_file,
    read_settings,
)
from trueup.net.session import Event, Options, ignore_event
from trueup.net.signer import Signer
from trueup.net.venues import (
    ALLOW_HOST_VARIABLE,
    Endpoint,
    Venue,
    parse_allowed_hosts,
    resolve_endpoint,
    venue_from_environment,
)
from trueup.run.clock import Clock, SystemClock, unseeded
from trueup.run.config import Config, books_path, home_directory, load_config
from trueup.run.paper.accounts import PaperServer, serve_paper
from trueup.run.sandbox.built_in import EmbeddedSandbox, embedded_clock, remember
from trueup.store.database import Books, open_books
from trueup.store.opening import connect, sqlite_path, take_away
from trueup.store.sqlite import MEMORY

MODE = "live"
"""Books that mirror an account of the venue (paper and backtest have their own)."""

PAPER = "paper"
"""Books of a paper account; its name ends in `PAPER_SUFFIX`, so all its files are its own."""

PAPER_SUFFIX = "-paper"


def keeps_books() -> str:
    """Why a desk's client writes nothing unless it was opened to trade."""
    return "it keeps books, which needs no more than reading"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskSettings:
    """What a desk is opened with, after configuration, environment and options."""

    home: Path
    config: Config
    environment: Mapping[str, str]
    clock: Clock

    @property
    def venue(self) -> Venue:
        """The venue."""
        return Venue(self.config.venue)

    @property
    def collateral_return_since(self) -> Instant | None:
        """When mutually exclusive events began to release their collateral early, as configured."""
        text = self.config.collateral_return_since
        return parse_instant(text) if text else None

    @property
    def precision(self) -> Precision:
        """How finely the member's balance moves."""
        return Precision.DIRECT if self.config.member == "direct" else Precision.NON_DIRECT

    @property
    def is_embedded(self) -> bool:
        """Whether the exchange is the sandbox inside this process."""
        return self.venue is Venue.SANDBOX and not self.config.base_url and not self.is_paper

    @property
    def is_paper(self) -> bool:
        """Whether the account is one of paper: its orders never leave this machine."""
        return self.config.account.endswith(PAPER_SUFFIX)

    @property
    def mode(self) -> str:
        """Which kind of books the account has."""
        return PAPER if self.is_paper else MODE

    @property
    def paper_path(self) -> Path:
        """The log of a paper account."""
        return self.home / "paper" / f"{self.config.venue}-{self.config.account}.log"

    def on_paper(self) -> DeskSettings:
        """The paper account beside this one."""
        if self.is_paper:
            return self
        name = self.config.account + PAPER_SUFFIX
        config = msgspec.structs.replace(self.config, account=name)
        return replace(self, config=config, clock=SystemClock())

    def off_paper(self) -> DeskSettings:
        """The account whose exchange a paper account listens to."""
        name = self.config.account.removesuffix(PAPER_SUFFIX)
        return replace(self, config=msgspec.structs.replace(self.config, account=name))


def read_desk_settings(
    environment: Mapping[str, str],
    *,
    venue: str = "",
    account: str = "",
    clock: Clock | None = None,
) -> DeskSettings:
    """Settle what is meant: options win over the environment, which wins over the config.

    Raises `ConfigError` when they contradict each other or name something unknown.
    """
    home = home_directory(environment)
    config = load_config(home)
    asked = venue_from_environment(environment)
    named = venue or (asked.value if asked is not None else config.venue)
    if named not in {each.value for each in Venue}:
        raise ConfigError(
            f"there is no venue {named!r}",
            remedy=f"Use one of {', '.join(each.value for each in Venue)}.",
        )
    base_url = environment.get("TRUEUP_BASE_URL", "") or config.base_url
    if named != config.venue:
        # An address that was configured for one venue must not serve another.
        base_url = environment.get("TRUEUP_BASE_URL", "")
    database = environment.get("TRUEUP_DATABASE", "") or _database_in_file(environment)
    database = database or config.database
    _check_account_name(account or config.account)
    config = msgspec.structs.replace(
        config, venue=named, account=account or config.account, base_url=base_url, database=database
    )
    settings = DeskSettings(
        home=home, config=config, environment=environment, clock=clock or SystemClock()
    )
    if clock is None and settings.is_embedded:
        return replace(settings, clock=embedded_clock(home))
    return settings


def _database_in_file(environment: Mapping[str, str]) -> str:
    """The address of the database from a file: with a password in it, it is a secret."""
    name = "TRUEUP_DATABASE_FILE"
    path = environment.get(name, "")
    if not path:
        return ""
    content = read_secret_file(path, name=name, secret_folders=SECRET_FOLDERS)
    return content.reveal().decode("utf-8", "replace").strip()


def _check_account_name(account: str) -> None:
    if not account.replace("-", "").replace("_", "").isalnum():
        raise ConfigError(
            f"{account!r} cannot name an account",
            remedy="Use letters, digits, hyphens and underscores.",
        )


class Desk:
    """One account, opened piece by piece.  Close it, or use it as a context."""

    def __init__(
        self,
        settings: DeskSettings,
        *,
        on_event: Callable[[Event], None] = ignore_event,
        why_read_only: Callable[[], str] = keeps_books,
    ) -> None:
        self.settings = settings
        self._on_event = on_event
        self._why_read_only = why_read_only
        self._books: Books | None = None
        self._client: Client | None = None
        self._sandbox: EmbeddedSandbox | None = None
        self._paper: PaperServer | None = None
        self._stack = ExitStack()

    @property
    def clock(self) -> Clock:
        """The desk's time: the machine's, or the sandbox world's."""
        return self.settings.clock

    @property
    def database(self) -> str:
        """Where the books are: a path or a URL."""
        return books_path(self.settings.home, self.settings.config, mode=self.settings.mode)

    def has_books(self) -> bool:
        """Whether there are books already, here or of another program."""
        if self._books is not None:
            return True
        path = sqlite_path(self.database)
        if path is not None:
            return Path(path).exists()
        driver = connect(self.database)
        try:
            return "journal" in driver.tables()
        finally:
            driver.close()

    def books(self, *, create: bool = True, read_only: bool = False) -> Books:
        """The books of this account, opened once."""
        if self._books is None:
            place = self.database
            if create and not read_only and self.settings.is_embedded:
                # The world's time and the books of it begin together.
                remember(self.settings.home, self.clock)
            path = sqlite_path(place)
            if create and not read_only and path is not None and path != MEMORY:
                self._make_file(Path(path))
            self._books = self._open(place, create=create, read_only=read_only)
        return self._books

    def _open(self, place: str, *, create: bool, read_only: bool = False) -> Books:
        return open_books(
            place,
            venue=self.settings.venue.value,
            mode=self.settings.mode,
            account=self.settings.config.account,
            create=create,
            read_only=read_only,
        )

    def _make_file(self, path: Path) -> None:
        """Make absent books whole under another name, and only then give them theirs.

        Two programs that make them at the same moment would otherwise build in, or
        take away, each other's half of a file.
        """
        if path.exists():
            return
        part = path.with_name(f".{path.name}.{os.getpid()}.new")
        take_away(part)
        try:
            self._open(str(part), create=True).close()
            with suppress(FileExistsError):
                # Unlike a renaming it never replaces books that somebody else has just made.
                path.hardlink_to(part)
        except OSError:
            # No hard links on this file system.
            if not path.exists():
                part.rename(path)
        finally:
            take_away(part)

    def credentials(self) -> Credentials | None:
        """The key, from the environment or the configuration; `None` when there is none."""
        config = self.settings.config
        given = explicit_settings(
            key_id=config.key_id,
            private_key_path=config.private_key_path,
            base=read_settings(self.settings.environment),
        )
        return load_credentials(given, self.settings.venue)

    def endpoint(self) -> Endpoint:
        """The host to speak to, checked."""
        config = self.settings.config
        allowed = frozenset(config.allow_hosts) | parse_allowed_hosts(
            self.settings.environment.get(ALLOW_HOST_VARIABLE, "")
        )
        return resolve_endpoint(self.settings.venue, config.base_url, allowed_hosts=allowed)

    def client(self) -> Client:
        """The client of this account, opened once.

        Raises `ConfigError` when there is no key where one is needed.
        """
        if self._client is None:
            endpoint, signer = self.reach()
            self._client = open_client(
                endpoint,
                signer,
                clock=self.clock.now,
                sleep=self.clock.sleep,
                chance=unseeded(),
                options=Options(on_event=self._on_event, why_read_only=self._why_read_only),
            )
        return self._client

    def reach(self) -> tuple[Endpoint, Signer]:
        """The host to speak to and who signs; the built-in sandbox is started for it.

        Raises `ConfigError` when there is no key where one is needed.
        """
        if self.settings.is_paper:
            return self._reach_paper()
        if self.settings.is_embedded:
            if self._sandbox is None:
                self._sandbox = EmbeddedSandbox(self.clock)
            return self._sandbox.endpoint, self._sandbox.signer
        endpoint, credentials = self.endpoint(), self.credentials()
        if credentials is None:
            raise ConfigError(
                f"no API key is set for {self.settings.venue.value}",
                remedy="Set KALSHI_API_KEY_ID and KALSHI_PRIVATE_KEY_PATH, or run `trueup init`.",
            )
        return endpoint, credentials.signer

    def _reach_paper(self) -> tuple[Endpoint, Signer]:
        """A paper account is asked where it is: in its log, served for whoever looks."""
        path = self.settings.paper_path
        if self._paper is None:
            if not path.exists():
                raise ConfigError(
                    f"there is no paper account {self.settings.config.account!r} yet",
                    remedy="`trueup bot run STRATEGY --paper` begins one.",
                )
            self._paper = serve_paper(
                path, self._stack, precision=self.settings.precision, latency=0, writes=False
            )
        return self._paper.endpoint, self._paper.signer

    def close(self) -> None:
        """Close what was opened."""
        self._stack.close()
        self._paper = None
        if self._client is not None:
            self._client.close()
            self._client = None
        if self._books is not None:
            self._books.close()
            self._books = None
        if self._sandbox is not None:
            self._sandbox.close()
            self._sandbox = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
