"""From a book and a policy to a verified plan for every account."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from xl_rebal.account_plan import (
    BY_HAND,
    Request,
    asked_of,
    fires_at,
    is_quiet,
    plan_account,
    problem_of,
    require_lines,
)
from xl_rebal.bands import widths
from xl_rebal.drift import Drift, measure_all, negative_totals
from xl_rebal.errors import FaultList, PlanError, RebalError, TableError
from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.flows import Flow, flow_notes, reserved
from xl_rebal.trading.checks import refusal_of, violations_by_plan
from xl_rebal.trading.destinations import Mode
from xl_rebal.trading.outcome import plan_of
from xl_rebal.trading.plan import Plan
from xl_rebal.trading.planner import Draft
from xl_rebal.trading.problem import HALF_CENT, Line
from xl_rebal.trading.rules import Terms, lines_of_account, positions_and_faults
from xl_rebal.trading.settlement import Settlement
from xl_rebal.trading.staleness import check_freshness
from xl_rebal.trading.timeline import AccountCash, cash_of_accounts, with_leaving
from xl_rebal.triggers import judge

__all__ = [
    "Rebalancing",
    "Refused",
    "Request",
    "plan_by_hand",
    "plan_each",
    "rebalance",
    "refusal",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An account that cannot be planned as it is asked.

    error  where, what and the remedy: a PlanError, TableError (a negative total) or, where the verifier
           did not pass the plan, VerificationError.
    """

    account: str
    error: RebalError

    @property
    def reason(self) -> str:
        """Why, in one line."""
        return "; ".join(str(fault) for fault in self.error.faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebalancing:
    """Verified plans for the accounts of a book, and the drifts that they start from.

    refused  accounts that cannot be planned, in the order of the holdings; the others have a plan, but
             for those that hold nothing, which a note names.
    """

    book: Book
    request: Request
    drifts: tuple[Drift, ...]
    plans: tuple[Plan, ...]
    notes: tuple[str, ...] = ()
    refused: tuple[Refused, ...] = ()

    def complete(self) -> Rebalancing:
        """Itself; raises RebalError where any account is refused."""
        if self.refused:
            raise refusal(self.refused)
        return self

    def usable(self) -> Rebalancing:
        """Itself; raises RebalError where accounts are refused and no other one has a plan."""
        return self if self.plans else self.complete()


def refusal(refused: Sequence[Refused]) -> RebalError:
    """All refusals as one error, of their own kind where they are of one kind."""
    kinds = {type(each.error) for each in refused}
    kind = kinds.pop() if len(kinds) == 1 else PlanError
    return kind(*(fault for each in refused for fault in each.error.faults))


def rebalance(book: Book, request: Request) -> Rebalancing:
    """Plans for every account, each re-checked by the independent verifier.

    Raises PlanError where constraints cannot be met, naming every such account; VerificationError
    where a plan does not pass, in which case nothing is handed out.
    """
    return plan_each(book, request).complete()


def plan_each(book: Book, request: Request) -> Rebalancing:
    """A verified plan for each account that can be planned; the others are in `refused`, with the reason.

    Raises RebalError for what is wrong with the request or the book as a whole: flows of accounts that
    are not there, positions that are too old, a policy without the bands that it asks for.
    """
    _require_known(book, request.flows, "flows")
    _require_known(book, request.kept, "locked trades")
    settlement = Settlement(request.timing)
    notes = check_freshness(book, request.freshness, request.as_of)
    leaving = reserved(book.flows, as_of=request.as_of, horizon=request.flow_horizon)
    notes += flow_notes(book.flows, as_of=request.as_of, horizon=request.flow_horizon)
    book = _keeping_back(book, leaving)
    terms = Terms(book, request.limits, settlement)
    drifts = measure_all(book)
    held, doubted = positions_and_faults(book)
    cash = cash_of_accounts(book, settlement, request.flows, leaving)
    notes += _undated(cash, request.as_of)
    refused: dict[str, RebalError] = {name: PlanError(*found) for name, found in doubted.items()}
    plans: dict[str, Plan] = {}
    for drift in drifts:
        refused |= {name: TableError(fault) for name, fault in negative_totals(drift).items()}
        band = widths(request.policy, drift)
        verdict = judge(
            request.policy,
            drift,
            as_of=request.as_of,
            last_rebalanced=[book.account(name).last_rebalanced for name in drift.accounts],
        )
        for row, account in enumerate(drift.accounts):
            if account in refused:
                continue
            flow = float(request.flows.get(account, 0.0))
            if drift.base[row] + flow <= HALF_CENT:
                if flow < 0:
                    refused[account] = _overdrawn(account, flow, float(drift.base[row]))
                else:
                    notes.append(f"account {account} holds nothing to weigh; it is left out")
                continue
            faults = FaultList()
            known = book.account(account)
            lines: tuple[Line, ...] = ()
            with faults.collecting():
                # Where nothing is asked for, what could be traded has no say in the plan.
                if verdict.fires[row] or not is_quiet(known, cash[account], request, terms):
                    lines = lines_of_account(book, known, drift, held[account], terms)
                problem = problem_of(drift, row, band, request, lines, cash[account])
                # Without a flow the account stands where its drift was measured.
                fires = (
                    fires_at(problem, drift, request, known.last_rebalanced)
                    if flow
                    else (bool(verdict.fires[row]), verdict.why(row))
                )
                plans[account] = plan_account(
                    book, problem, drift, request, terms, cash[account], fires
                )
            if faults:
                refused[account] = PlanError(*faults)
    names = book.holdings.accounts()
    ordered = [plans[name] for name in names if name in plans]
    verified = _verified(book, request, ordered, refused)
    return Rebalancing(
        book=book,
        request=request,
        drifts=tuple(drifts),
        plans=verified,
        notes=tuple(notes),
        refused=tuple(Refused(account=n, error=refused[n]) for n in names if n in refused),
    )


def _verified(
    book: Book, request: Request, plans: Sequence[Plan], refused: dict[str, RebalError]
) -> tuple[Plan, ...]:
    """The plans that the verifier passes; the others are added to `refused`."""
    found = violations_by_plan(book, request.policy, plans, request.limits, timing=request.timing)
    for plan, violations in zip(plans, found, strict=True):
        if violations:
            refused[plan.account] = refusal_of(violations)
    return tuple(plan for plan in plans if plan.account not in refused)


def _overdrawn(account: str, flow: float, base: float) -> PlanError:
    return PlanError.of(
        where=f"flows, account {account}",
        what=f"a withdrawal of {-flow:,.2f} leaves nothing of the {base:,.2f} that the account may use",
        remedy="withdraw less; to sell everything, give Cash a target of 100% and every other class "
        "0%, and withdraw once it is sold",
    )


def plan_by_hand(
    book: Book, request: Request, trades: Mapping[str, Mapping[str, float]]
) -> tuple[Plan, ...]:
    """What trades that a person chose amount to: a plan for each account named, not verified yet.

    trades  units by account and symbol, + buy, - sell; empty for an account that is to make none.

    Raises PlanError where an account cannot trade what is asked (no price, no class with a target).
    """
    _require_known(book, trades, "trades")
    settlement = Settlement(request.timing)
    leaving = reserved(book.flows, as_of=request.as_of, horizon=request.flow_horizon)
    book = _keeping_back(book, leaving)
    terms = Terms(book, request.limits, settlement)
    held, doubted = positions_and_faults(book)
    cash = cash_of_accounts(book, settlement, {}, leaving)
    faults = FaultList()
    plans: dict[str, Plan] = {}
    for drift in measure_all(book):
        band = widths(request.policy, drift)
        negative = negative_totals(drift)
        for row, account in enumerate(drift.accounts):
            if account not in trades:
                continue
            wanted = trades[account]
            faults.extend([*doubted.get(account, ()), *filter(None, [negative.get(account)])])
            if account in doubted or (drift.base[row] <= HALF_CENT and not wanted):
                continue
            known = book.account(account)
            with faults.collecting():
                lines = lines_of_account(book, known, drift, held[account], terms)
                problem = problem_of(drift, row, band, request, lines, cash[account])
                require_lines(problem, wanted)
                fires, why = fires_at(problem, drift, request, known.last_rebalanced)
                plans[account] = plan_of(
                    problem,
                    Draft(dict(wanted), dict.fromkeys(range(len(problem.classes)), BY_HAND)),
                    asked_of(
                        known,
                        cash[account],
                        request,
                        terms,
                        triggered=fires or bool(wanted),
                        why=why,
                        mode=Mode.REBALANCE,
                    ),
                )
    faults.raise_as(PlanError)
    return tuple(plans[name] for name in book.holdings.accounts() if name in plans)


def _require_known(book: Book, named: Mapping[str, object], where: str) -> None:
    names = dict.fromkeys(book.holdings.accounts())
    unknown = [name for name in named if name not in names]
    if unknown:
        raise PlanError.of(
            where=where,
            what=f"account {', '.join(map(repr, unknown))} is not in the holdings",
            remedy=f"accounts are: {', '.join(names)}",
        )


def _keeping_back(book: Book, leaving: Mapping[str, Sequence[Flow]]) -> Book:
    """The book with what is known to leave its accounts kept back from investing."""
    if not leaving:
        return book
    accounts = dict(book.accounts)
    for name, flows in leaving.items():
        accounts[name] = with_leaving(book.account(name), flows)
    return replace(book, accounts=accounts)


def _undated(cash: Mapping[str, AccountCash], as_of: dt.date | None) -> list[str]:
    """What is assumed of unsettled cash where no trade date is known."""
    waiting = [name for name, each in cash.items() if each.arriving and as_of is None]
    if not waiting:
        return []
    return [
        f"no trade date is known (--as-of), so cash that is still to settle counts in the weights and "
        f"is not spent (account {', '.join(waiting[:8])}{' …' if len(waiting) > 8 else ''})"
    ]
