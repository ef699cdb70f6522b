"""A bare client: signs, asks, and shows exactly what came back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar, cast

import msgspec
import urllib3

from trueup.core.instant import Instant
from trueup.net.acceptor.keys import KeyPair, RegisteredKey
from trueup.net.acceptor.server import SandboxServer, Settings
from trueup.net.signer import Signer, signer_for
from trueup.sim.recorded import Recording
from trueup.sim.scenario import World
from trueup.wire.rest.call import Call, Page
from trueup.wire.signing import REST_PREFIX

T = TypeVar("T")


class OpenSandbox(Protocol):
    """Starts a server with other settings, another source or other keys."""

    def __call__(
        self,
        settings: Settings,
        *,
        source: World | Recording | None = None,
        pair: KeyPair | None = None,
        keys: Sequence[RegisteredKey] = (),
    ) -> Asker: ...


@dataclass(frozen=True)
class Answered:
    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def tree(self) -> dict[str, object]:
        return cast("dict[str, object]", msgspec.json.decode(self.body))

    def rows(self, key: str) -> list[dict[str, object]]:
        return cast("list[dict[str, object]]", self.tree[key])


class Asker:
    """Asks one server as the holder of one key."""

    def __init__(
        self, server: SandboxServer, clock: Callable[[], Instant], signer: Signer | None = None
    ) -> None:
        self.server = server
        self.clock = clock
        self.signer = signer or signer_for(server.key_id, server.pair.private)
        self._pool = urllib3.PoolManager(retries=False)

    def close(self) -> None:
        self._pool.clear()

    def signed_headers(self, path: str, *, method: str = "GET", off: int = 0) -> dict[str, str]:
        """The headers for a path without prefix, signed `off` microseconds away from now."""
        return self.signer.headers(method, REST_PREFIX + path, Instant(self.clock() + off))

    def raw(
        self,
        path: str,
        headers: dict[str, str] | None = None,
        *,
        method: str = "GET",
        body: bytes | None = None,
    ) -> Answered:
        """Send exactly these headers (none by default)."""
        answer = self._pool.request(
            method, self.server.base_url + path, headers=headers or {}, body=body
        )
        return Answered(answer.status, answer.data, dict(answer.headers))

    def get(self, path: str) -> Answered:
        """Ask with a good signature."""
        return self.raw(path, self.signed_headers(path))

    def ask(
        self, method: str, path: str, tree: object = None, *, body: bytes | None = None
    ) -> Answered:
        """Send a signed request with a JSON body, or with exactly these bytes."""
        headers = self.signed_headers(path, method=method)
        raw = body if tree is None else msgspec.json.encode(tree)
        if raw is not None:
            headers["Content-Type"] = "application/json"
        return self.raw(path, headers, method=method, body=raw)

    def post(self, path: str, tree: object) -> Answered:
        return self.ask("POST", path, tree)

    def put(self, path: str, tree: object) -> Answered:
        return self.ask("PUT", path, tree)

    def delete(self, path: str, tree: object = None) -> Answered:
        return self.ask("DELETE", path, tree)

    def send(self, call: Call[T]) -> T:
        """Ask as the real client would, and decode; no field may be unknown to it."""
        query = "&".join(f"{name}={value}" for name, value in call.query)
        answer = self.get(f"{call.path}?{query}" if query else call.path)
        assert answer.status == 200, (call.path, answer)
        assert call.unknown_fields(answer.body) == ()
        return call.decode(answer.body)

    def pages(self, call: Call[Page[T]]) -> Iterator[T]:
        """All items of all pages; every one must be readable."""
        while True:
            page = self.send(call)
            assert page.unreadable == ()
            assert page.unknown_fields == ()
            yield from page.items
            if not page.cursor:
                return
            call = call.with_cursor(page.cursor)
