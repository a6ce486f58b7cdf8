"""Models of models: sums worked by hand, a matrix product as oracle, and what is refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_rebal.errors import TargetError
from xl_rebal.portfolio.models import targets_from_rows
from xl_rebal.portfolio.targets import Target


def rows(text: str) -> list[dict[str, Any]]:
    """`Growth: Stocks 80%, Bonds 20%; Mix: Growth 60%, fixed Cash 5%`, a row for each part."""
    found: list[dict[str, Any]] = []
    for model in text.split(";"):
        name, _, parts = model.partition(":")
        for part in parts.split(","):
            *words, weight = part.split()
            kind = words.pop(0) if words[0] in {"fixed", "tilt", "model", "odd"} else ""
            row = {"model": name.strip(), "asset_class": " ".join(words), "target": weight}
            found.append({**row, "kind": kind, "table": "models.csv", "row": len(found) + 2})
    return found


def weights(text: str, model: str) -> dict[str, float]:
    return {t.asset_class: t.target for t in targets_from_rows(rows(text))[model].items}


TWO = "Growth: Stocks 80%, Bonds 20%; Income: Stocks 30%, Bonds 70%;"


def test_a_blend_adds_up_its_parts() -> None:
    # 0.6 x 80% + 0.4 x 30% = 60% and 0.6 x 20% + 0.4 x 70% = 40%.
    assert weights(f"{TWO} Mix: Growth 60%, Income 40%", "Mix") == pytest.approx(
        {"Stocks": 0.6, "Bonds": 0.4}
    )


def test_a_hierarchy_is_worked_out_from_below_in_any_order() -> None:
    text = (
        "Top: Equity 60%, Debt 38%, Cash 2%; Equity: Home 70%, Stocks/International 30%; "
        "Home: Stocks/US/Large 75%, Stocks/US/Small 25%; Debt: Bonds/US 100%"
    )
    assert weights(text, "Top") == pytest.approx(
        {
            "Stocks/US/Large": 0.6 * 0.7 * 0.75,
            "Stocks/US/Small": 0.6 * 0.7 * 0.25,
            "Stocks/International": 0.6 * 0.3,
            "Bonds/US": 0.38,
            "Cash": 0.02,
        }
    )


def test_the_rest_is_scaled_around_what_is_fixed() -> None:
    # 60/40 scaled to 95%: 57% and 38%.
    fixed = {"Stocks": 0.57, "Bonds": 0.38, "Cash": 0.05}
    assert weights("Mix: Stocks 60%, Bonds 40%, fixed Cash 5%", "Mix") == pytest.approx(fixed)
    # Written out to 100% it is the same model.
    assert weights("Mix: Stocks 57%, Bonds 38%, fixed Cash 5%", "Mix") == pytest.approx(fixed)
    # What the rest holds of it gives way: 78/20 of Growth's 98 are scaled to 90%.
    text = "Growth: Stocks 78%, Bonds 20%, Cash 2%; Mine: Growth 100%, fixed Cash 10%"
    assert weights(text, "Mine") == pytest.approx(
        {"Stocks": 0.9 * 78 / 98, "Bonds": 0.9 * 20 / 98, "Cash": 0.1}
    )


def test_a_sleeve_of_another_model_can_be_fixed() -> None:
    assert weights(f"{TWO} Mix: Real Estate 100%, fixed Income 50%", "Mix") == pytest.approx(
        {"Real Estate": 0.5, "Stocks": 0.15, "Bonds": 0.35}
    )


def test_tilts_are_percentage_points_on_top() -> None:
    text = f"{TWO} Mix: Growth 100%, tilt Stocks -5%, tilt Real Estate +5%"
    assert weights(text, "Mix") == pytest.approx(
        {"Stocks": 0.75, "Bonds": 0.2, "Real Estate": 0.05}
    )
    # A tilt towards one model and away from another: +10% of 80/20, -10% of 30/70.
    text = f"{TWO} Mix: Growth 50%, Income 50%, tilt Growth 10%, tilt Income -10%"
    assert weights(text, "Mix") == pytest.approx({"Stocks": 0.6, "Bonds": 0.4})


def test_the_example_of_the_documents() -> None:
    text = f"{TWO} Balanced: Growth 60%, Income 40%, fixed Cash 5%, tilt Stocks -2%, tilt Bonds 2%"
    assert weights(text, "Balanced") == pytest.approx({"Stocks": 0.55, "Bonds": 0.4, "Cash": 0.05})


def test_numbers_without_a_percent_sign_are_read_alike() -> None:
    for text in ("Mix: Stocks 60, Bonds 40, tilt Stocks 5, tilt Bonds -5",
                 "Mix: Stocks 0.6, Bonds 0.4, tilt Stocks 0.05, tilt Bonds -0.05"):  # fmt: skip
        assert weights(text, "Mix") == pytest.approx({"Stocks": 0.65, "Bonds": 0.35})


def banded(text: str, **bands: dict[str, float]) -> list[dict[str, Any]]:
    return [{**row, **bands.get(f"{row['model']}_{row['asset_class']}", {})} for row in rows(text)]


def test_bands_come_along_scaled_like_their_sleeve() -> None:
    table = banded(
        "Growth: Stocks 80%, Bonds 20%; Mix: Growth 60%, Cash 40%",
        Growth_Stocks={"band_abs": 0.05, "band_rel": 0.2, "min": 0.7, "max": 0.9},
    )
    stocks = targets_from_rows(table)["Mix"].items[0]
    assert stocks.target == pytest.approx(0.48)
    assert (stocks.band_abs, stocks.min, stocks.max) == pytest.approx((0.03, 0.42, 0.54))
    assert stocks.band_rel == 0.2


def test_of_two_parts_bands_add_up_where_both_have_one() -> None:
    text = f"{TWO} Mix: Growth 50%, Income 50%"
    both = {
        "Growth_Stocks": {"band_abs": 0.05, "band_rel": 0.2},
        "Income_Stocks": {"band_abs": 0.03, "band_rel": 0.3},
    }
    stocks = targets_from_rows(banded(text, **both))["Mix"].items[0]
    assert stocks.band_abs == pytest.approx(0.04)
    assert stocks.band_rel == 0.2
    one = {"Growth_Stocks": {"band_abs": 0.05}}
    assert targets_from_rows(banded(text, **one))["Mix"].items[0].band_abs is None


def test_a_models_own_band_comes_before_those_of_its_parts() -> None:
    table = banded(
        "Growth: Stocks 80%, Bonds 20%; Mix: Growth 100%, Stocks 0%",
        Growth_Stocks={"band_abs": 0.05},
        Mix_Stocks={"band_abs": 0.02},
    )
    assert targets_from_rows(table)["Mix"].items[0] == Target(
        asset_class="Stocks", target=0.8, band_abs=0.02
    )


def test_a_row_that_names_its_own_model_is_a_class() -> None:
    assert weights("Cash: Cash 100%; Mix: Stocks 90%, Cash 10%", "Mix") == pytest.approx(
        {"Stocks": 0.9, "Cash": 0.1}
    )
    assert weights("Stocks: Stocks 100%", "Stocks") == {"Stocks": 1.0}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("A: B 100%; B: C 100%; C: A 100%", r"in a circle: A > B > C > A"),
        (f"{TWO} Mix: Growht 60%, Income 40%", r"row 6, column asset_class: 'Growht'.*nearly.*'Growth'"),
        (f"{TWO} Mix: model Value 60%, Income 40%", r"'Value' is no other model.*Growth, Income"),
        (f"{TWO} Mix: Growth 60%, Income 30%", r"model Mix: the weights sum to 90%, not 100%"),
        ("Mix: Stocks 60%, Bonds 30%, fixed Cash 5%", r"sum to 90% beside 5% that is fixed"),
        (f"{TWO} Mix: Growth 100%, tilt Stocks 5%", r"the tilts sum to \+5%, not 0%"),
        (f"{TWO} Mix: Growth 100%, tilt Bonds -25%, tilt Stocks 25%", r"leave Bonds at -5%"),
        (f"{TWO} Mix: Growth 100%, odd Stocks 5%", r"column kind: 'odd' is not known"),
        (f"{TWO} Mix: Growth 150%, Income -50%", r"column target: weight 150% is outside"),
        (f"{TWO} Mix: Growth 100%, fixed Cash 60%, fixed Gold 60%", r"120% is fixed"),
        ("Mix: Stocks 60%, Stocks/US 40%; B: Mix 100%", r"already covers Stocks/US"),
        (f"{TWO} Mix: Growth 50%, Stocks/US 50%", r"already covers Stocks/US"),
    ],
)  # fmt: skip
def test_what_does_not_work_is_refused_by_name(text: str, said: str) -> None:
    with pytest.raises(TargetError, match=said) as error:
        targets_from_rows(rows(text))
    assert all(fault.remedy for fault in error.value.faults)


def test_the_faults_of_all_models_are_said_together_and_each_once() -> None:
    text = "A: Stocks 50%; B: A 100%; C: Bonds 60%, Cash 30%; D: E 100%; E: D 100%; F: Gold x"
    with pytest.raises(TargetError) as error:
        targets_from_rows(rows(text))
    said = [str(fault) for fault in error.value.faults]
    assert len(said) == 4
    for part in (
        "D > E > D",
        "'x' is not a number",
        "model A: the weights",
        "model C: the weights",
    ):
        assert sum(part in text for text in said) == 1, part


CLASSES = ("Stocks", "Bonds", "Real Estate", "Gold")
simplex = st.lists(st.integers(0, 20), min_size=4, max_size=4).filter(lambda parts: sum(parts) > 0)


@given(
    leaves=st.lists(simplex, min_size=1, max_size=4),
    mixes=st.lists(st.lists(st.integers(0, 9), min_size=8, max_size=8), max_size=4),
)
def test_a_matrix_product_says_the_same(leaves: list[list[int]], mixes: list[list[int]]) -> None:
    """Models of classes first, then models of all that stand before them."""
    table: list[dict[str, Any]] = []
    known: list[np.ndarray] = []

    def add(name: str, parts: list[tuple[str, float]]) -> None:
        for what, weight in parts:
            row = {"model": name, "asset_class": what, "target": f"{weight * 100:.12f}%"}
            table.append({**row, "row": len(table) + 2})

    for number, parts in enumerate(leaves):
        share = np.array(parts) / sum(parts)
        known.append(share)
        add(f"M{number}", list(zip(CLASSES, share.tolist(), strict=True)))
    for parts in mixes:
        use = parts[: len(known)]
        if not sum(use):
            continue
        share = np.array(use) / sum(use)
        add(f"M{len(known)}", [(f"M{n}", w) for n, w in enumerate(share.tolist())])
        known.append(share @ np.array(known))
    found = targets_from_rows(table[::-1])
    for number, wanted in enumerate(known):
        items = {t.asset_class: t.target for t in found[f"M{number}"].items}
        assert [items.get(name, 0.0) for name in CLASSES] == pytest.approx(
            wanted.tolist(), abs=1e-9
        )
