"""From fractions to orders that can be sent: whole steps, minimums, cash that works out in each account."""

from __future__ import annotations

import numpy as np

from xl_rebal.household.moves import Mask, Moves
from xl_rebal.household.problem import HouseholdProblem, Places, Vector
from xl_rebal.household.search import Relaxed, Search
from xl_rebal.household.worth import Draft, without_dust, worth
from xl_rebal.trading.problem import HALF_CENT

_DUST = 0.005  # dollars
_ROUNDS = 400
_NEAR = 2.5e-6  # of the value
_SWAPS = 8  # in an account
_BETTER = 1e-6  # dollars
_TICKET_LAST = 0.001
_ROUNDING = 0.02  # dollars that an estimate of cash may be off
_TRIES = 4
_WORTH_A_SWAP = 0.01  # dollars


def raised_in_cents(problem: HouseholdProblem, wanted: Vector) -> Vector:
    """The cash need in whole cents by account; what is left over comes from the largest."""
    result: Vector = np.floor(np.maximum(wanted, 0.0) * 100 + 1e-6) / 100
    if problem.request.to_raise and len(result):
        largest = int(np.argmax(result))
        result[largest] = round(result[largest] + problem.request.to_raise - result.sum(), 2)
    return result


def rounded(search: Search, relaxed: Relaxed) -> Draft:
    """A draft in whole steps near a plan in fractions."""
    model = search.model
    problem, x = model.problem, relaxed.optimum.x
    wanted = np.where(model.raised >= 0, x[model.raised], 0.0)
    moves = Moves(search, relaxed, raised_in_cents(problem, wanted))
    moves.start(_first(problem, moves, x[model.sell], x[model.buy]))
    _mend(moves)
    _spend(moves)
    draft = moves.draft()
    above = worth(problem, draft).total - relaxed.optimum.value - _NEAR * problem.base
    if above <= 0:  # no rounding can be much better
        return draft
    _swap(moves, above)
    return moves.draft()


def _first(problem: HouseholdProblem, moves: Moves, sold: Vector, bought: Vector) -> Vector:
    """(P,) signed units: sales to the nearest step, purchases down to one; none below its minimum."""
    pair = problem.pair
    money = np.bincount(problem.lot.pair, weights=sold, minlength=len(bought))
    units, step, most = money / pair.unit_value, pair.step, moves.most
    whole = (units >= most - step / 2) | pair.must_sell
    sales = np.where(whole, most, np.round(units / step) * step)
    sales = np.where((money > _DUST) & (most > 0), sales, 0.0)
    buys = np.floor(bought / (step * pair.unit_value) + 1e-6) * step
    signed = without_dust(np.where(bought > _DUST, buys, -sales))
    fine = pair.worth_trading(signed) | (signed == -most)
    return np.where(fine, signed, 0.0)


def _mend(moves: Moves) -> None:
    """Buy less or sell more until the cash of every account is not short."""
    for _ in range(_ROUNDS):
        short = -moves.cash
        accounts = np.flatnonzero(short > HALF_CENT)
        if not len(accounts):
            return
        places, after = moves.steps(accounts, -1)
        after = _enough(moves, places, after, short)
        change, freed = moves.weighed(places, after)
        account = moves.pair.account[places]
        worth = np.minimum(np.maximum(freed, _DUST), short[account])
        # Without a trade yet, selling opens a ticket: only where nothing else is left.
        last = np.where(moves.units[places] == 0, _TICKET_LAST, 0.0)
        price = np.where(freed <= HALF_CENT, np.inf, change / worth + last)
        done = True
        for a in accounts.tolist():
            mine = np.flatnonzero((account == a) & np.isfinite(price))
            mine = mine[np.argsort(price[mine], kind="stable")][:_TRIES]
            if len(mine):
                exact = [moves.change(int(places[i]), float(after[i])) for i in mine.tolist()]
                i = int(mine[np.argmin(np.array(exact) / worth[mine] + last[mine])])
                moves.apply(int(places[i]), float(after[i]))
                done = False
        if done:
            return


def _enough(moves: Moves, places: Places, after: Vector, short: Vector) -> Vector:
    """As many steps further on as the money that is short is worth, where steps are small."""
    pair, now = moves.pair, moves.units[places]
    step, most = pair.step[places], moves.most[places]
    steps = np.ceil(short[pair.account[places]] / (step * pair.unit_value[places]) - 1e-9)
    wanted = np.maximum(now - steps * step, np.where(now > 0, 0.0, -most))
    wanted = without_dust(wanted)
    fine = (steps > 1) & (np.abs(after - now) <= step * 1.0001)
    fine &= (moves.is_worth(places, wanted) | (wanted == 0)) & ~moves.washes(places, wanted)
    return np.where(fine, wanted, after)


