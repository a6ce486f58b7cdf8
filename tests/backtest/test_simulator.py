"""The simulator against a plain day-by-day implementation, over thousands of random cases."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.backtest import plain
from tests.backtest.plain import PlainPolicy, PlainRule
from xl_rebal.backtest.prices import Market, Prices, align
from xl_rebal.backtest.settings import Settings
from xl_rebal.backtest.simulator import simulate
from xl_rebal.costs import CostModel
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.portfolio.targets import Target, Targets

NAMES = ("AAA", "BBB", "CCC", "DDD", "EEE")


def weekdays(first: dt.date, count: int) -> list[dt.date]:
    days = np.busday_offset(np.datetime64(first, "D"), np.arange(count), roll="forward")
    return [day.item() for day in days]


def market_of(dates: list[dt.date], rows: np.ndarray, weights: list[float]) -> Market:
    """A market of random prices; the last weight is cash's."""
    assets = rows.shape[1]
    items = [Target(asset_class=NAMES[k], target=weights[k]) for k in range(assets)]
    if weights[-1] > 0:
        items.append(Target(asset_class="Cash", target=weights[-1]))
    prices = Prices(
        dates=np.array(dates, dtype="datetime64[D]"), symbols=NAMES[:assets], values=rows
    )
    return align(prices, Targets(tuple(items)), accept_jumps=True)


BANDS = st.sampled_from(
    [
        ("0.2pp", 0.002, None),
        ("1pp", 0.01, None),
        ("3pp", 0.03, None),
        ("5pp", 0.05, None),
        ("10%rel", None, 0.10),
        ("20%rel", None, 0.20),
        ("5/25", 0.05, 0.25),
    ]
)
PERIODS = st.sampled_from(["daily", "weekly", "monthly", "quarterly", "semiannual", "annual"])


@st.composite
def triggers(draw: st.DrawFn) -> tuple[str, PlainRule]:
    kind = draw(st.sampled_from(["band", "band", "calendar", "every", "never"]))
    if kind == "band":
        text, absolute, relative = draw(BANDS)
        return text, PlainRule("band", absolute=absolute, relative=relative)
    if kind == "calendar":
        period, first = draw(PERIODS), draw(st.booleans())
        if period == "daily":
            first = False
        return f"{period}{' on first day' if first else ''}", PlainRule(
            "calendar", period=period, first=first
        )
    if kind == "every":
        days = draw(st.sampled_from([1, 2, 10, 21]))
        return f"every {days} days", PlainRule("every", days=days)
    return "never", PlainRule("never")


@st.composite
def policies(draw: st.DrawFn) -> tuple[str, PlainPolicy]:
    count = draw(st.sampled_from([1, 1, 2, 2, 3]))
    parts = [draw(triggers()) for _ in range(count)]
    joined = draw(st.sampled_from(["or", "and"]))
    policy = PlainPolicy([rule for _, rule in parts], joined=joined)
    text = f" {joined} ".join(text for text, _ in parts)
    if draw(st.booleans()):
        policy.beyond, text = True, f"{text} beyond"
    if any(rule.kind == "band" for rule in policy.rules):
        goal = draw(st.sampled_from(["target", "target", "halfway", "edge", "inner"]))
        policy.goal = goal
        text += {
            "target": "",
            "halfway": " to halfway",
            "edge": " to edge",
            "inner": " to 40% of band",
        }[goal]
        policy.share = 0.4
        if draw(st.booleans()):
            policy.breached_only, text = True, f"{text} breached only"
    elif draw(st.booleans()):
        policy.goal, text = "halfway", f"{text} to halfway"
    return text, policy


