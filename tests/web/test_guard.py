"""The gate: hosts, origins, sessions, tokens, headers; by plain ASGI, without a server."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from trueup.core.errors import ConfigError
from trueup.core.instant import MINUTE, Instant
from trueup.run.clock import VirtualClock
from trueup.web.guard import Guard, Prefixed, Receive, Send, inner_path
from trueup.web.security import (
    GUESSES_MAX,
    SESSION_COOKIE,
    SESSION_LASTS,
    Safety,
    Sessions,
    hash_password,
    is_loopback,
    is_password,
    read_password_hash,
    save_password,
)

HOSTS = frozenset({"127.0.0.1", "localhost"})
PASSWORD_HASH = hash_password("correct horse battery")
PAGE = b"<html><script>1</script><script src=x></script></html>"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


async def inner(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    del receive
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    head = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", b"55")]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": PAGE[:20], "more_body": True})
    await send({"type": "http.response.body", "body": PAGE[20:]})


def ask(
    safety: Safety,
    path: str = "/",
    *,
    method: str = "GET",
    kind: str = "http",
    sessions: Sessions | None = None,
    **headers: str,
) -> Answer:
    given = {"host": "127.0.0.1:8050", **headers}
    scope: dict[str, Any] = {
        "type": kind,
        "path": path,
        "method": method,
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }
    clock = VirtualClock(Instant(0), speed=0)
    guard = Guard(inner, safety=safety, sessions=sessions or Sessions(), clock=clock)
    told: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: MutableMapping[str, Any]) -> None:
        told.append(message)

    asyncio.run(guard(scope, receive, send))
    if kind == "websocket":
        return Answer(200 if told[0]["type"] == "websocket.accept" else 403, {}, b"")
    found = {name.decode(): value.decode() for name, value in told[0]["headers"]}
    return Answer(told[0]["status"], found, b"".join(each.get("body", b"") for each in told[1:]))


OPEN = Safety(hosts=HOSTS)
LOCKED = Safety(hosts=HOSTS, password_hash=PASSWORD_HASH)
WITH_TOKEN = Safety(hosts=HOSTS, password_hash=PASSWORD_HASH, api_token="a-long-token")


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8050", "127.0.0.1.evil.example", ""]
)
def test_a_name_that_is_not_ours_is_refused_so_that_no_site_can_rebind_to_us(host: str) -> None:
    assert ask(OPEN, host=host).status == 421
    assert ask(OPEN, host="localhost:8050").status == 200


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_what_changes_something_must_come_from_our_own_page(kind: str) -> None:
    def status(origin: str) -> int:
        return ask(OPEN, "/x", method="POST", kind=kind, origin=origin).status

    assert status("http://evil.example") == 403
    assert status("http://127.0.0.1:9999") == 403
    assert status("null") == 403
    assert status("http://127.0.0.1:8050") == 200


def test_a_post_that_does_not_say_where_it_comes_from_is_refused() -> None:
    assert ask(OPEN, "/x", method="POST").status == 403


def test_with_a_password_nothing_but_the_login_is_served() -> None:
    for path in ("/", "/positions", "/_nicegui/x.js", "/_nicegui_ws/socket.io/"):
        assert ask(LOCKED, path).status == 401
    assert ask(LOCKED, "/", kind="websocket").status == 403
    assert ask(LOCKED, "/login").status == 200
    assert ask(LOCKED, "/health").status == 200
    turned_away = ask(LOCKED, "/positions", accept="text/html")
    assert (turned_away.status, turned_away.headers["location"]) == (303, "/login")


def test_a_session_opens_the_page_until_it_is_over() -> None:
    sessions = Sessions()
    cookie = sessions.begin(Instant(0))

    assert ask(LOCKED, sessions=sessions, cookie=f"{SESSION_COOKIE}={cookie}").status == 200
    assert ask(LOCKED, sessions=sessions, cookie=f"{SESSION_COOKIE}=guess").status == 401
    assert not sessions.knows(cookie, Instant(SESSION_LASTS + 1))
    sessions.end(cookie)
    assert ask(LOCKED, sessions=sessions, cookie=f"{SESSION_COOKIE}={cookie}").status == 401


def test_the_api_asks_for_its_token_where_one_is_set() -> None:
    assert ask(OPEN, "/api/portfolio").status == 200
    assert ask(LOCKED, "/api/portfolio").status == 401
    assert ask(WITH_TOKEN, "/api/portfolio").status == 401
    assert ask(WITH_TOKEN, "/api/portfolio", authorization="Bearer wrong").status == 401
    assert ask(WITH_TOKEN, "/api/portfolio", authorization="Bearer a-long-token").status == 200
    assert ask(WITH_TOKEN, "/positions", authorization="Bearer a-long-token").status == 401


def test_only_scripts_of_our_own_answers_run() -> None:
    answer = ask(OPEN)
    policy = answer.headers["content-security-policy"]
    nonce = policy.partition("'nonce-")[2].partition("'")[0]

    assert answer.body.count(f'<script nonce="{nonce}"'.encode()) == 2
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]
    assert (
        nonce != ask(OPEN).headers["content-security-policy"].partition("'nonce-")[2][: len(nonce)]
    )
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("asked", "inside"),
    [
        ("/books", "/"),
        ("/books/", "/"),
        ("/books/positions", "/positions"),
        ("/positions", "/positions"),
    ],
)
def test_a_path_prefix_is_served_whether_the_proxy_keeps_it_or_not(asked: str, inside: str) -> None:
    seen: list[str] = []

    async def look(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        del receive, send
        seen.append(inner_path(scope))

    async def nothing(message: MutableMapping[str, Any] | None = None) -> Any:
        del message

    scope = {"type": "http", "path": asked, "root_path": ""}
    asyncio.run(Prefixed(look, "/books")(scope, nothing, nothing))
    assert seen == [inside]


def test_guesses_are_slowed_down_by_address_and_in_all() -> None:
    sessions, now = Sessions(), Instant(0)
    for _ in range(GUESSES_MAX):
        assert sessions.may_guess("10.0.0.1", now)
        sessions.note_wrong("10.0.0.1", now)

    assert not sessions.may_guess("10.0.0.1", now)
    assert sessions.may_guess("10.0.0.2", now)
    assert sessions.may_guess("10.0.0.1", Instant(6 * MINUTE))


def test_a_password_is_kept_as_a_hash_that_only_the_password_opens(tmp_path: Path) -> None:
    path = save_password(tmp_path / "home", "correct horse battery")

    kept = read_password_hash({}, tmp_path / "home")
    assert path.stat().st_mode & 0o777 == 0o600
    assert "correct" not in kept
    assert is_password("correct horse battery", kept)
    assert not is_password("correct horse", kept)
    assert not is_password("", "scrypt$broken")
    with pytest.raises(ConfigError, match="at least"):
        hash_password("short")
    with pytest.raises(ConfigError, match="hash"):
        read_password_hash({"TRUEUP_WEB_PASSWORD_HASH": "plain-text"}, tmp_path)


def test_loopback_is_recognised_by_its_number() -> None:
    assert is_loopback("127.0.0.1")
    assert is_loopback("::1")
    assert is_loopback("localhost")
    assert not is_loopback("0.0.0.0")  # noqa: S104
    assert not is_loopback("192.168.1.4")
    assert not is_loopback("127.0.0.1.evil.example")
