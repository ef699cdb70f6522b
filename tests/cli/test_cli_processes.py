"""Real processes: an exchange served in one, a client in another, interruptions, and two at once."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typing_user import User, rows_of

from trueup.run.clock import SystemClock
from trueup.store.database import Books, open_books
from trueup.store.version import SCHEMA_VERSION

WAIT = 150


def read_object(process: subprocess.Popen[str]) -> dict[str, Any]:
    """The JSON object that a process prints before it goes on."""
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line
        if line == "}\n":
            return json.loads(text)
    assert process.stderr is not None
    raise AssertionError(process.stderr.read())


@pytest.fixture
def serving(user: User) -> Iterator[subprocess.Popen[str]]:
    process = user.start(
        *("sandbox", "serve", "--port", "0", "--key-file", "sandbox.pem"),
        *("--bot-database", "bot.db", "--json"),
    )
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate()


def test_another_process_syncs_from_a_served_sandbox(
    user: User, serving: subprocess.Popen[str]
) -> None:
    served = read_object(serving)
    client = User(user.home.with_name("client"), user.folder, user.monkeypatch)
    client.variables = {
        "TRUEUP_BASE_URL": served["base_url"],
        "KALSHI_API_KEY_ID": served["key_id"],
        "KALSHI_PRIVATE_KEY_PATH": served["private_key_path"],
    }
    done = client.start("sync")
    out, err = done.communicate(timeout=WAIT)
    reconciled = client.json("reconcile", "--offline")

    assert (done.returncode, err) == (0, "")
    assert out.lstrip().startswith("SANDBOX, no real money · account main")
    assert (served["venue"], reconciled["verdict"]) == ("sandbox", "closes")
    assert os.stat(served["private_key_path"]).st_mode & 0o077 == 0  # noqa: PTH116
    assert rows_of(user.folder / "bot.db", "SELECT count(*) FROM trades")[0][0] > 50


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_served_sandbox_ends_cleanly_and_takes_its_token_away(
    serving: subprocess.Popen[str], stop: signal.Signals
) -> None:
    token = Path(read_object(serving)["control_token_path"])
    was_there = token.exists()
    serving.send_signal(stop)
    _, err = serving.communicate(timeout=WAIT)

    assert (serving.returncode, err) == (0, "")
    assert (was_there, token.exists()) == (True, False)


def test_sandbox_on_a_taken_port_says_so(user: User) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = user.type("sandbox", "serve", "--port", str(taken.getsockname()[1]))

    assert said.code == 2
    assert "--port" in said.err


def test_sandbox_never_overwrites_a_file_that_is_no_key(user: User) -> None:
    precious = user.folder / "diary.txt"
    precious.write_text("mine", encoding="utf-8")
    said = user.type("sandbox", "serve", "--port", "0", "--key-file", "diary.txt")

    assert said.code == 2
    assert precious.read_text(encoding="utf-8") == "mine"


def test_ctrl_c_in_a_repeated_sync_ends_with_words(user: User) -> None:
    process = user.start("sync", "--every", "5s", "--json")
    first = read_object(process)
    second = read_object(process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=WAIT)

    # On a slow machine it has synced once more before it was interrupted.
    last = out[out.rindex("\n{\n") if "\n{\n" in out else 0 :]

    assert process.returncode == 130
    assert json.loads(last)["error"] == "Interrupted"
    assert "Traceback" not in err
    assert first["snapshot"]["at"] < second["snapshot"]["at"]
    assert rows_of(user.books, "SELECT count(*) FROM snapshots")[0][0] >= 2


def test_output_that_nobody_reads_any_more_is_no_traceback(settled: User) -> None:
    process = settled.start("fills", "--limit", "100", "--offline")
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate(timeout=WAIT)

    assert "Traceback" not in err
    assert "BrokenPipe" not in err
    assert process.returncode == 1


def open_settled(user: User) -> Books:
    return open_books(user.books, venue="sandbox", mode="live", account="main")


def test_second_writer_waits_for_the_first_and_says_for_whom(settled: User) -> None:
    with open_settled(settled) as books:
        assert books.lease.try_acquire(role="the bot", now=SystemClock().now()) is None
        process = settled.start("sync", "--verbose")
        assert process.stderr is not None
        said = next(line for line in process.stderr if "Waiting for" in line)
        books.lease.release()
    _, err = process.communicate(timeout=WAIT)

    assert process.returncode == 0, err
    assert f"the bot (process {os.getpid()} on {socket.gethostname()})" in said


def test_read_command_does_not_wait_for_a_writer(settled: User) -> None:
    with (settled.home / "config.toml").open("a", encoding="utf-8") as file:
        file.write("max_age_seconds = 0\n")
    with open_settled(settled) as books:
        books.lease.try_acquire(role="the bot", now=SystemClock().now())
        # It ends although the lease is held until it has ended.
        process = settled.start("positions")
        out, err = process.communicate(timeout=WAIT)

    assert process.returncode == 0
    assert "KXGDP-NEXT-T2.5" in out
    assert "the bot" in err
    assert "local books" in err
    assert "Waiting for" not in err


def test_two_backfills_at_once_both_end_well(user: User) -> None:
    both = [user.start("backfill", "--full") for _ in range(2)]
    ended = [process.communicate(timeout=WAIT) for process in both]

    assert [process.returncode for process in both] == [0, 0], ended
    assert user.json("reconcile", "--offline")["verdict"] == "closes"
    assert rows_of(user.books, "SELECT count(*), count(DISTINCT id) FROM fills")[0][0] > 400


def test_program_that_writes_to_the_database_is_read_beside_and_waited_for(
    settled: User,
) -> None:
    with closing(sqlite3.connect(settled.books, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        reading = settled.type("balance", "--offline")
        process = settled.start("reconcile", "--offline")
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=3)
        other.execute("ROLLBACK")
        out, err = process.communicate(timeout=WAIT)

    assert reading.code == 0
    assert (process.returncode, err) == (0, "")
    assert "The books close" in out


def test_full_disk_takes_the_last_step_back(settled: User, user: User) -> None:
    """The database may not grow any more: what SQLite does on a full disk."""
    del user
    before = rows_of(settled.books, "SELECT count(*) FROM journal")[0][0]
    script = (
        "import sqlite3; original = sqlite3.connect\n"
        "def connect(*words, **more):\n"
        "    made = original(*words, **more)\n"
        "    if '.db' in str(words[0]):\n"
        "        pages = made.execute('PRAGMA page_count').fetchone()[0]\n"
        "        made.execute(f'PRAGMA max_page_count = {pages}')\n"
        "    return made\n"
        "sqlite3.connect = connect\n"
        "from trueup.cli.main import main; main()"
    )
    command = settled.command("backfill", "--full")

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command[:2], script, *command[3:]],
            env=dict(settled.process_environment()),
            cwd=settled.folder,
            capture_output=True,
            text=True,
            timeout=WAIT,
            check=False,
        )

    # Snapshots and readings use up the room that is left in the last pages.
    done = run()
    while not done.returncode:
        done = run()

    assert done.returncode == 2, done.stdout
    assert "the disk may be full" in done.stderr
    assert "Free some space" in done.stderr
    assert settled.json("reconcile", "--offline")["verdict"] == "closes"
    assert rows_of(settled.books, "SELECT count(*) FROM journal")[0][0] >= before
    assert rows_of(settled.books, "PRAGMA integrity_check") == [("ok",)]


@pytest.mark.parametrize(
    ("version", "words", "remedy"),
    [
        (SCHEMA_VERSION + 1, "newer trueup", "Install the newer trueup"),
        (0, "older trueup", "db upgrade"),
    ],
)
def test_books_of_another_version_are_left_alone(
    settled: User, version: int, words: str, remedy: str
) -> None:
    with closing(sqlite3.connect(settled.books)) as connection, connection:
        connection.execute(
            "UPDATE meta SET value = ? WHERE name = 'schema_version'", (str(version),)
        )
    before = rows_of(settled.books, "SELECT count(*) FROM journal")
    for command in (("balance", "--offline"), ("sync",), ("reconcile", "--offline")):
        said = settled.type(*command)
        assert said.code == 2
        assert words in said.err
        assert remedy in said.err
    assert rows_of(settled.books, "SELECT count(*) FROM journal") == before


def test_books_of_another_account_are_left_alone(settled: User) -> None:
    settled.variables["TRUEUP_DATABASE"] = str(settled.books)
    said = settled.type("balance", "--account", "other", "--offline")

    assert said.code == 2
    assert "holds the books of" in said.err


def test_file_that_is_not_ours_is_left_alone(user: User) -> None:
    path = user.folder / "bot.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE trades (id INTEGER PRIMARY KEY)")
    user.variables["TRUEUP_DATABASE"] = str(path)
    said = user.type("sync")

    assert said.code == 2
    assert "is not trueup's" in said.err
    assert rows_of(path, "SELECT name FROM sqlite_master") == [("trades",)]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_read_only_books_are_said_plainly(settled: User) -> None:
    settled.books.chmod(0o400)
    settled.books.parent.chmod(0o500)
    said = settled.type("sync")
    settled.books.parent.chmod(0o700)

    assert said.code == 2
    assert "read-only" in said.err


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("venue = 'mars'", "venue = 'mars' is unknown"),
        ("venu = 'demo'", "venu"),
        ("max_age_seconds = 'long'", "max_age_seconds"),
        ("member = 'vip'", "member"),
        ("account = '../../etc'", "cannot name an account"),
        ("= = =", "config.toml"),
        ("[bot_database]\nwrong = 1", "wrong"),
    ],
)
def test_wrong_setting_is_named_with_its_file(user: User, content: str, words: str) -> None:
    user.home.mkdir()
    (user.home / "config.toml").write_text(content, encoding="utf-8")
    said = user.type("balance")

    assert said.code == 2
    assert words in said.err
    assert "What to do:" in said.err
    assert sorted(p.name for p in user.home.iterdir()) == ["config.toml"]


def test_home_that_is_a_file_is_said(user: User) -> None:
    user.home.write_text("not a folder", encoding="utf-8")
    for words in (("init",), ("sync",)):
        said = user.type(*words)
        assert said.code == 2
        assert "cannot be made" in said.err


def test_everything_a_person_owns_stays_private(settled: User) -> None:
    open_to_others = [
        path for path in (settled.home / "books").rglob("*") if path.stat().st_mode & 0o077
    ]

    assert open_to_others == []
    assert settled.home.stat().st_mode & 0o077 == 0
    assert Path(settled.home / "config.toml").exists()
