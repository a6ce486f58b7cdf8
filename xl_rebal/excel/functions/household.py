"""Several accounts, one target: the plan of a household."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from xl_rebal.errors import FaultList, TableError
from xl_rebal.excel import ranges
from xl_rebal.excel.functions.arguments import POLICY, TARGETS
from xl_rebal.excel.registry import Argument, Example, Grid, Returns, worksheet_function
from xl_rebal.household.build import households
from xl_rebal.household.plan import HouseholdPlan
from xl_rebal.household.planner import plan_household
from xl_rebal.household.request import HouseholdBook, HouseholdRequest
from xl_rebal.portfolio import cells, classes, tables
from xl_rebal.portfolio.accounts import Account, accounts_from_rows
from xl_rebal.portfolio.book import Book, classify
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.lots import Lots, lots_from_rows
from xl_rebal.portfolio.securities import Security, securities_from_rows, spelled_as
from xl_rebal.portfolio.tables import TableSpec
from xl_rebal.tax.profiles import profiles_from_rows, profiles_of

COLUMNS = (
    "account", "symbol", "action", "acquired", "quantity", "price", "value", "cost", "gain", "term", "tax",
    "reason",
)  # fmt: skip


def _with_days(spec: TableSpec, *optional: str) -> TableSpec:
    """The table with days as hosts pass them on, and some of its columns optional."""
    return replace(
        spec,
        columns=tuple(
            replace(
                c,
                required=c.required and c.name not in optional,
                read=ranges.day if c.read is cells.date else c.read,
            )
            for c in spec.columns
        ),
    )


_ACCOUNTS = replace(_with_days(tables.ACCOUNTS), may_be_empty=False)
_LOTS = replace(_with_days(tables.LOTS, "acquired", "unit_cost"), may_be_empty=False)


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
    ),
    returns=Returns.TABLE,
    expensive=True,
    description="Which lot to sell, in which account, and what to buy where, so that all accounts together "
    "return to their bands at least tax and cost; a row for each order, a sale in a taxable account split by "
    "lot; re-checked by the independent verifier. Costs are taken to be zero.",
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
) -> Grid:
    """The trades of a household, lot by lot, at least tax."""
    day = ranges.date(as_of, "as_of")
    if day is None:
        raise TableError.of(
            where="as_of", what="is blank", remedy="enter the day of the trades, such as TODAY()"
        )
    request = HouseholdRequest(policy=ranges.policy(policy), as_of=day)
    source = _source(accounts, lots, securities, targets, profile, day)
    rows: Grid = []
    for household in households(source.book):
        plan = plan_household(source, request, household)
        rows += _rows(plan)
        if not plan.trades:
            why = plan.why or "nothing asks for any"
            rows.append([*[None] * (len(COLUMNS) - 1), f"no trades: {why}"])
    return [list(COLUMNS), *rows]


def _source(
    accounts: Any, lots: Any, securities: Any, targets: Any, profile: Any, day: dt.date
) -> HouseholdBook:
    known_accounts = ranges.built(accounts, _ACCOUNTS, "tblAccounts", accounts_from_rows)
    listed = ranges.table(lots, _LOTS, "tblLots")
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
    return HouseholdBook(
        book=Book(holdings=holdings, models=models, securities=known, accounts=known_accounts),
        lots=_taxable_lots(listed, known_accounts),
        profiles=profiles_of(profiles, day.year),
    )


def _is_cash(row: dict[str, Any]) -> bool:
    return classes.is_cash(row["symbol"])


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
        if _is_cash(row):
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


def _taxable_lots(rows: list[dict[str, Any]], accounts: dict[str, Account]) -> Lots:
    """The lots of taxable accounts; their day and cost are asked for, never guessed."""
    faults = FaultList()
    mine = []
    for row in rows:
        taxable = (accounts[row["account"]].type or "taxable").casefold() == "taxable"
        if _is_cash(row) or not taxable:
            continue
        for name in ("acquired", "unit_cost"):
            if name not in row:
                faults.add(
                    where=f"tblLots row {row['row']}, {name}",
                    what=f"is blank, and {row['symbol']} is held in a taxable account",
                    remedy="fill it in",
                )
        mine.append(row)
    faults.raise_as(TableError)
    return lots_from_rows(mine)


def _rows(plan: HouseholdPlan) -> Grid:
    """A row for each order; a sale in a taxable account has one for each lot, and its cost in the first."""
    rows: Grid = []
    for trade in plan.trades:
        sales = [
            s for s in plan.lot_sales if (s.account, s.symbol) == (trade.account, trade.symbol)
        ]
        head = [trade.account, trade.symbol, trade.action.value]
        if not sales or trade.action.value == "BUY":
            rows.append(
                [
                    *head,
                    None,
                    trade.quantity,
                    trade.price,
                    trade.value,
                    trade.cost,
                    None,
                    None,
                    None,
                    trade.reason,
                ]
            )
            continue
        for place, sale in enumerate(sales):
            rows.append(
                [
                    *head,
                    sale.acquired.isoformat(),
                    sale.quantity,
                    trade.price,
                    round(sale.proceeds, 2),
                    0.0 if place else trade.cost,
                    round(sale.gain, 2),
                    sale.term,
                    None if sale.tax is None else round(sale.tax, 2),
                    sale.because,
                ]
            )
    return rows
