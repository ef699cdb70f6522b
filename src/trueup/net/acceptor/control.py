"""The control API over HTTP: JSON in, JSON out, under its own prefix and token.

``POST /control/WORD`` with ``Authorization: Bearer TOKEN`` and a JSON object;
words that only look may be asked with GET and a query instead.  The token is
not a key of the exchange, and no key of the exchange opens this door.
"""

from __future__ import annotations

import hmac
from typing import Final

import msgspec
from aiohttp import web

from trueup.core.errors import CallerError, NotFound, TrueupError
from trueup.net.acceptor.control_room import ControlRoom
from trueup.net.acceptor.control_words import WORDS, Word
from trueup.net.acceptor.replies import JSON
from trueup.wire.rest.encode import to_json
from trueup.wire.spelling import Record

PREFIX: Final = "/control"


class Control:
    """The door to a control room."""

    def __init__(self, room: ControlRoom, token: str) -> None:
        self.room = room
        self._token = token

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One request under the prefix."""
        if not self._is_known(request.headers.get("Authorization", "")):
            return _answer(401, _error("the control token is missing or wrong", _UNKNOWN))
        name = request.path.removeprefix(PREFIX).strip("/")
        word = WORDS.get(name)
        if word is None:
            return _answer(
                404, _error(f"there is no word {name!r}", f"Words are: {', '.join(WORDS)}.")
            )
        if request.method != "POST" and not (request.method == "GET" and word.reads):
            return _answer(405, _error(f"{name} is asked with POST", ""))
        return await self._ask(name, word, request)

    def _is_known(self, authorization: str) -> bool:
        scheme, _, given = authorization.partition(" ")
        return scheme == "Bearer" and hmac.compare_digest(given.encode(), self._token.encode())

    async def _ask(self, name: str, word: Word, request: web.Request) -> web.StreamResponse:
        try:
            body = await _body(request, word)
            status, tree = 200, await word.run(self.room, body)
        except msgspec.ValidationError as error:
            status, tree = 400, _error(f"{name}: {error}", _takes(word))
        except msgspec.DecodeError as error:
            status, tree = 400, _error(f"the body is no JSON: {error}", _takes(word))
        except NotFound as error:
            status, tree = 404, _error(str(error), error.remedy)
        except TrueupError as error:
            status = 409 if isinstance(error, CallerError) else 500
            tree = _error(str(error), error.remedy)
        return _answer(status, tree)


async def _body(request: web.Request, word: Word) -> msgspec.Struct:
    if request.method == "GET":
        return msgspec.convert(dict(request.query), word.body, strict=False)
    raw = await request.read()
    return msgspec.json.decode(raw or b"{}", type=word.body, strict=False)


def _takes(word: Word) -> str:
    taken = " ".join((word.body.__doc__ or "").replace("``", "").split())
    return f"It takes: {taken}"


_UNKNOWN: Final = "Send `Authorization: Bearer TOKEN` with the token that the sandbox printed."


def _error(message: str, remedy: str) -> Record:
    return {"error": {"message": message, "remedy": remedy}}


def _answer(status: int, tree: Record) -> web.Response:
    return web.Response(status=status, body=to_json(tree), content_type=JSON)
