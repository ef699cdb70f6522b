"""The authenticated channel between a running bot and whoever steers it on the same machine.

A bot listens on 127.0.0.1 only, on a port of its own, and asks for a token that
lies in a file that only its owner can read.  The command line and the page find
both there.  The channel has three kinds of requests:

    GET  /status, /decisions     what the bot is doing, as JSON documents
    GET  /events                 one JSON object a line, as things happen
    POST /pause, /kill, …        the operator's commands (`COMMANDS`)

This file has the words, the file and the clients; `control_server` is the other end.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Final, Self, cast

import aiohttp
import msgspec
import urllib3
import urllib3.exceptions

from trueup.core.errors import (
    CallerError,
    ConfigError,
    NotAuthorized,
    ProtocolBroken,
    Unreachable,
    writing_remedy,
)
from trueup.core.ids import ClientOrderId
from trueup.core.instant import Instant

HOST: Final = "127.0.0.1"

COMMANDS: Final = ("pause", "resume", "kill", "flatten", "rearm", "cancel")
"""What an operator may ask for, each by POST."""

LINE_BYTES_MAX: Final = 4 << 20
"""An event is one line, and a status document is the longest."""

BEAT_SECONDS: Final = 2.0
"""How often the loop of a bot that listens touches its control file."""

_ANSWER_SECONDS: Final = 10.0
_CONNECT_SECONDS: Final = 2.0
_OK: Final = 200
_UNAUTHORIZED: Final = 401
_WORDS_MAX: Final = 500


class Said(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An operator's command: who says it, about which strategy (empty: all), and why.

    `order` is the client order id for ``cancel``.  `slippage` is for ``flatten``: how
    many dollars per contract worse than the present quote an order may be, as text.
    `subaccounts` are for ``kill``; empty: those of all strategies.
    """

    by: str
    strategy: str = ""
    words: str = ""
    order: ClientOrderId = ClientOrderId("")
    slippage: str = ""
    subaccounts: tuple[Annotated[int, msgspec.Meta(ge=0, le=63)], ...] = ()

    def __post_init__(self) -> None:
        if not self.by.strip():
            raise ValueError("by: somebody must say it")
        for name in ("by", "strategy", "words", "order", "slippage"):
            text: str = getattr(self, name)
            if len(text) > _WORDS_MAX or not text.isprintable():
                raise ValueError(f"{name}: one line of at most {_WORDS_MAX} characters, please")


class Whereabouts(msgspec.Struct, frozen=True, kw_only=True):
    """What the control file says: where a bot listens, what opens it, and which process it is.

    Port 0 is a bot that starts and does not listen yet.  While it listens its loop touches the
    file every `BEAT_SECONDS`: the file's age tells a bot that is busy from one that hangs.
    """

    port: int
    token: str
    pid: int
    started_at: Instant

    @property
    def is_listening(self) -> bool:
        """Whether there is somebody to ask already."""
        return self.port > 0

    @property
    def origin(self) -> str:
        """Where to connect to."""
        return f"http://{HOST}:{self.port}"

    @property
    def is_alive(self) -> bool:
        """Whether a process of this number runs (which may be another one by now)."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except OSError:
            return True
        return not _is_left_over(self.pid)


def _is_left_over(pid: int) -> bool:
    """Whether the process has ended and only waits for its parent to hear of it (where /proc tells)."""
    try:
        told = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False
    # After the name, which stands in brackets and may hold anything.
    return told.rpartition(b")")[2].split()[:1] == [b"Z"]


class NoBot(Unreachable):
    """No bot of the account runs here, or it has just gone."""

    remedy = "Start one: trueup bot run"


def write_whereabouts(path: Path, where: Whereabouts) -> None:
    """Write the control file for its owner alone, whole or not at all.  Raises `ConfigError`."""
    part = path.with_name(f".{path.name}.{where.pid}")
    try:
        with suppress(FileNotFoundError):
            part.unlink()
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(where))
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise ConfigError(
            f"{path} cannot be written: {error.strerror}",
            remedy=writing_remedy(error),
        ) from error


def read_whereabouts(path: Path) -> Whereabouts:
    """Where the account's bot listens.

    Raises `NoBot` when none runs: no file, a damaged one, or one that a process left
    behind that is gone.
    """
    try:
        where = msgspec.json.decode(path.read_bytes(), type=Whereabouts)
    except FileNotFoundError:
        raise NoBot("no bot is running on this account") from None
    except (OSError, msgspec.MsgspecError) as error:
        raise NoBot(f"no bot can be reached: {path} cannot be used ({error})") from error
    if not where.is_alive:
        raise NoBot(
            f"no bot is running: process {where.pid} ended without taking {path.name} away, so it "
            "was stopped by force",
            remedy="Start it again; it recovers what it was doing.",
        )
    return where


def withdraw_whereabouts(path: Path, where: Whereabouts) -> None:
    """Take the control file away, if it is still the one that says this."""
    with suppress(NoBot, OSError):
        if read_whereabouts(path) == where:
            path.unlink(missing_ok=True)


class Control:
    """A running bot's channel for the command line.

    Raises `NoBot` where none answers, `CallerError` for what it refuses.
    """

    def __init__(self, path: Path) -> None:
        self._where = _of_a_listener(path)

    @property
    def where(self) -> Whereabouts:
        """What the control file said."""
        return self._where

    def status(self) -> dict[str, Any]:
        """The bot's status document."""
        return self._ask("GET", "/status")

    def decisions(self, *, after: int | None = None, limit: int = 100) -> dict[str, Any]:
        """Lines of the decision log: the newest, or those after a line's `n`."""
        return self._ask("GET", _decisions_path(after, limit))

    def say(self, command: str, said: Said) -> dict[str, Any]:
        """Give a command; returns what the bot answered."""
        return self._ask("POST", f"/{command}", msgspec.json.encode(said))

    def _ask(self, method: str, path: str, body: bytes | None = None) -> dict[str, Any]:
        try:
            answer = urllib3.request(
                method,
                self._where.origin + path,
                body=body,
                headers=_headers(self._where),
                retries=False,
                timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=_ANSWER_SECONDS),
            )
        except urllib3.exceptions.HTTPError as error:
            raise _unreachable(self._where) from error
        return _understood(answer.status, answer.data)


