"""The rows of a book's tables for a block of invented households."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np
import pandas as pd

from xl_rebal.batch.sample_households import Households, Mask, Numbers, Positions, Texts
from xl_rebal.batch.sample_market import SampleMarket

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "holdings": ("account", "symbol", "kind", "quantity", "price", "as_of"),
    "lots": ("account", "symbol", "acquired", "quantity", "unit_cost", "lot_id"),
    "accounts": (
        "account", "household", "client", "type", "owner", "custodian", "model", "cash_reserve",
        "tax_profile", "discretionary", "held_away", "last_rebalanced", "policy", "plan_mode",
    ),
    "securities": (
        "symbol", "asset_class", "rank", "price", "vehicle", "quantity_step", "spread_bps", "adv",
        "tradable", "identical_group", "substitute", "tags", "tax_class",
    ),
    "models": ("model", "asset_class", "target", "band_abs", "band_rel"),
    "restrictions": ("scope", "rule", "symbol", "tag", "replacement", "account_types"),
    "tax_profiles": (
        "tax_profile", "year", "filing_status", "ordinary", "long_term", "niit", "state",
        "carry_short", "carry_long", "ytd_short", "ytd_long",
    ),
    "flows": ("account", "date", "amount", "kind"),
    "history": ("account", "symbol", "date", "action", "quantity", "price", "lot_id"),
}  # fmt: skip
FIRM_RULES = (("*", "never_buy", "", "tobacco", "", ""),)  # of every account
_MOST_LOTS = 4
_RECENT = 60  # calendar days of purchases that the history holds

Tables = dict[str, pd.DataFrame]


def market_tables(market: SampleMarket) -> Tables:
    """The tables that all households share."""
    return {
        "securities": _frame("securities", [tuple(r.values()) for r in market.securities]),
        "models": _frame("models", [tuple(row.values()) for row in market.models]),
        "restrictions": _frame("restrictions", list(FIRM_RULES)),
    }


def household_tables(
    rng: np.random.Generator,
    people: Households,
    held: Positions,
    market: SampleMarket,
    as_of: dt.date,
) -> Tables:
    """The households' own tables."""
    quantity = held.quantity(market)
    lots = _lots(rng, people, held, market, as_of)
    return {
        "holdings": _holdings(people, held, market, quantity, as_of),
        "lots": lots,
        "accounts": _accounts(people, market),
        "restrictions": _restrictions(people),
        "tax_profiles": _tax_profiles(rng, people, as_of),
        "flows": _flows(rng, people, as_of),
        "history": _history(rng, people, market, lots, as_of),
    }


def of_households(tables: Tables, people: Households) -> Tables:
    """The rows that concern some households and their accounts."""
    names = {*people.household.tolist(), *people.account.tolist()}
    return {
        name: frame[frame[COLUMNS[name][0]].isin(names)].reset_index(drop=True)
        for name, frame in tables.items()
    }


