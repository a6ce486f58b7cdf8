"""The generic order file: a verified plan as CSV, exact text or refused."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

from xl_rebal.errors import FaultList, PlanError
from xl_rebal.excel.plan_store import StoredPlan
from xl_rebal.portfolio.accounts import is_masked
from xl_rebal.portfolio.book import Book
from xl_rebal.workbooks import template_example

COLUMNS = (
    "account",
    "symbol",
    "action",
    "quantity",
    "order_type",
    "limit_price",
    "time_in_force",
    "plan_id",
)
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", " ")
_SAME = Decimal("1e-12")  # relative: float noise, which is 1e-16; never a fraction that is held


def order_csv(stored: StoredPlan, plan_id: str, book: Book) -> bytes:
    """The orders of a plan: priced and timed as it says, one line a trade, LF line ends, UTF-8.

    Raises PlanError naming every account or symbol that cannot be written exactly.
    """
    trades = list(stored.trades())
    faults = FaultList()
    if not trades:
        faults.add(
            where=f"plan {plan_id}",
            what="has no trades, so there is nothing to send",
            remedy="an empty order file is not written",
        )
    for account in dict.fromkeys(t.account for t in trades):
        _check_account(account, book, faults)
    for symbol in dict.fromkeys(t.symbol for t in trades):
        _check_text(symbol, f"symbol {symbol}", faults)
    faults.raise_as(PlanError)
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for t in trades:
        quantity = quantity_text(t.quantity, book.security(t.symbol).quantity_step)
        writer.writerow(
            [
                t.account,
                t.symbol,
                t.action.value,
                quantity,
                t.order_type.value,
                "" if t.limit_price is None else _text(Decimal(repr(float(t.limit_price)))),
                t.time_in_force.value,
                plan_id,
            ]
        )
    return stream.getvalue().encode()


def quantity_text(quantity: float, step: float) -> str:
    """A quantity in whole steps without float noise; a full liquidation keeps its exact fraction."""
    exact, unit = Decimal(repr(float(quantity))), Decimal(repr(float(step)))
    stepped = (exact / unit).to_integral_value() * unit
    chosen = stepped if abs(stepped - exact) <= _SAME * max(Decimal(1), exact) else exact
    return _text(chosen)


def _text(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _check_account(account: str, book: Book, faults: FaultList) -> None:
    where = f"account {account}"
    if is_masked(account):
        faults.add(
            where=where,
            what="shows only its last digits, so nobody can tell which account the orders are for",
            remedy="write the full account number in tblHoldings (column Account) and press Generate "
            "Trades again",
        )
    if account == template_example.ACCOUNT:
        what = "is the invented account of the template"
        faults.add(where=where, what=what, remedy="import or paste the client's positions")
    if book.account(account).held_away:
        what = "is held away; no orders can be sent for it"
        faults.add(where=where, what=what, remedy="remove its trades")
    _check_text(account, where, faults)


def _check_text(text: str, where: str, faults: FaultList) -> None:
    if not text or text.startswith(_DANGEROUS) or text != text.strip() or not text.isprintable():
        faults.add(
            where=where,
            what=f"{text!r} is blank, begins with a character (= + - @ or a space) or holds one (a line "
            "break, an invisible one) that a spreadsheet or an order desk's program would not keep as text",
            remedy="correct it in tblHoldings and press Generate Trades again",
        )
