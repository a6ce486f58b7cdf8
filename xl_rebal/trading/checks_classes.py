"""Verifier, class by class: weights, band edges, status, and that no trade makes things worse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from xl_rebal.portfolio import classes
from xl_rebal.portfolio.policies import Band, Combined, Goal, OwnBands, Trigger
from xl_rebal.trading.checks_book import (
    CENT,
    HALF_CENT,
    INFINITE,
    SAME,
    TOLERANCE,
    ZERO,
    Violation,
    exact,
)
from xl_rebal.trading.checks_case import Case, Line
from xl_rebal.trading.plan import ClassResult

_WITHIN, _ABOVE, _BELOW = "within", "above", "below"
_INSIDE = frozenset({_WITHIN})
_ONE = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One class before and after the trades, recomputed.

    value_after  by the trades' values, to the cent.
    units_after  by the trades' quantities, not rounded.
    loose        money by which the two may differ; the plan may follow either.
    """

    name: str
    cash: bool
    target: Decimal
    down: Decimal
    up: Decimal
    value_before: Decimal
    value_after: Decimal
    units_after: Decimal
    loose: Decimal
    drift_before: Decimal
    drift_after: Decimal
    status_before: frozenset[str]
    status_after: frozenset[str]
    lines: tuple[Line, ...]

    @property
    def forced(self) -> bool:
        """True when a restriction demands a sale in the class."""
        return any(line.forced for line in self.lines)

    @property
    def sold(self) -> bool:
        """True when something of the class is sold."""
        return any(not line.buy for line in self.lines)


def standings(case: Case) -> dict[str, Standing]:
    """Every class of the account's model (and cash), from the book's rows and the trades."""
    account = case.account
    by_class: dict[str, list[Line]] = {}
    for line in case.lines:
        if line.class_names:
            named = line.trade.asset_class
            name = named if named in line.class_names else line.class_names[0]
            by_class.setdefault(name, []).append(line)
    targets = {item.asset_class: exact(item.target) for item in account.targets.items}
    rounding = {line.trade.symbol: _loose(line) for line in case.lines}
    all_loose = sum(rounding.values(), ZERO)
    result: dict[str, Standing] = {}
    for name, (down, up) in account.edges.items():
        lines = tuple(by_class.get(name, ()))
        before = after = units = account.values[name]
        if name == account.cash_class:
            before += case.flow - case.reserve
            after = before + case.sells - case.buys - case.costs
            units = after
        for line in lines:
            after += line.signed_value
            units += line.quantity * line.unit * (1 if line.buy else -1)
        target = targets.get(name, ZERO)
        drift_before = (
            _weight(before, case.base_before) - target if case.base_before > CENT else ZERO
        )
        drift_after = _weight(after, case.base_after) - target if case.base_after > CENT else ZERO
        result[name] = Standing(
            name=name,
            cash=classes.is_cash(name),
            target=target,
            down=down,
            up=up,
            value_before=before,
            value_after=after,
            units_after=units,
            loose=all_loose,
            drift_before=drift_before,
            drift_after=drift_after,
            status_before=_statuses(drift_before, down, up, SAME, case),
            status_after=_statuses(
                drift_after, down, up, SAME + _weight(all_loose, case.base_after), case
            ),
            lines=lines,
        )
    return result


def _loose(line: Line) -> Decimal:
    """What rounding to cents takes, and rows of one security at different prices."""
    loose = abs(line.value - line.quantity * line.unit)
    if line.held is not None and len(line.held.quotes) > 1:
        loose += abs(line.held.value - line.held.quantity * line.unit)
    return loose


def _weight(value: Decimal, base: Decimal) -> Decimal:
    return value / base if base > CENT else ZERO


