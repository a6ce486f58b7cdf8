"""A second, plain planner for accounts of up to six securities: it looks at every whole-share plan.

It knows the rules of docs/policies-and-plans.md and nothing of the product's search. Money is Decimal.
Destinations of classes are given in money; how they are found is tested elsewhere, and for the plain
destinations (`to target`, `to halfway`, all classes) they are worked out here.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

ZERO, CENT = Decimal(0), Decimal("0.01")


@dataclass(frozen=True)
class Item:
    """A security that moves in whole units.

    minimum      smallest order in money; `least_buy` the same for purchases only.
    kept         smallest position in money that a partial sale may leave.
    fee, old     redemption fee as a fraction, and the units that are free of it: they go first.
    day          trading days after which its trades move money.
    """

    symbol: str
    klass: str
    quantity: int
    price: Decimal
    minimum: Decimal = ZERO
    may_buy: bool = True
    may_sell: bool = True
    least_buy: Decimal = ZERO
    kept: Decimal = ZERO
    fee: Decimal = ZERO
    old: int = 0
    day: int = 1


@dataclass(frozen=True)
class Account:
    """What is held, and what bounds its trades."""

    items: tuple[Item, ...]
    cash: Decimal
    targets: dict[str, Decimal]
    half_spread: Decimal
    commission: Decimal
    cap: Decimal | None = None
    # How far a class may drift, where it has a band; what may be bought though others are held.
    band: dict[str, Decimal] = field(default_factory=dict)
    also: frozenset[str] = frozenset()

    @property
    def total(self) -> Decimal:
        return self.cash + sum((i.quantity * i.price for i in self.items), ZERO)

    def held(self, klass: str) -> Decimal:
        return sum((i.quantity * i.price for i in self.items if i.klass == klass), ZERO)

    def step(self, klass: str) -> Decimal:
        """What "within one step" means: see docs/policies-and-plans.md."""
        prices = [i.price for i in self.items if i.klass == klass and (i.may_buy or i.may_sell)]
        return max([p for p in prices if p <= self.total / 100], default=min(prices, default=ZERO))


Key = tuple[int, Decimal, Decimal]


def cents(value: Decimal) -> Decimal:
    return value.quantize(CENT, ROUND_HALF_UP)


def cost(account: Account, item: Item, units: int) -> Decimal:
    redeemed = item.fee * item.price * max(0, -units - item.old)
    return cents(abs(units) * item.price * account.half_spread + account.commission + redeemed)


def eligible(account: Account) -> set[str]:
    """What may be bought: what is held goes before what is not."""
    result = set()
    for klass in account.targets:
        able = [i for i in account.items if i.klass == klass and i.may_buy]
        held = [i for i in able if i.quantity > 0]
        result |= {i.symbol for i in held or able}
        result |= {i.symbol for i in able if i.symbol in account.also}
    return result


def moves(account: Account, klass: str, low: Decimal, high: Decimal) -> Iterator[tuple[int, ...]]:
    """Units of each security of a class that together move money strictly between low and high."""
    items = [i for i in account.items if i.klass == klass]
    able = eligible(account)
    ranges = []
    for item in items:
        most = int((max(high, ZERO) + account.held(klass)) / item.price) + 1
        ranges.append(
            [
                n
                for n in range(
                    -item.quantity if item.may_sell else 0,
                    (most if item.symbol in able else 0) + 1,
                )
                if n == 0 or _an_order(account, item, n)
            ]
        )
    for units in itertools.product(*ranges):
        moved = sum((n * i.price for n, i in zip(units, items, strict=True)), ZERO)
        both = any(n > 0 for n in units) and any(n < 0 for n in units)
        if low < moved < high and not (both and moved > 0):  # a class that is to gain sells nothing
            yield units


def _an_order(account: Account, item: Item, units: int) -> bool:
    value = cents(abs(units) * item.price)
    least = max(item.minimum, CENT, item.least_buy if units > 0 else ZERO)
    left = (item.quantity + units) * item.price
    if units < 0 and 0 < left < item.kept:
        return False
    return value >= least and cost(account, item, units) < value


@dataclass(frozen=True)
class Aim:
    """Where a class goes and what its drift is measured from, in money, when trades cost `Aims.cost`;
    both fall by `slope` of every further cent of cost.
    """

    goes: Decimal
    wanted: Decimal
    slope: Decimal
    exact: bool = False  # `to edge`: the first whole step inside the band, no other


@dataclass(frozen=True)
class Aims:
    classes: dict[str, Aim]
    cash: Decimal
    cash_slope: Decimal
    cost: Decimal


def aims_of(account: Account, share: dict[str, Decimal]) -> Aims:
    """Every class goes to a share of the total after costs."""
    total = account.total
    rest = 1 - sum(share.values(), ZERO)
    return Aims(
        classes={k: Aim(s * total, s * total, s) for k, s in share.items()},
        cash=rest * total,
        cash_slope=rest,
        cost=ZERO,
    )


def best(account: Account, aims: Aims) -> tuple[Key, list[dict[str, int]]] | None:
    """The best (trades, sum of distances / total, cost) and every plan that reaches it; None where no
    plan brings every class within a step of where it goes.
    """
    names = list(account.targets)
    by_class: list[list[tuple[int, ...]]] = []
    room = account.commission * 8 + account.total * account.half_spread * 2 + CENT
    room += sum((item.fee * item.quantity * item.price for item in account.items), ZERO)
    for klass in names:
        gap = aims.classes[klass].goes - account.held(klass)
        reach = account.step(klass) + room
        by_class.append(list(moves(account, klass, gap - reach, gap + reach)))
    best_key: Key | None = None
    plans: list[dict[str, int]] = []
    for chosen in itertools.product(*by_class):
        trades = [
            (item, n)
            for klass, units in zip(names, chosen, strict=True)
            for item, n in zip([i for i in account.items if i.klass == klass], units, strict=True)
            if n
        ]
        if best_key is not None and len(trades) > best_key[0]:
            continue
        key = key_of(account, aims, trades)
        if key is None:
            continue
        if best_key is None or key < best_key:
            best_key, plans = key, []
        if key == best_key:
            plans.append({item.symbol: n for item, n in trades})
    return None if best_key is None else (best_key, plans)


def _out_on_the_other_side(account: Account, klass: str, value: Decimal, after: Decimal) -> bool:
    """True where trades carry a class through its target and out of its band."""
    target = account.targets[klass]
    before, now = account.held(klass) / account.total - target, value / after - target
    band = account.band.get(klass)
    return band is not None and before * now < 0 and abs(now) > band - Decimal("1e-9")


def key_of(account: Account, aims: Aims, trades: list[tuple[Item, int]]) -> Key | None:
    """What a plan comes to in the order of a good plan; None when it breaks a rule."""
    paid = sum((cost(account, item, n) for item, n in trades), ZERO)
    left = account.cash - sum((cents(n * item.price) for item, n in trades), ZERO) - paid
    turnover = sum((cents(abs(n) * item.price) for item, n in trades), ZERO) / 2
    for day in {item.day for item, _ in trades}:  # no purchase relies on what settles later
        moved = [(item, n) for item, n in trades if item.day <= day]
        worth = sum((cents(n * item.price) + cost(account, item, n) for item, n in moved), ZERO)
        if account.cash - worth < 0:
            return None
    if left < 0 or (account.cap is not None and turnover > account.cap * account.total):
        return None
    after, dearer = account.total - paid, paid - aims.cost
    distance = abs(left - (aims.cash - aims.cash_slope * dearer))
    for klass, target in account.targets.items():
        mine = [(item, n) for item, n in trades if item.klass == klass]
        net = sum((n * item.price for item, n in mine), ZERO)
        value = account.held(klass) + net
        aim = aims.classes[klass]
        if mine and abs(value - (aim.goes - aim.slope * dearer)) >= account.step(klass):
            return None
        if not mine and abs(value - aim.goes) >= max(account.step(klass), CENT):
            return None
        if aim.exact and abs(value - aim.goes) > CENT:
            return None
        past = value - target * after
        steps = [item.price for item, n in mine if (n > 0) == (net > 0)]
        if mine and (past if net > 0 else -past) >= max(steps):
            return None
        if mine and _out_on_the_other_side(account, klass, value, after):
            return None
        distance += abs(value - (aim.wanted - aim.slope * dearer))
    return len(trades), (distance / after).quantize(Decimal("1e-9")), paid
