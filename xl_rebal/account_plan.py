"""What is asked of the planner, and the plan of one account: by the policy, around a flow, or by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from xl_rebal.bands import Widths
from xl_rebal.drift import Drift
from xl_rebal.errors import FaultList, PlanError
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.flows import HORIZON
from xl_rebal.portfolio.policies import Policy
from xl_rebal.trading.destinations import Mode, trades_everything
from xl_rebal.trading.limits import FlowMode, Limits, Timing
from xl_rebal.trading.outcome import Asked, plan_of
from xl_rebal.trading.plan import Plan
from xl_rebal.trading.planner import SEARCHED, Draft, draft, draft_after_flow, first_draft, proven
from xl_rebal.trading.problem import HALF_CENT, Line, Problem, applied, breaches_at
from xl_rebal.trading.rules import Terms
from xl_rebal.trading.staleness import Freshness
from xl_rebal.trading.surprises import not_done
from xl_rebal.trading.timeline import AccountCash, spendable
from xl_rebal.triggers import judge


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked of the planner.

    flows         money per account: contribution (+) or withdrawal (-).
    as_of         trade date, for calendar rules and settlement; None when unknown.
    ordered_at    when the orders are sent, with its zone, for cut-off times; None when unknown.
    flow_horizon  calendar days ahead of which the book's known withdrawals are kept back.
    freshness     how old positions and prices may be.
    search        where not every plan could be looked at and no more securities than this may trade, an
                  integer program looks on; larger accounts get a bound without a search. 0: neither.
    explain       True finds out what each cause of drift that is left costs (`Plan.not_done`).
    kept          trades that somebody has decided on, by account and symbol: units, + buy, - sell. They are
                  made as they are, and the rest is planned around them.
    """

    policy: Policy
    limits: Limits = field(default_factory=Limits)
    flows: Mapping[str, float] = field(default_factory=dict)
    flow_mode: FlowMode = FlowMode.HYBRID
    as_of: dt.date | None = None
    kept: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    ordered_at: dt.datetime | None = None
    flow_horizon: int = HORIZON
    freshness: Freshness = field(default_factory=Freshness)
    search: int = SEARCHED
    explain: bool = True

    @property
    def timing(self) -> Timing:
        """When the trades are made."""
        return Timing(as_of=self.as_of, ordered_at=self.ordered_at, flow_horizon=self.flow_horizon)


BY_HAND = "the trades were edited by hand"
_LOCKED = "locked trades are kept as they are"


def require_lines(problem: Problem, wanted: Mapping[str, float]) -> None:
    """Refuse trades of what the account neither holds nor could buy."""
    known = {line.symbol: line for line in problem.lines}
    faults = FaultList()
    for symbol in wanted:
        line = known.get(symbol)
        if line is not None and line.klass >= 0:
            continue
        faults.add(
            where=f"account {problem.account}, {symbol}",
            what="is excluded from the weights"
            if line is not None
            else "is not held, and no table gives it a price and a class with a target",
            remedy="remove the trade"
            if line is not None
            else "add it with class and price to the securities table, or remove the trade",
        )
    faults.raise_as(PlanError)


def _around_kept(problem: Problem, kept: Mapping[str, float], *, wanted: bool) -> Draft:
    """The kept trades, and what is still to do once they are made if anything is `wanted`."""
    require_lines(problem, kept)
    state = applied(problem, dict(kept))
    lines = tuple(
        replace(line, can_buy=False, can_sell=False, must_sell=False, blocked=_LOCKED)
        if line.symbol in kept
        else line
        for line in state.lines
    )
    rest = draft(replace(state, lines=lines), Mode.REBALANCE) if wanted else Draft({}, {})
    touched = {line.klass: _LOCKED for line in lines if line.symbol in kept}
    return Draft({**rest.quantities, **kept}, {**touched, **rest.notes}, rest.dropped)


def problem_of(
    drift: Drift,
    row: int,
    band: Widths,
    request: Request,
    lines: tuple[Line, ...],
    cash: AccountCash,
) -> Problem:
    """The account as arrays of lines and classes, with its flow in its cash."""
    account = drift.accounts[row]
    cash_index = drift.cash_index
    assert cash_index is not None  # class_columns always has one
    value = drift.value[row].tolist()
    value[cash_index] += cash.flow
    together, early = spendable(cash, lines)
    target, down, up = (each.tolist() for each in (drift.target, band.down, band.up))
    return Problem(
        account=account,
        lines=lines,
        classes=drift.classes,
        cash_index=cash_index,
        target=tuple(target),
        down=tuple(down),
        up=tuple(up),
        value=tuple(value),
        breach=breaches_at(value, target, down, up, request.policy),
        cash=together,
        early=early,
        policy=request.policy,
        min_trade=request.limits.min_trade,
        max_turnover=request.limits.max_turnover,
    )


