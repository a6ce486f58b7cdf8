"""What is known of each security: its class, how it trades, what it costs to trade."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from xl_rebal.errors import FaultList, TableError
from xl_rebal.portfolio import classes, tables
from xl_rebal.portfolio.holdings import LARGEST_VALUE


class Vehicle(StrEnum):
    """What kind of instrument a security is."""

    ETF = "etf"
    MUTUAL_FUND = "mutual_fund"
    STOCK = "stock"
    BOND = "bond"
    CASH = "cash"
    OPTION = "option"
    PRIVATE = "private"


# Mutual funds are ordered in dollars; custodians keep shares to three decimals. Money funds are
# ordered in dollars at a price of 1.
_STEPS = {Vehicle.MUTUAL_FUND: 0.001, Vehicle.CASH: 0.01}
# What the planner never touches by itself: contracts and paper without a continuous market.
_NOT_TRADED = frozenset({Vehicle.OPTION, Vehicle.BOND, Vehicle.PRIVATE})
_LONGEST_SETTLEMENT = 30  # trading days; more is a slip of the pen
_FUND_TICKER = re.compile(r"[A-Z]{4}X")
_OPTION_SYMBOL = re.compile(
    r"-?[A-Z.]{1,6} ?\d{6}[CP]\d+(\.\d+)?"  # OCC style: AMAT260424C400
    r"|[A-Z.]{1,6} \d{2}/\d{2}/\d{4} \d+(\.\d+)? [CP]"  # Schwab: NET 09/18/2026 305.00 C
    r"|[A-Z.]{1,6} \d{2}[A-Z]{3}\d{2} \d+(\.\d+)? [CP]"  # IBKR: ZZB 16JAN26 30 C
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """One security.

    rank           preference inside its class: 1 is bought first and sold last; None is after all ranks.
    price          money per unit where the holdings file has none (a security not held yet), or None.
    quantity_step  smallest quantity that buys and partial sells move in.
    minimum        smallest order in money.
    spread_bps     quoted (full) bid-ask spread in basis points, or None for the cost model's own.
    commission     money per trade, or None for the cost model's own.
    adv            average daily volume in units, or None (then no market impact is charged).
    settlement_days  trading days from trade to settlement; None for what its vehicle has by rule.
    """

    symbol: str
    asset_class: str = ""
    rank: float | None = None
    price: float | None = None
    vehicle: Vehicle = Vehicle.STOCK
    quantity_step: float = 1.0
    minimum: float = 0.0
    spread_bps: float | None = None
    commission: float | None = None
    adv: float | None = None
    tradable: bool = True
    identical_group: str = ""
    substitute: str = ""
    tags: frozenset[str] = frozenset()
    tax_class: str = ""
    settlement_days: int | None = None


def vehicle_of(symbol: str) -> Vehicle:
    """The vehicle that a symbol's form tells.

    Option symbols are options; five letters ending in X are mutual funds (Nasdaq's fifth-character
    convention); anything else is taken to trade like a share.
    """
    upper = symbol.upper().strip()
    if _OPTION_SYMBOL.fullmatch(upper):
        return Vehicle.OPTION
    if _FUND_TICKER.fullmatch(upper):
        return Vehicle.MUTUAL_FUND
    return Vehicle.STOCK


@lru_cache(maxsize=65536)
def default_security(symbol: str) -> Security:
    """What is taken for a symbol that no table describes (from the shipped fund table, else its form)."""
    known = shipped_securities().get(symbol.upper())
    if known is None:
        return _with_defaults(Security(symbol=symbol), {})
    return known if known.symbol == symbol else replace(known, symbol=symbol)


def _with_defaults(security: Security, given: Mapping[str, Any]) -> Security:
    vehicle = security.vehicle if "vehicle" in given else vehicle_of(security.symbol)
    step = given.get("quantity_step", _STEPS.get(vehicle, 1.0))
    tradable = given.get("tradable", vehicle not in _NOT_TRADED)
    return replace(security, vehicle=vehicle, quantity_step=float(step), tradable=bool(tradable))


@lru_cache(maxsize=1)
def shipped_securities() -> Mapping[str, Security]:
    """The fund table that ships with the package, by symbol: class and vehicle of well-known funds."""
    path = resources.files("xl_rebal.portfolio") / "data" / "funds.csv"
    result: dict[str, Security] = {}
    lines = path.read_text(encoding="utf-8").splitlines()
    for row in csv.DictReader(line for line in lines if not line.startswith("#")):
        vehicle = Vehicle(row["vehicle"])
        result[row["symbol"]] = _with_defaults(
            Security(symbol=row["symbol"], asset_class=row["asset_class"], vehicle=vehicle),
            {"vehicle": vehicle},
        )
    return MappingProxyType(result)


def spelled_as(
    securities: Mapping[str, Security], symbols: Iterable[str]
) -> Mapping[str, Security]:
    """The same table with its symbols spelled as they are in `symbols`: `vti` becomes `VTI`."""
    listed = list(symbols)
    spelling = {symbol.casefold(): symbol for symbol in listed}
    exact = set(listed)
    renamed = {
        symbol: name
        for symbol in securities
        if symbol not in exact and (name := spelling.get(symbol.casefold(), symbol)) != symbol
    }
    if not renamed:
        return securities
    return {
        renamed.get(symbol, symbol): replace(security, symbol=renamed.get(symbol, symbol))
        for symbol, security in securities.items()
    }


def securities_from_rows(rows: Iterable[Mapping[str, Any]]) -> dict[str, Security]:
    """Securities by symbol from the rows of the `securities` table; every bad row is reported."""
    faults = FaultList()
    result: dict[str, Security] = {}
    seen: set[str] = set()
    for row in rows:
        symbol = row.get("symbol", "")
        if symbol.casefold() in seen:
            faults.extend(
                [
                    tables.fault_at(
                        "securities", row, "symbol", f"{symbol} stands twice", "keep one row"
                    )
                ]
            )
            continue
        seen.add(symbol.casefold())
        security = _from_row(row, faults)
        if security is not None:
            result[symbol] = security
    faults.raise_as(TableError)
    return result


def _from_row(row: Mapping[str, Any], faults: FaultList) -> Security | None:
    given = {name: value for name, value in row.items() if name not in {"table", "row"}}
    before = len(list(faults))
    shipped = default_security(given["symbol"])
    if "vehicle" in given:
        word = str(given["vehicle"]).casefold().replace(" ", "_")
        try:
            given["vehicle"] = Vehicle(word)
        except ValueError:
            faults.extend(
                [
                    tables.fault_at(
                        "securities",
                        row,
                        "vehicle",
                        f"{word!r} is not known",
                        f"use one of {', '.join(v.value for v in Vehicle)}",
                    )
                ]
            )
    for name, positive in (
        ("quantity_step", True),
        ("price", True),
        ("minimum", False),
        ("spread_bps", False),
        ("commission", False),
        ("adv", True),
        ("settlement_days", False),
    ):
        value = given.get(name)
        if value is not None and (value < 0 or (positive and value == 0)):
            need = "greater than zero" if positive else "zero or more"
            faults.extend(
                [
                    tables.fault_at(
                        "securities",
                        row,
                        name,
                        f"{value:g} is not possible",
                        f"enter a number {need}",
                    )
                ]
            )
    if (price := given.get("price")) is not None:
        one = max(1.0, given.get("quantity_step", 1.0)) * price
        if not one <= LARGEST_VALUE:
            what = f"{price:g} is too large to keep a step of it to the cent"
            faults.extend([tables.fault_at("securities", row, "price", what, "correct it")])
    if (days := given.get("settlement_days")) is not None:
        if not (days == int(days) and days <= _LONGEST_SETTLEMENT):
            what = f"{days:g} is no number of trading days from 0 to {_LONGEST_SETTLEMENT}"
            faults.extend(
                [tables.fault_at("securities", row, "settlement_days", what, "correct it")]
            )
        given["settlement_days"] = int(days)
    if len(list(faults)) > before:
        return None
    if "asset_class" in given:
        given["asset_class"] = classes.clean(given["asset_class"])
    if "tags" in given:
        given["tags"] = frozenset(
            t.strip().casefold() for t in re.split(r"[;,|]", given["tags"]) if t.strip()
        )
    base = (
        shipped
        if "vehicle" not in given
        else Security(symbol=given["symbol"], asset_class=shipped.asset_class)
    )
    merged = replace(base, **{name: value for name, value in given.items() if name != "symbol"})
    return (
        _with_defaults(merged, {**given, "vehicle": merged.vehicle})
        if "vehicle" in given
        else merged
    )
