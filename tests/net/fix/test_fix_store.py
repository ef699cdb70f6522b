from __future__ import annotations

import os
import zlib
from pathlib import Path

import pytest

from trueup.core.errors import ConfigError
from trueup.core.instant import Instant
from trueup.net.fix.endpoints import FixEndpoint, resolve_fix_endpoint
from trueup.net.fix.refusals import judge_refusal
from trueup.net.fix.store import NOT_HEARD, SessionStore
from trueup.net.venues import Venue
from trueup.wire.fix.numbering import Sequences
from trueup.wire.fix.session_kinds import SessionKind

PT = FixEndpoint(Venue.DEMO, SessionKind.PT, "fix.demo.kalshi.co", 8231)


def only_file(folder: Path) -> Path:
    (file,) = folder.iterdir()
    return file


def test_numbers_survive(tmp_path: Path) -> None:
    with SessionStore.open(tmp_path, PT, "key-1") as store:
        assert store.sequences == Sequences(1, 1)
        for number in range(2, 50):
            store.save(Sequences(number, number * 3))

    with SessionStore.open(tmp_path, PT, "key-1") as store:
        assert store.sequences == Sequences(49, 147)
    assert only_file(tmp_path).stat().st_mode & 0o077 == 0


def heard_until(folder: Path) -> Instant:
    """Up to when the next listener finds everything heard."""
    with SessionStore.open(folder, PT, "key-1", listens=True) as store:
        return store.heard_until


def listen(folder: Path) -> None:
    with SessionStore.open(folder, PT, "key-1", listens=True) as store:
        store.hear(Instant(77))
        store.save(Sequences(5, 9))


def test_what_was_heard_goes_with_the_numbers_from_listener_to_listener(tmp_path: Path) -> None:
    listen(tmp_path)

    assert heard_until(tmp_path) == 77


def test_whoever_else_uses_the_numbers_takes_it_away(tmp_path: Path) -> None:
    listen(tmp_path)
    with SessionStore.open(tmp_path, PT, "key-1"):
        pass
    assert heard_until(tmp_path) == 77, "nothing was sent: nothing was taken"

    with SessionStore.open(tmp_path, PT, "key-1") as store:
        store.save(Sequences(5, 9))

    assert heard_until(tmp_path) == NOT_HEARD


def test_while_a_loss_is_still_to_be_told_nothing_counts_as_heard(tmp_path: Path) -> None:
    with SessionStore.open(tmp_path, PT, "key-1", listens=True) as store:
        store.hear(Instant(77))
        store.save(Sequences(5, 9), is_in_order=False)
        assert heard_until_on_disk(tmp_path) == "0"
        store.save(Sequences(5, 9))
        assert heard_until_on_disk(tmp_path) == "77"


def heard_until_on_disk(folder: Path) -> str:
    slots = only_file(folder).read_bytes()[512:].replace(b"\0", b" ").decode().splitlines()
    return max((slot.split() for slot in slots if slot.strip()), key=lambda slot: int(slot[0]))[3]


def test_a_file_of_before_says_nothing_of_what_was_heard(tmp_path: Path) -> None:
    listen(tmp_path)
    file, text = only_file(tmp_path), "9 5 9"
    slot = f"{text} {zlib.crc32(text.encode()):08x}".ljust(63) + "\n"
    content = bytearray(file.read_bytes())
    content[512 + 64 : 512 + 128] = slot.encode()
    file.write_bytes(content)

    with SessionStore.open(tmp_path, PT, "key-1", listens=True) as store:
        assert (store.sequences, store.heard_until) == (Sequences(5, 9), NOT_HEARD)


def test_torn_write_leaves_the_numbers_before_it(tmp_path: Path) -> None:
    with SessionStore.open(tmp_path, PT, "key-1") as store:
        for number in range(2, 10):
            store.save(Sequences(number, number))
    file = only_file(tmp_path)
    content = bytearray(file.read_bytes())
    newest = content.index(b" 9 9 ")
    content[newest + 1] = ord("8")
    file.write_bytes(content)

    with SessionStore.open(tmp_path, PT, "key-1") as store:
        assert store.sequences == Sequences(8, 8)