def _spend(moves: Moves) -> None:
    """Buy more (or sell less) with the spare cash of the accounts while that is worth it."""
    accounts = np.arange(len(moves.cash))
    for _ in range(_ROUNDS):
        places, after = _and_many(moves, *moves.steps(accounts, 1))
        account = moves.pair.account[places]
        gain, effect = moves.weighed(places, after)
        able = np.flatnonzero((-effect <= moves.cash[account] + _ROUNDING) & (gain < -_BETTER))
        able = able[np.argsort(gain[able], kind="stable")]
        active = []
        for a in accounts.tolist():
            mine = able[account[able] == a][:_TRIES]
            if any(_applied(moves, int(places[i]), float(after[i])) for i in mine.tolist()):
                active.append(a)
        if not active:
            return
        accounts = np.array(active)


def _applied(moves: Moves, p: int, after: float) -> bool:
    """Make a move if it still helps, and the account's cash pays for it."""
    account = moves.problem.pairs[p].account
    if -moves.effect(p, after) > moves.cash[account] + HALF_CENT:
        return False
    if moves.change(p, after) >= -_BETTER or moves.washes(np.array([p]), np.array([after]))[0]:
        return False
    moves.apply(p, after)
    return True


def _and_many(moves: Moves, places: Places, after: Vector) -> tuple[Places, Vector]:
    """Besides one step, as many as the cash or the class can take."""
    pair, problem = moves.pair, moves.problem
    now, step = moves.units[places], pair.step[places]
    value = step * pair.unit_value[places]
    room = problem.aims.inner_low[pair.klass[places]] - moves.value[pair.klass[places]]
    money = moves.cash[pair.account[places]] / (1 + pair.half_spread[places])
    found_places, found_after = [places], [after]
    for amount in (money, room):
        steps = np.floor(amount / value + 1e-9)
        many: Mask = (steps > 1) & (now >= 0)
        found_places.append(places[many])
        found_after.append(without_dust((now + steps * step)[many]))
    return np.concatenate(found_places), np.concatenate(found_after)


def _swap(moves: Moves, wanted: float) -> None:
    """One step less of one security for one more of another in the same account, while it helps and until
    the wanted dollars are gained.
    """
    for a in np.argsort(-moves.cash, kind="stable").tolist():
        for _ in range(_SWAPS):
            gained = _swap_once(moves, np.array([a]))
            wanted -= gained
            if wanted <= 0:
                return
            if not gained:
                break


def _swap_once(moves: Moves, account: Places) -> float:
    """Dollars that the best swap of an account gains, 0 where none helps."""
    ups, overs = moves.steps(account, 1)
    lesses, unders = moves.steps(account, -1)
    held = moves.units[lesses] != 0
    lesses, unders = lesses[held], unders[held]
    if not len(lesses) or not len(ups):
        return 0.0
    alone, _ = moves.weighed(lesses, unders)
    best = int(np.argmin(alone))
    if alone[best] < -_WORTH_A_SWAP:
        gain = moves.change(int(lesses[best]), float(unders[best]))
        if _applied(moves, int(lesses[best]), float(unders[best])):
            return -gain
    gains = moves.swaps(lesses, unders, ups, overs)
    for place in np.argsort(gains, axis=None)[:_TRIES].tolist():
        i, j = divmod(place, len(ups))
        if gains[i, j] >= -_WORTH_A_SWAP:
            return 0.0
        gain = _swapped(moves, int(lesses[i]), float(unders[i]), int(ups[j]), float(overs[j]))
        if gain < 0:
            return -gain
    return 0.0


def _swapped(moves: Moves, less: int, under: float, more: int, over: float) -> float:
    """Make a swap if it helps when its tax and its cents are worked out; the change, 0 if not made."""
    before = float(moves.units[less])
    first = moves.change(less, under)
    moves.apply(less, under)
    account = moves.problem.pairs[more].account
    gain = first + moves.change(more, over)
    if (
        gain < -_WORTH_A_SWAP
        and -moves.effect(more, over) <= moves.cash[account] + HALF_CENT
        and not moves.washes(np.array([more]), np.array([over]))[0]
    ):
        moves.apply(more, over)
        return gain
    moves.apply(less, before)
    return 0.0
