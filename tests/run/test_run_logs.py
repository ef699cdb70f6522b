"""Log files: whole lines of JSON, never a secret, never without end."""

from __future__ import annotations

import json
import logging
import stat
from pathlib import Path

import pytest

from trueup.core.errors import CallerError, ConfigError
from trueup.core.redaction import HIDDEN
from trueup.run.config import Config
from trueup.run.operator.log_reading import Filter, line_words, log_files, read_log
from trueup.run.operator.logs import Logs, LogTarget, account_redactor, log_path
from trueup.run.operator.settings import LogSettings

PEM = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIPlantedPlantedPlanted\n-----END PRIVATE KEY-----"
PLANTED = {
    "KALSHI_API_KEY_ID": "01234567-89ab-cdef-0123-456789abcdef",
    "KALSHI_PRIVATE_KEY": PEM,
    "TRUEUP_ALERT_URLS": "tgram://12345:planted-token/1",
    "SMTP_PASSWORD": "planted-password",
}
SECRETS = ("01234567-89ab", "PlantedPlanted", "planted-token", "planted-password")
CONFIG = Config()


def target(home: Path, **settings: object) -> LogTarget:
    return LogTarget(
        path=log_path(home, "bot", CONFIG),
        settings=LogSettings(**settings),  # type: ignore[arg-type]
        redactor=account_redactor(PLANTED, CONFIG),
    )


def fail(secret: str) -> None:
    message = f"while using {secret}"
    raise ValueError(message)


def lines(home: Path) -> list[dict[str, object]]:
    text = log_path(home, "bot", CONFIG).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_line_is_one_object_with_time_and_level(tmp_path: Path) -> None:
    with Logs(target(tmp_path)) as logs:
        logs.log.info("started", venue="sandbox", markets=22)
        logs.log.debug("not wanted at this level")

    (line,) = lines(tmp_path)
    assert str(line.pop("at")).endswith("Z")
    assert line == {"event": "started", "venue": "sandbox", "markets": 22, "level": "info"}
    assert stat.S_IMODE(log_path(tmp_path, "bot", CONFIG).stat().st_mode) == 0o600


def test_planted_secret_never_arrives(tmp_path: Path) -> None:
    with Logs(target(tmp_path, level="debug")) as logs:
        for name, secret in PLANTED.items():
            words = f"it said {secret}"
            logs.log.info(words, **{name: secret, "nested": {"deep": [secret]}})
            logs.log.error("headers", headers={"KALSHI-ACCESS-KEY": secret})
            try:
                fail(secret)
            except ValueError:
                logs.log.exception("it broke")
            logging.getLogger("some.library").warning("sent %s to them", secret)

    text = log_path(tmp_path, "bot", CONFIG).read_text(encoding="utf-8")
    assert text.count(HIDDEN) >= 4 * len(PLANTED)
    assert [each for each in SECRETS if each in text] == []
    assert text.count("ValueError: while using") == len(PLANTED), (
        "the rest of the traceback is there"
    )


def test_what_libraries_warn_of_is_kept_while_the_log_is_open(tmp_path: Path) -> None:
    with Logs(target(tmp_path)):
        logging.getLogger("asyncio").error("Task exception was never retrieved")
    logging.getLogger("asyncio").error("after the end")

    (line,) = lines(tmp_path)
    assert (line["library"], line["level"]) == ("asyncio", "error")


def test_files_do_not_grow_for_ever(tmp_path: Path) -> None:
    with Logs(target(tmp_path, file_megabytes=1, files=2)) as logs:
        for number in range(3_000):
            logs.log.info("line", number=number, filling="word " * 250)

    files = log_files(tmp_path, CONFIG)
    assert len(files) == 3
    assert all(each.stat().st_size <= 1024 * 1024 for each in files)
    assert all(stat.S_IMODE(each.stat().st_mode) == 0o600 for each in files)
    newest = read_log(tmp_path, CONFIG, Filter(limit=2))
    assert [each["number"] for each in newest] == [2_998, 2_999]


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file", encoding="utf-8")

    with pytest.raises(ConfigError, match="cannot be written"):
        Logs(target(tmp_path))


def test_reading_filters_and_survives_a_torn_line(tmp_path: Path) -> None:
    with Logs(target(tmp_path, level="debug")) as logs:
        logs.log.debug("detail")
        logs.log.warning("the stream broke", feed="ticker")
    with log_path(tmp_path, "bot", CONFIG).open("a", encoding="utf-8") as file:
        file.write('{"at": "2026-')

    everything = read_log(tmp_path, CONFIG, Filter())
    assert [each["event"] for each in everything] == ['{"at": "2026-', "detail", "the stream broke"]
    (warned,) = read_log(tmp_path, CONFIG, Filter(words="TICKER"))
    assert line_words(warned) == "the stream broke feed=ticker"
    assert len(read_log(tmp_path, CONFIG, Filter(level="warning"))) == 2
    assert read_log(tmp_path, CONFIG, Filter(program="sync")) == []
    with pytest.raises(CallerError, match="no level"):
        read_log(tmp_path, CONFIG, Filter(level="loud"))


def test_home_that_the_log_makes_is_its_owners_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with Logs(target(home)):
        for folder in (home, home / "logs"):
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder
