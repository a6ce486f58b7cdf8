"""Orders of plans that the verifier has passed. Order files are written from this type alone."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from xl_rebal.custodians.orders.documents import order_document, order_of_document
from xl_rebal.custodians.orders.fields import LotInstruction
from xl_rebal.errors import ReadError
from xl_rebal.household import checks as household_checks
from xl_rebal.household.plan import HouseholdPlan
from xl_rebal.household.request import HouseholdBook, HouseholdRequest
from xl_rebal.portfolio.book import Book
from xl_rebal.rebalance import Rebalancing, Request
from xl_rebal.tax.default_relief import names_lots
from xl_rebal.trading.checks import require_verified
from xl_rebal.trading.order import Order, exact_quantity, order_of_trade
from xl_rebal.trading.plan import Plan, Trade

_SEAL = object()  # only the functions of this module make VerifiedOrders


@dataclass(frozen=True, slots=True, init=False)
class VerifiedOrders:
    """The orders of whole accounts, and the lots that their sales take.

    notes  sales whose lots could not be written, and why.
    """

    orders: tuple[Order, ...]
    lots: tuple[LotInstruction, ...]
    notes: tuple[str, ...]

    def __init__(
        self,
        seal: object,
        orders: tuple[Order, ...],
        lots: tuple[LotInstruction, ...] = (),
        notes: tuple[str, ...] = (),
    ) -> None:
        if seal is not _SEAL:
            raise TypeError(
                "orders are verified by orders_of_plans, orders_of_rebalancing and orders_of_household"
            )
        object.__setattr__(self, "orders", orders)
        object.__setattr__(self, "lots", lots)
        object.__setattr__(self, "notes", notes)

    def line(self) -> str:
        """One line of text for a file, with the sum by which `read_line` knows it unchanged."""
        document = {
            "orders": [order_document(order) for order in self.orders],
            "lots": [_lot_document(lot) for lot in self.lots],
            "notes": list(self.notes),
        }
        text = json.dumps(document, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
        return f"{_sum(text)} {text}\n"


def orders_of_rebalancing(
    result: Rebalancing, *, plan_id: str = "", clients: Mapping[str, str] | None = None
) -> VerifiedOrders:
    """The orders of what `rebalance` returned, which has verified every plan.

    clients  the client's name by account; the account's household, else its own name, when left out.
    """
    return _made(result.book, (t for plan in result.plans for t in plan.trades), plan_id, clients)


def orders_of_plans(
    book: Book,
    request: Request,
    plans: Iterable[Plan],
    *,
    plan_id: str = "",
    clients: Mapping[str, str] | None = None,
) -> VerifiedOrders:
    """The orders of plans from elsewhere (a file), verified here; raises VerificationError."""
    listed = tuple(plans)
    require_verified(book, request.policy, listed, request.limits, timing=request.timing)
    return _made(book, (t for plan in listed for t in plan.trades), plan_id, clients)


def orders_of_household(
    source: HouseholdBook,
    request: HouseholdRequest,
    plan: HouseholdPlan,
    *,
    plan_id: str = "",
    clients: Mapping[str, str] | None = None,
) -> VerifiedOrders:
    """The orders and lots of a household's plan, verified here; raises VerificationError."""
    household_checks.require_verified(source, request, plan)
    made = _made(source.book, plan.trades, plan_id, clients)
    lots, notes = _lots(source.book, request, plan, made.orders)
    return VerifiedOrders(_SEAL, made.orders, lots, notes)


def _made(
    book: Book, trades: Iterable[Trade], plan_id: str, clients: Mapping[str, str] | None
) -> VerifiedOrders:
    listed = tuple(trades)
    held, currencies = _held(book, listed)
    orders = []
    for trade in listed:
        account, security = book.account(trade.account), book.security(trade.symbol)
        named = (clients or {}).get(trade.account) or account.household or trade.account
        orders.append(
            order_of_trade(
                trade,
                step=security.quantity_step,
                vehicle=security.vehicle,
                held=held.get((trade.account, trade.symbol), 0.0),
                custodian=account.custodian,
                client=named,
                currency=currencies.get(trade.symbol, ""),
                discretionary=account.discretionary,
                held_away=account.held_away,
                plan_id=plan_id,
            )
        )
    return VerifiedOrders(_SEAL, tuple(orders))


def _held(
    book: Book, trades: tuple[Trade, ...]
) -> tuple[dict[tuple[str, str], float], dict[str, str]]:
    """Units held by account and symbol of what is traded, and each symbol's currency."""
    wanted = {(t.account, t.symbol) for t in trades}
    symbols = {symbol for _, symbol in wanted}
    held: dict[tuple[str, str], float] = {}
    currencies: dict[str, str] = {}
    rows = book.holdings
    columns = (rows.account, rows.symbol, rows.quantity, rows.currency, rows.is_position)
    for account, symbol, quantity, currency, position in zip(
        *(column.tolist() for column in columns), strict=True
    ):
        if position and symbol in symbols:
            currencies.setdefault(symbol, currency)
            if (account, symbol) in wanted:
                held[account, symbol] = held.get((account, symbol), 0.0) + quantity
    return held, currencies


def _lots(
    book: Book, request: HouseholdRequest, plan: HouseholdPlan, orders: tuple[Order, ...]
) -> tuple[tuple[LotInstruction, ...], tuple[str, ...]]:
    by_order: dict[tuple[str, str], list[LotInstruction]] = {}
    for sale in plan.lot_sales:
        account = book.account(sale.account)
        if names_lots(account) and sale.account not in request.no_lots_sent:
            by_order.setdefault((sale.account, sale.symbol), []).append(
                LotInstruction(
                    account=sale.account,
                    symbol=sale.symbol,
                    lot_id=sale.lot_id,
                    acquired=sale.acquired,
                    quantity=exact_quantity(
                        sale.quantity, book.security(sale.symbol).quantity_step
                    ),
                    plan_id=orders[0].plan_id,
                )
            )
    lots: list[LotInstruction] = []
    notes: list[str] = []
    for order in orders:
        chosen = by_order.get(order.key, [])
        total = sum((lot.quantity for lot in chosen), Decimal(0))
        if chosen and total != order.quantity:
            notes.append(
                f"account {order.account}, {order.symbol}: the lots known add up to {total:f} of "
                f"{order.quantity:f} units sold, so no lot instruction is written; choose the lots at "
                "the custodian"
            )
        else:
            lots += chosen
    return tuple(lots), tuple(notes)


def _lot_document(lot: LotInstruction) -> list[str]:
    return [
        lot.account,
        lot.symbol,
        lot.lot_id,
        lot.acquired.isoformat(),
        f"{lot.quantity:f}",
        lot.plan_id,
    ]


def read_line(line: str, where: str) -> VerifiedOrders:
    """What `VerifiedOrders.line` wrote; raises ReadError where it was changed or cut short."""
    found, _, text = line.rstrip("\n").partition(" ")
    if found != _sum(text) or not line.endswith("\n"):
        raise ReadError.of(
            where=where,
            what="was changed or cut short after it was written, so its orders are not verified",
            remedy="run the plans again",
        )
    document = json.loads(text)
    lots = tuple(
        LotInstruction(
            account=account,
            symbol=symbol,
            lot_id=lot_id,
            acquired=dt.date.fromisoformat(acquired),
            quantity=Decimal(quantity),
            plan_id=plan_id,
        )
        for account, symbol, lot_id, acquired, quantity, plan_id in document["lots"]
    )
    orders = tuple(map(order_of_document, document["orders"]))
    return VerifiedOrders(_SEAL, orders, lots, tuple(document["notes"]))


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