def _statuses(
    drift: Decimal, down: Decimal, up: Decimal, slack: Decimal, case: Case
) -> frozenset[str]:
    """The words that fit the drift; more than one where rounding leaves it open on which side of an
    edge, or of no drift at all, the class stands.
    """
    low, high = drift - slack, drift + slack
    if TOLERANCE - down < low and high < up - TOLERANCE:
        return _INSIDE
    # A status only rises with the drift: where both ends agree, so does what lies between them.
    beyond = case.rows.policy.beyond
    words = {_status(low, down, up, beyond), _status(high, down, up, beyond)}
    if len(words) > 1:
        words.add(_status(drift, down, up, beyond))
    if abs(drift) <= slack:
        words.add(_WITHIN)
    return frozenset(words)


def _status(drift: Decimal, down: Decimal, up: Decimal, beyond: bool) -> str:
    if drift > TOLERANCE and (drift > up + TOLERANCE if beyond else drift >= up - TOLERANCE):
        return _ABOVE
    if drift < -TOLERANCE and (drift < -down - TOLERANCE if beyond else drift <= TOLERANCE - down):
        return _BELOW
    return _WITHIN


def check_classes(case: Case) -> Iterator[Violation]:
    """The plan's table of classes against the recomputed one."""
    known = standings(case)
    yield from _base(case)
    yield from _coverage(case)
    for row in case.plan.classes:
        standing = known.get(row.asset_class)
        if standing is not None:
            yield from _row(row, standing, case)
    yield from _no_breach_grows(case, known)
    yield from _never_past_target(case, known)
    yield from _sold_for_a_use(case, known)
    yield from _trigger(case, known)
    yield from _deposit(case, known)


def _base(case: Case) -> Iterator[Violation]:
    if case.base_before < -HALF_CENT:
        what = f"holdings + flow - reserve are negative ({case.base_before:,.2f})"
        yield Violation(code="base-before", where=case.where, what=what)
    for code, stated, found in (
        ("base-before", exact(case.plan.base_before), case.base_before),
        ("base-after", exact(case.plan.base_after), case.base_after),
    ):
        # Trades are whole cents, holdings are not: each trade may move the sum by its rounding.
        slack = sum((_loose(line) for line in case.lines), ZERO) if code == "base-after" else ZERO
        if not abs(stated - found) <= HALF_CENT + slack:
            what = f"weight base {stated:,.2f}, recomputed {found:,.2f}"
            yield Violation(code=code, where=case.where, what=what)


def _coverage(case: Case) -> Iterator[Violation]:
    account, rows = case.account, case.plan.classes
    names = [row.asset_class for row in rows]
    optional = set() if account.cash_class in account.targets.classes else {account.cash_class}
    if len(names) != len(set(names)) or set(names) | optional != set(account.edges):
        what = f"classes {', '.join(names)}; the targets are {', '.join(account.targets.classes)}"
        yield Violation(code="class-coverage", where=case.where, what=what)
    loose = sum((_loose(line) for line in case.lines), ZERO)
    for when, base, total, slack in (
        ("before", case.base_before, sum((exact(r.weight_before) for r in rows), ZERO), ZERO),
        ("after", case.base_after, sum((exact(r.weight_after) for r in rows), ZERO), loose),
    ):
        if base > CENT and not abs(total - 1) <= TOLERANCE + slack / base:
            what = f"weights {when} sum to {total:.10%}"
            yield Violation(code="weights-sum", where=case.where, what=what)


