"""A support bundle has what a helper needs and nothing that opens an account."""

from __future__ import annotations

import base64
import json
import stat
import tarfile
from pathlib import Path

import pytest

from trueup.core.errors import ConfigError
from trueup.core.instant import Instant
from trueup.run.desk import read_desk_settings
from trueup.run.operator.bundle import write_bundle
from trueup.run.operator.logs import Logs, LogTarget, account_redactor, log_path
from trueup.run.operator.operations import open_operations, operations_path
from trueup.store.operations import ErrorRow, OperationsLog

BODY = base64.b64encode(bytes(range(150, 250))).decode()
PEM = f"-----BEGIN PRIVATE KEY-----\n{BODY[:64]}\n{BODY[64:128]}\n-----END PRIVATE KEY-----"
PLANTED = {
    "the id of the key": "0badcafe-89ab-cdef-0123-456789abcdef",
    "the private key": BODY[4:40],
    "the end of the private key": BODY[64:84],
    "a password of the database": "planted-database-word",
    "the token of a messenger": "planted-messenger-token",
    "the address of the ping": "0badfeed-0000-4000-8000-00000000beef",
    "a password of another program": "planted-mail-word",
    "a signature": base64.b64encode(bytes(range(64))).decode()[:30],
    "a bearer token": "planted.bearer.token",
}


def environment(home: Path) -> dict[str, str]:
    return {
        "TRUEUP_HOME": str(home),
        "KALSHI_API_KEY_ID": PLANTED["the id of the key"],
        "KALSHI_PRIVATE_KEY": PEM,
        "TRUEUP_ALERT_URLS": f"json://me:{PLANTED['the token of a messenger']}@127.0.0.1:1/x",
        "TRUEUP_PING_URL": f"https://hc.example.com/{PLANTED['the address of the ping']}",
        "SMTP_PASSWORD": PLANTED["a password of another program"],
    }


def plant_everywhere(home: Path) -> None:
    """Put every secret where a careless program could have put it."""
    everything = [*PLANTED.values(), PEM]
    config = [
        f'private_key_path = "{home}/key.pem"',
        f'key_id = "{PLANTED["the id of the key"]}"',
        f'database = "postgresql://me:{PLANTED["a password of the database"]}@db/books"',
    ]
    (home / "config.toml").write_text("\n".join(config), encoding="utf-8")
    (home / "key.pem").write_text(PEM, encoding="utf-8")
    headers = {
        "KALSHI-ACCESS-KEY": PLANTED["the id of the key"],
        "KALSHI-ACCESS-SIGNATURE": base64.b64encode(bytes(range(64))).decode(),
        "Authorization": f"Bearer {PLANTED['a bearer token']}",
    }
    url = f"postgresql://me:{PLANTED['a password of the database']}@db/books"
    careless = {"headers": headers, "url": url, "pem": PEM, "told": " ".join(everything[:1])}
    lines = [json.dumps(careless), str(careless), PEM, f"cannot open {url}", f"env {PEM!r}"]
    for name in ("decisions-sandbox-main.jsonl", "logs/bot-sandbox-main.jsonl"):
        path = home / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(lines), encoding="utf-8")
    diary = OperationsLog(
        home / "operations-sandbox-main.db",
        keep_days=30,
        clock=lambda: Instant(10**15),
        trouble=lambda words: None,  # noqa: ARG005
    )
    for words in lines:
        diary.note(ErrorRow(at=Instant(10**15), process="bot", kind="Careless", words=words))
    diary.close()


def parts_of(path: Path) -> dict[str, str]:
    with tarfile.open(path) as archive:
        return {
            each.name.removeprefix("trueup-support/"): file.read().decode()
            for each in archive.getmembers()
            if (file := archive.extractfile(each)) is not None
        }


def test_no_planted_secret_leaves(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    plant_everywhere(home)
    path = tmp_path / "bundle.tar.gz"

    write_bundle(read_desk_settings(environment(home)), path, asks_exchange=False)

    leaks = [
        (name, what)
        for name, text in parts_of(path).items()
        for what, secret in PLANTED.items()
        if secret in text
    ]
    assert leaks == []
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_helps_is_in_it(tmp_path: Path) -> None:
    settings = read_desk_settings({"TRUEUP_HOME": str(tmp_path), "KALSHI_ENV": "sandbox"})
    target = LogTarget(
        path=log_path(tmp_path, "bot", settings.config),
        settings=settings.config.logs,
        redactor=account_redactor({}, settings.config),
    )
    with Logs(target) as logs:
        logs.log.warning("the stream broke", feed="prices")
    operations = open_operations(settings, "bot", trouble=print)
    assert operations is not None
    operations.error("the exchange did not answer", subject="sync")
    operations.close()
    path = tmp_path / "bundle.tar.gz"

    names = write_bundle(settings, path, asks_exchange=False)
    parts = parts_of(path)

    assert list(parts) == names
    assert json.loads(parts["about.json"])["packages"]["aiohttp"]
    assert json.loads(parts["environment.json"])["variable KALSHI_ENV"] == "sandbox"
    assert "the stream broke" in parts["logs/bot-sandbox-main.jsonl"]
    assert json.loads(parts["operations/errors.json"])[0]["words"] == "the exchange did not answer"
    assert json.loads(parts["operations.json"])["errors"] == 1
    assert {each["check"] for each in json.loads(parts["doctor.json"])} >= {"alerts", "logs", "bot"}
    assert json.loads(parts["books.json"]) == {"books": "none yet"}
    assert operations_path(tmp_path, settings.config).name in parts["files.json"]


def test_broken_home_still_gives_a_bundle(tmp_path: Path) -> None:
    settings = read_desk_settings({"TRUEUP_HOME": str(tmp_path)})
    (tmp_path / "config.toml").write_text("this is [no toml", encoding="utf-8")
    (tmp_path / "operations-sandbox-main.db").write_bytes(b"no database " * 100)
    path = tmp_path / "bundle.tar.gz"

    write_bundle(settings, path, asks_exchange=False)

    parts = parts_of(path)
    assert "cannot be read" in parts["config.json"]
    assert "could not be collected" in parts["operations/calls.json"]
    with pytest.raises(ConfigError, match="cannot be written"):
        write_bundle(settings, path, asks_exchange=False)
