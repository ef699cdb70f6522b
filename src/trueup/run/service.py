"""The unit files that keep a scheduled sync alive: systemd on Linux, launchd on macOS.

The unit runs `trueup sync --every …` as the user, with the settings of the
home.  It holds no secret: the key comes from the settings' file path or from an
environment file that only the user may read.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

NAME: Final = "trueup-sync"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A unit file: where it belongs, what it says, and how to start it."""

    path: Path
    text: str
    start: tuple[str, ...]
    stop: tuple[str, ...]


def systemd_unit(*, program: Path, home: Path, every: str, user_home: Path) -> Unit:
    """A user unit for systemd."""
    secrets = home / "environment"
    text = f"""\
[Unit]
Description=trueup: keep the books of {home} up to date
After=network-online.target
Wants=network-online.target

[Service]
Environment=TRUEUP_HOME={_quoted(home)}
EnvironmentFile=-{_quoted(secrets)}
ExecStart={_quoted(program)} sync --every {every}
Restart=always
RestartSec=30
NoNewPrivileges=yes
PrivateTmp=yes
ProtectSystem=strict
ReadWritePaths={_quoted(home)}

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


def launchd_unit(*, program: Path, home: Path, every: str, user_home: Path) -> Unit:
    """A launch agent for macOS."""
    path = user_home / "Library" / "LaunchAgents" / f"com.{NAME}.plist"
    text = f"""\
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key><string>com.{NAME}</string>
  <key>ProgramArguments</key>
  <array>
    <string>{escape(str(program))}</string>
    <string>sync</string>
    <string>--every</string>
    <string>{escape(every)}</string>
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


def _quoted(path: Path) -> str:
    """A path as systemd reads it: percent signs doubled, spaces escaped."""
    return str(path).replace("%", "%%").replace(" ", "\\x20")