def _row(row: ClassResult, standing: Standing, case: Case) -> Iterator[Violation]:
    where = f"{case.where}, class {row.asset_class}"
    if not abs(exact(row.target) - standing.target) <= TOLERANCE:
        what = f"target {row.target:.6%}, the model says {standing.target:.6%}"
        yield Violation(code="class-target", where=where, what=what)
    for when, base, money, weight, drift, status, value, true_drift, statuses, loose in (
        (
            *("before", case.base_before, row.value_before, row.weight_before, row.drift_before),
            *(row.status_before, standing.value_before, standing.drift_before),
            *(standing.status_before, ZERO),
        ),
        (
            *("after", case.base_after, row.value_after, row.weight_after, row.drift_after),
            *(row.status_after, standing.value_after, standing.drift_after),
            *(standing.status_after, standing.loose),
        ),
    ):
        if not abs(exact(money) - value) <= HALF_CENT + loose:
            what = f"value {when} {money:,.2f}, recomputed {value:,.2f}"
            yield Violation(code="class-value", where=where, what=what)
        if base > CENT:
            share, slack = true_drift + standing.target, TOLERANCE
            if loose:
                # Cents move the class by their share of the base, and the base with it: more than
                # once where shorts or debts make the weight negative, or above 1.
                slack += loose / base * max(_ONE, share, _ONE - share)
            if not abs(exact(weight) - share) <= slack:
                what = f"weight {when} {weight:.9%}, recomputed {share:.9%}"
                yield Violation(code="class-weight", where=where, what=what)
            if not abs(exact(drift) - true_drift) <= slack:
                what = f"drift {when} {drift:.9%}, recomputed {true_drift:.9%}"
                yield Violation(code="class-drift", where=where, what=what)
        if status not in statuses:
            what = f"status {when} is {status!r} at a drift of {true_drift:.6%}"
            yield Violation(code="class-status", where=where, what=what)
    for stated, width, edge in (
        (row.lower, standing.down, max(standing.target - standing.down, ZERO)),
        (row.upper, standing.up, min(standing.target + standing.up, _ONE)),
    ):
        if width == INFINITE:
            agree = stated is None
        else:
            agree = stated is not None and abs(exact(stated) - edge) <= TOLERANCE
        if not agree:
            should = "none" if width == INFINITE else f"{edge:.6%}"
            what = f"band edge {stated}, by the policy and the targets it is {should}"
            yield Violation(code="band-edge", where=where, what=what)
    if _WITHIN not in standing.status_after and not row.cause.strip():
        what = f"still {', '.join(standing.status_after)} its band, and no cause is given"
        yield Violation(code="breach-cause", where=where, what=what)


def _raises_cash(case: Case) -> bool:
    """True when cash is short and no more is sold than the shortage, the costs and rounding up take.

    Where the overweight classes cannot be sold (restrictions, untradable positions), such a plan
    sells below the targets, and rightly so.
    """
    if not case.short_of_cash:
        return False
    short = case.account.excluded_cash - case.least_cash
    least = exact(case.limits.min_trade)
    rounding = sum(
        (
            max(line.step_value, exact(line.security.minimum), least)
            + (exact(line.fund.kept_minimum) if line.fund is not None else ZERO)
            for line in case.lines
            if not line.buy
        ),
        ZERO,
    )
    return case.sells <= short + case.costs + rounding


def _no_breach_grows(case: Case, known: dict[str, Standing]) -> Iterator[Violation]:
    raises_cash = _raises_cash(case)
    for standing in known.values():
        if standing.cash or _WITHIN in standing.status_after:
            continue
        if standing.forced or (raises_cash and standing.sold):
            continue
        held = max(Decimal(1), abs(_weight(standing.value_after, case.base_after)))
        tolerance = TOLERANCE + held * _weight(case.costs + standing.loose, case.base_after)
        before, after = standing.drift_before, standing.drift_after
        where = f"{case.where}, class {standing.name}"
        if standing.status_before == {_WITHIN}:
            if abs(after - before) > tolerance:
                what = f"drift {before:.4%} was within the band, after the trades it is {after:.4%}"
                yield Violation(code="breach-new", where=where, what=what)
        elif before * after < 0 and abs(after - before) > tolerance:
            what = f"traded from {before:.4%} through its target and out of its band to {after:.4%}"
            yield Violation(code="breach-new", where=where, what=what)
        elif abs(after) > abs(before) + tolerance:
            what = f"drift grows from {before:.4%} to {after:.4%}"
            yield Violation(code="breach-grows", where=where, what=what)


