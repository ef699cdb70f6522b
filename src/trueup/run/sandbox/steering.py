"""Steering a sandbox that runs in another process, with the token that lies beside its key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from trueup.core.errors import CallerError, ConfigError
from trueup.net.acceptor.control_words import WORDS
from trueup.net.acceptor.server import HOST
from trueup.net.steer import ask_control
from trueup.net.venues import SANDBOX_PORT
from trueup.run.sandbox.serving import CONTROL_VARIABLE, token_path

CONTROL_WORDS: Final = tuple(WORDS)


def local_origin(environment: Mapping[str, str]) -> str:
    """Where the sandbox of this shell listens: `TRUEUP_BASE_URL`, else the usual port.

    Raises `ConfigError` when that is another machine: the control token does not go there
    unless it is named on purpose.
    """
    base_url = environment.get("TRUEUP_BASE_URL", "")
    if not base_url:
        return f"http://{HOST}:{SANDBOX_PORT}"
    parts = urlsplit(base_url)
    if parts.hostname not in _LOCAL:
        raise ConfigError(
            f"TRUEUP_BASE_URL is {base_url}, which is no sandbox on this machine",
            remedy="Say where the sandbox listens with --url.",
        )
    return f"{parts.scheme}://{parts.netloc}"


def steer(
    origin: str, token: str, word: str, fields: Iterable[str], *, key_file: Path
) -> dict[str, Any]:
    """Ask one word, its fields given as ``key=value``; a list is given with commas.

    Raises `CallerError` for what is no word or no field, `ConfigError` without a token.
    """
    if word not in WORDS:
        raise CallerError(
            f"there is no word {word!r}", remedy=f"Words are: {', '.join(CONTROL_WORDS)}."
        )
    body = _body(word, fields)
    return ask_control(origin, token or _token_beside(key_file), word, body)


def _body(word: str, fields: Iterable[str]) -> dict[str, object]:
    known = WORDS[word].body.__struct_fields__
    body: dict[str, object] = {}
    for field in fields:
        key, equals, value = field.partition("=")
        if not equals or key not in known:
            taken = ", ".join(f"{name}=…" for name in known) or "nothing"
            raise CallerError(f"{word} does not take {field!r}", remedy=f"It takes {taken}.")
        body[key] = value.split(",") if key in _LISTS else value
    return body


_LOCAL: Final = frozenset({HOST, "localhost", "::1"})
_LISTS: Final = frozenset({"tickers"})


def _token_beside(key_file: Path) -> str:
    path = token_path(key_file)
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(
            f"there is no control token: {path} cannot be read",
            remedy=f"Start a sandbox here, or give --token, --key-file or {CONTROL_VARIABLE}.",
        ) from error
