"""Blocks of many clients' orders, and fills given back to the share and to the cent."""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_rebal.errors import PlanError
from xl_rebal.trading.allocation import Fill, pro_rata, split_money
from xl_rebal.trading.blocks import BlockBuilder, Blocks
from xl_rebal.trading.limits import OrderType, TimeInForce
from xl_rebal.trading.order import Order, decimal_text, exact_quantity
from xl_rebal.trading.plan import Action

D = Decimal


def order(account: str, symbol: str, quantity: str, action: Action = Action.BUY, **more) -> Order:
    price = more.pop("price", 50.0)
    return Order(
        account=account,
        symbol=symbol,
        action=action,
        quantity=D(quantity),
        price=price,
        value=round(float(quantity) * price, 2),
        **more,
    )


def built(*chunks: list[Order]) -> Blocks:
    builder = BlockBuilder()
    for chunk in chunks:
        builder.add(chunk)
    return builder.blocks()


def test_a_block_is_the_sum_of_its_orders_and_sells_come_first() -> None:
    blocks = built(
        [order("1", "VTI", "10"), order("2", "VTI", "7")],
        [order("3", "VTI", "5", Action.SELL), order("3", "BND", "2.5", price=80.0)],
    )
    shown = [
        (b.block, b.wave, b.symbol, b.action.value, b.quantity, b.orders) for b in blocks.blocks
    ]
    assert shown == [
        ("S0001", 1, "VTI", "SELL", D(5), 1),
        ("B0001", 2, "BND", "BUY", D("2.5"), 1),
        ("B0002", 2, "VTI", "BUY", D(17), 2),
    ]
    assert [b.block for b in blocks.wave(1)] == ["S0001"]
    assert list(blocks.orders_of("B0002")) == [("1", D(10)), ("2", D(7))]
    assert blocks.blocks[2].value == D("850.00")


def test_buys_and_sells_of_different_clients_are_never_netted() -> None:
    blocks = built([order("1", "VTI", "10"), order("2", "VTI", "10", Action.SELL)])
    assert [(b.action, b.quantity) for b in blocks.blocks] == [
        (Action.SELL, D(10)),
        (Action.BUY, D(10)),
    ]


def test_custodians_and_kinds_of_order_make_blocks_of_their_own() -> None:
    limit: dict[str, Any] = {"order_type": OrderType.LIMIT, "limit_price": D("50.25")}
    orders = [
        order("1", "VTI", "1", custodian="Schwab"),
        order("2", "VTI", "1", custodian="Fidelity"),
        order("3", "VTI", "1", custodian="Schwab", **limit),
        order("4", "VTI", "1", custodian="Schwab", **{**limit, "limit_price": D("50.3")}),
        order("5", "VTI", "1", custodian="Schwab", **limit, time_in_force=TimeInForce.GTC),
        order("6", "VTI", "1", custodian="Schwab", **{**limit, "limit_price": D("50.250")}),
    ]
    counts = [
        (b.custodian, b.limit_price, b.time_in_force.value, b.orders) for b in built(orders).blocks
    ]
    assert counts == [
        ("Fidelity", None, "DAY", 1),
        ("Schwab", D("50.25"), "DAY", 2),
        ("Schwab", D("50.25"), "GTC", 1),
        ("Schwab", D("50.3"), "DAY", 1),
        ("Schwab", None, "DAY", 1),
    ]


def test_turnover_says_both_sides_and_one_way() -> None:
    """REQUIREMENTS S122: 8.4M over 23 portfolios is 18.3% of 2M only with both sides counted."""
    orders = [
        order(f"{n}", symbol, "1", action, price=price)
        for n in range(23)
        for symbol, action, price in (
            ("VTI", Action.SELL, 4_200_000 / 23),
            ("BND", Action.BUY, 4_200_000 / 23),
        )
    ]
    turnover = built(orders).turnover
    assert float(turnover.gross) == pytest.approx(8_400_000, abs=1)
    assert float(turnover.gross) / 23 / 2_000_000 == pytest.approx(0.183, abs=0.0005)
    assert float(turnover.one_way) / 23 / 2_000_000 == pytest.approx(0.091, abs=0.0005)


def test_an_account_fed_twice_is_refused() -> None:
    with pytest.raises(PlanError, match=r"account 7, VTI: has more than one order"):
        built([order("7", "VTI", "1"), order("8", "VTI", "1")], [order("7", "VTI", "1")])
    with pytest.raises(
        PlanError, match="account 7, VTI"
    ):  # another kind of order, or the other side
        built([order("7", "VTI", "1"), order("7", "VTI", "1", Action.SELL, custodian="X")])


def test_a_partial_fill_is_allocated_by_the_stated_rule() -> None:
    blocks = built([order("A", "VTI", "100"), order("B", "VTI", "60"), order("C", "VTI", "40")])
    fills = [Fill(block="B0001", quantity=D(60), price=D("50.10")),
             Fill(block="B0001", quantity=D(40), price=D("50.20"))]  # fmt: skip
    given = list(blocks.allocate(fills))
    assert [(a.account, a.quantity, a.left) for a in given] == [
        ("A", D(50), D(50)),
        ("B", D(30), D(30)),
        ("C", D(20), D(20)),
    ]
    assert {a.price for a in given} == {D("50.14")}  # (60 x 50.10 + 40 x 50.20) / 100
    assert sum(a.amount for a in given) == D("5014.00")


@pytest.mark.parametrize(
    ("ordered", "names", "filled", "step", "expected"),
    [
        ([7, 7, 7], "CAB", 10, 1, (3, 4, 3)),  # 3.33 each: equal remainders and orders, so by account
        ([10, 20], "AB", 15, 1, (5, 10)),
        ([10, 30], "AB", 10, 1, (2, 8)),  # 2.5 and 7.5: equal remainders, the larger order first
        ([5, 5, 5], "ABC", 1, 1, (1, 0, 0)),
        ([100, 100], "AB", 150, 100, (100, 50)),  # a step is 100; the odd 50 goes nowhere else
        ([250, 100], "AB", 350, 100, (250, 100)),
        ([250, 100], "AB", 300, 100, (200, 100)),
        ([250, 1000], "AB", 1150, 100, (250, 900)),  # the odd 50 goes to the order that ends in 50
        ([10, 10, 10, 60], "ABCD", 36, 10, (6, 0, 0, 30)),  # the odd 6 adds to nobody twice
        ([3], "A", 0, 1, (0,)),
    ],
)  # fmt: skip
def test_rounding_by_hand(ordered, names, filled, step, expected) -> None:
    assert pro_rata(ordered, list(names), filled, step) == expected


@given(st.data())
def test_allocations_sum_to_the_fill_and_stay_within_a_step_of_their_share(data) -> None:
    step = data.draw(st.sampled_from([1, 10, 1000]))
    whole = st.integers(1, 500).map(lambda n: n * step)
    odd = st.integers(1, 500 * step)
    ordered = data.draw(st.lists(st.one_of(whole, whole, odd), min_size=1, max_size=12))
    names = data.draw(st.permutations([f"A{n:02d}" for n in range(len(ordered))]))
    filled = data.draw(st.integers(0, sum(ordered)))
    given_ = pro_rata(ordered, names, filled, step)
    assert sum(given_) == filled
    for asked, got in zip(ordered, given_, strict=True):
        assert 0 <= got <= asked
        assert abs(Fraction(asked * filled, sum(ordered)) - got) <= step
    assert pro_rata(ordered, names, sum(ordered), step) == tuple(ordered)
    # The accounts' places in the list do not matter, only their names.
    turned = list(range(len(ordered)))[::-1]
    again = pro_rata([ordered[i] for i in turned], [names[i] for i in turned], filled, step)
    assert [again[turned.index(i)] for i in range(len(ordered))] == list(given_)


@given(st.lists(st.integers(1, 400), min_size=1, max_size=8), st.integers(0, 3200))
def test_whole_orders_get_whole_steps_by_largest_remainder(ordered, filled) -> None:
    """A second, plain implementation: hand out the fill one step at a time to whoever lacks most."""
    filled = min(filled, sum(ordered))
    names = [f"A{n}" for n in range(len(ordered))]
    share = [Fraction(q * filled, sum(ordered)) for q in ordered]
    plain = [int(s) for s in share]
    for _ in range(filled - sum(plain)):
        lacking = min(
            (i for i in range(len(ordered)) if plain[i] == int(share[i])),
            key=lambda i: (-(share[i] - plain[i]), -ordered[i], names[i]),
        )
        plain[lacking] += 1
    assert pro_rata(ordered, names, filled, 1) == tuple(plain)


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**6), min_size=1, max_size=9).filter(any))
def test_money_is_split_to_the_cent(cents, units) -> None:
    names = [f"A{n}" for n in range(len(units))]
    parts = split_money(cents, units, names)
    assert sum(parts) == cents
    for part, each in zip(parts, units, strict=True):
        assert abs(part - Fraction(cents * each, sum(units))) < 1
        assert each or not part


