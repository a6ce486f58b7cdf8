"""From a book and a policy to a verified plan for every account."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from xl_rebal.bands import Widths, widths
from xl_rebal.drift import Drift, measure_all, negative_totals
from xl_rebal.errors import FaultList, PlanError, RebalError, TableError
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.flows import HORIZON, Flow, flow_notes, reserved
from xl_rebal.portfolio.policies import Policy
from xl_rebal.trading.checks import refusal_of, violations_by_plan
from xl_rebal.trading.destinations import Mode, trades_everything
from xl_rebal.trading.limits import FlowMode, Limits, Timing
from xl_rebal.trading.outcome import Asked, plan_of
from xl_rebal.trading.plan import Plan
from xl_rebal.trading.planner import SEARCHED, Draft, draft, draft_after_flow, proven
from xl_rebal.trading.problem import HALF_CENT, Line, Problem, applied, breaches_at
from xl_rebal.trading.rules import Terms, lines_of_account, positions_and_faults
from xl_rebal.trading.settlement import Settlement
from xl_rebal.trading.staleness import Freshness, check_freshness
from xl_rebal.trading.surprises import not_done
from xl_rebal.trading.timeline import AccountCash, cash_of_accounts, spendable, with_leaving
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
                if verdict.fires[row] or not _is_quiet(known, cash[account], request, terms):
                    lines = lines_of_account(book, known, drift, held[account], terms)
                problem = _problem(drift, row, band, request, lines, cash[account])
                # Without a flow the account stands where its drift was measured.
                fires = (
                    _fires(problem, drift, request, known.last_rebalanced)
                    if flow
                    else (bool(verdict.fires[row]), verdict.why(row))
                )
                plans[account] = _plan_account(
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


def _is_quiet(account: Account, cash: AccountCash, request: Request, terms: Terms) -> bool:
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
                problem = _problem(drift, row, band, request, lines, cash[account])
                _require_lines(problem, wanted)
                fires, why = _fires(problem, drift, request, known.last_rebalanced)
                plans[account] = plan_of(
                    problem,
                    Draft(dict(wanted), dict.fromkeys(range(len(problem.classes)), BY_HAND)),
                    _asked(
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


BY_HAND = "the trades were edited by hand"
_LOCKED = "locked trades are kept as they are"


def _require_known(book: Book, named: Mapping[str, object], where: str) -> None:
    names = dict.fromkeys(book.holdings.accounts())
    unknown = [name for name in named if name not in names]
    if unknown:
        raise PlanError.of(
            where=where,
            what=f"account {', '.join(map(repr, unknown))} is not in the holdings",
            remedy=f"accounts are: {', '.join(names)}",
        )


def _require_lines(problem: Problem, wanted: Mapping[str, float]) -> None:
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
    _require_lines(problem, kept)
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


def _problem(
    drift: Drift,
    row: int,
    band: Widths,
    request: Request,
    lines: tuple[Line, ...],
    cash: AccountCash,
) -> Problem:
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


def _plan_account(
    book: Book,
    problem: Problem,
    drift: Drift,
    request: Request,
    terms: Terms,
    cash: AccountCash,
    verdict: tuple[bool, str],
) -> Plan:
    account = book.account(problem.account)
    flow = cash.flow
    fires, why = verdict
    must_sell = [line.symbol for line in problem.lines if line.must_sell]
    if account.held_away and problem.cash < -HALF_CENT:
        away = f"cash is short by {-problem.cash:,.2f}, and the account is held away"
        asked = _asked(account, cash, request, terms, triggered=False, why=away, mode=Mode.RAISE)
        return plan_of(problem, Draft({}, {}, (away,)), asked)

    def made(mode: Mode, why: str, after: Mode | None = None) -> Plan:
        def drafter(each: Problem) -> Draft:
            if after is not None:
                return draft_after_flow(each, draft(each, after))
            return draft(each, mode)

        asked = _asked(account, cash, request, terms, triggered=True, why=why, mode=mode)
        drafted, proof = proven(problem, mode, drafter(problem), search=request.search)
        plan = replace(plan_of(problem, drafted, asked), proof=proof)
        if not request.explain:
            return plan
        return replace(plan, not_done=not_done(problem, plan, mode, drafter))

    if kept := request.kept.get(problem.account):
        locked = _around_kept(problem, kept, wanted=fires or problem.cash < -HALF_CENT)
        why = f"{why}; {_LOCKED}"
        asked = _asked(account, cash, request, terms, triggered=True, why=why, mode=Mode.REBALANCE)
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
            still, why_still = _fires(after, drift, request, account.last_rebalanced)
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
    asked = _asked(account, cash, request, terms, triggered=False, why=why, mode=Mode.REBALANCE)
    return plan_of(problem, Draft({}, {}), asked)


def _asked(
    account: Account,
    cash: AccountCash,
    request: Request,
    terms: Terms,
    *,
    triggered: bool,
    why: str,
    mode: Mode,
) -> Asked:
    return Asked(
        triggered=triggered,
        why=why,
        mode=mode,
        cash=cash,
        kept_back=account.kept_back,
        settlement=terms.settlement,
        orders=request.limits.orders,
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


def _fires(
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
