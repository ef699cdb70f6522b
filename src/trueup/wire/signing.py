"""The exact text that a request's signature covers.

The exchange verifies `timestamp + METHOD + path`: the Unix time in
*milliseconds* as decimal digits, the method in capitals, and the URL's whole
path including ``/trade-api/v2`` but nothing from ``?`` on.  No separators, no
body, no host: one signature is good on every host of the same environment.
The WebSocket handshake signs ``GET`` and `WEBSOCKET_PATH` in the same way.
(The exchange's page *Quick start: authenticated requests*.)

How the text is signed (RSA-PSS or Ed25519) is the business of `trueup.net`.
"""

from __future__ import annotations

from typing import Final

from trueup.core.errors import CallerError

REST_PREFIX: Final = "/trade-api/v2"
"""What stands before every path of the REST API, in the URL and in the signed text."""

WEBSOCKET_PATH: Final = "/trade-api/ws/v2"
"""The whole path of the WebSocket, in the URL and in the signed text."""

_EARLIEST_MILLISECONDS: Final = 10**12
"""September 2001.  Anything smaller is a time in seconds that was not converted."""


def signing_text(timestamp_ms: int, method: str, path: str) -> bytes:
    """The bytes to sign for one request.

    `path` is the URL's path as it is sent, with `REST_PREFIX`; a query string
    is cut off, since signing it is refused by the exchange.  Raises
    `CallerError` for a path without a leading slash (a whole URL, perhaps) and
    for a timestamp that looks like seconds.
    """
    if not path.startswith("/"):
        raise CallerError(
            f"the signed path must start with a slash, got {path!r}",
            remedy="Sign the path only, without scheme and host.",
        )
    if timestamp_ms < _EARLIEST_MILLISECONDS:
        raise CallerError(
            f"the signed time must be in milliseconds, got {timestamp_ms}",
            remedy="Multiply a Unix time in seconds by 1000.",
        )
    return f"{timestamp_ms}{method.upper()}{path.partition('?')[0]}".encode()