def _never_past_target(case: Case, known: dict[str, Standing]) -> Iterator[Violation]:
    """No class is bought, or sold, past its target by a whole step of what is traded in it.

    A purchase is measured against the base before costs, a sale against the base after them, less one
    trade's cost: planners size trades before they know for certain which of them are made.
    """
    raises_cash = _raises_cash(case)
    one_cost = max((line.cost for line in case.lines), default=ZERO)
    for standing in known.values():
        if standing.cash or not standing.lines:
            continue
        net = sum((line.signed_value for line in standing.lines), ZERO)
        same_side = [line.step_value for line in standing.lines if line.buy == (net > 0)]
        step = max(same_side, default=ZERO)
        # Where cents or float noise weigh as much as a step, the step gets a cent of room.
        roomy = case.costs or step < 10 * CENT
        edge = step + CENT if roomy else step - step * Decimal("1e-6")
        if net > 0:
            past = standing.units_after - standing.target * max(case.base_before, ZERO)
        elif standing.forced or raises_cash:
            continue
        else:
            past = standing.target * max(case.base_after - one_cost, ZERO) - standing.units_after
        if same_side and abs(net) >= step - HALF_CENT and past >= edge:
            side = "above" if net > 0 else "below"
            what = f"traded to {past:,.2f} {side} its target; a step is worth {step:,.2f}"
            where = f"{case.where}, class {standing.name}"
            yield Violation(code="past-target", where=where, what=what)


def _sold_for_a_use(case: Case, known: dict[str, Standing]) -> Iterator[Violation]:
    """What is sold is spent, wanted as cash, or explained by a note that mentions cash.

    Not asked where only some classes trade or trades stop inside the band: the proceeds of the one
    class may then have no use.
    """
    policy = case.rows.policy
    if case.sells <= 0 or policy.breached_only:
        return
    if policy.destination.goal not in (Goal.TARGET, Goal.HALFWAY):
        return
    must_go = ZERO
    for standing in known.values():
        for line in standing.lines:
            if not line.buy and (line.forced or standing.cash or standing.target == 0):
                must_go += line.value
    wanted = known[case.account.cash_class].target * max(case.base_after, ZERO) + case.reserve
    allowed = max(wanted + case.account.excluded_cash, case.cash_before + case.flow) + must_go
    allowed += case.costs + HALF_CENT
    if case.short_of_cash:  # raised for a day on which cash is short, though more arrives later
        allowed += -case.least_cash
    if case.cash_after <= allowed or any("cash" in note.casefold() for note in case.plan.notes):
        return
    # Each class may be left short by what is too small to trade; a tenth of a basis point is no matter.
    allowed += sum(_smallest_orders(case).values(), ZERO)
    allowed += Decimal("1e-5") * max(case.base_before, ZERO)
    if case.cash_after > allowed:
        what = f"sells {case.sells:,.2f} and leaves {case.cash_after:,.2f} of cash, more than steps and "
        what += f"minimums explain ({allowed:,.2f}), and no note about cash says why"
        yield Violation(code="idle-proceeds", where=case.where, what=what)


def _smallest_orders(case: Case) -> dict[str, Decimal]:
    """By class: the largest among the smallest orders of its securities, held or not."""
    found: dict[str, Decimal] = {}
    rows, targets = case.rows, case.account.targets
    least = exact(case.limits.min_trade)

    def note(symbol: str, path: str, unit: Decimal) -> None:
        security = rows.security(symbol)
        name = rows.target_class(symbol, path, targets)
        if name is not None:
            fund, held = rows.fund_rule(case.account.account, symbol), case.account.held.get(symbol)
            asks = [exact(security.minimum), least]
            if fund is not None and held is not None:
                asks += [exact(fund.subsequent_minimum), exact(fund.kept_minimum)]
            elif fund is not None:
                asks.append(exact(fund.initial_minimum))
            order = max(exact(security.quantity_step) * unit, *asks)
            found[name] = max(found.get(name, ZERO), order)

    for symbol, held in case.account.held.items():
        for _, unit in held.quotes:
            note(symbol, held.asset_classes[0], unit)
    for symbol, security in rows.book.securities.items():
        if security.price is not None:
            note(symbol, security.asset_class, exact(security.price))
    for line in case.lines:
        if line.held is None and line.class_names:
            note(line.trade.symbol, line.class_names[0], line.unit)
    return found


