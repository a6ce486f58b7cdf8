"""What trades and report are given besides the book: flows, fund rules, dates, and how orders go out."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from xl_rebal.cli import amounts
from xl_rebal.custodians.account_map import MapRow
from xl_rebal.custodians.input_tables import read_table
from xl_rebal.custodians.lot_rows import lot_warnings
from xl_rebal.custodians.registry import read_export
from xl_rebal.custodians.statement import Statement
from xl_rebal.custodians.told import Told
from xl_rebal.errors import TableError
from xl_rebal.portfolio import tables
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.flows import Flow, flows_from_rows
from xl_rebal.portfolio.fund_rules import ANYWHERE, ZONES, FundRule, fund_rules_from_rows
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.lots import Lots
from xl_rebal.trading.limits import OrderStyle, OrderType, TimeInForce

_EXCHANGE_ZONE = "America/New_York"
_FAR = 0.1  # a bare 0.5 is half a percent to whoever typed it
_BARE = re.compile(r"[\s\d.+]+")


def read_flow_table(path: Path | None) -> tuple[Flow, ...]:
    """The flows table, or none."""
    return flows_from_rows(read_table(path, tables.FLOWS)) if path is not None else ()


def read_fund_rules(path: Path | None) -> tuple[FundRule, ...]:
    """The fund rules table, or none."""
    return fund_rules_from_rows(read_table(path, tables.FUND_RULES)) if path is not None else ()


def read_lots(
    path: Path | None, statement: Statement, account_map: Sequence[MapRow]
) -> tuple[Lots | None, tuple[str, ...]]:
    """(open lots, where they are not what is held): of the file of lots, else of the positions' own file."""
    if path is None:
        return (statement.lots if len(statement.lots) else None), ()
    lots = read_export(path, told=Told(account_map=account_map)).lots
    if not len(lots):
        raise TableError.of(
            where=path.name,
            what="holds no open lots",
            remedy="give a custodian's file of open lots, or a table with account, symbol, acquired, "
            "quantity and unit_cost",
        )
    return lots, tuple(lot_warnings(statement.holdings, lots))


def trade_moment(text: str | None) -> tuple[dt.date | None, dt.datetime | None]:
    """(date, moment with its zone) of `--as-of`: `2026-11-23`, `2026-11-23T15:30-05:00`, or
    `2026-11-23 15:30 America/New_York`. A time without a zone is New York's.
    """
    if text is None:
        return None, None
    words = re.sub(r"(?<=\d)T(?=\d)", " ", text.strip(), count=1).split(maxsplit=2)
    try:
        day = dt.date.fromisoformat(words[0] if words else text)
    except ValueError:
        raise TableError.of(
            where="--as-of", what=f"{text!r} is not a date", remedy="write it as 2026-11-23"
        ) from None
    if len(words) == 1:
        return day, None
    try:
        clock = dt.time.fromisoformat(words[1])
        zone = words[2] if len(words) > 2 else _EXCHANGE_ZONE
        zone = ZONES.get(zone.casefold(), zone)
        if clock.tzinfo is not None and len(words) > 2:
            raise ValueError("two zones")
        return day, dt.datetime.combine(day, clock, clock.tzinfo or ZoneInfo(zone))
    except (ValueError, ZoneInfoNotFoundError, OSError):  # OSError: a folder's name on some systems
        raise TableError.of(
            where="--as-of",
            what=f"{text!r} has no time with a zone that is known",
            remedy="write it as 2026-11-23, or as 2026-11-23 15:30 America/New_York",
        ) from None


def order_style(
    order_type: OrderType | None, typed: str | None, time_in_force: TimeInForce
) -> OrderStyle:
    """How orders are sent; `--limit` makes them limit orders."""
    limit = amounts.optional_share(typed, "--limit", most=0.99)
    if typed is not None and limit is not None and limit >= _FAR and _BARE.fullmatch(typed):
        raise TableError.of(
            where="--limit",
            what=f"{typed.strip()} without a unit is {limit:.0%} away from the price",
            remedy=f"write {limit:g}% or {limit:.0%}",
        )
    kind = order_type or (OrderType.MARKET if limit is None else OrderType.LIMIT)
    try:
        return OrderStyle(order_type=kind, limit=limit, time_in_force=time_in_force)
    except ValueError as error:
        raise TableError.of(
            where="--order-type, --limit, --time-in-force",
            what=str(error),
            remedy="give --limit with limit orders only, and DAY with MOC",
        ) from None


def with_custodian(
    accounts: Mapping[str, Account], holdings: Holdings, custodian: str
) -> dict[str, Account]:
    """The accounts, with the custodian whose file they come from where none is named."""
    result = dict(accounts)
    for name in holdings.accounts():
        account = result.get(name, Account(account=name))
        if not account.custodian:
            result[name] = replace(account, custodian=custodian)
    return result


def unmatched_rules(
    holdings: Holdings,
    everyone: Iterable[str],
    accounts: Mapping[str, Account],
    flows: Sequence[Flow],
    rules: Sequence[FundRule],
) -> list[str]:
    """Warnings of rows that bind nothing: flows of other accounts, rules of other custodians.

    everyone  the accounts of the file, those that --account leaves out too.
    """
    known = set(everyone)
    strangers = dict.fromkeys(flow.account for flow in flows if flow.account not in known)
    warnings = [
        f"the flows table names account {name}, which is not in the holdings; its rows bind nothing"
        for name in strangers
    ]
    held = {symbol.casefold() for symbol in holdings.symbol.tolist()}
    custodians = {account.custodian.casefold() for account in accounts.values()} | ANYWHERE
    others = dict.fromkeys(
        rule.custodian
        for rule in rules
        if rule.custodian.casefold() not in custodians and rule.symbol.casefold() in held
    )
    names = ", ".join(sorted(c for c in custodians - ANYWHERE)) or "none named"
    return warnings + [
        f"the fund rules name custodian {name!r} for funds that are held, and no account is there "
        f"(custodians of the accounts: {names}); they bind nothing"
        for name in others
    ]


def idle_tables(lots: Path | None, fund_rules: Path | None) -> list[str]:
    """A warning where --lots was given and nothing asks for it."""
    if lots is None or fund_rules is not None:
        return []
    return [
        f"{lots.name}: lots count for redemption fees alone, which need --fund-rules; they change nothing "
        "in these plans"
    ]
