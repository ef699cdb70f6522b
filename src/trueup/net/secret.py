"""A value that never shows itself.

Key files, passphrases and bearer tokens travel as `Secret`s from the moment
they are read, so that a log line, a traceback with local variables or an
f-string written by mistake shows ``Secret(hidden)`` and nothing else.
"""

from __future__ import annotations

import hmac
from typing import NoReturn

_HIDDEN = "Secret(hidden)"


class Secret:
    """Bytes that only `reveal` hands out.  Cannot be printed, pickled or compared by value."""

    __slots__ = ("_take",)

    def __init__(self, value: bytes | str) -> None:
        encoded = value.encode() if isinstance(value, str) else value

        def take() -> bytes:
            return encoded

        # A closure, not an attribute: tools that walk `__slots__` find a function.
        self._take = take

    def reveal(self) -> bytes:
        """The bytes themselves; use them where they are needed and keep no copy."""
        return self._take()

    def __bool__(self) -> bool:
        return bool(self._take())

    def __repr__(self) -> str:
        return _HIDDEN

    def __str__(self) -> str:
        return _HIDDEN

    def __format__(self, spec: str) -> str:
        return format(_HIDDEN, spec)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written anywhere, also not by pickle or copy")


def is_same(given: str, secret: Secret) -> bool:
    """Whether somebody named the secret; takes as long for a near miss as for a far one."""
    return bool(secret) and hmac.compare_digest(given.encode(), secret.reveal())
