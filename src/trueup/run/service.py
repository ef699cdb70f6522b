"""The unit files that keep a scheduled sync alive: systemd on Linux, launchd on macOS.

The unit runs `trueup sync --every …` as the user, with the settings of the
home.  It holds no secret: the key comes from the settings' file path or from an
environment file that only the user may read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from trueup.core.errors import ConfigError

NAME: Final = "trueup-sync"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A unit file: where it belongs, what it says, and how to start it."""

    path: Path
    text: str
    start: tuple[str, ...]
    stop: tuple[str, ...]


def systemd_unit(*, command: Sequence[str], home: Path, user_home: Path) -> Unit:
    """A user unit for systemd that runs `command` for the state in `home`."""
    words = " ".join(_quoted(word.replace("$", "$$")) for word in command)
    text = f"""\
[Unit]
Description=trueup: keep the books of {_percent(str(home))} up to date
After=network-online.target
Wants=network-online.target

[Service]
Environment={_quoted(f"TRUEUP_HOME={home}")}
EnvironmentFile=-{_percent(str(home / "environment"))}
ExecStart={words}
Restart=always
RestartSec=30
NoNewPrivileges=yes
PrivateTmp=yes
ProtectSystem=strict
ReadWritePaths={_quoted(str(home))}

[Install]
WantedBy=default.target
"""
    return Unit(
        path=user_home / ".config" / "systemd" / "user" / f"{NAME}.service",
        text=text,
        start=(
            "systemctl --user daemon-reload",
            f"systemctl --user enable --now {NAME}",
            "loginctl enable-linger    # keeps it running after you log out",
        ),
        stop=(f"systemctl --user disable --now {NAME}",),
    )


def launchd_unit(*, command: Sequence[str], home: Path, user_home: Path) -> Unit:
    """A launch agent for macOS that runs `command` for the state in `home`."""
    path = user_home / "Library" / "LaunchAgents" / f"com.{NAME}.plist"
    words = "\n".join(f"    <string>{escape(word)}</string>" for word in command)
    text = f"""\
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key><string>com.{NAME}</string>
  <key>ProgramArguments</key>
  <array>
{words}
  </array>
  <key>EnvironmentVariables</key>
  <dict><key>TRUEUP_HOME</key><string>{escape(str(home))}</string></dict>
  <key>KeepAlive</key><true/>
  <key>RunAtLoad</key><true/>
  <key>StandardErrorPath</key><string>{escape(str(home / "sync.log"))}</string>
</dict>
</plist>
"""
    return Unit(
        path=path,
        text=text,
        start=(f"launchctl bootstrap gui/$UID {path}",),
        stop=(f"launchctl bootout gui/$UID/com.{NAME}",),
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