def plan_account(
    book: Book,
    problem: Problem,
    drift: Drift,
    request: Request,
    terms: Terms,
    cash: AccountCash,
    verdict: tuple[bool, str],
) -> Plan:
    """The plan of an account whose triggers say `verdict`: whether to trade, and why."""
    account = book.account(problem.account)
    flow = cash.flow
    fires, why = verdict
    must_sell = [line.symbol for line in problem.lines if line.must_sell]
    if account.held_away and problem.cash < -HALF_CENT:
        away = f"cash is short by {-problem.cash:,.2f}, and the account is held away"
        asked = asked_of(account, cash, request, terms, triggered=False, why=away, mode=Mode.RAISE)
        return plan_of(problem, Draft({}, {}, (away,)), asked)

    def made(mode: Mode, why: str, after: Mode | None = None) -> Plan:
        def drafter(each: Problem) -> Draft:
            if after is not None:
                return draft_after_flow(each, draft(each, after))
            return draft(each, mode)

        asked = asked_of(account, cash, request, terms, triggered=True, why=why, mode=mode)
        first = (
            drafter(problem)
            if after is not None
            else first_draft(problem, mode, search=request.search)
        )
        drafted, proof = proven(problem, mode, first, search=request.search)
        plan = replace(plan_of(problem, drafted, asked), proof=proof)
        if not request.explain:
            return plan
        return replace(plan, not_done=not_done(problem, plan, mode, drafter))

    if kept := request.kept.get(problem.account):
        locked = _around_kept(problem, kept, wanted=fires or problem.cash < -HALF_CENT)
        why = f"{why}; {_LOCKED}"
        asked = asked_of(
            account, cash, request, terms, triggered=True, why=why, mode=Mode.REBALANCE
        )
        return plan_of(problem, locked, asked)
    if request.flow_mode is FlowMode.BUY_ONLY:
        return made(Mode.INVEST, "new money only buys what is underweight")
    if request.flow_mode is FlowMode.RAISE_CASH:
        return made(Mode.RAISE, "only the cash that is short is raised")
    if problem.cash < -HALF_CENT or flow:
        mode = Mode.RAISE if problem.cash < -HALF_CENT else Mode.INVEST
        words = {
            Mode.RAISE: f"cash is short by {-problem.cash:,.2f}",
            Mode.INVEST: f"a flow of {flow:,.2f}",
        }[mode]
        if not must_sell:
            first = draft(problem, mode)
            after = applied(problem, first.quantities)
            still, why_still = fires_at(after, drift, request, account.last_rebalanced)
            if not still:
                return made(mode, words)
            why = f"{words}; and still {why_still}"
            if not trades_everything(request.policy) and request.limits.max_turnover is None:
                return made(Mode.REBALANCE, why, after=mode)
        return made(Mode.REBALANCE, why if fires or not must_sell else words)
    if fires:
        return made(Mode.REBALANCE, why)
    if must_sell:
        return made(Mode.REPLACE, f"{', '.join(must_sell)} must not be held")
    asked = asked_of(account, cash, request, terms, triggered=False, why=why, mode=Mode.REBALANCE)
    return plan_of(problem, Draft({}, {}), asked)


def asked_of(
    account: Account,
    cash: AccountCash,
    request: Request,
    terms: Terms,
    *,
    triggered: bool,
    why: str,
    mode: Mode,
) -> Asked:
    """What the plan is made for, as it is printed with it."""
    return Asked(
        triggered=triggered,
        why=why,
        mode=mode,
        cash=cash,
        kept_back=account.kept_back,
        settlement=terms.settlement,
        orders=request.limits.orders,
    )


def fires_at(
    problem: Problem, drift: Drift, request: Request, last_rebalanced: dt.date | None
) -> tuple[bool, str]:
    """Whether the policy asks for trades at the problem's values, and why."""
    verdict = judge(
        request.policy,
        drift_at(problem, drift),
        as_of=request.as_of,
        last_rebalanced=[last_rebalanced],
    )
    return bool(verdict.fires[0]), verdict.why(0)


def drift_at(problem: Problem, drift: Drift) -> Drift:
    """The drift of one account at the problem's values."""
    base = problem.base
    value = np.array([problem.value])
    weight = value / base
    return replace(
        drift,
        accounts=(problem.account,),
        value=value,
        base=np.array([base]),
        weight=weight,
        drift=weight - drift.target,
    )


def is_quiet(account: Account, cash: AccountCash, request: Request, terms: Terms) -> bool:
    """True where nothing but the policy's trigger can ask for trades: no flow, no cash to come or to go,
    no cash short, no restriction, no trades that are kept.
    """
    moves = cash.flow or cash.arriving or cash.leaving
    return not (
        moves
        or cash.settled < cash.reserve
        or request.flow_mode is not FlowMode.HYBRID
        or account.account in request.kept
        or terms.restrictions(account)
    )
