"""Three gates in front of real money; each alone keeps an order from leaving."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trueup.core.errors import ConfigError
from trueup.core.instant import DAY, HOUR, MINUTE, Instant, parse_instant
from trueup.net.client import open_client
from trueup.net.session import Options
from trueup.net.venues import Venue, resolve_endpoint
from trueup.run.arming import (
    ARMED_MAX,
    arm,
    armed_until,
    arming_path,
    closed_gates,
    disarm,
    gates,
)
from trueup.run.clients import why_read_only
from trueup.run.clock import ManualClock, SystemClock, unseeded
from trueup.run.desk import Desk, DeskSettings, read_desk_settings
from trueup.wire.rest import orders

NOON = parse_instant("2026-10-20T12:00:00Z")


def settings(home: Path, *, live: bool = True, venue: str = "prod") -> DeskSettings:
    home.mkdir(exist_ok=True)
    (home / "config.toml").write_text(f"live = {str(live).lower()}\n", encoding="utf-8")
    return read_desk_settings({"TRUEUP_HOME": str(home)}, venue=venue)


def test_arming_opens_the_last_gate_and_expires(tmp_path: Path) -> None:
    ours, machine = settings(tmp_path / "h"), ManualClock(NOON)

    until = arm(ours, microseconds=HOUR, machine=machine)

    assert until == NOON + HOUR
    assert all(gate.is_open for gate in gates(ours, live=True, machine=machine))
    machine.sleep(HOUR)
    assert armed_until(ours, machine=machine) is None
    assert [gate.name for gate in gates(ours, live=True, machine=machine) if not gate.is_open] == [
        "arming"
    ]


@pytest.mark.parametrize(
    ("flag", "configured", "armed", "closed"),
    [
        (False, True, True, {"command"}),
        (True, False, False, {"configuration", "arming"}),
        (True, True, False, {"arming"}),
        (False, False, False, {"command", "configuration", "arming"}),
        (True, True, True, set[str]()),
    ],
)
def test_every_gate_is_needed(
    tmp_path: Path, flag: bool, configured: bool, armed: bool, closed: set[str]
) -> None:
    ours = settings(tmp_path / "h", live=configured)
    if armed:
        arm(ours)

    assert {gate.name for gate in closed_gates(ours, live=flag)} == closed
    assert bool(why_read_only(ours, live=flag)) == bool(closed)


def test_an_armed_account_is_not_armed_once_the_configuration_says_no(tmp_path: Path) -> None:
    arm(settings(tmp_path / "h"))

    assert {
        gate.name for gate in closed_gates(settings(tmp_path / "h", live=False), live=True)
    } == {"configuration"}


@pytest.mark.parametrize("venue", ["sandbox", "demo"])
def test_there_is_nothing_to_arm_where_no_money_is(tmp_path: Path, venue: str) -> None:
    ours = settings(tmp_path / "h", venue=venue)

    assert gates(ours, live=False) == ()
    assert not why_read_only(ours, live=False)
    with pytest.raises(ConfigError, match="nothing to arm"):
        arm(ours)


def test_arming_needs_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not allow live orders"):
        arm(settings(tmp_path / "h", live=False))


@pytest.mark.parametrize("microseconds", [0, MINUTE - 1, ARMED_MAX + 1])
def test_arming_is_for_a_while(tmp_path: Path, microseconds: int) -> None:
    with pytest.raises(ConfigError, match="minute to a day"):
        arm(settings(tmp_path / "h"), microseconds=microseconds)


def test_disarming_closes_it_at_once(tmp_path: Path) -> None:
    ours = settings(tmp_path / "h")
    arm(ours)

    assert disarm(ours)
    assert armed_until(ours) is None
    assert not disarm(ours)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"armed",
        b'{"venue":"prod","account":"other","armed_at":1,"until":9999999999999999}',
        b'{"venue":"prod","account":"main","armed_at":1,"until":9999999999999999}',
        b'{"venue":"prod","account":"main","armed_at":9999999999999998,"until":9999999999999999}',
    ],
    ids=["empty", "nothing", "no JSON", "another account", "for ever", "from the future"],
)
def test_file_that_says_something_else_arms_nothing(tmp_path: Path, content: bytes) -> None:
    ours = settings(tmp_path / "h")
    arming_path(ours).write_bytes(content)

    assert armed_until(ours) is None


def test_arming_is_of_one_account_and_for_its_owner_alone(tmp_path: Path) -> None:
    ours = settings(tmp_path / "h")
    arm(ours)

    assert arming_path(ours).stat().st_mode & 0o777 == 0o600
    assert json.loads(arming_path(ours).read_bytes())["account"] == "main"
    other = read_desk_settings({"TRUEUP_HOME": str(tmp_path / "h")}, venue="prod", account="second")
    assert armed_until(other) is None


def test_clock_that_was_set_back_does_not_arm_longer(tmp_path: Path) -> None:
    ours, machine = settings(tmp_path / "h"), ManualClock(NOON)
    arm(ours, microseconds=HOUR, machine=machine)

    assert armed_until(ours, machine=ManualClock(Instant(NOON - DAY))) is None


def test_client_with_a_closed_gate_sends_nothing_that_writes() -> None:
    endpoint = resolve_endpoint(Venue.SANDBOX, "http://127.0.0.1:9")
    clock = SystemClock()
    with (
        open_client(
            endpoint,
            None,
            clock=clock.now,
            sleep=clock.sleep,
            chance=unseeded(),
            options=Options(why_read_only=lambda: "not armed"),
        ) as client,
        pytest.raises(ConfigError, match=r"CancelAllOrders was not sent: .*not armed"),
    ):
        client.send(orders.cancel_all())


def test_desk_that_keeps_books_never_writes(tmp_path: Path) -> None:
    with (
        Desk(settings(tmp_path / "h", venue="sandbox")) as desk,
        pytest.raises(ConfigError, match="keeps books"),
    ):
        desk.client().orders.cancel_all()
