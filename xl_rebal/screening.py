"""Screening: which of thousands of accounts ask for a plan, how badly, and roughly what it would trade.

Drifts, bands and triggers are those of the exact path (`bands.check`, `triggers.judge`), for all
accounts of a model in one pass over the rows. The amounts per holding are an **estimate**, not a
plan: each class's way to its destination is shared by its holdings in proportion to their value and
cut to whole steps. Restrictions, minimums, costs, cash flows and the account's cash do not enter;
`rebalance` makes the verified plan.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xl_rebal.bands import BandCheck, Widths, check
from xl_rebal.drift import TOLERANCE, Drift, Matrix
from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.groups import Group
from xl_rebal.portfolio.policies import Destination, Goal, Policy
from xl_rebal.triggers import judge

_HALF_CENT = 0.005
_DUST = 1e-9  # of a step: a whole number of steps reached by division is still whole

Amounts = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """The A accounts of one model with K classes, whose counted rows are n of the book's.

    check      drift, band widths and breaches of the accounts, as `bands.check` has them.
    group      the model's accounts and rows; `group.row` says which rows of the holdings the n are.
    fires      (A,) True where the policy's triggers ask for trades.
    short      (A,) True where cash does not reach the reserve (or is overdrawn); unsettled cash counts
               where the date is known.
    gap        (A, K) money that each class is away from its destination, + to buy; 0 for cash, for
               classes that the policy leaves alone, and in accounts that do not fire.
    units      (n,) estimate of what to trade of each holding in units, + to buy, whole steps; a class
               whose destination is nothing sells all that it holds, fractions included.
    unplaced   (A, K) money of the gap for which nothing is held that could take it up or be sold.
    """

    check: BandCheck
    group: Group
    fires: NDArray[np.bool_]
    short: NDArray[np.bool_]
    gap: Matrix
    units: Amounts
    unplaced: Matrix

    @property
    def asks(self) -> NDArray[np.bool_]:
        """(A,) True where a plan is due: a trigger fires, or cash must be raised.

        An account that is held away raises nothing here, so one that is short does not ask.
        """
        return (self.fires | self.short) & ~(self.short & self.group.held_away)

    @property
    def excess(self) -> Matrix:
        """(A, K) how far a breached class stands outside its band, in weight; NaN for the others."""
        return outside(self.check)


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaches:
    """The breaches of a whole book, the worst first; B entries in each column.

    Ranked by the distance from the band's edge in weight, then by money, then as the holdings have them.

    account, asset_class   B names.
    drift, excess   (B,) weight - target, and the part of it that lies outside the band.
    value, gap      (B,) money in the class, and money from it to its destination (+ to buy).
    """

    account: tuple[str, ...]
    asset_class: tuple[str, ...]
    drift: Amounts
    excess: Amounts
    value: Amounts
    gap: Amounts


def screen(book: Book, policy: Policy, *, as_of: dt.date | None = None) -> tuple[Screen, ...]:
    """Every account of the book against the policy, one result per model. Pure arrays, no account loop.

    as_of  the valuation date for calendar rules; None takes them as due, as everywhere.
    Raises TableError where an account's total is negative.
    """
    return tuple(
        _screen(each, group, policy, as_of)
        for each, group in zip(check(book, policy), book.groups, strict=True)
    )


def _screen(found: BandCheck, group: Group, policy: Policy, as_of: dt.date | None) -> Screen:
    book, drift = found.book, found.drift
    fires = _fires(book, policy, drift, as_of)
    held = drift.base > _HALF_CENT
    fires &= held
    gap = _gaps(found, policy)
    gap *= (fires & ~group.held_away)[:, None]
    holdings = book.holdings
    quantity = group.of(holdings.quantity)
    unit = group.of(holdings.price * holdings.multiplier * holdings.fx)
    value = quantity * unit
    moves = _movable(book, group, quantity, unit)
    able = drift.value
    if not moves.all():
        able = able - group.by_class(np.where(moves, 0.0, value))
    able = np.maximum(able, 0.0)
    ratio = np.divide(gap, able, out=np.zeros_like(gap), where=able > _HALF_CENT)
    np.maximum(ratio, -1.0, out=ratio)
    share = np.append(ratio.ravel(), 0.0)[group.cell]
    share *= moves
    cash = np.flatnonzero(~group.position)
    if as_of is None:  # when unsettled cash arrives is not known, so it cannot be counted on
        cash = cash[np.isnat(holdings.settles[group.row[cash]])]
    money = np.bincount(group.account[cash], weights=value[cash], minlength=len(held))
    return Screen(
        check=found,
        group=group,
        fires=fires,
        short=held & (money - group.reserve < -_HALF_CENT),
        gap=gap,
        units=_units(book, group, quantity, share, policy.destination),
        unplaced=gap - ratio * able,
    )


def _fires(book: Book, policy: Policy, drift: Drift, as_of: dt.date | None) -> NDArray[np.bool_]:
    last: Sequence[dt.date | None] = ()
    if policy.has_calendar:
        last = [book.account(name).last_rebalanced for name in drift.accounts]
    return judge(policy, drift, as_of=as_of, last_rebalanced=last).fires.copy()


def _gaps(found: BandCheck, policy: Policy) -> Matrix:
    """(A, K) money from each class's value to its destination; 0 where it is left alone."""
    drift, goal = found.drift, policy.destination.goal
    left_alone = np.zeros(drift.drift.shape, dtype=np.bool_)
    if goal in (Goal.EDGE, Goal.INNER) or policy.breached_only:
        left_alone = found.breach == 0
    if goal is Goal.TARGET:
        wanted = np.broadcast_to(drift.target, drift.weight.shape)
    elif goal is Goal.HALFWAY:
        wanted = (drift.weight + drift.target) / 2
    else:
        share = 1.0 if goal is Goal.EDGE else policy.destination.share
        wanted = _inside(drift, found.widths, share)
        if goal is Goal.INNER and not policy.breached_only:
            left_alone = _within_share(drift, found.widths, share)
    gap = wanted * drift.base[:, None] - drift.value
    gap[left_alone] = 0.0
    gap[:, drift.cash_index] = 0.0
    return gap


