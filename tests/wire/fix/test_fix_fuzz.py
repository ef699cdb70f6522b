"""The fuzzer's checks with hypothesis, and the cases that fuzzing by coverage found."""

from __future__ import annotations

import fix_fuzz
import pytest
from fix_life import Life
from hypothesis import given
from hypothesis import strategies as st

from trueup.wire.fix.resend import MemoryLog
from trueup.wire.fix.session_kinds import SessionKind

SEEDS = fix_fuzz.seeds()


@st.composite
def changed(draw: st.DrawFn, name: str) -> bytes:
    """A sound input with some bytes replaced, removed, doubled or moved."""
    given = bytearray(draw(st.sampled_from(SEEDS[name])))
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, max(0, len(given) - 1)))
        size = draw(st.integers(0, 12))
        new = draw(
            st.one_of(
                st.binary(max_size=6),
                st.sampled_from([b"|", b"=", b"\x01", b"0", b"-1", b"99999999999", b"|35=8|"]),
                st.just(bytes(given[place : place + size]) * 2),
            )
        )
        given[place : place + size] = new
    return bytes(given)


@pytest.mark.parametrize("name", fix_fuzz.CHECKS)
@given(data=st.data())
def test_changed_inputs_are_refused_or_true(name: str, data: st.DataObject) -> None:
    fix_fuzz.CHECKS[name](data.draw(changed(name)))


@pytest.mark.parametrize("name", fix_fuzz.CHECKS)
def test_sound_inputs_pass(name: str) -> None:
    for one in SEEDS[name]:
        fix_fuzz.CHECKS[name](one)


def test_a_lie_would_be_noticed() -> None:
    """The judge of the codec is not blind: a value that was not told is one too many."""
    order = next(one for one in SEEDS["codec"] if one[0] == 1 and one[1:5] == b"35=D")
    raw = fix_fuzz.close_frame(order[1:].replace(b"|", b"\x01"))
    received = fix_fuzz.Codec(reads=fix_fuzz.Sender.CLIENT).decode(raw)

    fix_fuzz.assert_true(raw, received, fix_fuzz.Sender.CLIENT, fix_fuzz.PriceUnit.CENTS)
    more = fix_fuzz.close_frame(fix_fuzz.open_frame(raw) + b"5555=1\x01")
    with pytest.raises(AssertionError):
        fix_fuzz.assert_true(more, received, fix_fuzz.Sender.CLIENT, fix_fuzz.PriceUnit.CENTS)


@pytest.mark.parametrize("kind", [SessionKind.PT, SessionKind.NR])
def test_a_long_life_on_a_bad_line_loses_nothing_in_silence(kind: SessionKind) -> None:
    tally = Life(1, kind).live(1_000)

    assert tally.connections > 50
    assert min(tally.lost, tally.changed, tally.repeated, tally.noise) > 20
    assert tally.delivered > 2_000


def test_a_life_that_loses_a_report_would_be_noticed() -> None:
    life = Life(1)
    life.line.exchange.log = MemoryLog(1, messages_max=1)

    with pytest.raises(AssertionError, match=r"report \d+ after \d+"):
        life.live(1_000)