def _trigger(case: Case, known: dict[str, Standing]) -> Iterator[Violation]:
    """A breached band triggers where nothing but `or` joins the policy's triggers, and without it
    nothing does where all of them are bands and no flow, shortage or restriction asks for trades.
    """
    policy, account = case.rows.policy, case.account.account
    if not policy.has_band or not _only_or(policy.trigger):
        return
    breached = [s.name for s in known.values() if _WITHIN not in s.status_before]
    if breached and not case.plan.triggered and not account.held_away:
        what = f"{', '.join(breached)} outside the band, and the plan says that nothing triggered"
        yield Violation(code="trigger-missed", where=case.where, what=what)
    only_bands = all(isinstance(leaf, (Band, OwnBands)) for leaf in policy.leaves())
    quiet = all(s.status_before == {_WITHIN} for s in known.values())
    asked = case.flow != 0 or case.short_of_cash or any(line.forced for line in case.lines)
    # Spare cash may be put into what is below its target when that alone was asked for (buy-only).
    bought = [s for s in known.values() if s.lines]
    asked |= case.sells == 0 and all(s.drift_before < 0 and not s.cash for s in bought)
    if case.lines and only_bands and quiet and not asked:
        what = "trades, though every class is within its band"
        yield Violation(code="trigger-unfounded", where=case.where, what=what)


def _only_or(trigger: Trigger) -> bool:
    if isinstance(trigger, Combined):
        return trigger.operator == "or" and all(_only_or(part) for part in trigger.parts)
    return True


def _deposit(case: Case, known: dict[str, Standing]) -> Iterator[Violation]:
    """The smallest deposit D is at least max over classes of value / target, less the base:
    buying only, the most overweight class must shrink to its target by the deposit alone.
    """
    if case.plan.deposit_to_restore is None:
        return
    deposit = exact(case.plan.deposit_to_restore)
    if not deposit >= 0:
        what = f"a deposit of {deposit:,.2f} is negative"
        yield Violation(code="deposit", where=case.where, what=what)
    if case.flow != 0 or not case.base_before > CENT:
        return
    for standing in known.values():
        if standing.cash or standing.value_before <= CENT:
            continue
        if standing.target == 0:
            what = f"no deposit restores {standing.name}: it is held, and its target is 0%"
            yield Violation(code="deposit", where=case.where, what=what)
            continue
        needed = standing.value_before / standing.target - case.base_before
        slack = CENT + 2 * TOLERANCE * case.base_before / standing.target
        if deposit < needed - slack:
            what = f"{deposit:,.2f} leaves {standing.name} above its target; it needs {needed:,.2f}"
            yield Violation(code="deposit", where=case.where, what=what)


def check_not_done(case: Case) -> Iterator[Violation]:
    """What is told of drift that is left sums to it, and no part of it is negative."""
    told = case.plan.not_done
    if not told:
        return
    left = 100 * sum((abs(exact(row.drift_after)) for row in case.plan.classes), ZERO)
    total = sum((exact(row.drift_pp) for row in told), ZERO)
    known = {row.asset_class for row in case.plan.classes} | {""}
    if not abs(total - left) <= 100 * TOLERANCE or not all(row.drift_pp >= 0 for row in told):
        what = (
            f"the causes of drift sum to {total:.6f} pp, the classes are {left:.6f} pp from target"
        )
        yield Violation(code="not-done", where=case.where, what=what)
    if not all(row.account == case.plan.account and row.asset_class in known for row in told):
        what = "a cause of drift names another account, or a class that is not in the plan"
        yield Violation(code="not-done", where=case.where, what=what)
