"""Logging in and out: two plain forms that need no script."""

from __future__ import annotations

import hmac
import secrets
from html import escape
from typing import Annotated

import anyio.to_thread
from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from trueup.run.clock import SystemClock
from trueup.web.guard import cookie_of
from trueup.web.security import GUESS_WINDOW, SESSION_COOKIE, is_password
from trueup.web.site import Site

_FORM_COOKIE = "trueup-form"
_TOO_MANY = 429
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Log in · trueup</title><link rel="stylesheet" href="{prefix}/static/trueup.css">
<link rel="stylesheet" href="{prefix}/static/login.css">
<script src="{prefix}/static/trueup.js" data-prefix="{prefix}" data-now="0"></script></head>
<body><main><form method="post" action="{prefix}/login"><h1>trueup · {venue}</h1>
<input type="hidden" name="form" value="{form}">
<label>Password<input class="field" id="password" type="password" name="password" required
autocomplete="current-password" maxlength="1000"></label>
{wrong}<button class="button first" type="submit">Log in</button></form></main>
<script src="{prefix}/static/login.js" defer></script></body></html>"""


def add_login(application: FastAPI, site: Site) -> None:
    """Add the forms."""
    clock = SystemClock()

    @application.get("/login", include_in_schema=False)
    def ask() -> Response:  # pyright: ignore[reportUnusedFunction]
        if not site.safety.asks_for_password:
            return RedirectResponse(site.url("/"), status_code=303)
        return _form(site, "")

    @application.post("/login", include_in_schema=False)
    async def log_in(  # pyright: ignore[reportUnusedFunction]
        request: Request, password: Annotated[str, Form()] = "", form: Annotated[str, Form()] = ""
    ) -> Response:
        address = "" if request.client is None else request.client.host
        if not site.sessions.may_guess(address, clock.now()):
            minutes = GUESS_WINDOW // 60_000_000
            answer = _form(site, f"Too many wrong passwords. Wait {minutes} minutes.")
            answer.status_code = _TOO_MANY
            answer.headers["Retry-After"] = str(minutes * 60)
            return answer
        given = request.cookies.get(_FORM_COOKIE, "")
        if not given or not hmac.compare_digest(given.encode(), form.encode()):
            return _form(site, "This form was open for too long. Try again.")
        fits = await anyio.to_thread.run_sync(is_password, password, site.safety.password_hash)
        if not fits:
            site.sessions.note_wrong(address, clock.now())
            answer = _form(site, "That is not the password.")
            answer.status_code = 403
            return answer
        answer = RedirectResponse(site.url("/"), status_code=303)
        _set_cookie(answer, request, site, site.sessions.begin(clock.now()))
        answer.delete_cookie(_FORM_COOKIE, path=site.url("/login"))
        return answer

    @application.post("/logout", include_in_schema=False)
    def log_out(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        site.sessions.end(cookie_of(request.headers.get("cookie", "")))
        answer = RedirectResponse(site.url("/login"), status_code=303)
        answer.delete_cookie(SESSION_COOKIE, path=site.url("/"))
        return answer


def _form(site: Site, wrong: str) -> HTMLResponse:
    token = secrets.token_urlsafe(24)
    told = f'<p class="wrong" role="alert">{escape(wrong)}</p>' if wrong else ""
    page = _PAGE.format(
        prefix=escape(site.options.path_prefix, quote=True),
        venue=escape(site.venue),
        form=token,
        wrong=told,
    )
    answer = HTMLResponse(page)
    answer.set_cookie(
        _FORM_COOKIE, token, path=site.url("/login"), httponly=True, samesite="strict", max_age=900
    )
    return answer


def _set_cookie(answer: Response, request: Request, site: Site, session: str) -> None:
    is_secure = request.headers.get("x-forwarded-proto", request.url.scheme) == "https"
    answer.set_cookie(
        SESSION_COOKIE,
        session,
        path=site.url("/"),
        httponly=True,
        samesite="strict",
        secure=is_secure,
    )
