"""The sections of `config.toml` for the operator: alerts, logs and metrics.

None of them holds a secret: addresses come from the environment, a file or the
keyring, and the settings only name the file.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from trueup.core.alerting import AlertRules, FillNews
from trueup.core.alerts import AlertKind, Severity
from trueup.core.errors import CallerError, ConfigError
from trueup.core.instant import SECOND
from trueup.run.schedule import parse_interval


class AlertSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[alerts]``: what reaches a person, and how often.  Pauses are like 90s, 15m, 1h."""

    urls_file: str = ""
    """A file with one apprise address a line, readable by its owner only."""
    least: str = "info"
    """The least severity that is told: info, warning or critical."""
    mute: tuple[str, ...] = ()
    """Kinds that are never told, e.g. ``["refused", "lifted"]``."""
    fills: str = FillNews.EACH.value
    """``each``, ``digest`` (collected into one message) or ``off``."""
    digest: str = "15m"
    """How long fills are collected."""
    repeat_after: str = "1h"
    """How long the same trouble is only counted."""
    burst: int = 10
    """So many messages go out at once; after them one a `pause`."""
    pause: str = "1m"
    ping_url_file: str = ""
    """A file with the address of an outside dead-man's switch."""
    ping_every: str = "5m"


class LogSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[logs]``: the log files, and the tables of calls, orders and errors."""

    level: str = "info"
    """The least level that is written to the log file: debug, info, warning or error."""
    file_megabytes: int = 10
    """How large a log file grows before the next one is begun."""
    files: int = 5
    """How many full log files are kept beside the present one."""
    table_days: int = 30
    """How many days of calls, order events and errors the tables keep; 0 keeps no tables."""


class MetricsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[metrics]``: where health and metrics are served."""

    port: int = 0
    """The port of /health and /metrics; 0 serves none."""
    host: str = "127.0.0.1"
    """The address to listen on.  Others than this machine's own show figures to strangers."""
    proof_age_max: str = "1h"
    """How old the last proof of the books may be before the health is bad."""


def alert_rules(settings: AlertSettings, path: Path) -> AlertRules:
    """The rules that a section means.  Raises `ConfigError` naming the setting that is wrong."""
    return AlertRules(
        least=_severity(settings.least, path),
        muted=frozenset(_kind(each, path) for each in settings.mute),
        fills=_fill_news(settings.fills, path),
        digest=length(settings.digest, "alerts.digest", path),
        repeat_after=length(settings.repeat_after, "alerts.repeat_after", path),
        burst=_at_least_one(settings.burst, "alerts.burst", path),
        pause=length(settings.pause, "alerts.pause", path),
    )


def length(text: str, name: str, path: Path) -> int:
    """A pause as people write it, in microseconds.  Raises `ConfigError`."""
    try:
        return parse_interval(text) * SECOND
    except CallerError as error:
        raise _wrong(f"{name}: {error}", "Write it like 90s, 15m or 1h.", path) from error


def check_logs(settings: LogSettings, path: Path) -> None:
    """Raise `ConfigError` where a setting of the logs makes no sense."""
    levels = ("debug", "info", "warning", "error")
    if settings.level not in levels:
        raise _wrong(f"logs.level = {settings.level!r} is unknown", _one_of(levels), path)
    _at_least_one(settings.file_megabytes, "logs.file_megabytes", path)
    _at_least_one(settings.files, "logs.files", path)
    if settings.table_days < 0:
        raise _wrong("logs.table_days is negative", "Use 0 for no tables at all.", path)


def check_metrics(settings: MetricsSettings, path: Path) -> None:
    """Raise `ConfigError` where a setting of the metrics makes no sense."""
    if not 0 <= settings.port < 1 << 16:
        raise _wrong(f"metrics.port = {settings.port} is no port", "Use 1024 to 65535.", path)
    length(settings.proof_age_max, "metrics.proof_age_max", path)


def _severity(word: str, path: Path) -> Severity:
    for each in Severity:
        if each.word == word:
            return each
    words = [each.word for each in Severity]
    raise _wrong(f"alerts.least = {word!r} is unknown", _one_of(words), path)


def _kind(word: str, path: Path) -> AlertKind:
    try:
        return AlertKind(word)
    except ValueError:
        words = [each.value for each in AlertKind if each is not AlertKind.TEST]
        raise _wrong(
            f"alerts.mute names {word!r}, which is no kind", _one_of(words), path
        ) from None


def _fill_news(word: str, path: Path) -> FillNews:
    try:
        return FillNews(word)
    except ValueError:
        words = [each.value for each in FillNews]
        raise _wrong(f"alerts.fills = {word!r} is unknown", _one_of(words), path) from None


def _at_least_one(number: int, name: str, path: Path) -> int:
    if number < 1:
        raise _wrong(f"{name} = {number} is too small", "Use 1 or more.", path)
    return number


def _one_of(words: tuple[str, ...] | list[str]) -> str:
    return f"Use {'one of ' if len(words) > 1 else ''}{', '.join(words)}."


def _wrong(words: str, remedy: str, path: Path) -> ConfigError:
    return ConfigError(f"{path}: {words}", remedy=remedy)
