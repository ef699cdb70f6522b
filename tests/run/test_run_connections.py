"""What happens to a bot's connections, as the JSON log hears of it."""

from __future__ import annotations

import pytest

from trueup.core.ids import Ticker
from trueup.core.instant import SECOND, Instant
from trueup.net.ws import Connected, Disconnected, LineEvent, Resynced
from trueup.run.bot.connections import Connections, Happening
from trueup.wire.ws import client_events as e
from trueup.wire.ws.channels import Channel

NOON = Instant(1_780_000_000 * SECOND)


@pytest.mark.parametrize(
    ("event", "what", "words", "is_trouble"),
    [
        (Connected(1), "connected", "", False),
        (Connected(3), "connected", "attempt 3", False),
        (Disconnected("cut", 2 * SECOND), "disconnected", "cut; again in 2 s", True),
        (e.Live(Channel.TICKER), "subscribed", "ticker", False),
        (e.Gap(Channel.TRADE, 8, 11), "gap", "trade: 11 came after 7", True),
        (Resynced("fill", "a gap", 2), "read again", "fill by REST, since a gap: 2 news", False),
        (e.Lost(Channel.TRADE, "no answer"), "subscription lost", "trade: no answer", True),
        (e.MustReconnect("silence"), "reconnects", "silence", True),
    ],
)
def test_events_of_the_stream_are_lines_of_the_log(
    event: LineEvent, what: str, words: str, *, is_trouble: bool
) -> None:
    heard: list[Happening] = []

    Connections(listeners=[heard.append]).line(event)

    assert heard == [Happening(name="websocket", what=what, words=words, is_trouble=is_trouble)]


def test_single_messages_are_none() -> None:
    heard: list[Happening] = []

    Connections(listeners=[heard.append]).line(e.BookChanged(Ticker("KXRAIN")))

    assert heard == []


def test_feed_that_fails_is_told_once_and_once_more_when_it_is_heard_again() -> None:
    heard: list[Happening] = []
    feeds = Connections(listeners=[heard.append])

    feeds.heard("account", NOON)
    for _ in range(3):
        feeds.failed("account", NOON, "no answer")
    for _ in range(3):
        feeds.heard("account", NOON)

    assert [(each.what, each.words) for each in heard] == [
        ("failed", "no answer"),
        ("heard again", ""),
    ]
