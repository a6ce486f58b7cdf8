"""The household's worksheet functions: history, restrictions, settings, outputs, and accounts."""

from __future__ import annotations

from typing import Any

import pytest

from xl_rebal.excel import registry
from xl_rebal.workbooks import household_example as example

Grid = list[list[Any]]
DAY = example.serial(example.AS_OF.isoformat())
NO_HISTORY = example.HISTORY[:1]


def copy(table: Grid) -> Grid:
    return [list(row) for row in table]


def ask(output: str = "trades", **changed: Any) -> Any:
    tables = {**example.TABLES, **changed}
    names = ("tblAccounts", "tblLots", "tblSecurities", "tblTargets", "tblPolicy", "tblTaxProfile")
    more = ("tblHistory", "tblRestrictions", "tblPlanSettings")
    arguments = [*(tables[n] for n in names), DAY, *(tables[n] for n in more), output]
    return registry.call("REBAL_HOUSEHOLD", arguments)


def settings(**values: Any) -> Grid:
    table = copy(example.SETTINGS)
    for row in table[1:]:
        word = row[0].casefold().replace(" ", "_")
        if word in values:
            row[1] = values.pop(word)
    assert not values
    return table


def words(notes: Grid) -> str:
    return "\n".join(str(row[3]) for row in notes[1:])


WAITS = "a loss of 4,960.00 in VNQ of EXAMPLE Joint is left alone"


def test_a_purchase_in_the_history_stops_a_loss_and_so_does_a_dated_lot() -> None:
    assert WAITS in words(ask("notes"))
    without = words(ask("notes", tblHistory=NO_HISTORY))
    assert WAITS not in without  # one lot of VNQ in the IRA has no day, so nothing is known
    dated = copy(example.LOTS)
    for row in dated:
        if row[0] == example.IRA and row[1] == "VNQ" and row[2] is None:
            row[2] = example.serial("2020-01-02")
    assert WAITS in words(ask("notes", tblHistory=NO_HISTORY, tblLots=dated))


def test_the_example_sells_no_loss_that_the_history_washes_and_buys_nothing_back() -> None:
    trades = ask()
    by_symbol = {(row[1], row[2]) for row in trades[1:]}
    assert ("VNQ", "SELL") not in {
        (row[1], row[2]) for row in trades[1:] if row[0] == example.JOINT
    }
    assert ("VTEB", "BUY") not in by_symbol  # sold at a loss on 2026-11-03
    assert not {s for s, a in by_symbol if a == "BUY"} & {
        row[1] for row in trades[1:] if row[2] == "SELL" and (row[8] or 0.0) < 0
    }


def test_settings_bind_the_plan() -> None:
    small = ask("figures", tblPlanSettings=settings(losses_to_take=5_000.0))
    large = ask("figures", tblPlanSettings=settings(losses_to_take=19_000.0))
    taken = [dict(map(tuple, found))["losses_taken"] for found in (small, large)]
    assert taken[0] >= 5_000.0
    assert taken[1] >= 19_000.0
    free = dict(map(tuple, ask("figures", tblPlanSettings=settings(costs=None))))
    paid = dict(map(tuple, ask("figures")))
    assert free["cost"] == 0.0
    assert paid["cost"] == pytest.approx(0.0005 * (paid["sold"] + paid["bought"]), abs=0.05)
    big = ask(tblPlanSettings=settings(smallest_trade=30_000.0))
    assert min(row[6] for row in big[1:]) >= 30_000.0
    raised = ask("figures", tblPlanSettings=settings(cash_to_raise=20_000.0))
    assert "20,000.00 of cash to raise" in dict(map(tuple, raised))["why"]


def test_a_restriction_binds_and_one_that_binds_nothing_is_refused() -> None:
    header = example.RESTRICTIONS[0]
    kept = ask(tblRestrictions=[header, ["*", "never_buy", "MUB", None]])
    assert "MUB" not in {row[1] for row in kept[1:] if row[2] == "BUY"}
    assert "MUB" in {row[1] for row in ask()[1:] if row[2] == "BUY"}
    loose = ask(tblRestrictions=[header, ["Nobody", "never_buy", "MUB", None]])
    assert "is no account here" in loose


@pytest.mark.parametrize("losses", [None, 8_000.0, 20_000.0])
@pytest.mark.parametrize("most", [None, 10_000.0])
def test_the_tax_of_the_plan_is_that_of_its_gains(losses: float | None, most: float | None) -> None:
    """REBAL_TAX, from the three sums of gains, and the lots one by one on top of each other."""
    given = settings(losses_to_take=losses, most_net_gain=most)
    found = dict(map(tuple, ask("figures", tblPlanSettings=given)))
    gains: Grid = [["term", "gain"]]
    gains += [[kind, found[f"gain_{kind}"]] for kind in ("short", "long", "collectible")]
    tax = registry.call("REBAL_TAX", [gains, example.PROFILES])
    assert isinstance(tax, list)
    assert dict(map(tuple, tax))["total"] == pytest.approx(found["tax_added"], abs=1e-5)
    lots = ask(tblPlanSettings=given)
    total = sum(row[8] or 0.0 for row in lots[1:])
    assert total == pytest.approx(sum(row[1] for row in gains[1:]), abs=0.01 * len(lots))
    parts = found["tax_deferred"] + found["tax_saved_for_good"]
    assert parts == pytest.approx(found["tax_naive"] - found["tax_added"], abs=1e-5)


