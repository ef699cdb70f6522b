"""Unit files: what they say, what systemd makes of them, and what a service tells systemd."""

from __future__ import annotations

import plistlib
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from trueup.core.errors import ConfigError
from trueup.net.systemd import ServiceNotes
from trueup.run.operator.service import Program, Service, Unit, launchd_unit, systemd_unit

ODD = ("/opt/my tools/trueup", "sync", "--every", "15m", "--account", 'a"b%$')
EXPOSURE_MAX = 2.0
"""systemd's own score: 0 is locked in, 10 is wide open; below 4 it says OK."""


def service(program: Program = Program.SYNC, **changes: object) -> Service:
    fields: dict[str, object] = {
        "program": program,
        "command": ODD,
        "home": Path("/home/me/my books 100%"),
        "user_home": Path("/home/me"),
        **changes,
    }
    return Service(**fields)  # type: ignore[arg-type]


def test_systemd_unit_quotes_what_systemd_would_misread() -> None:
    unit = systemd_unit(service())
    lines = unit.text.splitlines()

    assert unit.path == Path("/home/me/.config/systemd/user/trueup-sync.service")
    assert 'Environment="TRUEUP_HOME=/home/me/my books 100%%"' in lines
    assert "EnvironmentFile=-/home/me/my books 100%%/environment" in lines
    assert (
        'ExecStart="/opt/my tools/trueup" "sync" "--every" "15m" "--account" "a\\"b%%$$"' in lines
    )
    assert 'ReadWritePaths="/home/me/my books 100%%"' in lines
    assert "KALSHI" not in unit.text


def test_bot_has_a_watchdog_and_stays_down_where_a_restart_would_not_help() -> None:
    lines = systemd_unit(service(Program.BOT)).text.splitlines()

    assert {"Type=notify", "WatchdogSec=60", "Restart=always", "KillMode=mixed"} <= set(lines)
    assert "RestartPreventExitStatus=2 3" in lines


def test_service_of_the_system_has_a_user_of_its_own() -> None:
    unit = systemd_unit(service(Program.BOT, user="trueup", home=Path("/var/lib/trueup")))
    lines = set(unit.text.splitlines())

    assert unit.path == Path("/etc/systemd/system/trueup-bot.service")
    assert {"User=trueup", "ProtectHome=yes", "CapabilityBoundingSet="} <= lines
    assert "WantedBy=multi-user.target" in lines
    assert any("useradd --system" in each for each in unit.start)


def test_state_in_a_home_folder_stays_reachable() -> None:
    lines = systemd_unit(service(user="me")).text.splitlines()

    assert "ProtectHome=read-only" in lines


def analyze(unit: Unit, folder: Path, *words: str) -> str:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    path = folder / unit.path.name
    path.write_text(unit.text, encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", *words, str(path)],  # noqa: S607  # wherever the system has it
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("program", list(Program))
@pytest.mark.parametrize("user", ["", "root"])
def test_systemd_understands_every_line(program: Program, user: str, tmp_path: Path) -> None:
    command = ("/bin/true", "bot", "run", 'a"b%$')
    unit = systemd_unit(service(program, user=user, command=command, home=tmp_path))

    said = analyze(unit, tmp_path, "verify", "--man=no", *(() if user else ("--user",)))

    complaints = [line for line in said.splitlines() if unit.path.name in line]
    assert complaints == []


def test_service_of_the_system_is_locked_in(tmp_path: Path) -> None:
    command = ("/opt/trueup/bin/trueup", "bot", "run", "threshold")
    home = Path("/var/lib/trueup")
    unit = systemd_unit(service(Program.BOT, user="trueup", command=command, home=home))

    said = analyze(unit, tmp_path, "security", "--offline=yes", "--no-pager")

    score = re.search(r"Overall exposure level for .*: ([\d.]+)", said)
    assert score is not None, said
    assert float(score[1]) <= EXPOSURE_MAX


def test_proof_beside_the_bot_may_make_itself_less_important(tmp_path: Path) -> None:
    unit = systemd_unit(service(Program.BOT, user="trueup", command=("/bin/true",), home=tmp_path))

    filters = [line for line in unit.text.splitlines() if line.startswith("SystemCallFilter=")]

    assert filters[-1] == "SystemCallFilter=setpriority", "what comes later is allowed again"


def test_launch_agent_says_the_same_and_is_a_property_list() -> None:
    home = Path("/Users/me/books & more")
    unit = launchd_unit(service(home=home, user_home=Path("/Users/me")))
    agent = plistlib.loads(unit.text.encode())

    assert agent["ProgramArguments"] == list(ODD)
    assert agent["EnvironmentVariables"] == {"TRUEUP_HOME": str(home)}
    assert agent["KeepAlive"] is True
    assert unit.path == Path("/Users/me/Library/LaunchAgents/com.trueup-sync.plist")
    with pytest.raises(ConfigError):
        launchd_unit(service(user="trueup"))


@pytest.mark.parametrize("is_abstract", [False, True])
def test_service_tells_systemd_how_it_is(tmp_path: Path, *, is_abstract: bool) -> None:
    path = f"@trueup-test-{tmp_path.name}" if is_abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(f"\0{path[1:]}" if is_abstract else path)
        systemd.settimeout(90)
        notes = ServiceNotes({"NOTIFY_SOCKET": path})

        notes.ready("trading\nand well")
        notes.alive("trading")
        notes.stopping()

        heard = [systemd.recv(1_000).decode() for _ in range(3)]
    assert heard == [
        "READY=1\nSTATUS=trading and well",
        "WATCHDOG=1\nSTATUS=trading",
        "STOPPING=1",
    ]


def test_nobody_listens_and_nothing_happens(tmp_path: Path) -> None:
    ServiceNotes({}).ready("well")
    ServiceNotes({"NOTIFY_SOCKET": str(tmp_path / "gone")}).alive("well")
