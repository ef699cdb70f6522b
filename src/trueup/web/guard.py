"""The gate in front of every request: host, origin, session, headers (`trueup.web.security`).

Plain ASGI, in front of the page library and of everything it serves, so that nothing can be
forgotten: what is not let through here reaches no handler.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final

from trueup.run.clock import Clock
from trueup.web.security import (
    SESSION_COOKIE,
    Safety,
    Sessions,
    headers,
    host_name,
    is_same_origin,
)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

OPEN_PATHS: Final = ("/login", "/static/", "/health")
"""What is served before anybody has logged in."""
TOKEN_PATHS: Final = ("/api/", "/export/", "/metrics")
"""What a bearer token opens."""

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_HTML: Final = b"text/html"
_POLICY_VIOLATION: Final = 1008


class Prefixed:
    """Serves everything below a path, whether the proxy in front takes that path away or not."""

    def __init__(self, inner: Application, prefix: str) -> None:
        self._inner = inner
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if self._prefix and scope["type"] in {"http", "websocket"}:
            path: str = scope["path"]
            inside = path == self._prefix or path.startswith(f"{self._prefix}/")
            whole = path if inside else f"{self._prefix}{path}"
            scope = {
                **scope,
                "path": whole if whole != self._prefix else f"{whole}/",
                "root_path": self._prefix,
            }
        await self._inner(scope, receive, send)


class Guard:
    """Lets through who may come in."""

    def __init__(
        self, inner: Application, *, safety: Safety, sessions: Sessions, clock: Clock
    ) -> None:
        self._inner = inner
        self._safety = safety
        self._sessions = sessions
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] not in {"http", "websocket"}:
            await self._inner(scope, receive, send)
            return
        given = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        path = inner_path(scope)
        refused = self._refusal(scope, path, given)
        if refused is None:
            await self._inner(scope, receive, _dressed(scope, send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
        else:
            await self._refuse(scope, refused, path, send)

    def _refusal(self, scope: Scope, path: str, given: dict[str, str]) -> tuple[int, str] | None:
        """The status and the words of a refusal; `None` to let it through."""
        host = given.get("host", "")
        if host_name(host) not in self._safety.hosts:
            return 421, "This server is not called that. See --allow-host."
        changes = scope["type"] == "websocket" or scope["method"] not in _SAFE_METHODS
        origin = given.get("origin", "")
        by_token = self._has_token(given)
        if (
            origin
            and not is_same_origin(origin, host)
            and (changes or path.startswith("/_nicegui_ws"))
        ):
            return 403, "This request comes from another site."
        if changes and not origin and not by_token and scope["type"] == "http":
            return 403, "This request does not say where it comes from."
        if path.startswith(TOKEN_PATHS):
            if self._safety.api_token:
                may = by_token or self._logged_in(given)
            else:
                may = self._logged_in(given) or not self._safety.asks_for_password
            return None if may else (401, "A bearer token is needed: Authorization: Bearer …")
        if path.startswith(OPEN_PATHS) or not self._safety.asks_for_password:
            return None
        return None if self._logged_in(given) else (401, "Log in first.")

    def _has_token(self, given: dict[str, str]) -> bool:
        token = self._safety.api_token
        word, _, found = given.get("authorization", "").partition(" ")
        return bool(
            token
            and word.lower() == "bearer"
            and hmac.compare_digest(found.encode(), token.encode())
        )

    def _logged_in(self, given: dict[str, str]) -> bool:
        if not self._safety.asks_for_password:
            return False
        cookie = cookie_of(given.get("cookie", ""))
        return bool(cookie) and self._sessions.knows(cookie, self._clock.now())

    async def _refuse(self, scope: Scope, refused: tuple[int, str], path: str, send: Send) -> None:
        status, words = refused
        wanted = b"".join(value for name, value in scope["headers"] if name == b"accept")
        head = [(b"content-type", b"text/plain; charset=utf-8")]
        if status == 401 and _HTML in wanted and not path.startswith(TOKEN_PATHS):  # noqa: PLR2004
            status, head = 303, [(b"location", f"{scope.get('root_path', '')}/login".encode())]
        elif status == 401:  # noqa: PLR2004
            head.append((b"www-authenticate", b"Bearer"))
        send = _dressed(scope, send)
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": f"{words}\n".encode()})


def inner_path(scope: Scope) -> str:
    """The path below the prefix."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", "")) or "/"


def cookie_of(header: str) -> str:
    """Our session's cookie in a ``Cookie`` header."""
    try:
        found = SimpleCookie(header).get(SESSION_COOKIE)
    except CookieError:
        return ""
    return "" if found is None else found.value


def _dressed(scope: Scope, send: Send) -> Send:
    """`send`, with the security headers on every answer and the nonce in every script of a page."""
    if scope["type"] != "http":
        return send
    nonce = secrets.token_urlsafe(16)
    own = [(name.lower().encode(), value.encode()) for name, value in headers(nonce).items()]
    start: Message = {}
    body: list[bytes] = []

    async def dressed(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = [
                pair for pair in message["headers"] if pair[0].lower() not in {n for n, _ in own}
            ]
            message["headers"] = [*given, *own]
            kind = next((value for name, value in given if name.lower() == b"content-type"), b"")
            if not kind.startswith(_HTML):
                await send(message)
                return
            start.update(message)
            return
        if not start:
            await send(message)
            return
        body.append(message.get("body", b""))
        if message.get("more_body"):
            return
        page = b"".join(body).replace(b"<script", f'<script nonce="{nonce}"'.encode())
        start["headers"] = [
            *(
                pair
                for pair in start["headers"]
                if pair[0].lower() not in {b"content-length", b"cache-control"}
            ),
            (b"content-length", str(len(page)).encode()),
            (b"cache-control", b"no-store"),
        ]
        await send({**start})
        await send({"type": "http.response.body", "body": page})

    return dressed
