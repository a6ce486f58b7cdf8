"""Plans whose buys can still be paid for after prices have risen: what a rise costs is kept back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from xl_rebal.errors import RebalError
from xl_rebal.portfolio.accounts import Account
from xl_rebal.rebalance import Rebalancing, rebalance
from xl_rebal.trading.plan import Plan
from xl_rebal.trading.price_moves import PRICE_MOVE, ShortOfCash, cost_of_rise, shortages


@dataclass(frozen=True, slots=True, kw_only=True)
class Buffered:
    """Plans with the buffer.

    cut    accounts whose plan was made anew with more cash kept back, as they stood before.
    short  accounts that would still be short, because no plan keeps so much back.
    """

    result: Rebalancing
    cut: tuple[ShortOfCash, ...] = ()
    short: tuple[ShortOfCash, ...] = ()


def with_price_buffer(result: Rebalancing, rise: float = PRICE_MOVE) -> Buffered:
    """The same plans where their buys survive a rise of `rise` (a fraction); smaller ones elsewhere.

    An account that would be short is planned again with what the rise costs kept in cash, and the plan
    is verified as any other. It then buys a little less.
    """
    plans = {plan.account: plan for plan in result.plans}
    again: dict[str, Plan] = {}
    accounts: dict[str, Account] = {}
    cut: list[ShortOfCash] = []
    refused: list[ShortOfCash] = []
    for short in shortages(result.plans, rise):
        name = short.account
        known = result.book.account(name)
        reserve = max(known.cash_reserve, round(cost_of_rise(plans[name].trades, rise) + 0.005, 2))
        careful = replace(known, cash_reserve=reserve)
        plan = _planned_alone(result, careful)
        if plan is None or shortages([plan], rise):
            refused.append(short)
        else:
            again[name], accounts[name] = plan, careful
            cut.append(short)
    if not again:
        return Buffered(result=result, short=tuple(refused))
    book = replace(result.book, accounts={**result.book.accounts, **accounts})
    kept = tuple(again.get(plan.account, plan) for plan in result.plans)
    return Buffered(
        result=replace(result, book=book, plans=kept), cut=tuple(cut), short=tuple(refused)
    )


def _planned_alone(result: Rebalancing, account: Account) -> Plan | None:
    """The verified plan of one account under other settings; None where there is none."""
    name, book, request = account.account, result.book, result.request
    rows = np.asarray(book.holdings.account == name, dtype=np.bool_)
    try:
        alone = replace(
            book,
            holdings=book.holdings.take(rows),
            models={book.account(name).model: book.targets_of(name)},
            accounts={name: account},
            flows=tuple(flow for flow in book.flows if flow.account == name),
        )
        asked = replace(request, flows=_only(name, request.flows), kept=_only(name, request.kept))
        made = rebalance(alone, asked)
    except RebalError:  # nothing to sell, or a minimum in the way: the caller names the account
        return None
    return made.plans[0] if made.plans else None


def _only(name: str, named: Mapping[str, Any]) -> dict[str, Any]:
    return {account: each for account, each in named.items() if account == name}