@st.composite
def many_orders(draw: st.DrawFn) -> list[Order]:
    accounts = [f"{n:03d}" for n in range(draw(st.integers(1, 8)))]
    orders = []
    for account, symbol in itertools.product(accounts, ("AAA", "BBB", "FUND")):
        action = draw(st.sampled_from([None, Action.BUY, Action.SELL]))
        if action is None:
            continue
        places = 3 if symbol == "FUND" else 0
        quantity = D(draw(st.integers(1, 5000))).scaleb(-places)
        if action is Action.SELL and draw(st.booleans()):
            quantity += D("0.123456789") if places == 0 else D(0)
        limit = draw(st.sampled_from([None, D("49.5")]))
        orders.append(
            order(
                account,
                symbol,
                str(quantity),
                action,
                price=draw(st.sampled_from([50.0, 50.01])),
                custodian=draw(st.sampled_from(["Schwab", "Fidelity"])),
                step=D(1).scaleb(-places),
                order_type=OrderType.LIMIT if limit else OrderType.MARKET,
                limit_price=limit,
            )
        )
    return orders


@given(many_orders(), st.data())
def test_blocks_equal_the_sum_of_their_orders_and_allocations_the_fill(orders, data) -> None:
    blocks = built(orders)
    plain: dict[tuple, Decimal] = defaultdict(Decimal)
    for o in orders:
        plain[o.custodian, o.symbol, o.action, o.order_type, o.limit_price] += o.quantity
    assert plain == {
        (b.custodian, b.symbol, b.action, b.order_type, b.limit_price): b.quantity
        for b in blocks.blocks
    }
    by_key = {o.key: o for o in orders}
    full = [Fill(block=b.block, quantity=b.quantity, price=D("50.005")) for b in blocks.blocks]
    for a in blocks.allocate(full):
        assert (a.quantity, a.left) == (by_key[a.account, a.symbol].quantity, D(0))
    part = [
        Fill(block=b.block, quantity=filled, price=D("50.3333"))
        for b in blocks.blocks
        if (filled := D(data.draw(st.integers(0, int(b.quantity / b.step)))) * b.step)
    ]
    given_: dict[str, Decimal] = defaultdict(Decimal)
    money: dict[str, Decimal] = defaultdict(Decimal)
    for a in blocks.allocate(part):
        asked = by_key[a.account, a.symbol]
        assert 0 <= a.quantity <= asked.quantity
        assert a.action is asked.action
        given_[a.block] += a.quantity
        money[a.block] += a.amount
    assert given_ == {f.block: f.quantity for f in part}
    for fill in part:
        assert abs(money[fill.block] - fill.quantity * fill.price) <= D("0.005")


@given(many_orders(), st.randoms(use_true_random=False))
def test_chunks_and_their_order_change_nothing(orders, rnd: random.Random) -> None:
    shuffled = list(orders)
    rnd.shuffle(shuffled)
    cut = rnd.randint(0, len(shuffled))
    one, other = built(orders), built(shuffled[:cut], shuffled[cut:])
    assert one.blocks == other.blocks
    for block in one.blocks:
        assert list(one.orders_of(block.block)) == list(other.orders_of(block.block))


def test_fills_beyond_the_order_or_of_no_block_are_refused_together() -> None:
    blocks = built([order("A", "VTI", "10")])
    fills = [Fill(block="B0001", quantity=D(6), price=D(50)), Fill(block="B9999", quantity=D(1), price=D(1)),
             Fill(block="B0001", quantity=D(5), price=D(50))]  # fmt: skip
    with pytest.raises(
        PlanError, match=r"11 units are filled and 10 were ordered(?s:.*)no such block"
    ):
        blocks.allocate(fills)
    with pytest.raises(PlanError, match="is no fill"):
        Fill(block="B0001", quantity=D(0), price=D(50))


def test_nothing_makes_no_blocks() -> None:
    assert built([]).blocks == ()
    assert built().turnover.gross == 0


@given(st.integers(1, 10**7), st.sampled_from([1.0, 0.001, 0.01, 0.1, 5.0, 100.0]))
def test_whole_steps_carry_no_float_noise(steps: int, step: float) -> None:
    text = decimal_text(exact_quantity(steps * step, step))
    assert "e" not in text.casefold()
    assert D(text) == steps * D(repr(step))


def test_quantities_are_exact_decimals() -> None:
    assert exact_quantity(1234.5678, 1.0) == D("1234.5678")  # a full liquidation
    # A large fund position: the fraction is held, and one step more would be sold short.
    assert exact_quantity(5_000_000.0056, 0.01) == D("5000000.0056")
    assert exact_quantity(0.1 + 0.2, 0.1) == D("0.3")
    assert exact_quantity(1e6 / 3, 1.0) == D("333333.333333333")  # never more than is held
    assert decimal_text(D("1E+3")) == "1000"
    assert decimal_text(D("10.500")) == "10.5"
    with pytest.raises(PlanError, match="account A, VTI: 0 is no quantity"):
        order("A", "VTI", "0")
    with pytest.raises(PlanError, match="is no quantity"):
        order("A", "VTI", "2000000000")
