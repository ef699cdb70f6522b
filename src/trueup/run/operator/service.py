"""The unit files that keep trueup running: systemd on Linux, launchd on macOS.

A unit runs one program: the scheduled sync, a bot, the recorder, the page.  It holds no
secret: keys come from the settings' file path, from an environment file or a
credential that only the service may read.  A service of the *user* needs no
rights; a service of the *system* runs as a user of its own, starts with the machine,
and can be locked in further.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from trueup.core.errors import ConfigError

SYSTEM_FOLDER: Final = Path("/etc/systemd/system")

_EXITS_FOR_GOOD: Final = "2 3"
"""A wrong setting (2) and a broken rule of our own (3) do not mend themselves by a restart."""

_LOCKED_IN: Final = (
    "NoNewPrivileges=yes",
    "LockPersonality=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "RestrictNamespaces=yes",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "SystemCallFilter=~@privileged @resources",
    "SystemCallFilter=setpriority",  # the proof of the books makes itself less important
    "SystemCallErrorNumber=EPERM",
    "MemoryDenyWriteExecute=yes",
    "UMask=0077",
)
"""What any service may be forbidden, since it only needs files, sockets and threads."""

_LOCKED_IN_FURTHER: Final = (
    "CapabilityBoundingSet=",
    "AmbientCapabilities=",
    "PrivateDevices=yes",
    "PrivateUsers=yes",
    "ProtectClock=yes",
    "ProtectControlGroups=yes",
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "ProtectProc=invisible",
    "RemoveIPC=yes",
)
"""What a service of the system can be forbidden besides."""


class Program(StrEnum):
    """What can be kept running."""

    SYNC = "sync"
    BOT = "bot"
    RECORD = "record"
    WEB = "web"


_DESCRIPTIONS: Final = {
    Program.SYNC: "keep the books of {} up to date and prove them",
    Program.BOT: "the bot of {}",
    Program.RECORD: "record market data for {}",
    Program.WEB: "the page of {}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One program to keep running: its whole command line, and where its state is.

    `user` is the user of a service of the system; empty: a service of whoever installs it.
    """

    program: Program
    command: Sequence[str]
    home: Path
    user_home: Path
    user: str = ""

    @property
    def name(self) -> str:
        """The name of the unit."""
        return f"trueup-{self.program.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A unit file: where it belongs, what it says, and how to start it."""

    path: Path
    text: str
    start: tuple[str, ...]
    stop: tuple[str, ...]


def systemd_unit(service: Service) -> Unit:
    """A unit for systemd, of the user or of the system."""
    words = " ".join(_quoted(word.replace("$", "$$")) for word in service.command)
    home = service.home
    description = _DESCRIPTIONS[service.program].format(_percent(str(home)))
    lines = [
        "[Unit]",
        f"Description=trueup: {description}",
        "After=network-online.target",
        "Wants=network-online.target",
        # However long an exchange is away, somebody who sleeps wants it tried again.
        "StartLimitIntervalSec=0",
        "",
        "[Service]",
        *_liveness(service.program),
        f"Environment={_quoted(f'TRUEUP_HOME={home}')}",
        f"EnvironmentFile=-{_percent(str(home / 'environment'))}",
        f"ExecStart={words}",
        "Restart=always",
        "RestartSec=30",
        f"RestartPreventExitStatus={_EXITS_FOR_GOOD}",
        *_confinement(service),
        "",
        "[Install]",
        f"WantedBy={'multi-user.target' if service.user else 'default.target'}",
    ]
    folder = SYSTEM_FOLDER if service.user else service.user_home / ".config/systemd/user"
    return Unit(
        path=folder / f"{service.name}.service",
        text="\n".join(lines) + "\n",
        start=_system_start(service) if service.user else _user_start(service),
        stop=(f"systemctl {'' if service.user else '--user '}disable --now {service.name}",),
    )


def _liveness(program: Program) -> list[str]:
    if program is not Program.BOT:
        return ["Type=exec", "TimeoutStopSec=60"]
    return [
        # The bot says when it has recovered, and that its loop turns; it withdraws its orders
        # before it ends.
        "Type=notify",
        "NotifyAccess=main",
        "TimeoutStartSec=5min",
        "WatchdogSec=60",
        "TimeoutStopSec=90",
        "KillMode=mixed",
    ]


def _confinement(service: Service) -> list[str]:
    common = [
        *_LOCKED_IN,
        "PrivateTmp=yes",
        "ProtectSystem=strict",
        f"ReadWritePaths={_quoted(str(service.home))}",
    ]
    if not service.user:
        return common
    needs_homes = any(
        Path(each).is_relative_to(private)
        for each in (service.home, service.command[0])
        for private in ("/home", "/root")
    )
    return [
        f"User={service.user}",
        *common,
        f"ProtectHome={'read-only' if needs_homes else 'yes'}",
        *_LOCKED_IN_FURTHER,
    ]


def _user_start(service: Service) -> tuple[str, ...]:
    return (
        "systemctl --user daemon-reload",
        f"systemctl --user enable --now {service.name}",
        "loginctl enable-linger    # keeps it running after you log out",
    )


def _system_start(service: Service) -> tuple[str, ...]:
    user, home = service.user, service.home
    return (
        f"id {user} || useradd --system --home-dir {home} --shell /usr/sbin/nologin {user}",
        f"install -d -o {user} -g {user} -m 0700 {home}",
        "systemctl daemon-reload",
        f"systemctl enable --now {service.name}",
        f"systemctl status {service.name}    # what it says",
    )


def launchd_unit(service: Service) -> Unit:
    """A launch agent for macOS.  Raises `ConfigError` for a service of the system."""
    if service.user:
        raise ConfigError(
            "services of the system are written for systemd only",
            remedy="Leave out --system: a launch agent runs as you.",
        )
    home = service.home
    path = service.user_home / "Library" / "LaunchAgents" / f"com.{service.name}.plist"
    words = "\n".join(f"    <string>{escape(word)}</string>" for word in service.command)
    text = f"""\
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key><string>com.{service.name}</string>
  <key>ProgramArguments</key>
  <array>
{words}
  </array>
  <key>EnvironmentVariables</key>
  <dict><key>TRUEUP_HOME</key><string>{escape(str(home))}</string></dict>
  <key>KeepAlive</key><true/>
  <key>RunAtLoad</key><true/>
  <key>StandardErrorPath</key><string>{escape(str(home / f"{service.program.value}.log"))}</string>
</dict>
</plist>
"""
    return Unit(
        path=path,
        text=text,
        start=(f"launchctl bootstrap gui/$UID {path}",),
        stop=(f"launchctl bootout gui/$UID/com.{service.name}",),
    )


def write_unit(unit: Unit) -> None:
    """Put a unit file in its place.  Raises `ConfigError`."""
    try:
        unit.path.parent.mkdir(parents=True, exist_ok=True)
        unit.path.write_text(unit.text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{unit.path} cannot be written: {error.strerror}",
            remedy="Leave out --write and put the text there yourself.",
        ) from error


def _quoted(word: str) -> str:
    """A word as systemd reads it: in double quotes, with its escapes."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{_percent(escaped)}"'


def _percent(text: str) -> str:
    """A percent sign starts a specifier of systemd's unless it is doubled."""
    return text.replace("%", "%%")