class AsyncControl:
    """The same for an event loop (the page); use it with ``async with``."""

    def __init__(self, path: Path) -> None:
        self._where = _of_a_listener(path)
        self._session: aiohttp.ClientSession | None = None

    @property
    def where(self) -> Whereabouts:
        """What the control file said."""
        return self._where

    async def status(self) -> dict[str, Any]:
        """The bot's status document."""
        return await self._ask("GET", "/status")

    async def decisions(self, *, after: int | None = None, limit: int = 100) -> dict[str, Any]:
        """Lines of the decision log: the newest, or those after a line's `n`."""
        return await self._ask("GET", _decisions_path(after, limit))

    async def say(self, command: str, said: Said) -> dict[str, Any]:
        """Give a command; returns what the bot answered."""
        return await self._ask("POST", f"/{command}", msgspec.json.encode(said))

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        """What happens, as it happens, until the bot ends.

        Each has an ``event``: ``status`` (the first has the tops of all shown markets, later
        ones none), ``tops`` (those that moved), ``fair`` (all fair values), ``decision``,
        ``alert`` (fills and operators' commands are alerts), or ``lagging`` when this side read
        too slowly and some were left out: then only `status` has everything.
        """
        try:
            async with self._opened().get(
                f"{self._where.origin}/events",
                headers=_headers(self._where),
                timeout=aiohttp.ClientTimeout(total=None, connect=_CONNECT_SECONDS),
            ) as answer:
                if answer.status != _OK:
                    _understood(answer.status, await answer.read())
                async for line in answer.content:
                    if line.strip():
                        yield msgspec.json.decode(line, type=dict)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _unreachable(self._where) from error

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(read_bufsize=LINE_BYTES_MAX)
        return self._session

    async def _ask(self, method: str, path: str, body: bytes | None = None) -> dict[str, Any]:
        try:
            async with self._opened().request(
                method,
                self._where.origin + path,
                data=body,
                headers=_headers(self._where),
                timeout=aiohttp.ClientTimeout(total=_ANSWER_SECONDS, connect=_CONNECT_SECONDS),
            ) as answer:
                return _understood(answer.status, await answer.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _unreachable(self._where) from error


def _of_a_listener(path: Path) -> Whereabouts:
    where = read_whereabouts(path)
    if not where.is_listening:
        raise NoBot(
            f"the bot (process {where.pid}) is starting and does not listen yet",
            remedy="Ask again in a few seconds.",
        )
    return where


def _decisions_path(after: int | None, limit: int) -> str:
    cursor = "" if after is None else f"&after={after}"
    return f"/decisions?limit={limit}{cursor}"


def _headers(where: Whereabouts) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {where.token}", "Content-Type": "application/json"}


def _unreachable(where: Whereabouts) -> NoBot:
    if not where.is_alive:
        return NoBot(f"the bot (process {where.pid}) has ended")
    return NoBot(
        f"process {where.pid} does not answer at {where.origin}",
        remedy="`trueup bot status` tells whether it hangs, and `trueup bot kill` stops the "
        "account without it.",
    )


def _understood(status: int, content: bytes) -> dict[str, Any]:
    """The document of an answer.  Raises what a refusal says."""
    try:
        tree = cast("dict[str, Any]", msgspec.json.decode(content, type=dict))
    except msgspec.MsgspecError as error:
        raise ProtocolBroken(
            f"whoever listens there is no bot: it answered {status}",
            evidence=content[:80].decode(errors="replace"),
        ) from error
    if status == _OK:
        return tree
    told = cast("dict[str, str]", tree.get("error") or {})
    message = told.get("message") or f"the bot answered {status}"
    if status == _UNAUTHORIZED:
        raise NotAuthorized(
            message, status=status, remedy="The bot was started again meanwhile: try once more."
        )
    raise CallerError(message, remedy=told.get("remedy", ""))
