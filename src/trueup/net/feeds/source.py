"""What a source of signals is, and how one page of the web is read with care."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Protocol, Self

import aiohttp

from trueup.core.errors import ProtocolBroken, Unreachable
from trueup.core.instant import Instant
from trueup.core.version import VERSION
from trueup.engine.signals import Signal

BODY_BYTES_MAX: Final = 4 * 1024 * 1024
"""More than this is no feed.  Counted after decompression, so a small bomb stays small."""

_REDIRECTS_MAX: Final = 5
_SECONDS_MAX: Final = 20
_NOT_MODIFIED: Final = 304
_CONDITIONS: Final = frozenset({"If-None-Match", "If-Modified-Since"})
_OK: Final = 200


@dataclass(frozen=True, slots=True)
class Heard:
    """What a source said since it was last asked, and in words what of it was not used."""

    signals: tuple[Signal, ...] = ()
    refused: tuple[str, ...] = ()


class Source(Protocol):
    """Somebody who is asked again and again for signals.

    `read` returns what is new since it was last called.  It raises a `TrueupError`
    when the source is down or cannot be understood, and may be called again after that.
    """

    @property
    def name(self) -> str:
        """What it is called in alerts."""
        ...

    @property
    def every(self) -> int:
        """Microseconds between two reads."""
        ...

    async def read(self, now: Instant) -> Heard:
        """What is new."""
        ...

    async def close(self) -> None:
        """Let go of files and sockets."""
        ...


@dataclass(frozen=True, slots=True)
class Version:
    """What a server calls the version of a page that it sent."""

    etag: str = ""
    modified: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """What was fetched; `body` is `None` when it has not changed since the `known` version."""

    body: bytes | None
    content_type: str = ""
    version: Version = Version()


@dataclass(slots=True)
class Reader:
    """Reads pages of the web: bounded in size, time and redirects, and only when they changed."""

    body_bytes_max: int = BODY_BYTES_MAX
    _session: aiohttp.ClientSession | None = field(default=None, init=False)

    async def get(self, url: str, *, known: Version | None = None) -> Page:
        """Read a page.  The server is asked for it only if it is other than the `known` version.

        Which one is known is the caller's to say, once it has understood the page: one that
        could not be read would not be sent again.

        Raises `Unreachable` when there is no usable answer, and `ProtocolBroken` for
        one that is too large.
        """
        headers: dict[str, str] = {}
        if known is not None and known.etag:
            headers["If-None-Match"] = known.etag
        if known is not None and known.modified:
            headers["If-Modified-Since"] = known.modified
        return await self._ask("GET", url, headers=headers)

    async def post(
        self, url: str, body: object, *, headers: Mapping[str, str] | None = None
    ) -> Page:
        """Send JSON and read the answer.  Raises as `get` does."""
        return await self._ask("POST", url, headers=dict(headers or {}), json=body)

    async def _ask(
        self,
        method: str,
        url: str,
        *,
        headers: dict[str, str],
        **more: Any,  # noqa: ANN401
    ) -> Page:
        try:
            async with self._opened().request(
                method, url, headers=headers, max_redirects=_REDIRECTS_MAX, **more
            ) as answer:
                _check_redirects(url, answer)
                if answer.status == _NOT_MODIFIED and _CONDITIONS & headers.keys():
                    return Page(None)
                if answer.status != _OK:
                    raise Unreachable(
                        f"{_shown(url)} answered {answer.status}",
                        remedy="Open the address in a browser; correct it if it has moved.",
                    )
                body = await self._body(url, answer)
                version = Version(
                    answer.headers.get("ETag", ""), answer.headers.get("Last-Modified", "")
                )
                return Page(body, answer.headers.get("Content-Type", ""), version)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            words = str(error) or type(error).__name__
            raise Unreachable(f"{_shown(url)} cannot be read: {words}") from error

    async def _body(self, url: str, answer: aiohttp.ClientResponse) -> bytes:
        received = bytearray()
        async for chunk in answer.content.iter_chunked(65_536):
            received += chunk
            if len(received) > self.body_bytes_max:
                raise ProtocolBroken(
                    f"{_shown(url)} is larger than {self.body_bytes_max:,} bytes",
                    remedy="Is this the address of a feed?",
                )
        return bytes(received)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=_SECONDS_MAX),
                headers={"User-Agent": f"trueup/{VERSION}"},
            )
        return self._session

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


def _check_redirects(url: str, answer: aiohttp.ClientResponse) -> None:
    """A secure address must not lead to one that anybody on the way can write."""
    if url.startswith("https:") and answer.url.scheme != "https":
        raise ProtocolBroken(f"{_shown(url)} leads to {answer.url.scheme}, which is not secure")


def _shown(url: str) -> str:
    """An address without its query, which may hold a secret."""
    return url.partition("?")[0]