@pytest.mark.parametrize(
    ("endpoint", "key", "says"),
    [
        (
            FixEndpoint(Venue.DEMO, SessionKind.RT, "fix.demo.kalshi.co", 8230),
            "key-1",
            "session is",
        ),
        (
            FixEndpoint(Venue.PROD, SessionKind.PT, "mm.fix.elections.kalshi.com", 8231),
            "key-1",
            "venue",
        ),
        (FixEndpoint(Venue.DEMO, SessionKind.PT, "elsewhere", 8231), "key-1", "host is"),
        (PT, "key-2", "key is key-1, not key-2"),
    ],
)
def test_file_of_another_session_is_refused(
    endpoint: FixEndpoint, key: str, says: str, tmp_path: Path
) -> None:
    with SessionStore.open(tmp_path / "mine", PT, "key-1") as store:
        store.save(Sequences(7, 7))
    (tmp_path / "theirs").mkdir()
    copied = tmp_path / "theirs" / f"{endpoint.venue}-{endpoint.kind}-{key}.fix"
    copied.write_bytes(only_file(tmp_path / "mine").read_bytes())

    with pytest.raises(ConfigError, match=says) as raised:
        SessionStore.open(tmp_path / "theirs", endpoint, key)

    assert "move the file away" in raised.value.remedy
    assert copied.read_bytes() == only_file(tmp_path / "mine").read_bytes()


@pytest.mark.parametrize("content", [b"not json", b"[]" + b" " * 600, os.urandom(640)])
def test_damaged_file_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "demo-KalshiPT-key-1.fix").write_bytes(content)

    with pytest.raises(ConfigError):
        SessionStore.open(tmp_path, PT, "key-1")


def test_both_slots_damaged_is_not_a_beginning(tmp_path: Path) -> None:
    with SessionStore.open(tmp_path, PT, "key-1") as store:
        store.save(Sequences(5, 5))
        store.save(Sequences(6, 6))
    file = only_file(tmp_path)
    content = file.read_bytes()
    file.write_bytes(
        content[:512] + content[512:].replace(b" 5 5 ", b" 5 7 ").replace(b" 6 6 ", b" 6 7 ")
    )

    with pytest.raises(ConfigError, match="damaged"):
        SessionStore.open(tmp_path, PT, "key-1")


def test_one_session_is_one_process(tmp_path: Path) -> None:
    with SessionStore.open(tmp_path, PT, "key-1"):
        with pytest.raises(ConfigError, match="in use"):
            SessionStore.open(tmp_path, PT, "key-1")
        with SessionStore.open(tmp_path, PT, "key-2"):
            pass

    with SessionStore.open(tmp_path, PT, "key-1"):
        pass


@pytest.mark.parametrize(
    ("venue", "kind", "address", "host", "port"),
    [
        (Venue.PROD, SessionKind.NR, "", "mm.fix.elections.kalshi.com", 8228),
        (Venue.PROD, SessionKind.MD, "", "marketdata.fix.elections.kalshi.com", 8233),
        (Venue.DEMO, SessionKind.PT, "", "fix.demo.kalshi.co", 8231),
        (Venue.SANDBOX, SessionKind.RT, "", "127.0.0.1", 8230),
        (Venue.SANDBOX, SessionKind.RT, "localhost:9000", "localhost", 9000),
        (Venue.DEMO, SessionKind.RT, "fix.example.com:1", "fix.example.com", 1),
    ],
)
def test_endpoints_are_the_documented_ones(
    venue: Venue, kind: SessionKind, address: str, host: str, port: int
) -> None:
    endpoint = resolve_fix_endpoint(venue, kind, address, allowed_hosts={"fix.example.com"})

    assert (endpoint.host, endpoint.port) == (host, port)


@pytest.mark.parametrize(
    ("venue", "address", "says"),
    [
        (Venue.DEMO, "mm.fix.elections.kalshi.com", "belongs to prod"),
        (Venue.PROD, "fix.demo.kalshi.co:8231", "belongs to demo"),
        (Venue.PROD, "fix.example.com", "not a known FIX host"),
        (Venue.PROD, "127.0.0.1:8231", "not a known FIX host"),
        (Venue.PROD, "https://fix.example.com", "not the address"),
        (Venue.SANDBOX, "localhost:99999", "not the address"),
    ],
)
def test_unknown_hosts_hear_nothing(venue: Venue, address: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        resolve_fix_endpoint(venue, SessionKind.PT, address)


def test_refusals_that_pass_are_waited_for_and_others_are_not() -> None:
    assert judge_refusal("already exists").pause
    assert judge_refusal("FIX logon service busy; retry with backoff").pause
    assert judge_refusal("rate limit exceeded").pause
    assert judge_refusal("API usage level is not allowed for FIX").pause is None
    assert judge_refusal("").pause is None
