"""The settings of a household's plan, as a table of a sheet: costs, losses to take, limits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from xl_rebal.costs import CostModel, parse_costs
from xl_rebal.errors import FaultList, TableError
from xl_rebal.excel import ranges
from xl_rebal.household.mode import Mode
from xl_rebal.household.request import HouseholdRequest
from xl_rebal.portfolio import cells, tables
from xl_rebal.portfolio.policies import Policy
from xl_rebal.portfolio.tables import Column, TableSpec
from xl_rebal.trading.limits import Limits

NAME = "tblPlanSettings"


def _amount(value: Any) -> float:
    number = cells.number(value)
    if number < 0:
        raise ValueError(f"{number:,.10g} is negative; enter zero or more")
    return number


def _share(value: Any) -> float:
    share = cells.fraction(value)
    if not 0 <= share <= 1:
        raise ValueError(f"{share:g} is no share of the total; enter a percentage such as 10%")
    return share


def _mode(value: Any) -> Mode:
    word = cells.text(value).casefold()
    if word not in list(Mode):
        raise ValueError(f"{word!r} is not known; use one of {', '.join(Mode)}")
    return Mode(word)


def _costs(value: Any) -> CostModel:
    try:
        return parse_costs(cells.text(value))
    except TableError as error:
        fault = error.faults[0]
        raise ValueError(f"{fault.what}; {fault.remedy}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a plan is asked for besides its policy; a blank cell means what stands here."""

    costs: CostModel = field(default_factory=CostModel)
    losses_to_take: float = 0.0
    most_net_gain: float | None = None
    cash_to_raise: float = 0.0
    smallest_trade: float = 0.0
    most_turnover: float | None = None
    mode: Mode = Mode.FAST


_READ: dict[str, Callable[[Any], Any]] = {
    "costs": _costs,
    "losses_to_take": _amount,
    "most_net_gain": _amount,
    "cash_to_raise": _amount,
    "smallest_trade": _amount,
    "most_turnover": _share,
    "mode": _mode,
}
_SPEC = TableSpec(
    name="settings",
    may_be_empty=True,
    columns=(
        Column(name="setting", required=True),
        Column(name="value", read=lambda value: value, synonyms=("amount",)),
    ),
)


def settings(value: Any) -> Settings:
    """The settings of a table of `setting` and `value`; every wrong row is reported."""
    if not ranges.grid(value):
        return Settings()
    keys = {tables.header_key(name): name for name in _READ}
    faults = FaultList()
    found: dict[str, Any] = {}
    for row in ranges.table(value, _SPEC, NAME):
        name = keys.get(tables.header_key(row["setting"]))
        where = f"{NAME} row {row['row']}"
        if name is None:
            faults.add(
                where=f"{where}, setting",
                what=f"{row['setting']!r} is not known",
                remedy=f"use one of {', '.join(word.replace('_', ' ') for word in _READ)}",
            )
        elif name in found:
            faults.add(
                where=f"{where}, setting",
                what=f"{row['setting']!r} stands twice",
                remedy="keep one row",
            )
        elif "value" in row:
            try:
                found[name] = _READ[name](row["value"])
            except ValueError as error:
                what, _, remedy = str(error).partition("; ")
                faults.add(where=f"{where}, value", what=what, remedy=remedy)
    faults.raise_as(TableError)
    return Settings(**found)


def asked(value: Any, policy: Policy, day: dt.date) -> HouseholdRequest:
    """The request that a table of settings makes of a policy and a day."""
    given = settings(value)
    return HouseholdRequest(
        policy=policy,
        as_of=day,
        mode=given.mode,
        limits=Limits(
            costs=given.costs,
            min_trade=given.smallest_trade,
            max_turnover=given.most_turnover,
        ),
        cash_need=given.cash_to_raise,
        harvest=given.losses_to_take,
        gains_budget=given.most_net_gain,
    )
