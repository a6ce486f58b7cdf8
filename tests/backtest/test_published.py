"""Figures that others published or measured, reproduced on the same data."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from tests.backtest import histories
from xl_rebal.backtest.drawdowns import drawdown_study
from xl_rebal.backtest.metrics import summary
from xl_rebal.backtest.settings import Settings
from xl_rebal.backtest.simulator import simulate
from xl_rebal.costs import CostModel
from xl_rebal.portfolio.policy_text import parse_policy

# published_tables.md, section 1: Vanguard 2010 on the French data. Events, average equity %, volatility %.
VANGUARD = {
    "monthly": (1002, 60.1, 11.83, 11.2, 8.32),
    "monthly and 1pp": (408, 60.1, 11.84, 9.0, 8.34),
    "monthly and 5pp": (61, 61.1, 11.87, 4.3, 8.45),
    "monthly and 10pp": (20, 62.7, 12.08, 2.6, 8.55),
    "quarterly and 1pp": (210, 60.2, 11.89, 6.8, 8.49),
    "quarterly and 5pp": (51, 61.3, 11.95, 4.2, 8.57),
    "quarterly and 10pp": (18, 63.2, 12.12, 2.5, 8.54),
    "annual and 1pp": (75, 60.6, 11.66, 4.1, 8.46),
    "annual and 5pp": (34, 61.3, 11.70, 3.1, 8.44),
    "annual and 10pp": (15, 63.1, 11.82, 2.3, 8.56),
    "never": (0, 85.7, 14.43, 0.0, 8.97),
}


@pytest.mark.parametrize("text", VANGUARD)
def test_vanguard_2010(shared_data: Path, text: str) -> None:
    events, equity, volatility, turnover, cagr = VANGUARD[text]
    market = histories.monthly(
        shared_data, histories.FRENCH, start=dt.date(1926, 6, 30), end=dt.date(2009, 12, 31)
    )
    assert len(market.dates) == 1003  # the 1,002 months and the day on which the first begins
    run = simulate(market, parse_policy(text))
    figures = summary(run)
    assert figures["rebalances"] == pytest.approx(events, abs=3)
    assert run.weights[0].mean() * 100 == pytest.approx(equity, abs=0.15)
    assert figures["volatility"] * 100 == pytest.approx(volatility, abs=0.02)
    assert figures["turnover"] * 100 == pytest.approx(turnover, abs=0.1)
    assert figures["cagr"] * 100 == pytest.approx(cagr, abs=0.02)


@pytest.mark.parametrize(
    ("year", "recovery", "trough"), [(2000, 2.0, -5.5), (2007, 2.8, -6.5), (2020, 1.6, 0.0)]
)
def test_the_drawdown_study(shared_data: Path, year: int, recovery: float, trough: float) -> None:
    market = histories.monthly(shared_data, histories.SHILLER)
    study = drawdown_study(market, parse_policy("5pp"), histories.SHILLER)
    (row,) = [each.row() for each in study if each.row()["peak"].startswith(str(year))]
    assert row["gain_at_recovery"] * 100 == pytest.approx(recovery, abs=0.5)
    assert row["gain_at_trough"] * 100 == pytest.approx(trough, abs=0.5)
    assert row["peak"] < row["trough"] < row["recovery"]
    assert row["worst_gain"] <= row["gain_at_trough"]


# Measured here on the ETF file from the first common day to its end, with 5 bp a trade: pinned so that a
# change is noticed. Rebalances, one-way turnover a year, cost in bp a year.
MEASURED = {
    ("60% SPY, 40% AGG", "3pp"): (37, 0.0546, 0.546),
    ("60% SPY, 40% AGG", "5pp"): (17, 0.0399, 0.399),
    ("60% SPY, 40% AGG", "7pp"): (9, 0.0291, 0.291),
    ("60% SPY, 40% AGG", "10pp"): (5, 0.0232, 0.232),
    ("40% SPY, 20% EFA, 30% AGG, 10% VNQ", "3pp"): (34, 0.0557, 0.557),
    ("40% SPY, 20% EFA, 30% AGG, 10% VNQ", "5pp"): (13, 0.0341, 0.341),
    ("40% SPY, 20% EFA, 30% AGG, 10% VNQ", "7pp"): (9, 0.0315, 0.315),
    ("40% SPY, 20% EFA, 30% AGG, 10% VNQ", "10pp"): (5, 0.0247, 0.247),
}


@pytest.mark.parametrize(("targets", "text"), MEASURED)
def test_the_etf_file(shared_data: Path, targets: str, text: str) -> None:
    market = histories.etf(shared_data, targets)
    figures = summary(simulate(market, parse_policy(text), five_bp()))
    events, turnover, cost = MEASURED[targets, text]
    assert figures["rebalances"] == events
    assert figures["turnover"] == pytest.approx(turnover, abs=1e-4)
    assert figures["cost_bps"] == pytest.approx(cost, abs=1e-3)
    # Cost is turnover x two sides x 5 bp (S036), and "3 to 4 a year at 5 pp" is not what happens.
    assert figures["cost_bps"] == pytest.approx(turnover * 2 * 5, abs=2e-3)
    if text == "5pp":
        assert 0.5 < figures["rebalances_per_year"] < 1


@pytest.mark.parametrize("targets", ["60% SPY, 40% AGG", "40% SPY, 20% EFA, 30% AGG, 10% VNQ"])
@pytest.mark.parametrize("calendar", ["monthly", "quarterly", "annual"])
def test_or_costs_more_and_and_costs_less(shared_data: Path, targets: str, calendar: str) -> None:
    market = histories.etf(shared_data, targets)

    def events(text: str) -> int:
        return len(simulate(market, parse_policy(text), five_bp()).day)

    assert events(f"{calendar} or 5pp") >= max(events(calendar), events("5pp"))
    assert events(f"{calendar} and 5pp") <= min(events(calendar), events("5pp"))


def test_the_premium_is_not_the_gain_over_never(shared_data: Path) -> None:
    """S039: the diversification return is positive where rebalancing lost against buy and hold."""
    market = histories.monthly(shared_data, histories.SHILLER)
    figures = summary(simulate(market, parse_policy("5pp")))
    assert figures["diversification_return"] > 0
    assert figures["premium_estimate"] > 0
    assert figures["gain_over_never"] * 100 == pytest.approx(-0.94, abs=0.2)


def five_bp() -> Settings:
    return Settings(costs=CostModel(half_spread=0.0005))
