"""Telling systemd how a service is: ready, alive, stopping.  Nothing happens elsewhere.

The protocol is one datagram of ``NAME=value`` lines to the socket that the variable
NOTIFY_SOCKET names (sd_notify(3)); a leading @ stands for the abstract namespace.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

_VARIABLE: Final = "NOTIFY_SOCKET"
_WORDS_MAX: Final = 500


class ServiceNotes:
    """What a service tells the system that started it; silent where nobody listens."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        address = environment.get(_VARIABLE, "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address

    def ready(self, words: str) -> None:
        """The service is up; `words` are shown by ``systemctl status``."""
        self._tell("READY=1", _status(words))

    def alive(self, words: str) -> None:
        """It still works: without this the watchdog restarts it."""
        self._tell("WATCHDOG=1", _status(words))

    def stopping(self) -> None:
        """It is about to end."""
        self._tell("STOPPING=1")

    def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        # Whoever started us may be gone; that is no reason to stop.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
            there.setblocking(False)
            there.sendto("\n".join(lines).encode(), self._address)


def _status(words: str) -> str:
    return f"STATUS={words.replace(chr(10), ' ')[:_WORDS_MAX]}"
