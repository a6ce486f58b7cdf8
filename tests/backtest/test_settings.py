"""Costs, flows, whole shares, delays, given holdings and changing targets, worked by hand."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest

from tests.backtest.test_simulator import market_of, weekdays
from xl_rebal.backtest.destinations import to_target
from xl_rebal.backtest.metrics import never
from xl_rebal.backtest.prices import Market, Prices, align
from xl_rebal.backtest.settings import Flow, Settings
from xl_rebal.backtest.simulator import simulate
from xl_rebal.costs import CostModel
from xl_rebal.errors import TableError
from xl_rebal.portfolio.policies import Calendar, Frequency
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.portfolio.targets import Target, Targets

MONTHLY = Calendar(frequency=Frequency.MONTHLY)


def market(
    *rows: tuple[float, float], weights: tuple[float, float, float] = (0.6, 0.4, 0.0)
) -> Market:
    return market_of(
        weekdays(dt.date(2020, 1, 1), len(rows)), np.array(rows, dtype=float), list(weights)
    )


def random_market(seed: int, days: int = 600) -> Market:
    rng = np.random.default_rng(seed)
    rows = 37.5 * np.exp(np.cumsum(rng.normal(0, 0.015, size=(days, 2)), axis=0))
    return market_of(weekdays(dt.date(2018, 3, 1), days), rows, [0.6, 0.4, 0.0])


def test_the_sum_in_the_docstring() -> None:
    value, cost = to_target([700.0, 300.0, 0.0], [0.6, 0.4, 0.0], 0.01)
    assert sum(value) == pytest.approx(996 / 0.998)
    assert cost == pytest.approx(0.01 * (101.202404810 + 99.198396794))
    assert value[0] / sum(value) == pytest.approx(0.6, abs=1e-15)


def test_two_assets_by_hand() -> None:
    """600,000 doubles: 75/25; back to 60/40 of 1,600,000 sells 240,000 at no cost."""
    run = simulate(market((1, 1), (2, 1), (2, 1)), parse_policy("5pp"))
    assert run.value.tolist() == pytest.approx([1e6, 1.6e6, 1.6e6])
    (row,) = run.rebalances()
    assert row["date"] == "2020-01-02"
    assert row["asset_class"] == "AAA"
    assert row["drift_before"] == pytest.approx(0.15)
    assert [(t["symbol"], t["action"], round(t["value"])) for t in row["trades"]] == [
        ("AAA", "SELL", 240000),
        ("BBB", "BUY", 240000),
    ]
    assert row["turnover"] == pytest.approx(0.15)
    assert row["rule"] == "band of 5 percentage points"


def test_the_band_is_reached_at_its_edge_and_beyond_is_past_it() -> None:
    # 60 -> 78, 40 -> 42: 78 / 120 is 65% exactly.
    edge = market((60, 40), (78, 42), (78, 42))
    assert len(simulate(edge, parse_policy("5pp")).day) == 1
    assert len(simulate(edge, parse_policy("5pp beyond")).day) == 0


def test_the_next_close_trades_a_day_later() -> None:
    moving = market((1, 1), (2, 1), (1.5, 1), (1.5, 1))
    run = simulate(moving, parse_policy("5pp"), Settings(delay=1))
    assert run.fired.tolist() == [1]
    assert run.day.tolist() == [2]
    assert run.value[2] == pytest.approx(1.3e6)
    late = market((1, 1), (1, 1), (2, 1))
    assert len(simulate(late, parse_policy("5pp"), Settings(delay=1)).day) == 0


def test_whole_shares_never_overspend_and_stay_whole() -> None:
    for seed in range(10):
        run = simulate(
            random_market(seed),
            parse_policy("2pp"),
            Settings(
                whole_shares=True,
                holdings={"AAA": 160, "BBB": 107, "Cash": 12.5},
                costs=CostModel(half_spread=0.001),
            ),
        )
        assert len(run.day) > 3
        assert np.all(run.units[:, :2] == np.round(run.units[:, :2]))
        assert np.all(run.units[:, 2] >= -1e-9)
        # Never past the target by a share or more.
        price = run.market.price[:, run.day].T
        off = np.abs(
            run.after * price - run.market.target * (run.after * price).sum(axis=1)[:, None]
        )
        assert np.all(off[:, :2] <= price[:, :2] * 1.01 + 1)


def test_small_trades_are_not_made() -> None:
    run = simulate(random_market(1), parse_policy("daily"), Settings(min_trade=8000.0))
    moved = np.abs(run.traded[:, :2])
    assert 0 < len(run.day) < 500
    assert np.all((moved >= 8000 - 1e-6) | (moved == 0))


def test_a_fixed_commission_is_paid_for_each_trade() -> None:
    run = simulate(
        random_market(2),
        parse_policy("5pp"),
        Settings(costs=CostModel(commission=10.0, half_spread=0.001)),
    )
    moved = np.abs(run.traded[:, :2])
    np.testing.assert_allclose(run.cost, 20 + 0.001 * moved.sum(axis=1), rtol=1e-9)
    weights = run.after * run.market.price[:, run.day].T
    np.testing.assert_allclose(
        weights / weights.sum(axis=1)[:, None], [[0.6, 0.4, 0.0]] * len(run.day), atol=1e-9
    )


def test_contributions_buy_what_is_underweight_and_do_not_count_as_return() -> None:
    base = random_market(3)
    flows = (Flow(amount=20_000.0, when=MONTHLY),)
    with_flows = simulate(base, parse_policy("5pp"), Settings(flows=flows))
    without = simulate(base, parse_policy("5pp"))
    days = np.flatnonzero(with_flows.flow)
    assert (
        len(days)
        == len({(base.day(d).year, base.day(d).month) for d in range(1, len(base.dates))}) - 1
    )
    assert len(with_flows.day) <= len(without.day)
    for day in days.tolist():
        before, after = with_flows.opening[:, day], with_flows.weights[:, day]
        if day not in with_flows.day.tolist():
            assert (
                np.abs(after[:2] - [0.6, 0.4]).max()
                <= np.abs(before[:2] - [0.6, 0.4]).max() + 1e-12
            )
    # Value grows by returns and flows only.
    held = (with_flows.units[with_flows.holding[:-1]] * base.price[:, 1:].T).sum(axis=1)
    np.testing.assert_allclose(with_flows.value[1:], held + with_flows.flow[1:], rtol=1e-12)
    np.testing.assert_allclose(
        with_flows.returns, held / with_flows.value[:-1] - 1, rtol=1e-9, atol=1e-12
    )


def test_a_withdrawal_sells_the_most_overweight_first() -> None:
    run = simulate(
        market((1, 1), (2, 1), (2, 1)),
        parse_policy("never"),
        Settings(flows=(Flow(amount=-100_000, when=dt.date(2020, 1, 2)),)),
    )
    # 1,200,000 and 400,000; 100,000 come from the first alone.
    assert (run.units[-1] * [2, 1, 1]).tolist() == pytest.approx([1_100_000, 400_000, 0], abs=1e-6)
    assert run.value[-1] == pytest.approx(1_500_000)
    with pytest.raises(TableError, match="a withdrawal of 2,000,000"):
        simulate(
            market((1, 1), (1, 1)),
            parse_policy("never"),
            Settings(flows=(Flow(amount=-2e6, when=dt.date(2020, 1, 2)),)),
        )


def test_given_cash_is_money_where_the_file_prices_cash() -> None:
    made = align(
        Prices(
            dates=np.array(["2024-01-01", "2024-01-02"], dtype="datetime64[D]"),
            symbols=("AAA", "Cash"),
            values=np.array([[10.0, 80.0], [11.0, 80.4]]),
        ),
        Targets(
            items=(Target(asset_class="AAA", target=0.6), Target(asset_class="Cash", target=0.4))
        ),
    )
    run = simulate(made, parse_policy("never"), Settings(holdings={"AAA": 10, "Cash": 400}))
    assert run.value.tolist() == pytest.approx([500.0, 110 + 400 * 80.4 / 80])
    assert never(run).tolist() == pytest.approx([1.0, (110 + 402) / 500])


def test_given_holdings_are_kept_until_the_rule_fires() -> None:
    run = simulate(
        market((10, 20), (10, 20), (10, 20)),
        parse_policy("5pp"),
        Settings(holdings={"aaa": 100, "Cash": 500.0}),
    )
    assert run.value.tolist() == pytest.approx([1500, 1500, 1500])
    assert run.day.tolist() == [1]
    assert run.units[-1].tolist() == pytest.approx([90, 30, 0])
    for bad in ({"ZZZ": 1.0}, {"AAA": -1.0}, {"AAA": math.nan}, {"AAA": 0.0}):
        with pytest.raises(TableError, match="holdings"):
            simulate(market((1, 1), (1, 1)), parse_policy("5pp"), Settings(holdings=bad))


def test_targets_may_change_and_the_rule_decides_when_to_follow() -> None:
    flat = market(*[(1, 1)] * 10)
    other = Targets((Target(asset_class="AAA", target=0.3), Target(asset_class="BBB", target=0.7)))
    settings = Settings(changes=((dt.date(2020, 1, 6), other),))
    run = simulate(flat, parse_policy("5pp"), settings)
    assert [run.market.day(d).isoformat() for d in run.day.tolist()] == ["2020-01-06"]
    assert run.weights[:, -1].tolist() == pytest.approx([0.3, 0.7, 0.0])
    assert run.weights[:, 2].tolist() == pytest.approx([0.6, 0.4, 0.0])
    assert len(simulate(flat, parse_policy("never"), settings).day) == 0
    unknown = Targets((Target(asset_class="ZZZ", target=1.0),))
    with pytest.raises(TableError, match="they name ZZZ"):
        simulate(flat, parse_policy("5pp"), Settings(changes=((dt.date(2020, 1, 6), unknown),)))


def test_a_cooldown_counts_trading_days() -> None:
    run = simulate(random_market(4), parse_policy("0.5pp"), Settings(cooldown=15))
    assert np.diff(run.day).min() >= 15
    assert run.day[0] >= 15


def test_the_end_of_a_file_is_a_period_end_only_when_the_period_is_over() -> None:
    rows = np.array([[1 + 0.01 * i, 1.0] for i in range(43)])
    whole = market_of(weekdays(dt.date(2020, 1, 1), 43), rows, [0.6, 0.4, 0.0])
    assert whole.day(-1) == dt.date(
        2020, 2, 28
    )  # Friday: the month's last weekday, but not its last day
    assert [whole.day(d).day for d in simulate(whole, parse_policy("monthly")).day.tolist()] == [
        31,
        28,
    ]
    cut = market_of(weekdays(dt.date(2020, 1, 1), 42), rows[:42], [0.6, 0.4, 0.0])
    assert [cut.day(d).day for d in simulate(cut, parse_policy("monthly")).day.tolist()] == [31]


@pytest.mark.parametrize(
    "wrong",
    [
        {"delay": 2},
        {"start_value": 0.0},
        {"min_trade": -1.0},
        {"cooldown": -1},
        {"risk_free": 2.0},
        {"costs": CostModel(impact=0.1)},
    ],
)
def test_settings_are_valid_at_birth(wrong: dict) -> None:
    with pytest.raises(ValueError):
        Settings(**wrong)


def test_a_rule_that_finds_nothing_to_trade_is_no_rebalancing() -> None:
    flat = market(*[(1, 1)] * 70)
    for text in ("monthly", "daily", "every 10 days", "monthly to halfway"):
        assert len(simulate(flat, parse_policy(text)).day) == 0


def test_the_first_purchase_of_whole_shares_leaves_the_rest_in_cash() -> None:
    run = simulate(market((7, 11), (7, 11)), parse_policy("never"), Settings(whole_shares=True))
    assert run.units[0].tolist() == pytest.approx([85714, 36363, 1e6 - 85714 * 7 - 36363 * 11])
