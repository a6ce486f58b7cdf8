"""What quantity, price, multiplier and value say about each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from xl_rebal.custodians import kinds
from xl_rebal.custodians.faults import Problems, listed
from xl_rebal.custodians.money import Amounts
from xl_rebal.custodians.table import Defaults, Table
from xl_rebal.custodians.words import Words
from xl_rebal.portfolio.holdings import Holdings, Kind, TextColumn

_TIE = 0.005  # a stated value within 0.5% of quantity x price x multiplier is no conflict


def find_multipliers(
    table: Table,
    defaults: Defaults,
    amounts: Amounts,
    symbols: TextColumn,
    kind: TextColumn,
    problems: Problems,
) -> NDArray[np.float64]:
    """The stated multiplier; else the one of 1, 100 and 0.01 that explains the stated value."""
    position = kind == Kind.POSITION.value
    stated = np.isfinite(amounts.multiplier)
    option = Words.of(symbols).rows(kinds.is_option) & position
    plain = defaults.multiplier if defaults.multiplier is not None else 1.0
    result = np.where(option, 100.0, plain)
    with np.errstate(all="ignore"):  # zero and absurd amounts give no ratio
        product = amounts.quantity * amounts.price
        ratio = amounts.value / product
    known = position & np.isfinite(ratio) & (product != 0) & (amounts.value != 0)
    for candidate in (0.01, 100.0, 1.0):
        # An option at $0.01 has a price rounded by half of it, hence the second allowance.
        with np.errstate(all="ignore"):
            near = np.abs(amounts.value - product * candidate) <= np.maximum(
                _TIE * np.abs(amounts.value), np.abs(amounts.quantity) * candidate * 5e-5
            )
        result = np.where(known & near, candidate, result)
    percent = known & ~stated & ~option & (result == 0.01)
    hundred = known & ~stated & ~option & (result == 100.0) & (plain != 100.0)
    if percent.any():
        problems.warn(
            f"{listed(table.lines[percent])}: value is quantity x price / 100, so the price was "
            "read as percent of par (multiplier 0.01)"
        )
    if hundred.any():
        problems.warn(
            f"{listed(table.lines[hundred])}: value is quantity x price x 100, so multiplier 100 was taken"
        )
    assumed = option & ~stated & ~known
    if assumed.any():
        problems.warn(
            f"{listed(table.lines[assumed])}: an option without a stated value, multiplier 100 was taken"
        )
    result = np.where(stated, amounts.multiplier, result)
    return np.where(position, result, 1.0)


def derive_missing(
    table: Table,
    amounts: Amounts,
    multiplier: NDArray[np.float64],
    kind: TextColumn,
    problems: Problems,
) -> None:
    """Fill the one missing number of quantity and price from the stated value; fault what is left."""
    position = kind == Kind.POSITION.value
    quantity, price, value = amounts.quantity, amounts.price, amounts.value
    known = np.isfinite(value) & position & ~amounts.faulty
    no_price = known & np.isfinite(quantity) & ~np.isfinite(price)
    no_quantity = known & np.isfinite(price) & ~np.isfinite(quantity)
    empty = no_price & (quantity == 0) & (value == 0)
    price[empty] = 0.0
    fill_price = no_price & (quantity != 0)
    with np.errstate(all="ignore"):  # what overflows is reported as missing below
        price[fill_price] = value[fill_price] / quantity[fill_price] / multiplier[fill_price]
    fill = no_quantity & (price != 0)
    with np.errstate(all="ignore"):
        quantity[fill] = value[fill] / price[fill] / multiplier[fill]
    if fill_price.any():
        problems.warn(f"{listed(table.lines[fill_price])}: price derived as value / quantity")
    if fill.any():
        problems.warn(f"{listed(table.lines[fill])}: quantity derived as value / price")
    negative = position & (price < 0) & ~amounts.faulty
    for row in np.flatnonzero(negative).tolist():
        problems.fault(
            table.lines[row], table.label("price"), f"{price[row]:g} is a negative price",
            "enter the price of one unit; a short position has a negative quantity",
        )  # fmt: skip
    cash = (kind == Kind.CASH.value) & ~amounts.faulty
    for row in np.flatnonzero(cash & ~np.isfinite(value) & ~np.isfinite(quantity)).tolist():
        role = "value" if "value" in table.columns else "quantity"
        problems.fault(
            table.lines[row], table.label(role), "is blank",
            "enter the amount of cash, 0 if there is none",
        )  # fmt: skip
    for role, column in (("quantity", quantity), ("price", price)):
        missing = position & ~np.isfinite(column) & ~amounts.faulty
        remedy = f"enter the {role}, or remove the row"
        problems.fault_rows(table.lines[missing], table.label(role), "is blank", remedy)


def stated_in_own_currency(
    amounts: Amounts,
    multiplier: NDArray[np.float64],
    fx: NDArray[np.float64],
    position: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """The stated values; where a whole file states them in the base currency, converted back."""
    value = amounts.value
    foreign = position & np.isfinite(fx) & (fx != 1.0) & np.isfinite(value) & (value != 0)
    if not foreign.any():
        return value
    rate, stated = fx[foreign], value[foreign]
    with np.errstate(all="ignore"):
        own = (amounts.quantity * amounts.price * multiplier)[foreign]
        ties_base = np.abs(own * rate - stated) <= _TIE * np.abs(stated)
        ties_own = np.abs(own - stated) <= _TIE * np.abs(stated)
        if ties_base.all() and not ties_own.all():
            return np.where(position & np.isfinite(fx), value / fx, value)
    return value


def warn_conflicts(holdings: Holdings, problems: Problems) -> None:
    """Name both figures where a stated value is not quantity x price x multiplier (0.5%, 1 cent)."""
    stated = holdings.stated_value
    with np.errstate(all="ignore"):  # a product that overflows is in conflict with any value
        own = holdings.quantity * holdings.price * holdings.multiplier
        gap = np.abs(own - stated)
    conflict = holdings.is_position & (gap > _TIE * np.abs(stated)) & (gap > 0.0101)
    rows = np.flatnonzero(conflict)
    for row in rows[:20].tolist():
        times = f" x {holdings.multiplier[row]:g}" if holdings.multiplier[row] != 1 else ""
        problems.warn(
            f"line {holdings.line[row]}, {holdings.symbol[row]}: the file's value {stated[row]:,.2f} is not "
            f"quantity x price{times} = {own[row]:,.2f}; drift and trades use the latter"
        )
    if len(rows) > 20:
        problems.warn(f"{len(rows) - 20:,} more rows have a value that is not quantity x price")
