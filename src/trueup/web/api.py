"""The same figures for programs: JSON below ``/api``, and health.

Money is dollars, prices are dollars per contract and quantities contracts, all as exact decimal
text; unknown is null.  ``/api/openapi.json`` describes it all.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, Response
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from trueup.core.errors import CallerError, TrueupError
from trueup.core.instant import SECOND, format_age, format_instant
from trueup.core.units import Ratio, format_decimal
from trueup.core.version import VERSION
from trueup.ledger.report import By, PnlLine
from trueup.run.books.account import Account
from trueup.run.views import Row
from trueup.store.listing import PAGE_ROWS_MAX
from trueup.web.frame import judged
from trueup.web.reading import BooksState
from trueup.web.site import Site
from trueup.web.values.holdings import holdings, marked, worth

_WORDS: Final = "How many rows, newest first."
Limit = Annotated[int, Query(ge=1, le=PAGE_ROWS_MAX, description=_WORDS)]


def add_api(application: FastAPI, site: Site) -> None:
    """Add the routes and their description."""
    router = APIRouter(prefix="/api", tags=["books"])
    _add_portfolio(router, site)
    _add_lists(router, site)
    application.include_router(router)
    _add_health(application, site)

    @application.get("/api/openapi.json", include_in_schema=False)
    def describe() -> JSONResponse:  # pyright: ignore[reportUnusedFunction]
        return JSONResponse(
            get_openapi(
                title="trueup",
                version=VERSION,
                description=(__doc__ or "").replace("``", "`"),
                routes=router.routes,
            )
        )

    async def refuse(request: Request, error: Exception) -> Response:
        del request
        status = 400 if isinstance(error, CallerError) else 503
        remedy = getattr(error, "remedy", "")
        return JSONResponse({"error": str(error), "remedy": remedy}, status_code=status)

    application.add_exception_handler(TrueupError, refuse)


def _add_portfolio(router: APIRouter, site: Site) -> None:
    @router.get("/portfolio", summary="What the account is worth, and whether the books close")
    async def portfolio() -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
        held = await site.reader.ask("holdings", holdings)
        sums = worth(held, marked(held.positions, site.tops()))
        answer = judged(site)
        return plain(
            {
                "venue": site.venue,
                "account": site.account,
                "as_of": None
                if site.reader.asked_at is None
                else format_instant(site.reader.asked_at),
                "equity": sums.equity,
                "cash": sums.cash,
                "exposure": sums.exposure,
                "tied_up_by_orders": sums.collateral,
                "unrealized_pnl": None if sums.unmarked else sums.unrealized,
                "positions_without_quote": sums.unmarked,
                "open_positions": len(held.positions),
                "total_orders": await site.reader.ask("orders", _count_orders),
                "resting_orders": len(held.resting),
                "books": None if answer is None else answer.value.verdict.closing.value,
                "proof": None if answer is None else answer.value.verdict.words(),
            }
        )

    @router.get("/portfolio/positions", summary="Open positions")
    async def positions() -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
        rows = await site.reader.ask("positions", Account.positions)
        return plain({"positions": rows})

    @router.get("/portfolio/pnl", summary="Profit and loss by category, or by what you ask for")
    async def pnl(by: By = By.CATEGORY, days: Annotated[int, Query(ge=0)] = 0) -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
        lines, total = await site.reader.page(lambda account: account.pnl(by=by, days=days))
        return plain({"by": by.value, "rows": [_pnl(line) for line in lines], "total": _pnl(total)})

    @router.get("/portfolio/balances", summary="Cash by the exchange, beside the books")
    async def balances() -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
        return plain({"balances": await site.reader.page(Account.balances)})


def _add_lists(router: APIRouter, site: Site) -> None:
    @router.get("/orders", summary="Orders: fills, cancellations and what rests")
    async def orders(  # pyright: ignore[reportUnusedFunction]
        limit: Limit = 100, status: str = "", ticker: str = ""
    ) -> dict[str, Any]:
        rows = await site.reader.page(
            lambda account: account.orders(limit=limit, status=status, ticker=ticker)
        )
        return plain({"orders": rows})

    @router.get("/fills", summary="Fills")
    async def fills(limit: Limit = 100, ticker: str = "") -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
        rows = await site.reader.page(lambda account: account.fills(limit=limit, ticker=ticker))
        return plain({"fills": rows})

    @router.get("/settlements", summary="Markets that have paid out")
    async def settlements(limit: Limit = 100, ticker: str = "") -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
        rows = await site.reader.page(
            lambda account: account.settlements(limit=limit, ticker=ticker)
        )
        return plain({"settlements": rows})

    @router.get("/reconciliation", summary="Whether the books close, and every break")
    async def reconciliation() -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
        answer = judged(site)
        if answer is None:
            return {"verdict": None, "words": "The books are being proven.", "breaks": []}
        now = site.reader.now()
        found = answer.value
        return plain(
            {
                "verdict": found.verdict.closing.value,
                "words": found.verdict.words(),
                "breaks": [
                    {
                        "id": each.found.identity,
                        "kind": each.found.kind.value,
                        "severity": each.found.severity.value,
                        "status": each.status.value,
                        "ticker": each.found.ticker,
                        "amount": each.found.amount,
                        "age": format_age(now - each.first_seen),
                        "summary": each.found.summary,
                        "remedy": each.found.remedy,
                    }
                    for each in found.breaks
                ],
                "certificate": list(found.proof.certificate.words()),
            }
        )


def _add_health(application: FastAPI, site: Site) -> None:
    @application.get("/health", include_in_schema=False)
    def health() -> JSONResponse:  # pyright: ignore[reportUnusedFunction]
        fine = site.reader.condition.state is BooksState.FINE
        return JSONResponse(
            {"status": "ok" if fine else "no books", "version": VERSION},
            status_code=200 if fine else 503,
        )

    @application.get("/metrics", include_in_schema=False)
    def metrics() -> Response:  # pyright: ignore[reportUnusedFunction]
        return Response(figures(site), media_type="text/plain; version=0.0.4; charset=utf-8")


def figures(site: Site) -> bytes:
    """What the page knows of itself and of the books, for Prometheus."""
    registry = CollectorRegistry()
    now, asked, answer = site.reader.now(), site.reader.asked_at, judged(site)
    told = {
        "pages_open": ("Open pages of the dashboard.", site.hub.pages),
        "books_readable": (
            "1 while the books can be read.",
            int(site.reader.condition.state is BooksState.FINE),
        ),
        "bot_there": ("1 while a bot answers the dashboard.", int(site.bot.is_there)),
    }
    if asked is not None:
        told["books_age_seconds"] = (
            "Since the exchange was last asked.",
            max(0, now - asked) // SECOND,
        )
    if answer is not None:
        told["books_close"] = ("1 when the books close.", int(answer.value.verdict.closes))
        told["breaks"] = (
            "Breaks that are not green.",
            answer.value.verdict.red + answer.value.verdict.amber,
        )
    for name, (words, value) in told.items():
        Gauge(f"trueup_web_{name}", words, registry=registry).set(value)
    return generate_latest(registry)


def _count_orders(account: Account) -> int:
    return account.books.count_orders()


def _pnl(line: PnlLine) -> Row:
    return {
        "name": line.name,
        "realized": line.realized,
        "fees": line.fees,
        "net": line.net,
        "unrealized": line.unrealized,
        "total": line.total,
        "open_positions": line.open,
    }


def plain(value: Any) -> Any:  # noqa: ANN401  # any JSON value
    """Exact values as plain JSON: decimal text for amounts."""
    match value:
        case dict():
            return {str(name): plain(each) for name, each in value.items()}  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]
        case list() | tuple():
            return [plain(each) for each in value]  # pyright: ignore[reportUnknownVariableType]
        case Ratio():
            return format_decimal(round(value * 1_000_000), 6, 4)
        case None | bool() | int() | str():
            return value
        case _:
            return str(value)