def _inside(drift: Drift, band: Widths, share: float) -> Matrix:
    """(A, K) weights at a share of the band's width from target, on the side where the class stands."""
    with np.errstate(invalid="ignore"):
        low, high = drift.target - band.down * share, drift.target + band.up * share
    wanted = np.where(drift.drift > 0, high, low)
    return np.where(np.isfinite(wanted), wanted, drift.weight)


def _within_share(drift: Drift, band: Widths, share: float) -> NDArray[np.bool_]:
    above, below = drift.drift > band.up * share, -drift.drift > band.down * share
    return ~(above | below)


def _movable(book: Book, group: Group, quantity: Amounts, unit: Amounts) -> NDArray[np.bool_]:
    """(n,) True for long positions with a price that may be traded; cash counts too, it has no gap."""
    moves = (quantity > 0) & (unit > 0) & group.position
    tradable = [book.security(symbol).tradable for symbol, _ in group.pairs]
    if not all(tradable):
        moves &= np.array(tradable, dtype=np.bool_)[group.pair]
    return moves


def _units(
    book: Book, group: Group, quantity: Amounts, share: Amounts, destination: Destination
) -> Amounts:
    """(n,) whole steps of a share of each holding towards the destination, never past it.

    For a destination at the edge of the band one step more, so that the class ends inside.
    """
    ratios = [_step_ratio(book.security(symbol).quantity_step) for symbol, _ in group.pairs]
    many = _by_row(group, [each[0] for each in ratios])
    per = _by_row(group, [each[1] for each in ratios])
    units = np.abs(quantity * share)
    units *= per
    units /= many
    edge = (units > 0) if destination.goal is Goal.EDGE else None
    units += _DUST
    np.floor(units, out=units)
    if edge is not None:
        units += edge
    units *= many
    units /= per
    sold = share < 0
    np.copyto(units, quantity, where=(share <= -1.0) | (sold & (units > quantity)))
    np.negative(units, out=units, where=sold)
    units += 0.0  # no negative zero
    return units


def _by_row(group: Group, of_pair: Sequence[float]) -> Amounts | float:
    """(n,) a number for each row by its pair; one number where all pairs share it."""
    if len(set(of_pair)) > 1:
        return np.array(of_pair)[group.pair]
    return of_pair[0] if of_pair else 1.0


def _step_ratio(step: float) -> tuple[float, float]:
    """A step as a fraction, so that 3 steps of 0.1 are 3 / 10 = 0.3 and not 0.30000000000000004."""
    per = round(1.0 / step) if step < 1.0 else 1
    return (1.0, float(per)) if abs(per * step - 1.0) < 1e-12 else (step, 1.0)


def outside(found: BandCheck) -> Matrix:
    """(A, K) distance in weight from the edge of its band to a breached class; NaN for the others."""
    drift = found.drift.drift
    beyond = np.where(drift > 0, drift - found.widths.up, -drift - found.widths.down)
    return np.where(found.breach != 0, beyond, np.nan)


def ranked(screens: Sequence[Screen]) -> Breaches:
    """The breaches of all screens, the worst first."""
    parts = [_breached(each) for each in screens]
    if not parts:
        nothing = np.zeros(0)
        return Breaches(
            account=(), asset_class=(), drift=nothing, excess=nothing, value=nothing, gap=nothing
        )
    account, asset_class = ([name for part in parts for name in part[i]] for i in (0, 1))
    drift, excess, value, gap, money = (
        np.concatenate([part[2][i] for part in parts]) for i in range(5)
    )
    # Excesses that agree to the tolerance of weights tie; lexsort is stable and its last key leads.
    order = np.lexsort((-np.round(money, 2), -np.round(excess / TOLERANCE)))
    return Breaches(
        account=tuple(account[i] for i in order.tolist()),
        asset_class=tuple(asset_class[i] for i in order.tolist()),
        drift=drift[order],
        excess=excess[order],
        value=value[order],
        gap=gap[order],
    )


def _breached(found: Screen) -> tuple[list[str], list[str], list[Amounts]]:
    drift = found.check.drift
    row, column = np.nonzero(found.check.breach)
    excess = found.excess[row, column]
    columns = [each[row, column] for each in (drift.drift, drift.value, found.gap)]
    return (
        [drift.accounts[a] for a in row.tolist()],
        [drift.classes[k] for k in column.tolist()],
        [columns[0], excess, *columns[1:], excess * drift.base[row]],
    )
