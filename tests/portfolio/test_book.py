"""The book: every holding has a class, every class a target, every account a model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_rebal.errors import ClassificationError, TableError, TargetError
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.book import ALL_TOGETHER, Book, classify, target_of, together
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.restrictions import Restriction, Rule
from xl_rebal.portfolio.securities import Security
from xl_rebal.portfolio.targets import parse_targets

MIX = parse_targets("60% stocks, 40% bonds")


def holdings(*rows: tuple[str, str, float], **extra: Any) -> Holdings:
    return Holdings.from_rows(
        {"account": a, "symbol": s, "quantity": q, "price": 1.0, **extra} for a, s, q in rows
    )


def book(held: Holdings | None = None, **fields: Any) -> Book:
    held = classify(holdings(("A", "VTI", 60), ("A", "BND", 40))) if held is None else held
    return Book(**{"holdings": held, "models": {"": MIX}, **fields})


def test_the_users_map_comes_first_then_the_table_then_the_file_then_what_ships() -> None:
    rows = [("VTI", ""), ("BND", "Stocks/Odd"), ("VNQ", ""), ("VXUS", "")]
    held = Holdings.from_rows(
        {"account": "A", "symbol": s, "quantity": 1, "price": 1, "asset_class": c} for s, c in rows
    )
    found = classify(
        held,
        class_map={"vti": "my stocks"},
        securities={
            "VTI": Security(symbol="VTI", asset_class="Loses"),
            "VNQ": Security(symbol="VNQ", asset_class="Alternatives"),
        },
    )
    assert found.asset_class.tolist() == [
        "My stocks",
        "Stocks/Odd",
        "Alternatives",
        "Stocks/International",
    ]
    assert held.asset_class.tolist() == ["", "Stocks/Odd", "", ""]  # the input stays


def test_unknown_symbols_are_listed_at_once_and_never_guessed() -> None:
    with pytest.raises(ClassificationError) as caught:
        classify(holdings(("A", "AAPL", 1), ("B", "ZZZ", 1), ("B", "AAPL", 1), ("B", "VTI", 1)))
    message = str(caught.value)
    assert "2 symbols have no asset class: AAPL, ZZZ" in message
    assert "--map classes.csv (for example a line `AAPL,Stocks/US`)" in message


def test_a_target_that_names_the_symbol_needs_no_class() -> None:
    targets = parse_targets("60% AAPL, 40% bonds")
    held = classify(holdings(("A", "aapl", 60), ("A", "BND", 40)), targets=[targets])
    made = book(held, models={"": targets})
    assert target_of("aapl", "", made.models[""]) == "aapl"
    assert target_of("AAPL", "Stocks/US", MIX) == "Stocks"


def test_a_target_takes_the_spelling_of_the_symbol_that_is_held() -> None:
    typed = parse_targets("60% zzzq, 40% bonds")
    held = classify(holdings(("A", "ZZZQ", 60), ("A", "BND", 40)), targets=[typed])
    assert book(held, models={"": typed}).models[""].classes == ("ZZZQ", "Bonds")
    assert typed.classes == ("Zzzq", "Bonds")
    # Gold is the metal here, whatever else trades under that symbol.
    metal = parse_targets("60% stocks, 40% gold")
    mine = classify(
        holdings(("A", "VTI", 60), ("A", "GOLD", 40)), class_map={"GOLD": "Commodities/Gold"}
    )
    assert book(mine, models={"": metal}).models[""] is metal


def test_cash_and_excluded_need_no_target() -> None:
    assert target_of("CASH", "Cash", MIX) == "Cash"
    assert target_of("X", "Excluded/Legacy", MIX) == "Excluded"
    assert target_of("GLD", "Commodities/Gold", MIX) is None


def test_a_held_class_without_a_target_is_refused_with_both_remedies() -> None:
    with pytest.raises(TargetError) as caught:
        book(classify(holdings(("A", "VTI", 1), ("A", "GLD", 1), ("A", "VNQ", 1))))
    assert len(caught.value.faults) == 2
    message = str(caught.value)
    assert "no target covers class 'Commodities/Gold', held as GLD" in message
    assert '"0% Commodities/Gold" sells it' in message


def test_pending_activity_needs_no_class() -> None:
    pending = holdings(("A", "", -100.0), kind="pending")
    held = classify(Holdings.concat([holdings(("A", "VTI", 1)), pending]))
    assert held.asset_class.tolist() == ["Stocks/US", ""]


def test_models_per_account() -> None:
    held = classify(holdings(("A", "VTI", 1), ("B", "VTI", 1), ("C", "BND", 1)))
    models = {"Growth": parse_targets("90% stocks, 10% bonds"), "Income": MIX}
    accounts = {
        n: Account(account=n, model=m)
        for n, m in zip("ABC", ["Growth", "Income", "Growth"], strict=True)
    }
    made = book(held, models=models, accounts=accounts)
    assert [(g.targets is models["Growth"], g.accounts) for g in made.groups] == [
        (True, ("A", "C")),
        (False, ("B",)),
    ]
    assert [made.holdings.account[g.row].tolist() for g in made.groups] == [["A", "C"], ["B"]]
    assert made.targets_of("A") is models["Growth"]


def test_an_account_needs_a_model_that_exists() -> None:
    models = {"Growth": parse_targets("90% stocks, 10% bonds"), "Income": MIX}
    with pytest.raises(TargetError, match="has no model, and there are 2"):
        book(models=models)
    with pytest.raises(TargetError, match=r"follows model 'Grwoth'.*Growth, Income"):
        book(models=models, accounts={"A": Account(account="A", model="Grwoth")})


def test_securities_are_found_however_they_are_spelled() -> None:
    table = {"vti": Security(symbol="vti", asset_class="Stocks", rank=3.0)}
    made = book(securities=table)
    assert made.security("VTI").rank == 3.0
    assert list(made.securities) == ["VTI"]
    assert list(table) == ["vti"]


def test_a_tag_that_no_security_carries_is_refused() -> None:
    rule = Restriction(scope="*", rule=Rule.NEVER_BUY, tag="tobaco")
    tagged = {"MO": Security(symbol="MO", asset_class="Stocks", tags=frozenset({"tobacco"}))}
    with pytest.raises(TableError, match=r"tag 'tobaco'.*tags are: tobacco"):
        book(restrictions=(rule,), securities=tagged)
    with pytest.raises(TableError, match="it has no tags"):
        book(restrictions=(rule,))


def test_a_substitute_that_cannot_be_bought_is_refused() -> None:
    rule = Restriction(scope="*", rule=Rule.SUBSTITUTE, symbol="VTI", replacement="ITOT")
    with pytest.raises(TableError, match=r"account A would sell VTI, and ITOT has no price"):
        book(restrictions=(rule,))
    priced = {"ITOT": Security(symbol="ITOT", asset_class="Stocks/US", price=100.0)}
    book(restrictions=(rule,), securities=priced)
    held = classify(holdings(("A", "VTI", 1), ("A", "ITOT", 1)))
    book(held, restrictions=(rule,))
    elsewhere = Restriction(scope="B", rule=Rule.SUBSTITUTE, symbol="VTI", replacement="ITOT")
    book(restrictions=(elsewhere,))


def test_together_is_one_account_and_leaves_the_holdings_alone() -> None:
    held = holdings(("A", "VTI", 1), ("B", "BND", 2))
    joined = together(held)
    assert joined.accounts() == [ALL_TOGETHER]
    np.testing.assert_array_equal(joined.value, held.value)
    assert held.accounts() == ["A", "B"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from("ABCDE"),
            st.sampled_from(["VTI", "BND", "vti"]),
            st.sampled_from(["Stocks", "Bonds", "Stocks/US", "Cash"]),
            st.sampled_from(["position", "position", "cash", "pending"]),
        ),
        min_size=1,
        max_size=30,
    ),
    st.lists(st.sampled_from("GIX"), min_size=5, max_size=5),
)
def test_groups_agree_with_a_plain_loop(
    rows: list[tuple[str, str, str, str]], chosen: list[str]
) -> None:
    held = Holdings.from_rows(
        {"account": a, "symbol": s, "asset_class": c, "kind": k, "quantity": 1, "price": 1}
        for a, s, c, k in rows
    )
    model = dict(zip("ABCDE", chosen, strict=True))
    models = {name: parse_targets("60% stocks, 40% bonds") for name in "GIX"}
    accounts = {name: Account(account=name, model=m) for name, m in model.items()}
    groups = book(held, models=models, accounts=accounts).groups
    seen = list(dict.fromkeys(a for a, *_ in rows))
    assert [g.targets for g in groups] == [models[m] for m in dict.fromkeys(model[a] for a in seen)]
    for group in groups:
        name = next(n for n, targets in models.items() if targets is group.targets)
        assert list(group.accounts) == [a for a in seen if model[a] == name]
        wanted = [
            (i, a, (s, c))
            for i, (a, s, c, k) in enumerate(rows)
            if model[a] == name and k != "pending"
        ]
        found = zip(group.row.tolist(), group.account.tolist(), group.pair.tolist(), strict=True)
        assert [(i, group.accounts[a], group.pairs[p]) for i, a, p in found] == wanted
        assert len(set(group.pairs)) == len(group.pairs)


def test_a_replacement_is_spelled_as_what_can_be_bought() -> None:
    rule = Restriction(scope="*", rule=Rule.SUBSTITUTE, symbol="VTI", replacement="itot")
    priced = {"ITOT": Security(symbol="ITOT", asset_class="Stocks/US", price=100.0)}
    made = book(restrictions=(rule,), securities=priced)
    assert [r.replacement for r in made.restrictions] == ["ITOT"]