def _frame(name: str, rows: list[tuple[str, ...]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(COLUMNS[name]), dtype=object)


def _texts(count: int, text: str) -> Texts:
    return np.full(count, text, dtype=object)


def _holdings(
    people: Households, held: Positions, market: SampleMarket, quantity: Numbers, as_of: dt.date
) -> pd.DataFrame:
    """Positions and the cash of each account, account by account."""
    count, accounts = len(held.account), len(people.account)
    order = np.argsort(np.concatenate([held.account, np.arange(accounts)]), kind="stable")
    frame = pd.DataFrame(
        {
            "account": people.account[np.concatenate([held.account, np.arange(accounts)])],
            "symbol": np.concatenate([market.symbol[held.security], _texts(accounts, "CASH")]),
            "kind": np.concatenate([_texts(count, "position"), _texts(accounts, "cash")]),
            "quantity": np.concatenate([quantity, held.cash]),
            "price": np.concatenate([market.price[held.security], np.ones(accounts)]),
        }
    )
    return frame.iloc[order].reset_index(drop=True).assign(as_of=as_of.isoformat())


def _accounts(people: Households, market: SampleMarket) -> pd.DataFrame:
    home = people.home
    return pd.DataFrame(
        {
            "account": people.account,
            "household": people.household[home],
            "client": people.client[home],
            "type": people.type,
            "owner": people.owner[home],
            "custodian": people.custodian,
            "model": np.array(market.names, dtype=object)[people.model][home],
            "cash_reserve": people.reserve,
            "tax_profile": np.where(people.taxable, people.household[home], ""),
            "discretionary": _yes_no(people.discretionary),
            "held_away": _yes_no(people.held_away),
            "last_rebalanced": np.datetime_as_string(people.last_rebalanced, "D").astype(object),
            "policy": people.policy[home],
            "plan_mode": people.mode[home],
        }
    )


def _yes_no(mask: Mask) -> Texts:
    return np.where(mask, "yes", "no").astype(object)


def _lots(
    rng: np.random.Generator,
    people: Households,
    held: Positions,
    market: SampleMarket,
    as_of: dt.date,
) -> pd.DataFrame:
    """One to four lots for each position of a taxable account, which add up to it to the last step."""
    mine = np.flatnonzero(people.taxable[held.account])
    steps, count = held.steps[mine], len(mine)
    wanted = np.minimum(rng.integers(1, _MOST_LOTS + 1, count), steps)
    share = rng.dirichlet(np.ones(_MOST_LOTS), count)
    share[np.arange(_MOST_LOTS) >= wanted[:, None]] = 0.0
    share /= share.sum(axis=1, keepdims=True)
    parts = np.floor(share * steps[:, None]).astype(np.int64)
    parts[:, 0] += steps - parts.sum(axis=1)
    age = np.sort(rng.gamma(1.3, 900.0, parts.shape), axis=1)[:, ::-1].astype(np.int64) + 3
    # What was paid: prices have grown by 7% a year, give or take 22% for the square root of a year.
    years = age / 365.25
    ratio = np.exp(
        -0.06 * years + rng.normal(0.0, 0.15, parts.shape) * np.sqrt(np.minimum(years, 3.0) + 0.1)
    )
    position, column = np.nonzero(parts)
    row = mine[position]
    security = held.security[row]
    day = np.datetime64(as_of, "D") - age[position, column]
    day = np.maximum(np.busday_offset(day, 0, roll="backward"), np.datetime64("1995-01-03"))
    account = held.account[row]
    number = np.arange(len(row)) - np.searchsorted(account, account) + 1
    return pd.DataFrame(
        {
            "account": people.account[account],
            "symbol": market.symbol[security],
            "acquired": np.datetime_as_string(day, "D").astype(object),
            "quantity": np.round(parts[position, column] * market.step[security], 3),
            "unit_cost": np.maximum(
                np.round(market.price[security] * ratio[position, column], 2), 0.01
            ),
            "lot_id": [f"L{n:03d}" for n in number.tolist()],
        }
    )


def _restrictions(people: Households) -> pd.DataFrame:
    rows: list[tuple[str, ...]] = []
    for place, name in enumerate(people.household.tolist()):
        if people.jones[place]:
            rows.append((name, "never_hold", "", "defence", "", ""))
        if people.smith[place]:
            rows.append((name, "substitute", "", "corporate", "MUB", "taxable"))
        if people.esg[place]:
            rows += [
                (name, "never_hold", "", tag, "", "") for tag in ("tobacco", "fossil", "gambling")
            ]
        if people.legacy[place]:
            rows.append((name, "never_sell", "AAPL", "", "", ""))
        if people.careful[place]:
            rows.append((name, "never_buy", "VWO", "", "", ""))
    return _frame("restrictions", rows)


def _tax_profiles(rng: np.random.Generator, people: Households, as_of: dt.date) -> pd.DataFrame:
    """One tax return for each household with a taxable account."""
    homes = np.unique(people.home[people.taxable])
    count = len(homes)
    rates = rng.choice([0.22, 0.24, 0.32, 0.35], size=count, p=[0.3, 0.35, 0.2, 0.15])
    joint = np.array(["&" in name for name in people.client[homes].tolist()], dtype=np.bool_)
    carried = np.where(rng.random(count) < 0.15, rng.integers(1, 40, count) * 500, 0)
    gained = np.where(rng.random(count) < 0.3, rng.integers(-20, 60, count) * 250, 0)
    zeros = np.zeros(count, dtype=np.int64)
    return pd.DataFrame(
        {
            "tax_profile": people.household[homes],
            "year": as_of.year,
            "filing_status": np.where(joint, "married_joint", "single").astype(object),
            "ordinary": rates,
            "long_term": 0.15,
            "niit": np.where(rates > 0.3, 0.038, 0.0),
            "state": rng.choice([0.0, 0.04, 0.05, 0.093], size=count),
            "carry_short": zeros,
            "carry_long": carried,
            "ytd_short": zeros,
            "ytd_long": gained,
        }
    )


def _flows(rng: np.random.Generator, people: Households, as_of: dt.date) -> pd.DataFrame:
    """Money that is known to come and go in the next four weeks."""
    accounts = np.flatnonzero((rng.random(len(people.account)) < 0.06) & ~people.held_away)
    count = len(accounts)
    draw = rng.random(count)
    pension = people.type[accounts] == "traditional"
    kind = np.where(
        draw < 0.3, "deposit", np.where(draw < 0.6, "fee", np.where(pension, "RMD", "withdrawal"))
    )
    share = {"deposit": 0.03, "fee": -0.0025, "RMD": -0.012, "withdrawal": -0.006}
    size = np.array([share[word] for word in kind.tolist()])
    day = np.datetime64(as_of, "D") + rng.integers(1, 29, count)
    return pd.DataFrame(
        {
            "account": people.account[accounts],
            "date": np.datetime_as_string(day, "D").astype(object),
            "amount": np.round(people.value[accounts] * size / 10) * 10,
            "kind": kind.astype(object),
        }
    )


def _history(
    rng: np.random.Generator,
    people: Households,
    market: SampleMarket,
    lots: pd.DataFrame,
    as_of: dt.date,
) -> pd.DataFrame:
    """The purchases behind lots of the last 60 days, and a few sales at a loss that nothing replaced."""
    since = (as_of - dt.timedelta(days=_RECENT)).isoformat()
    bought = lots[lots["acquired"] >= since]
    buys = pd.DataFrame(
        {
            "account": bought["account"],
            "symbol": bought["symbol"],
            "date": bought["acquired"],
            "action": "BUY",
            "quantity": bought["quantity"],
            "price": bought["unit_cost"],
            "lot_id": bought["lot_id"],
        }
    )
    sold = np.flatnonzero(people.taxable & (rng.random(len(people.account)) < 0.02))
    security = rng.choice(np.concatenate(market.core[1:5]), len(sold))
    day = np.busday_offset(
        np.datetime64(as_of, "D") - rng.integers(2, 28, len(sold)), 0, roll="backward"
    )
    early = day - rng.integers(100, 300, len(sold))
    quantity = rng.integers(5, 40, len(sold)).astype(np.float64)
    price = np.round(market.price[security] * 0.93, 2)
    common = {
        "account": people.account[sold],
        "symbol": market.symbol[security],
        "quantity": quantity,
        "lot_id": "",
    }
    parts = [
        pd.DataFrame(
            {
                **common,
                "date": np.datetime_as_string(when, "D").astype(object),
                "action": word,
                "price": paid,
            }
        )
        for word, when, paid in (("BUY", early, np.round(price * 1.2, 2)), ("SELL", day, price))
    ]
    frame = pd.concat([buys, *parts], ignore_index=True)[list(COLUMNS["history"])]
    order = pd.Index(people.account).get_indexer(pd.Index(frame["account"]))
    return frame.iloc[np.lexsort((frame["symbol"], frame["date"], order))].reset_index(drop=True)
