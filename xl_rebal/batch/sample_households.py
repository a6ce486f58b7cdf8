"""Invented households, a block at a time: who they are, what they follow, what they hold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from xl_rebal.batch.sample_market import SampleMarket

BLOCK = 512  # households drawn together; a book of any size is whole blocks, the last one cut
CUSTODIANS = ("schwab", "fidelity", "ibkr", "vanguard")
_PREFIX = {"schwab": "4", "fidelity": "Z", "ibkr": "U", "vanguard": "7"}
_SINGLE = (
    "Alex Avery Blair Casey Dana Devon Ellis Emery Finley Frankie Harper Hayden Jamie Jesse Jordan "
    "Kendall Lane Logan Morgan Noel Parker Quinn Reese Riley Robin Rowan Sage Sidney Taylor Wren"
).split()
_FAMILY = ("Adler Baker Bauer Bishop Brandt Castillo Chen Clarke Cooper Cruz Daly Diaz Dvorak Ellison Engel "
           "Farrow Fischer Foster Garcia Gold Grant Haddad Hahn Hayes Ibarra Ito Jensen Jones Kaplan Keller "
           "Kim Klein Lang Lopez Lund Malik Marsh Meyer Miller Morris Nash Nguyen Novak Okafor Olsen Park "
           "Patel Quist Reyes Rossi Sato Schmidt Silva Smith Stone Tanaka Turner Vance Vogel Walsh Young Zhou"
           ).split()  # fmt: skip
# The first four are always the same people, so that a small book has the cases that must be right.
JONES, SMITH = 0, 1
_FIXED = ("Avery Jones", "Parker Smith", "Robin Miller", "Robin Miller")
_LARGEST, _SMALLEST = 5e6, 6e4

Codes = NDArray[np.int64]
Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]
Texts = NDArray[np.object_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Households:
    """H households and their A accounts.

    household, client, model, mode, policy  (H,); model is a place in the market's models.
    jones, smith, esg, legacy, careful      (H,) who has which restriction.
    home        (A,) place of each account's household; the columns below are (A,) too.
    value       money in the account.
    drifted     True where a class stands well outside its band.
    deposit     share of the account that came in as cash lately.
    """

    household: Texts
    client: Texts
    owner: Texts
    model: Codes
    mode: Texts
    policy: Texts
    jones: Mask
    smith: Mask
    esg: Mask
    legacy: Mask
    careful: Mask
    home: Codes
    account: Texts
    type: Texts
    custodian: Texts
    held_away: Mask
    value: Numbers
    drifted: Mask
    deposit: Numbers
    reserve: Numbers
    discretionary: Mask
    last_rebalanced: NDArray[np.datetime64]

    @property
    def taxable(self) -> Mask:
        """(A,) True where gains are taxed."""
        return np.asarray(self.type == "taxable", dtype=np.bool_)

    def first(self, count: int) -> Households:
        """The first households and their accounts."""
        kept = int(np.searchsorted(self.home, count))
        return Households(
            **{
                each.name: getattr(self, each.name)[: kept if each.name in _OF_ACCOUNTS else count]
                for each in fields(self)
            }
        )


_OF_ACCOUNTS = frozenset(
    "home account type custodian held_away value drifted deposit reserve discretionary "
    "last_rebalanced".split()
)


def households_of(
    rng: np.random.Generator, *, first: int, accounts_before: int, as_of: dt.date, models: int
) -> Households:
    """A block of households, the first of which has the number `first` in its book."""
    count = BLOCK
    client, owner = _people(rng, first)
    sizes = rng.choice([1, 2, 3, 4], size=count, p=[0.25, 0.30, 0.28, 0.17])
    model = rng.choice(models, size=count, p=_shares(models))
    screens = rng.random(count)
    marks = [(screens >= 0.02 * n) & (screens < 0.02 * (n + 1)) for n in range(5)]
    if first == 0:
        sizes[: len(_FIXED)] = (2, 3, 1, 2)
        for place, mark in enumerate(marks):
            mark[: len(_FIXED)] = False
            if place < 2:  # Jones, Smith
                mark[place] = True
        model[: len(_FIXED)] = np.arange(len(_FIXED)) % models
    home = np.repeat(np.arange(count), sizes)
    rank = np.arange(len(home)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    kind = rng.random(len(home))
    kinds = np.array(["taxable", "traditional", "roth"], dtype=object)
    usual = np.where(rank == 0, np.where(kind < 0.8, 0, 1), np.where(kind < 0.2, 0, rank % 2 + 1))
    held_away = (rank > 0) & (usual == 1) & (rng.random(len(home)) < 0.12)
    custodian = _custodians(rng, home, count)
    if first == 0:
        usual[: sizes[:2].sum()] = (0, 1, 0, 1, 2)  # Jones: taxable, IRA; Smith: taxable, IRA, Roth
        held_away[: sizes[:2].sum()] = False
    drifts = rng.random(count) < 0.13
    value = np.clip(np.exp(rng.normal(12.6, 0.8, len(home))), _SMALLEST, _LARGEST).round(2)
    modes, policies = rng.random(count), rng.random(count)
    days = rng.integers(20, 420, len(home))
    return Households(
        household=np.array([f"H{n:06d}" for n in range(first + 1, first + count + 1)], dtype=object),
        client=client,
        owner=owner,
        model=model,
        mode=np.where(modes < 0.06, "household_tax", np.where(modes < 0.10, "rules", "")).astype(object),
        policy=np.where(
            policies < 0.04, "5pp", np.where(policies < 0.07, "5/25 to halfway", "")
        ).astype(object),
        jones=marks[0], smith=marks[1], esg=marks[2], legacy=marks[3], careful=marks[4],
        home=home,
        account=_numbers(custodian, accounts_before),
        type=kinds[usual],
        custodian=custodian,
        held_away=held_away,
        value=value,
        drifted=drifts[home] & (rng.random(len(home)) < 0.8),
        deposit=np.where(rng.random(len(home)) < 0.03, rng.uniform(0.04, 0.12, len(home)), 0.0),
        reserve=np.where(rng.random(len(home)) < 0.05, np.floor(value * 0.01 / 500) * 500, 0.0),
        discretionary=rng.random(len(home)) >= 0.05,
        last_rebalanced=np.datetime64(as_of, "D") - days,
    )  # fmt: skip


def _shares(models: int) -> list[float]:
    """More clients in the middle."""
    raw = [1.0 + min(place, models - 1 - place) for place in range(models)]
    return [each / sum(raw) for each in raw]


def _people(rng: np.random.Generator, first: int) -> tuple[Texts, Texts]:
    """(names of clients, first names of owners): a person, or two of one name."""
    one, two = (rng.choice(np.array(_SINGLE, dtype=object), BLOCK) for _ in range(2))
    family = rng.choice(np.array(_FAMILY, dtype=object), BLOCK)
    couple = (rng.random(BLOCK) < 0.45) & (one != two)
    names = np.array(
        [
            f"{a} & {b} {c}" if both else f"{a} {c}"
            for a, b, c, both in zip(one, two, family, couple, strict=True)
        ],
        dtype=object,
    )
    if first == 0:
        names[: len(_FIXED)] = _FIXED
        one[: len(_FIXED)] = [name.split()[0] for name in _FIXED]
    return names, one


def _custodians(rng: np.random.Generator, home: Codes, count: int) -> Texts:
    """One custodian for a household, and in three of ten accounts any."""
    usual = rng.choice(len(CUSTODIANS), size=count, p=[0.4, 0.3, 0.2, 0.1])
    any_one = rng.integers(0, len(CUSTODIANS), len(home))
    code = np.where(rng.random(len(home)) < 0.3, any_one, usual[home])
    return np.array(CUSTODIANS, dtype=object)[code]


def _numbers(custodian: Texts, before: int) -> Texts:
    """Account numbers that look like the custodian's and never agree."""
    return np.array(
        [
            f"{_PREFIX[name]}{before + place + 10_000_001}"
            for place, name in enumerate(custodian.tolist())
        ],
        dtype=object,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Positions:
    """P positions: (P,) place of the account, place of the security, whole steps held; cash (A,)."""

    account: Codes
    security: Codes
    steps: Codes
    cash: Numbers

    def quantity(self, market: SampleMarket) -> Numbers:
        """(P,) units."""
        return np.round(self.steps * market.step[self.security], 3)


def positions_of(
    rng: np.random.Generator, people: Households, market: SampleMarket, *, first: int
) -> Positions:
    """What the accounts hold: near their targets but for those that drifted, in whole steps."""
    weight = _weights(rng, people, market)
    money = (people.value * (1.0 - people.deposit))[:, None] * weight
    slots: list[tuple[Codes, Numbers]] = []  # (A,) security and money of each slot
    for place in range(len(market.classes)):
        slots += _class_slots(rng, people, market, place, money[:, place], first=first)
    security = np.stack([each[0] for each in slots], axis=1)
    amount = np.stack([each[1] for each in slots], axis=1)
    steps = np.floor(amount / (market.price * market.step)[security]).astype(np.int64)
    invested = (steps * (market.price * market.step)[security]).sum(axis=1)
    account, slot = np.nonzero(steps)
    return Positions(
        account=account,
        security=security[account, slot],
        steps=steps[account, slot],
        cash=np.round(people.value - invested, 2),
    )


def _weights(rng: np.random.Generator, people: Households, market: SampleMarket) -> Numbers:
    """(A, K) weights: a few percent of themselves off target; one class swapped for another by 6 to 11 pp
    where an account drifted.
    """
    target = market.weight[people.model[people.home]]
    weight = target * (1.0 + rng.normal(0.0, 0.04, target.shape))
    weight *= (target.sum(axis=1) / weight.sum(axis=1))[:, None]
    stocks, bonds = market.column("Stocks/US/Large"), market.column("Bonds/US/Government")
    much = rng.uniform(0.06, 0.11, len(target)) * people.drifted
    rallied = target[:, bonds] > 0.12
    weight[:, stocks] += np.where(rallied, much, -much)
    weight[:, bonds] += np.where(rallied, -much, much)
    return weight


def _class_slots(
    rng: np.random.Generator,
    people: Households,
    market: SampleMarket,
    place: int,
    money: Numbers,
    *,
    first: int,
) -> Sequence[tuple[Codes, Numbers]]:
    """What fills one class: a core fund, often a second one, and in large accounts single stocks."""
    name, count = market.classes[place], len(money)
    core = market.core[place]
    choice = core[np.minimum(rng.geometric(0.55, count) - 1, len(core) - 1)]
    if name == "Bonds/US/Credit":
        corporate, municipal = market.place("LQD"), market.place("MUB")
        choice = np.where(people.taxable & (rng.random(count) < 0.7), municipal, choice)
        choice = np.where(~people.taxable & (choice >= municipal), corporate, choice)
        choice = np.where(people.smith[people.home], corporate, choice)
    if name == "Stocks/US/Large":  # Vanguard's own fund is held there, and nowhere else
        fund, etf = market.place("VFIAX"), market.place("VOO")
        choice = np.where((choice == fund) & (people.custodian != "vanguard"), etf, choice)
    second, more = np.zeros(count, dtype=np.int64), np.zeros(count)
    if len(market.other[place]):
        second = rng.choice(market.other[place], count)
        more = np.where(rng.random(count) < 0.45, 0.3, 0.0) * money
    result = [(second, more)]
    if name == "Stocks/US/Large":
        result += _stock_slots(rng, people, market, money, first=first)
    if name == "Bonds/US/Government":
        piece = np.full(count, market.piece[0])
        result.append(
            (piece, np.where(people.taxable & (rng.random(count) < 0.08), 0.2, 0.0) * money)
        )
    rest = money - np.sum([amount for _, amount in result], axis=0)
    return [(choice, rest), *result]


def _stock_slots(
    rng: np.random.Generator,
    people: Households,
    market: SampleMarket,
    money: Numbers,
    *,
    first: int,
) -> list[tuple[Codes, Numbers]]:
    """Up to three single stocks, each once, in a third of the accounts."""
    count = len(money)
    start = rng.integers(0, len(market.stock), count)
    wanted = np.where(
        (rng.random(count) < 0.35) & (people.value > 150_000), rng.integers(1, 4, count), 0
    )
    defence, legacy = market.place("LMT"), market.place("AAPL")
    named = start
    result = []
    for slot in range(3):
        stock = market.stock[(start + 5 * slot) % len(market.stock)]
        share = np.where(slot < wanted, 0.1, 0.0)
        if slot == 0:  # some who must not hold a stock hold it still, and some must keep one
            jones = people.jones[people.home] & (rng.random(count) < 0.5)
            if first == 0:
                jones |= people.home == JONES
            kept = people.legacy[people.home]
            stock = np.where(jones, defence, np.where(kept, legacy, stock))
            share = np.where(jones | kept, 0.12, share)
            named = stock
        else:
            share = np.where(stock == named, 0.0, share)
        result.append((stock, share * money))
    return result
