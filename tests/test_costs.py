"""What a trade costs, against the brief's figures and published laws."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_rebal.costs import CostModel, parse_costs
from xl_rebal.errors import CostError
from xl_rebal.portfolio.securities import Security


def cost(text: str, quantity: float, value: float, adv: float | None = None) -> float:
    return sum(parse_costs(text).parts(quantity, value, adv))


@pytest.mark.parametrize(
    ("text", "quantity", "value", "money"),
    [
        ("half-spread 10bp", 5_000, 500_000, 500.00),  # S046
        ("half-spread 0.10%", 5_000, 500_000, 500.00),
        ("spread 10bp", 2_000, 210_200, 105.10),  # S087: 10 bp quoted, one side pays half
        ("half-spread 5bp, commission 0", 2_000, 210_200, 105.10),
        ("spread 5bp", 2_000, 210_200, 52.55),  # S087, if 0.05% is the quoted full spread
        ("commission 4.95", 100, 10_000, 4.95),
        ("$4.95 per trade", 100, 10_000, 4.95),
        ("0.005 per share", 1_000, 10_000, 5.00),
        ("commission 1, 0.005 per share", 1_000, 10_000, 6.00),
        ("spread 10bp, commission 4.95, 0.005 per share", 100, 10_000, 5 + 4.95 + 0.5),
        ("0.005 per share, min commission 1", 10, 1_000, 1.00),
        ("0.005 per share; commission at most 5", 10_000, 1_000, 5.00),
        ("none", 10, 1_000, 0.0),
        ("", 10, 1_000, 0.0),
    ],
)
def test_costs_of_one_trade(text: str, quantity: float, value: float, money: float) -> None:
    assert cost(text, quantity, value) == pytest.approx(money, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "half"),
    [
        ("half-spread 5bp", 5e-4),
        ("half spread 5 bps", 5e-4),
        ("5bp half-spread", 5e-4),
        ("half-spread: 0.05%", 5e-4),
        ("half-spread = 5 basis points", 5e-4),
        ("Full Spread 10bp", 5e-4),
        ("quoted bid-ask spread of 10bp", 5e-4),
        ("10bp spread", 5e-4),
        ("0.10% quoted spread", 5e-4),
    ],
)
def test_full_and_half_are_never_mixed_up(text: str, half: float) -> None:
    model = parse_costs(text)
    assert model.half_spread == pytest.approx(half, abs=1e-15)
    assert "half-spread 5 bp of value (quoted spread 10 bp)" in model.in_words()


def test_market_impact_follows_the_square_root() -> None:
    # Barra 1997: impact grows with the root of the share of a day's volume; here 10 bp for all of it.
    text = "impact 10bp"
    assert cost(text, 1e6, 1e8, adv=1e6) == pytest.approx(1e8 * 1e-3)
    assert cost(text, 0.25e6, 1e8, adv=1e6) == pytest.approx(1e8 * 0.5e-3)
    assert cost(text, 0.01e6, 1e8, adv=1e6) == pytest.approx(1e8 * 0.1e-3)
    assert cost(text, 1e6, 1e8, adv=None) == 0.0
    assert "where ADV is known" in parse_costs(text).in_words()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("5bp", "'5bp' is not understood (is it the half-spread that one side pays, or the full"),
        ("0.05%", "is it the half-spread"),
        ("half-spread 5", "'half-spread 5' is not understood"),
        ("spread -5bp", "is not understood"),
        ("comission 5", "'comission 5' is not understood"),
        ("commission 10%", "is not understood"),
        ("half-spread 5bp, spread 10bp", "gives both a spread and a half-spread"),
        ("commission 1, commission 2", "gives the commission twice"),
        ("half-spread 60%", "a half-spread of 50% or more is not a cost"),
        ("min commission 5, max commission 1", "the largest commission is below the smallest"),
        ("half-spread nanbp", "is not understood"),
        ("spread 1e9bp", "is not understood"),
    ],
)
def test_what_is_refused_and_why(text: str, message: str) -> None:
    with pytest.raises(CostError) as caught:
        parse_costs(text)
    assert message in str(caught.value)
    assert "half-spread 5bp, commission 0" in caught.value.faults[0].remedy


def test_a_model_that_makes_no_sense_cannot_be_built() -> None:
    for bad in (-0.1, math.nan, math.inf):
        for name in ("half_spread", "commission", "per_share", "min_commission", "impact"):
            with pytest.raises(ValueError, match=name):
                CostModel(**{name: bad})
    with pytest.raises(ValueError, match="commission"):
        CostModel(max_commission=-1.0)


def test_without_costs_the_words_say_so() -> None:
    assert parse_costs("none").is_zero
    assert CostModel().in_words() == "no trading costs (all are zero)"
    assert parse_costs(
        "spread 10bp, commission 4.95, 0.005 per share, min commission 1"
    ).in_words() == (
        "half-spread 5 bp of value (quoted spread 10 bp), commission 4.95 a trade, 0.005 per share, "
        "commission at least 1"
    )


def test_a_securitys_own_spread_and_commission_come_first() -> None:
    model = parse_costs("spread 10bp, commission 4.95, 0.005 per share")
    assert model.for_security(Security(symbol="VTI")) is model
    wide = model.for_security(Security(symbol="HYG", spread_bps=40.0))  # quoted, so half is 20
    assert wide.parts(100, 10_000, None) == pytest.approx((5.45, 20.0, 0.0))
    fund = model.for_security(Security(symbol="VTSAX", spread_bps=0.0, commission=0.0))
    assert sum(fund.parts(100, 10_000, None)) == 0.0
    assert model.half_spread == 5e-4


@given(
    st.floats(0, 0.4), st.floats(0, 50), st.floats(0, 1), st.floats(0, 0.1),
    st.floats(0, 1e6), st.floats(0, 1e8), st.floats(1, 1e9),
)  # fmt: skip
def test_costs_agree_with_the_formula_and_grow_with_the_trade(
    half: float, fee: float, unit: float, impact: float, quantity: float, value: float, adv: float
) -> None:
    model = CostModel(half_spread=half, commission=fee, per_share=unit, impact=impact)
    plain = fee + unit * quantity + half * value + impact * (quantity / adv) ** 0.5 * value
    assert sum(model.parts(quantity, value, adv)) == pytest.approx(plain, rel=1e-12)
    assert sum(model.parts(2 * quantity, 2 * value, adv)) >= sum(model.parts(quantity, value, adv))


@given(st.text(max_size=30))
def test_any_text_is_costs_or_one_clear_refusal(text: str) -> None:
    try:
        model = parse_costs(text)
    except CostError:
        return
    assert 0 <= model.half_spread < 0.5