@st.composite
def cases(draw: st.DrawFn) -> tuple[Market, str, PlainPolicy]:
    assets = draw(st.integers(2, 5))
    days = draw(st.integers(2, 260))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sigma = draw(st.sampled_from([0.002, 0.01, 0.03]))
    steps = rng.standard_t(4, size=(days, assets)) * sigma * rng.uniform(0.3, 1.5, assets)
    rows = 50 * np.exp(np.cumsum(np.clip(steps, -0.4, 0.4), axis=0))
    raw = rng.dirichlet(np.full(assets + 1, 2.0))
    if draw(st.booleans()):
        raw[-1] = 0.0
    weights = np.round(raw / raw.sum(), 4)
    weights[0] += 1 - weights.sum()
    first = dt.date(2001, 1, 1) + dt.timedelta(days=int(rng.integers(0, 5000)))
    text, policy = draw(policies())
    return market_of(weekdays(first, days), rows, weights.tolist()), text, policy


def assert_same(
    market: Market, text: str, policy: PlainPolicy, *, rate: float, delay: int, cooldown: int
) -> None:
    chosen = Settings(costs=CostModel(half_spread=rate), delay=delay, cooldown=cooldown)
    ours = simulate(market, parse_policy(text), chosen)
    theirs = plain.run(
        [market.day(i) for i in range(len(market.dates))],
        market.price.T.tolist(),
        market.target.tolist(),
        policy,
        rate=rate,
        delay=delay,
        cooldown=cooldown,
    )
    assert ours.day.tolist() == theirs.days, text
    np.testing.assert_allclose(ours.value, theirs.values, rtol=1e-9, err_msg=text)
    np.testing.assert_allclose(ours.cost, theirs.costs, rtol=1e-9, atol=1e-6, err_msg=text)
    held = ours.units[ours.holding] * market.price.T
    theirs_held = np.array(theirs.units) * market.price.T
    np.testing.assert_allclose(held, theirs_held, rtol=1e-9, atol=1e-4, err_msg=text)


@settings(max_examples=2000)
@given(
    case=cases(),
    rate=st.sampled_from([0.0, 0.0005, 0.01]),
    delay=st.sampled_from([0, 0, 1]),
    cooldown=st.sampled_from([0, 0, 0, 7, 40]),
)
def test_it_agrees_with_the_plain_loop(
    case: tuple[Market, str, PlainPolicy], rate: float, delay: int, cooldown: int
) -> None:
    market, text, policy = case
    assert_same(market, text, policy, rate=rate, delay=delay, cooldown=cooldown)


@settings(max_examples=300)
@given(case=cases(), rate=st.sampled_from([0.0, 0.002]))
def test_money_is_neither_made_nor_lost(case: tuple[Market, str, PlainPolicy], rate: float) -> None:
    market, text, _ = case
    run = simulate(market, parse_policy(text), Settings(costs=CostModel(half_spread=rate)))
    price = market.price[:, run.day].T
    before, after = (run.before * price).sum(axis=1), (run.after * price).sum(axis=1)
    np.testing.assert_allclose(before - after, run.cost, rtol=1e-9, atol=1e-6)
    moved = np.abs((run.after - run.before)[:, :-1] * price[:, :-1]).sum(axis=1)
    np.testing.assert_allclose(run.cost, rate * moved, rtol=1e-9, atol=1e-6)
    assert np.all(run.after >= -1e-9 * np.abs(run.after).max(initial=1.0))


@pytest.mark.parametrize(
    "parts", [("5pp", "quarterly"), ("3pp", "annual"), ("20%rel", "every 10 days")]
)
def test_or_never_trades_less_than_either_part(parts: tuple[str, str]) -> None:
    rng = np.random.default_rng(7)
    for _ in range(20):
        rows = 100 * np.exp(np.cumsum(rng.normal(0, 0.012, size=(1500, 2)), axis=0))
        market = market_of(weekdays(dt.date(2010, 1, 4), 1500), rows, [0.6, 0.4, 0.0])
        joined = simulate(market, parse_policy(" or ".join(parts)))
        for part in parts:
            assert len(joined.day) >= len(simulate(market, parse_policy(part)).day)
