"""A user who types: runs the real command line in this process and reads what it says."""

from __future__ import annotations

import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from trueup.cli.main import main
from trueup.net.acceptor.server import SandboxServer

PROGRAM = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "signal.signal(signal.SIGHUP, signal.SIG_DFL); "
    "from trueup.cli.main import main; main()"
)
"""As from a terminal: what runs the tests may itself be running in the background or below
nohup, where Ctrl-C or a hang-up is ignored, and children inherit that."""


@dataclass(frozen=True)
class Said:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def payload(self) -> dict[str, Any]:
        """The one JSON object on standard output."""
        return cast("dict[str, Any]", json.loads(self.out))


@dataclass
class User:
    """Types commands in a home and a folder of their own."""

    home: Path
    folder: Path
    monkeypatch: pytest.MonkeyPatch
    variables: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def books(self) -> Path:
        """The books of the sandbox."""
        return self.home / "books" / "sandbox-live-main.db"

    def type(self, *words: str) -> Said:
        """Run one command line in this process."""
        out, err = io.StringIO(), io.StringIO()
        with self.monkeypatch.context() as patch:
            for name in list(os.environ):
                if name.startswith(("KALSHI", "TRUEUP")):
                    patch.delenv(name)
            for name, value in self.environment().items():
                patch.setenv(name, value)
            patch.chdir(self.folder)
            with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
                main(words)
        code = ended.value.code
        assert isinstance(code, int)
        assert "Traceback" not in err.getvalue()
        return Said(code, out.getvalue(), err.getvalue())

    def json(self, *words: str, code: int = 0) -> dict[str, Any]:
        """Run a command with ``--json`` and give its object, which names venue and account."""
        said = self.type(*words, "--json")
        assert (said.code, said.err) == (code, ""), said
        payload = said.payload
        assert {"venue", "account"} <= payload.keys()
        return payload

    def environment(self) -> dict[str, str]:
        """The variables that matter."""
        return {"TRUEUP_HOME": str(self.home), **self.variables}

    def command(self, *words: str) -> list[str]:
        """A command line for a process of its own."""
        return [sys.executable, "-c", PROGRAM, *words]

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Run a command in a process of its own."""
        return subprocess.Popen(  # our own command line
            self.command(*words),
            env=self.process_environment(),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def process_environment(self) -> Mapping[str, str]:
        """The environment of a process of its own."""
        kept = {n: v for n, v in os.environ.items() if not n.startswith(("KALSHI", "TRUEUP"))}
        return {**kept, **self.environment(), "PYTHONUNBUFFERED": "1"}

    def points_at(self, server: SandboxServer, *, key_file: Path | None = None) -> None:
        """Set what a user sets to reach a server as if it were the demo."""
        if key_file is None:
            key_file = self.write_key(server)
        self.variables = {
            "KALSHI_ENV": "demo",
            "TRUEUP_BASE_URL": server.base_url,
            "TRUEUP_ALLOW_HOST": f"127.0.0.1:{server.port}",
            "KALSHI_API_KEY_ID": server.key_id,
            "KALSHI_PRIVATE_KEY_PATH": str(key_file),
        }

    def write_key(self, server: SandboxServer, *, mode: int = 0o600) -> Path:
        """The private key of a server in a file."""
        path = self.folder / "key.pem"
        path.unlink(missing_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(server.pair.pem)
        path.chmod(mode)
        return path


def copy_home(source: Path, target: Path) -> None:
    """A home with the books of the built-in world, as another test left it."""
    shutil.copytree(source, target)


def rows_of(database: Path, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    """What a user's own SQL says."""
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query, values).fetchall()
