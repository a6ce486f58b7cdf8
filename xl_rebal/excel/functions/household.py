"""Several accounts, one target: the plan of a household."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from enum import StrEnum
from typing import Any

from xl_rebal.errors import FaultList, TableError
from xl_rebal.excel import ranges
from xl_rebal.excel.functions.arguments import (
    HELD,
    POLICY,
    RESTRICTIONS,
    TARGETS,
    accounts_of,
    in_a_sheet,
    is_cash,
    open_lots,
    require_binding,
)
from xl_rebal.excel.functions.household_settings import asked
from xl_rebal.excel.registry import Argument, Example, Grid, Returns, worksheet_function
from xl_rebal.household.build import households
from xl_rebal.household.plan_rows import (
    TRADES,
    class_rows,
    figure_rows,
    note_rows,
    trade_rows,
    way_rows,
)
from xl_rebal.household.planner import plan_household
from xl_rebal.household.request import HouseholdBook, HouseholdRequest
from xl_rebal.portfolio import tables
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.book import Book, classify
from xl_rebal.portfolio.history import History, history_from_rows
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.securities import Security, securities_from_rows, spelled_as
from xl_rebal.tax.profiles import profiles_from_rows, profiles_of

_HISTORY = replace(in_a_sheet(tables.HISTORY), may_be_empty=True)


class Output(StrEnum):
    """What a plan is asked for."""

    TRADES = "trades"
    FIGURES = "figures"
    WAYS = "ways"
    CLASSES = "classes"
    NOTES = "notes"


@worksheet_function(
    "REBAL_HOUSEHOLD",
    arguments=(
        Argument(
            name="accounts",
            help="The accounts with their headers: account, type (taxable, traditional, roth, hsa); "
            "optionally household, owner, relationship, tax_return, tax_profile, cash_reserve, "
            "held_away, menu.",
            table="tblAccounts",
        ),
        Argument(
            name="lots",
            help="What is held: account, symbol, quantity; for taxable accounts acquired and unit_cost of "
            "each lot; cash as symbol CASH.",
            table="tblLots",
        ),
        Argument(
            name="securities",
            help="Securities with their headers: symbol, price, asset_class; optionally tax_class, "
            "identical_group, quantity_step, tradable.",
            table="tblSecurities",
        ),
        TARGETS,
        POLICY,
        Argument(
            name="profile",
            help="The tax_profiles table: tax_profile, year, filing_status and magi, or ordinary, long_term "
            "and niit as rates; needed for taxable accounts.",
            optional=True,
            table="tblTaxProfile",
        ),
        Argument(
            name="as_of",
            help="The day of the trades, such as TODAY(); terms and wash sales depend on it.",
            optional=True,
        ),
        Argument(
            name="history",
            help="Trades of the last 30 days in all accounts, the household's other ones too: account, "
            "symbol, date, action, quantity, price.",
            optional=True,
            table="tblHistory",
        ),
        RESTRICTIONS,
        Argument(
            name="settings",
            help="A table of setting and value: costs, losses to take, most net gain, cash to raise, "
            "smallest trade, most turnover, mode (fast, best).",
            optional=True,
            table="tblPlanSettings",
        ),
        Argument(
            name="output",
            help="trades (default), figures, ways (naive, account by account, highest cost first, ours), "
            "classes or notes.",
            optional=True,
        ),
    ),
    returns=Returns.TABLE,
    expensive=True,
    description="Which lot to sell, in which account, and what to buy where, so that all accounts together "
    "return to their bands at least tax and cost; a row for each order, a sale in a taxable account split by "
    "lot; re-checked by the independent verifier. Without settings trading is free; without a history only "
    "the lots tell what was bought lately. Other outputs than trades are of one household.",
    example=Example(
        formula="=REBAL_HOUSEHOLD(tblAccounts, tblHouseholdLots, tblHouseholdSecurities, "
        '"65% stocks, 35% bonds", "5pp", tblTaxProfile, "2026-11-25")',
        result="200",
        column="quantity",
    ),
)
def rebal_household(
    accounts: Any,
    lots: Any,
    securities: Any,
    targets: Any,
    policy: Any,
    profile: Any,
    as_of: Any,
    history: Any,
    restrictions: Any,
    settings: Any,
    output: Any,
) -> Grid:
    """The trades of a household, lot by lot, at least tax."""
    day = ranges.date(as_of, "as_of")
    if day is None:
        raise TableError.of(
            where="as_of", what="is blank", remedy="enter the day of the trades, such as TODAY()"
        )
    wanted = _output(output)
    request = asked(settings, ranges.policy(policy), day)
    source = _source(accounts, lots, securities, targets, profile, history, restrictions, day)
    names = households(source.book)
    if wanted is Output.TRADES:
        return _trades(source, request, names)
    if len(names) > 1:
        raise TableError.of(
            where="tblAccounts, household",
            what=f"names {len(names)} households, and {wanted} are of one",
            remedy="keep the accounts of one household",
        )
    plan = plan_household(source, request, names[0])
    if wanted is Output.FIGURES:
        return figure_rows(plan, request)
    rows_of = {Output.WAYS: way_rows, Output.CLASSES: class_rows, Output.NOTES: note_rows}
    return rows_of[wanted](plan)


def _output(value: Any) -> Output:
    word = ranges.text(value, "output", Output.TRADES.value).casefold()
    try:
        return Output(word)
    except ValueError:
        raise TableError.of(
            where="output", what=f"{word!r} is not known", remedy=f"use one of {', '.join(Output)}"
        ) from None


def _trades(source: HouseholdBook, request: HouseholdRequest, names: list[str]) -> Grid:
    rows: Grid = []
    for household in names:
        plan = plan_household(source, request, household)
        rows += trade_rows(plan)[1:]
        if not plan.trades:
            why = plan.why or "nothing asks for any"
            rows.append([*[None] * (len(TRADES) - 1), f"no trades: {why}"])
    return [list(TRADES), *rows]


def _source(
    accounts: Any,
    lots: Any,
    securities: Any,
    targets: Any,
    profile: Any,
    history: Any,
    restrictions: Any,
    day: dt.date,
) -> HouseholdBook:
    known_accounts = accounts_of(accounts)
    listed = ranges.table(lots, HELD, "tblLots")
    models = ranges.targets(targets)
    known = ranges.built(securities, tables.SECURITIES, "tblSecurities", securities_from_rows)
    known = dict(spelled_as(known, [row["symbol"] for row in listed]))
    profiles = (
        ranges.built(profile, tables.TAX_PROFILES, "tblTaxProfile", profiles_from_rows)
        if profile is not None
        else {}
    )
    holdings = classify(
        _holdings(listed, known_accounts, known), securities=known, targets=tuple(models.values())
    )
    rules = ranges.restrictions(restrictions)
    require_binding(rules, holdings)
    return HouseholdBook(
        book=Book(
            holdings=holdings,
            models=models,
            securities=known,
            accounts=known_accounts,
            restrictions=rules,
        ),
        lots=open_lots(listed, known_accounts),
        history=_history(history, day),
        profiles=profiles_of(profiles, day.year),
    )


def _history(value: Any, day: dt.date) -> History:
    if not ranges.grid(value):
        return ()
    return ranges.built(
        value, _HISTORY, "tblHistory", lambda rows: history_from_rows(rows, as_of=day)
    )


def _holdings(
    rows: list[dict[str, Any]], accounts: dict[str, Account], known: dict[str, Security]
) -> Holdings:
    """Positions are the sums of their lots, at the prices of the securities table."""
    faults = FaultList()
    units: dict[tuple[str, str], float] = {}
    result: list[dict[str, Any]] = []
    for row in rows:
        place = f"tblLots row {row['row']}"
        if row["account"] not in accounts:
            faults.add(
                where=f"{place}, account",
                what=f"{row['account']} has no row in tblAccounts",
                remedy="add it with its type",
            )
        if is_cash(row):
            cash = {"account": row["account"], "symbol": "CASH", "kind": "cash", "price": 1.0}
            result.append({**cash, "quantity": row["quantity"]})
            continue
        security = known.get(row["symbol"])
        if security is None or security.price is None:
            faults.add(
                where=f"{place}, symbol",
                what=f"{row['symbol']} has no price in tblSecurities",
                remedy="add a row with its price and class",
            )
        key = (row["account"], row["symbol"])
        units[key] = units.get(key, 0.0) + row["quantity"]
    faults.raise_as(TableError)
    result += [
        {"account": a, "symbol": s, "quantity": n, "price": known[s].price}
        for (a, s), n in units.items()
    ]
    return Holdings.from_rows(result)
