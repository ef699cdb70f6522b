"""Asking a running sandbox's control API, as the command line does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

import msgspec
import urllib3

from trueup.core.errors import CallerError, NotFound, ProtocolBroken, Unreachable
from trueup.net.acceptor.control import PREFIX

_SECONDS: Final = 3_600.0
"""A world may be advanced by months in one request."""

_CONNECT_SECONDS: Final = 3.0
_OK: Final = 200
_MISSING: Final = 404


def ask_control(origin: str, token: str, word: str, fields: Mapping[str, object]) -> dict[str, Any]:
    """Ask one word and return what is answered.

    Raises `Unreachable` where no sandbox listens, `NotFound` for an unknown
    word or thing, `CallerError` for what the sandbox refuses.
    """
    try:
        answer = urllib3.request(
            "POST",
            f"{origin.rstrip('/')}{PREFIX}/{word}",
            body=msgspec.json.encode(fields),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            retries=False,
            timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=_SECONDS),
        )
    except urllib3.exceptions.HTTPError as error:
        raise Unreachable(
            f"no sandbox answers at {origin}", remedy="Start one: trueup sandbox serve"
        ) from error
    try:
        tree = cast("dict[str, Any]", msgspec.json.decode(answer.data, type=dict))
    except msgspec.MsgspecError as error:
        raise ProtocolBroken(
            f"{origin} is no sandbox that can be steered: it answered {answer.status}",
            evidence=answer.data[:80].decode(errors="replace"),
            remedy="Only living worlds can be: trueup sandbox serve --world NAME",
        ) from error
    if answer.status == _OK:
        return tree
    told = cast("dict[str, str]", tree.get("error") or {})
    message = told.get("message") or f"the sandbox answered {answer.status}"
    if answer.status == _MISSING:
        raise NotFound(message, status=answer.status, remedy=told.get("remedy", ""))
    raise CallerError(message, remedy=told.get("remedy", ""))