def test_ways_end_with_ours_and_classes_sum_to_all() -> None:
    ways = ask("ways")
    found = dict(map(tuple, ask("figures")))
    assert [row[0] for row in ways[1:]] == [
        "naive",
        "account by account",
        "HIFO, losses first",
        "ours",
    ]
    assert ways[-1][1] == pytest.approx(found["tax_added"])
    assert ways[1][1] == pytest.approx(found["tax_naive"])
    changes = ask("classes")
    column = changes[0].index
    assert sum(row[column("weight")] for row in changes[1:]) == pytest.approx(1.0)
    value = sum(row[column("value_before")] for row in changes[1:])
    assert value == pytest.approx(found["value"])


# -- the tax functions with accounts ---------------------------------------------------------------


def test_gains_with_accounts_are_of_the_taxable_lots_alone() -> None:
    found = registry.call("REBAL_GAINS", [example.LOTS, example.SECURITIES, DAY, example.ACCOUNTS])
    assert isinstance(found, list)
    mine = [row for row in example.LOTS[1:] if row[0] == example.JOINT and row[1] != "CASH"]
    price = {row[0]: row[2] for row in example.SECURITIES[1:]}
    assert [(row[1], row[7]) for row in found[1:]] == [
        (row[1], pytest.approx(row[3] * (price[row[1]] - row[4]))) for row in mine
    ]
    lots = copy(example.LOTS)
    lots[1][0] = "Nobody"
    wrong = registry.call("REBAL_GAINS", [lots, example.SECURITIES, DAY, example.ACCOUNTS])
    assert "Nobody has no row in tblAccounts" in str(wrong)


def test_a_harvest_with_accounts_and_profile_says_what_it_saves_and_what_an_ira_stops() -> None:
    found = registry.call(
        "REBAL_HARVEST",
        [
            example.LOTS,
            example.SECURITIES,
            example.HISTORY,
            DAY,
            None,
            example.ACCOUNTS,
            example.PROFILES,
        ],
    )
    assert isinstance(found, list)
    column = found[0].index
    rows = {(row[1], row[2]): row for row in found[1:]}
    assert {row[0] for row in found[1:]} == {example.JOINT}
    first = rows["VXUS", "2021-06-01"]
    gains = [["term", "gain"], ["long", -19_000.0]]
    tax = registry.call("REBAL_TAX", [gains, example.PROFILES])
    assert isinstance(tax, list)
    assert first[column("tax_value")] == pytest.approx(-dict(map(tuple, tax))["total"])
    waits = rows["VNQ", "2022-01-18"]
    assert waits[column("verdict")] == "wait"
    assert "EXAMPLE IRA" in waits[column("why")]
    assert waits[column("tax_value")] is None


def test_wash_sales_with_accounts_know_tax_returns() -> None:
    history: Grid = [
        ["account", "symbol", "date", "action", "quantity", "price"],
        ["A", "X", "2026-01-05", "buy", 100.0, 50.0],
        ["A", "X", "2026-06-01", "sell", 100.0, 40.0],
        ["B", "X", "2026-06-10", "buy", 60.0, 41.0],
    ]
    accounts: Grid = [["account", "type", "owner", "tax_return"], ["A", "taxable", "Ann", "ann"]]

    def disallowed(*rows: list[Any]) -> float:
        given = [accounts[0], accounts[1], *rows] if rows else None
        found = registry.call("REBAL_WASHSALES", [history, given])
        assert isinstance(found, list), found
        (sale,) = found[1:]
        return float(sale[found[0].index("disallowed")])

    assert disallowed() == pytest.approx(600.0)
    assert disallowed(["B", "traditional", "Ann", "ann"]) == pytest.approx(600.0)
    assert disallowed(["B", "taxable", "Cleo", "cleo"]) == 0.0


def test_lots_and_trades_without_an_account_are_of_one_whatever_accounts_there_are() -> None:
    """In Excel tblAccounts of the workbook stands in; a template may have one of its own."""
    lots: Grid = [
        ["symbol", "acquired", "quantity", "unit_cost"],
        ["VTI", "2020-01-02", 10.0, 90.0],
    ]
    alone, beside = (
        registry.call("REBAL_GAINS", [lots, example.SECURITIES, DAY, accounts])
        for accounts in (None, example.ACCOUNTS)
    )
    assert isinstance(alone, list)
    assert alone == beside
    history = [row[1:] for row in example.HISTORY]
    one, other = (
        registry.call("REBAL_WASHSALES", [history, accounts])
        for accounts in (None, example.ACCOUNTS)
    )
    assert isinstance(one, list)
    assert one == other


def test_identical_securities_wash_each_other() -> None:
    history: Grid = [
        ["symbol", "date", "action", "quantity", "price"],
        ["VOO", "2026-01-05", "buy", 10.0, 500.0],
        ["VOO", "2026-06-01", "sell", 10.0, 450.0],
        ["IVV", "2026-06-02", "buy", 10.0, 452.0],
    ]
    known: Grid = [["symbol", "identical_group"], ["VOO", "sp500"], ["IVV", "sp500"]]
    alone, together = (
        registry.call("REBAL_WASHSALES", [history, None, securities])
        for securities in (None, known)
    )
    assert isinstance(alone, list)
    assert isinstance(together, list)
    assert alone[1][5] == 0.0
    assert together[1][5] == pytest.approx(500.0)
