"""Combinations left out on the way against all of them looked at one by one."""

from __future__ import annotations

import math
import random
from dataclasses import fields, replace

import pytest

from xl_rebal.costs import CostModel
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.trading import combinations
from xl_rebal.trading.combinations import Best, Combinations, Items
from xl_rebal.trading.destinations import Aims
from xl_rebal.trading.options import NOTHING, Option, option_of
from xl_rebal.trading.problem import Due, Line, Problem

POLICY = parse_policy("now")


def line(symbol: str, klass: int, price: float, *, commission: float, settles: int) -> Line:
    return Line(
        symbol=symbol,
        klass=klass,
        quantity=1_000.0,
        price=price,
        unit_value=price,
        step=1.0,
        minimum=0.0,
        rank=math.inf,
        costs=CostModel(half_spread=0.001, commission=commission),
        adv=None,
        can_buy=True,
        can_sell=True,
        must_sell=False,
        replaces=False,
        blocked="",
        settles=settles,
    )


def drawn(seed: int) -> tuple[Problem, Aims, Items]:
    """An account of three to six classes, each with up to seven ways around what is wanted of it."""
    rng = random.Random(seed)
    count = rng.randint(3, 6)
    fees = rng.choice([[0.0], [0.0], [0.0, 4.95], [0.0, 49.95]])
    days = rng.choice([[1], [1], [1], [1, 2]])
    lines, items = [], []
    delta = []
    for k in range(count):
        mine = [
            line(
                f"S{k}{j}",
                k,
                round(rng.uniform(5, 400), 2),
                commission=rng.choice(fees),
                settles=rng.choice(days),
            )
            for j in range(rng.randint(1, 3))
        ]
        move = rng.uniform(300, 4_000) * rng.choice([-1, 1])
        options: list[Option] = []
        for each in mine:
            whole = math.floor(abs(move) / each.unit_value)
            for units in (whole, whole + 1):
                if units:
                    against = rng.choice([0, 0, 1])
                    options.append(option_of([(each, math.copysign(units, move))], against))
        if len(mine) > 1 and rng.random() < 0.5:
            pair = [(each, math.copysign(rng.randint(1, 9), move)) for each in mine[:2]]
            options.append(option_of(pair))
        if rng.random() < 0.2 or not options:
            options.append(NOTHING)
        lines += mine
        delta.append(move)
        items.append((k, options))
    value = [rng.uniform(5_000, 40_000) for _ in range(count)]
    cash = max(0.0, sum(delta)) + rng.choice([0.0, 5.0, 400.0])
    aim = rng.choice([0.0, 0.0, cash / 2])
    base = sum(value) + cash
    cost = rng.choice([0.0, 20.0])
    target = [(v + d) / base for v, d in zip(value, delta, strict=True)]
    problem = Problem(
        account="A",
        lines=tuple(lines),
        classes=(*(f"C{k}" for k in range(count)), "Cash"),
        cash_index=count,
        target=(*target, 1 - sum(target)),
        down=(math.inf,) * (count + 1),
        up=(math.inf,) * (count + 1),
        value=(*value, cash),
        breach=(0,) * (count + 1),
        cash=cash - rng.choice([0.0, 0.0, cash / 4]),
        policy=POLICY,
        min_trade=0.0,
        max_turnover=rng.choice([None, None, sum(map(abs, delta)) / 2 / base]),
        early=(Due(settles=1, cash=cash / 2),) if len(days) > 1 else (),
    )
    found = Aims(
        delta=[*delta, 0.0],
        wanted=[*(t * (base - cost) for t in target), 0.0],
        cash_aim=aim,
        cost=cost,
        slope=[*target, 1 - sum(target)] if rng.random() < 0.7 else [0.0] * count + [1.0],
    )
    return problem, found, items


def cost_of(best: Best) -> float:
    return math.fsum(option.cost for _, option in best.options)


def exact_distance(problem: Problem, found: Aims, best: Best) -> float:
    """By its definition: each class, and cash, measured on the total after the combination's own cost."""
    cost = cost_of(best)
    dearer = cost - found.cost
    cash = problem.cash_index
    left = problem.value[cash] + math.fsum(option.cash for _, option in best.options)
    total = abs(left - found.cash_aim + found.slope[cash] * dearer)
    moved = {k: option.moved for k, option in best.options}
    for k in range(cash):
        value = problem.value[k] + moved.get(k, 0.0)
        total += abs(value - found.wanted[k] + found.slope[k] * dearer)
    return total / (problem.base - cost)


@pytest.mark.parametrize("few", [0, combinations.FEW])
@pytest.mark.parametrize("start", range(0, 400, 50))
def test_what_is_left_out_on_the_way_is_not_the_best(
    start: int, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(combinations, "FEW", few)
    compared = 0
    for seed in range(start, start + 50):
        problem, found, items = drawn(seed)
        table = Combinations(problem, found, items)
        best, some = table.all_best(), table.some_best(8)
        if best is None:
            assert some is None
            continue
        exact = exact_distance(problem, found, best)
        assert best.distance == pytest.approx(exact, abs=1e-9)
        if some is None:
            continue  # eight were too few to find one in bounds
        assert not some.better_than(replace(best, distance=best.distance - 2e-9))
        searched = table.search(some, 1 << 14)
        assert searched is not None
        compared += 1
        assert (searched.trades, searched.against) == (best.trades, best.against)
        assert exact_distance(problem, found, searched) == pytest.approx(exact, abs=2e-9)
        if abs(exact_distance(problem, found, searched) - exact) < 1e-12:
            assert cost_of(searched) == pytest.approx(cost_of(best), abs=0.005)
    assert compared > 20


def test_too_many_on_the_way_are_no_answer() -> None:
    for seed in range(60):
        problem, found, items = drawn(seed)
        table = Combinations(problem, found, items)
        some = table.some_best(8)
        if some is not None and table.count > 1_000:
            assert table.search(some, 1) is None or table.count == 1


def test_what_is_missing_is_what_the_cheapest_overdraw() -> None:
    seen = 0
    for seed in range(300):
        problem, found, items = drawn(seed)
        poor = replace(problem, cash=problem.cash - 30_000.0, max_turnover=None, early=())
        table = Combinations(poor, found, items)
        assert table.all_best() is None
        assert table.missing == pytest.approx(table.shortage(), abs=1e-6)
        seen += 1
        rich = Combinations(replace(poor, cash=1e6), found, items)
        assert rich.missing == 0.0
        assert rich.all_best() is not None
    assert seen == 300


def test_a_line_after_a_trade_is_the_same_but_for_what_it_holds() -> None:
    before = replace(
        line("X", 0, 10.0, commission=1.0, settles=2),
        quantity=30.0,
        must_sell=True,
        free=12.0,
        fee=0.01,
        keep=5.0,
        buy_minimum=3.0,
        notes=("a note",),
        blocked="a reason",
        money_fund=True,
        listed=False,
    )
    for signed in (-30.0, -18.0, 4.0):
        after = before.after(signed)
        holds = {"quantity", "can_sell", "must_sell", "free"}
        for each in fields(Line):
            if each.init and each.name not in holds:
                assert getattr(after, each.name) == getattr(before, each.name), each.name
        assert after.quantity == 30.0 + signed
        assert after.can_sell == (signed > -30.0)
        assert not after.must_sell
        assert after.free == max(0.0, 12.0 + min(signed, 0.0))
