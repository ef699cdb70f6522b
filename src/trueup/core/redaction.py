"""Texts without secrets: for logs, error messages and support bundles.

Two nets, one behind the other.  What is *known* to be secret (the values of
settings with telling names) is taken out wherever it stands.  What *looks* like
a secret is taken out by its shape: key files, passwords in addresses, the
addresses of messengers, authorization headers, ``token=…``, signatures.
Hiding a harmless word too much is cheap; the other mistake is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, cast

HIDDEN: Final = "[hidden]"

_KNOWN_MIN: Final = 6
"""Shorter values are no secrets and would tear holes into every text."""
_LINE_MIN: Final = 16

_TELLING: Final = re.compile(
    r"key|token|secret|pass(word|phrase|wd)|private|credential|auth|alert_urls|ping_url|cookie"
    r"|webhook|dsn|signature",
    re.IGNORECASE,
)
_HARMLESS: Final = re.compile(r"(_PATH|_FILE|_SERVICE|_DIRECTORY|_DIR)\Z", re.IGNORECASE)
_OPEN_SCHEMES: Final = frozenset(
    {"http", "https", "ws", "wss", "postgresql", "postgres", "sqlite", "file", "tcp", "ssl"}
)

_PEM: Final = re.compile(
    r"-----BEGIN [A-Z0-9 ]+-----(?:.{0,8000}?-----END [A-Z0-9 ]+-----|[A-Za-z0-9+/=\\\s]*)",
    re.DOTALL,
)
"""A key file, or as much of it as there is."""
_ADDRESS: Final = re.compile(r"\b([A-Za-z][A-Za-z0-9+.-]{1,30})://([^\s\"'<>\\]+)")
_ASSIGNED: Final = re.compile(
    r"""(?ix)
    ( ["']? \b [\w.-]* (?: passw(?:or)?d | passphrase | secret | token | api[_-]?key | access[_-]?key
      | private[_-]?key | kalshi-access-\w+ | authorization | cookie | signature | webhook )
      (?: [\w.-]*? ) ["']? \s* [:=] \s* )
    (?! \s | \[hidden\] )
    (?: (?:bearer|basic|token) \s+ )?
    ( "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | [^\s,;&"'}\])]+ )
    """
)
_BEARER: Final = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}")
_JSON_WEB_TOKEN: Final = re.compile(r"\beyJ[\w-]{8,}\.[\w-]{4,}\.[\w-]{4,}")
_LONG_CODE: Final = re.compile(r"[A-Za-z0-9+/_-]{60,}={0,2}")
_HEXADECIMAL: Final = re.compile(r"[0-9a-fA-F]+\Z")
_PATH_NAME: Final = re.compile(r"(?i)(_path|_file|_service)[\"']?\s*[:=]\s*\Z")


def known_secrets(environment: Mapping[str, str]) -> frozenset[str]:
    """The values in an environment whose names tell that they are secret.

    A name that ends in ``_PATH`` or ``_FILE`` means a place; its value counts only
    when it is a key that was pasted there by mistake.
    """
    return frozenset(
        value
        for name, value in environment.items()
        if _TELLING.search(name) and (not _HARMLESS.search(name) or "\n" in value)
    )


class Redactor:
    """Takes secrets out of texts and documents.  Knows some, and recognises others."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        pieces = {piece for value in known for piece in _pieces(value)}
        # The longest first: a secret may begin with another.
        ordered = sorted(pieces, key=lambda each: (-len(each), each))
        self._known = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def text(self, text: str) -> str:
        """The text without its secrets."""
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        text = _PEM.sub(HIDDEN, text)
        text = _ADDRESS.sub(_address, text)
        text = _ASSIGNED.sub(_assigned, text)
        text = _BEARER.sub(lambda match: f"{match[1]} {HIDDEN}", text)
        text = _JSON_WEB_TOKEN.sub(HIDDEN, text)
        return _LONG_CODE.sub(_long_code, text)

    def document(self, value: object) -> object:
        """A document of mappings, sequences and texts, without its secrets."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            pairs = cast("Mapping[object, object]", value).items()
            return {str(name): self._field(str(name), item) for name, item in pairs}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.document(each) for each in cast("Iterable[object]", value)]
        return value if value is None or isinstance(value, int) else self.text(str(value))

    def _field(self, name: str, value: object) -> object:
        is_secret = _TELLING.search(name) and not _HARMLESS.search(name)
        if is_secret and isinstance(value, str) and value:
            return HIDDEN
        return self.document(value)


def _pieces(value: str) -> Iterator[str]:
    """A secret, and each long line of one that has several: logs break lines."""
    stripped = value.strip()
    if len(stripped) >= _KNOWN_MIN:
        yield stripped
        yield stripped.encode("unicode_escape").decode("ascii")
    for line in re.split(r"[\r\n]+|\\n", stripped):
        if len(line.strip()) >= _LINE_MIN and not line.startswith("-----"):
            yield line.strip()


def _address(match: re.Match[str]) -> str:
    scheme, rest = match[1], match[2]
    if scheme.lower().partition("+")[0] not in _OPEN_SCHEMES:
        # The address of a messenger: all of it is a password.
        return f"{scheme}://{HIDDEN}"
    place, slash, path = rest.partition("/")
    user, at, host = place.rpartition("@")
    if at:
        place = f"{HIDDEN}@{host}"
        del user
    path, mark, query = path.partition("?")
    segments = "/".join(HIDDEN if _is_code(each) else each for each in path.split("/"))
    pairs = "&".join(_query_pair(each) for each in query.split("&"))
    return f"{scheme}://{place}{slash}{segments}{mark}{pairs}"


def _query_pair(pair: str) -> str:
    name, equals, value = pair.partition("=")
    return f"{name}{equals}{HIDDEN}" if _TELLING.search(name) or _is_code(value) else pair


_CODE_MIN: Final = 16


def _is_code(part: str) -> bool:
    """Whether a part of a path reads like a password: long, with letters and digits mixed.

    The exchange's own tickers are upper case with dashes, and pass.
    """
    if len(part) < _CODE_MIN or part == HIDDEN:
        return False
    mixed = any(each.isdigit() for each in part) and any(each.isalpha() for each in part)
    return mixed and any(each.islower() for each in part)


def _assigned(match: re.Match[str]) -> str:
    if _PATH_NAME.search(match[1]):
        return match[0]
    quote = match[2][0] if match[2][0] in "\"'" else ""
    return f"{match[1]}{quote}{HIDDEN}{quote}"


def _long_code(match: re.Match[str]) -> str:
    return match[0] if _HEXADECIMAL.match(match[0]) else HIDDEN
