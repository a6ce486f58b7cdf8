"""The verifier of household plans: lots, tax sums, wash sales and every account's cash, recomputed.

It shares nothing with the optimiser: it reads the book's own rows with plain loops and exact decimals,
and asks of every trade whether it is allowed, of every lot whether it is there, of every loss whether
something identical was or will be bought, and of every sum whether it is the sum.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from xl_rebal.errors import Fault, VerificationError
from xl_rebal.household.plan import HouseholdPlan, LotSale
from xl_rebal.household.request import HouseholdBook, HouseholdRequest
from xl_rebal.portfolio import classes
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.flows import HORIZON
from xl_rebal.portfolio.restrictions import Rule
from xl_rebal.portfolio.securities import Vehicle
from xl_rebal.tax.income_tax import tax_of
from xl_rebal.tax.netting import Gains
from xl_rebal.tax.taxpayers import taxpayers
from xl_rebal.tax.wash_sales import ledger
from xl_rebal.trading.checks_book import Violation
from xl_rebal.trading.plan import Action, Trade

REMEDY = "the plan is not handed out; report this with the book"
_GOLD = frozenset(
    {
        "GLD",
        "GLDM",
        "IAU",
        "IAUM",
        "SGOL",
        "BAR",
        "OUNZ",
        "AAAU",
        "SLV",
        "SIVR",
        "PPLT",
        "PALL",
        "GLTR",
    }
)
_CENT, _HALF = Decimal("0.01"), Decimal("0.005")


@dataclass(slots=True)
class _Rows:
    """The book's rows of one household, by account and symbol."""

    source: HouseholdBook
    request: HouseholdRequest
    plan: HouseholdPlan
    accounts: dict[str, Account] = field(default_factory=dict)
    cash: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    held: dict[tuple[str, str], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    price: dict[str, Decimal] = field(default_factory=dict)
    found: list[Violation] = field(default_factory=list)

    def fault(self, code: str, where: str, what: str) -> None:
        """Note one violation."""
        self.found.append(Violation(code=code, where=where, what=what))


def check_household(
    source: HouseholdBook, request: HouseholdRequest, plan: HouseholdPlan
) -> tuple[Violation, ...]:
    """Every rule that a plan breaks."""
    rows = _read(source, request, plan)
    _check_trades(rows)
    _check_rules(rows)
    _check_cash(rows)
    _check_lots(rows)
    _check_tax(rows)
    _check_wash_sales(rows)
    _check_budgets(rows)
    _check_classes(rows)
    return tuple(rows.found)


def require_verified(source: HouseholdBook, request: HouseholdRequest, plan: HouseholdPlan) -> None:
    """Raise VerificationError with one fault for each violation; do nothing when there is none."""
    found = check_household(source, request, plan)
    if found:
        raise VerificationError(
            *(Fault(where=v.where, what=f"{v.what} ({v.code})", remedy=REMEDY) for v in found)
        )


def _exact(value: float) -> Decimal:
    return Decimal(repr(float(value)))


def _read(source: HouseholdBook, request: HouseholdRequest, plan: HouseholdPlan) -> _Rows:
    rows = _Rows(source, request, plan)
    book = source.book
    h = book.holdings
    days = h.settles.tolist()
    for i in range(len(h)):
        name, symbol = str(h.account[i]), str(h.symbol[i])
        account = book.account(name)
        if account.household != plan.household:
            continue
        rows.accounts[name] = account
        unit = _exact(h.price[i]) * _exact(h.multiplier[i]) * _exact(h.fx[i])
        if h.kind[i] == "cash":
            settles = days[i]
            if settles is not None and settles > request.as_of:
                continue  # counts in the weights, and cannot be spent
            rows.cash[name] += _exact(h.quantity[i]) * unit
        elif h.kind[i] == "position":
            rows.held[name, symbol] += _exact(h.quantity[i])
            rows.price[symbol] = unit
    return rows


def _price(rows: _Rows, symbol: str) -> Decimal | None:
    if symbol in rows.price:
        return rows.price[symbol]
    known = rows.source.book.security(symbol).price
    return None if known is None else _exact(known)


def _check_trades(rows: _Rows) -> None:
    """One net trade each, at the book's price, in whole steps, of no more than is held."""
    seen: set[tuple[str, str]] = set()
    for trade in rows.plan.trades:
        where = f"{trade.account}, {trade.symbol}"
        if trade.account not in rows.accounts:
            rows.fault("account", where, "is no account of the household")
            continue
        if (trade.account, trade.symbol) in seen:
            rows.fault("one-net-trade", where, "is traded twice")
        seen.add((trade.account, trade.symbol))
        price = _price(rows, trade.symbol)
        if price is None or abs(price - _exact(trade.unit_value)) > Decimal("1e-9") * price:
            rows.fault(
                "price", where, f"is traded at {trade.unit_value:,.6f}, the book has {price}"
            )
            continue
        quantity = _exact(trade.quantity)
        value = (quantity * price).quantize(_CENT, ROUND_HALF_UP)
        if abs(value - _exact(trade.value)) > _CENT:
            rows.fault("value", where, f"{trade.value:,.2f} is not quantity x price ({value:,.2f})")
        _check_quantity(rows, trade, quantity, where)
        _check_cost(rows, trade, where)


def _check_quantity(rows: _Rows, trade: Trade, quantity: Decimal, where: str) -> None:
    held = rows.held.get((trade.account, trade.symbol), Decimal())
    step = _exact(rows.source.book.security(trade.symbol).quantity_step)
    steps = quantity / step
    whole = abs(steps - steps.to_integral_value()) <= Decimal("1e-6")
    if quantity <= 0:
        rows.fault("quantity", where, f"{trade.quantity} units are traded")
    if trade.action is Action.SELL:
        if quantity > held + Decimal("1e-9"):
            rows.fault("holdings", where, f"{quantity} units are sold and {held} are held")
        whole = whole or abs(quantity - held) <= Decimal("1e-9")
    if not whole:
        rows.fault("steps", where, f"{quantity} units are no whole number of steps of {step}")


def _check_cost(rows: _Rows, trade: Trade, where: str) -> None:
    security = rows.source.book.security(trade.symbol)
    if security.vehicle is Vehicle.CASH:
        wanted = Decimal()
    else:
        model = rows.request.limits.costs.for_security(security)
        fixed = _exact(model.commission) + _exact(model.per_share) * _exact(trade.quantity)
        fixed = max(fixed, _exact(model.min_commission))
        if model.max_commission != float("inf"):
            fixed = min(fixed, _exact(model.max_commission))
        spread = _exact(model.half_spread) * _exact(trade.quantity) * _exact(trade.unit_value)
        wanted = fixed + spread
    if abs(wanted - _exact(trade.cost)) > _CENT:
        rows.fault("cost", where, f"costs {trade.cost:,.2f}, the cost model says {wanted:,.2f}")


def _check_rules(rows: _Rows) -> None:
    """Restrictions, menus, held-away accounts, municipal securities, what is not traded."""
    book = rows.source.book
    for trade in rows.plan.trades:
        account = rows.accounts.get(trade.account)
        if account is None:
            continue
        security = book.security(trade.symbol)
        where, buys = f"{trade.account}, {trade.symbol}", trade.action is Action.BUY
        if account.held_away:
            rows.fault("held-away", where, "an order in an account that is held away")
        if not security.tradable:
            rows.fault("tradable", where, "is not tradable")
        for rule in book.restrictions:
            if not rule.applies(
                account=account.account,
                household=account.household,
                symbol=trade.symbol,
                tags=security.tags,
            ):
                continue
            banned = rule.rule in (Rule.NEVER_BUY, Rule.NEVER_HOLD, Rule.SUBSTITUTE)
            if (buys and banned) or (not buys and rule.rule is Rule.NEVER_SELL):
                rows.fault("restriction", where, f"breaks: {rule.in_words()}")
        if buys and account.menu and trade.symbol.casefold() not in account.menu:
            rows.fault("menu", where, "is not on the account's menu")
        path = classes.key(security.asset_class or trade.asset_class).split("/")
        municipal = security.tax_class.casefold() == "municipal" or "municipal" in path
        if buys and municipal and not _taxed(account):
            rows.fault(
                "municipal", where, "a municipal security is bought where gains are not taxed"
            )


def _taxed(account: Account) -> bool:
    return account.type.casefold() in ("", "taxable")


def _check_cash(rows: _Rows) -> None:
    """Each account pays for what it buys, keeps its reserve, and the cash need is raised."""
    by_account = {each.account: each for each in rows.plan.accounts}
    raised = Decimal()
    for name, account in rows.accounts.items():
        result = by_account.get(name)
        if result is None:
            rows.fault("cash", f"account {name}", "the plan says nothing of its cash")
            continue
        flow = _exact(rows.request.flows.get(name, 0.0))
        start = cash = rows.cash[name] + flow
        out = _exact(result.raised)
        for trade in rows.plan.trades:
            if trade.account == name:
                value, cost = _exact(trade.value), _exact(trade.cost)
                cash += (value if trade.action is Action.SELL else -value) - cost
        cash -= out
        raised += out
        if abs(cash - _exact(result.cash_after)) > _HALF:
            what = f"ends with {cash:,.2f}, the plan says {result.cash_after:,.2f}"
            rows.fault("cash", f"account {name}", what)
        kept = _exact(account.cash_reserve) + _leaving(rows, name)
        untouched = cash == start
        if cash < kept - _HALF and not (untouched and account.held_away):
            what = f"ends with {cash:,.2f}, below its reserve of {kept:,.2f}"
            rows.fault("cash", f"account {name}", what)
        if out and not (_taxed(account) and not account.held_away):
            rows.fault("cash-need", f"account {name}", "cash is raised where it must not be")
    if abs(raised - _exact(rows.request.cash_need)) > _HALF:
        rows.fault("cash-need", "plan", f"raises {raised:,.2f} of {rows.request.cash_need:,.2f}")


def _leaving(rows: _Rows, account: str) -> Decimal:
    """Known withdrawals of the days to come, which stay in cash."""
    until = rows.request.as_of + dt.timedelta(days=HORIZON)
    return -sum(
        (
            _exact(flow.amount)
            for flow in rows.source.book.flows
            if flow.account == account
            and flow.amount < 0
            and rows.request.as_of <= flow.date <= until
        ),
        Decimal(),
    )


def _no_lots(rows: _Rows, account: str) -> bool:
    known = rows.accounts[account]
    return account in rows.request.no_lots_sent or not known.lot_instructions


def _unit_cost(rows: _Rows, sale: LotSale) -> Decimal:
    """The basis of a unit: the lot's own, or the average of a fund where no lots can be named."""
    lots, security = rows.source.lots, rows.source.book.security(sale.symbol)
    fx = Decimal(1)
    h = rows.source.book.holdings
    for i in range(len(h)):
        if (h.account[i], h.symbol[i]) == (sale.account, sale.symbol) and h.price[i]:
            fx = _exact(h.multiplier[i]) * _exact(h.fx[i])
            break
    if security.vehicle is Vehicle.MUTUAL_FUND and _no_lots(rows, sale.account):
        units = cost = Decimal()
        for i in range(len(lots)):
            if (lots.account[i], lots.symbol[i]) == (sale.account, sale.symbol):
                units += _exact(lots.quantity[i])
                cost += _exact(lots.quantity[i]) * _exact(lots.unit_cost[i])
        return cost / units * fx
    return _exact(lots.unit_cost[sale.row]) * fx


def _long_from(acquired: dt.date) -> dt.date:
    """The first day of a long-term sale: one year after the day that follows the purchase."""
    day = acquired + dt.timedelta(days=1)
    try:
        return dt.date(day.year + 1, day.month, day.day)
    except ValueError:
        return dt.date(day.year + 1, 3, 1)


def _check_lots(rows: _Rows) -> None:
    """Every lot is there, is sold once and not more than it holds; the lots of a sale add up to it."""
    lots = rows.source.lots
    used: set[int] = set()
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for sale in rows.plan.lot_sales:
        where = f"{sale.account}, {sale.symbol}, lot of {sale.acquired}"
        if not 0 <= sale.row < len(lots) or sale.row in used:
            rows.fault("lot", where, "is no lot of the book, or is sold twice")
            continue
        used.add(sale.row)
        told = (sale.account, sale.symbol, sale.acquired)
        there = (
            lots.account[sale.row],
            lots.symbol[sale.row],
            lots.acquired[sale.row].astype(object),
        )
        if told != there:
            rows.fault("lot", where, f"the book's lot in its place is {there}")
            continue
        quantity = _exact(sale.quantity)
        if not 0 < quantity <= _exact(lots.quantity[sale.row]) + Decimal("1e-9"):
            rows.fault(
                "lot", where, f"{quantity} units are sold of {lots.quantity[sale.row]:,.10g}"
            )
        sums[sale.account, sale.symbol] += quantity
        price = _price(rows, sale.symbol) or Decimal()
        gain = quantity * (price - _unit_cost(rows, sale))
        if abs(gain - _exact(sale.gain)) > _CENT:
            rows.fault("gain", where, f"gains {gain:,.2f}, the plan says {sale.gain:,.2f}")
        stated = str(lots.term[sale.row]) == "long"  # a holding period that a wash sale tacked on
        term = "long" if stated or rows.request.as_of >= _long_from(sale.acquired) else "short"
        if term != sale.term:
            rows.fault("term", where, f"is {term}, the plan says {sale.term}")
    for trade in rows.plan.trades:
        account = rows.accounts.get(trade.account)
        if account is None or trade.action is Action.BUY or not _taxed(account):
            continue
        security = rows.source.book.security(trade.symbol)
        if security.vehicle is Vehicle.CASH:
            continue
        named = sums.pop((trade.account, trade.symbol), Decimal())
        if abs(named - _exact(trade.quantity)) > Decimal("1e-6"):
            where = f"{trade.account}, {trade.symbol}"
            rows.fault("lots", where, f"its lots add up to {named} of {trade.quantity:,.10g} sold")
    for name, symbol in sums:
        rows.fault("lots", f"{name}, {symbol}", "lots are sold without an order")
    _check_order(rows)


def _check_order(rows: _Rows) -> None:
    """Where no lots can be named, the oldest are sold first."""
    lots = rows.source.lots
    sold = {sale.row: _exact(sale.quantity) for sale in rows.plan.lot_sales}
    for sale in rows.plan.lot_sales:
        if sale.account not in rows.accounts or not _no_lots(rows, sale.account):
            continue
        for i in range(len(lots)):
            same = (lots.account[i], lots.symbol[i]) == (sale.account, sale.symbol)
            older = same and lots.acquired[i].astype(object) < sale.acquired
            if older and sold.get(i, Decimal()) < _exact(lots.quantity[i]) - Decimal("1e-6"):
                where = f"{sale.account}, {sale.symbol}, lot of {sale.acquired}"
                rows.fault("relief", where, f"is sold before the lot of {lots.acquired[i]}")
                break


def _check_tax(rows: _Rows) -> None:
    """Gains add up by return and kind, and the tax is the difference of the year with and without."""
    sums: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    profiles = {}
    for name, account in rows.accounts.items():
        if _taxed(account):
            known = rows.source.profiles
            profile = known.get(account.tax_profile)
            if profile is None and len(known) == 1:
                profile = next(iter(known.values()))
            profiles[_return_of(rows, name)] = profile
    for sale in rows.plan.lot_sales:
        kind = rows.source.book.security(sale.symbol).tax_class.casefold()
        if not kind and sale.symbol.upper() in _GOLD:
            kind = "collectible"
        mine = sums[_return_of(rows, sale.account)]
        gain = _exact(sale.gain)
        if kind == "section_1256":
            mine["short"] += gain * Decimal("0.4")
            mine["long"] += gain * Decimal("0.6")
        else:
            mine["collectible" if kind == "collectible" and sale.term == "long" else sale.term] += (
                gain
            )
    told = {each.tax_return: each for each in rows.plan.returns}
    for name, profile in profiles.items():
        each = told.get(name)
        if each is None or profile is None:
            rows.fault("tax", f"tax return {name}", "the plan says nothing of its tax")
            continue
        mine = sums[name]
        gains = Gains(
            short=float(mine["short"]),
            long=float(mine["long"]),
            collectible=float(mine["collectible"]),
        )
        for kind in ("short", "long", "collectible"):
            wanted, said = getattr(gains, kind), getattr(each.gains.split, kind)
            if abs(wanted - said) > 0.01:
                what = f"{kind} gains are {wanted:,.2f}, the plan says {said:,.2f}"
                rows.fault("tax", f"tax return {name}", what)
        added = tax_of(profile, gains).total - tax_of(profile).total
        if abs(added - each.added.total) > 0.02:
            what = f"the tax added is {added:,.2f}, the plan says {each.added.total:,.2f}"
            rows.fault("tax", f"tax return {name}", what)


def _return_of(rows: _Rows, account: str) -> str:
    """The tax return of an account: its own, its owner's, its household's, else the household."""
    mine = rows.accounts[account]
    if mine.tax_return:
        return mine.tax_return
    house = [a for a in rows.source.book.accounts.values() if a.household == mine.household]
    own = {
        a.tax_return for a in house if a.tax_return and a.owner.casefold() == mine.owner.casefold()
    }
    own = own if mine.owner and len(own) == 1 else {a.tax_return for a in house if a.tax_return}
    return min(own) if own else mine.household


def _group(rows: _Rows, symbol: str) -> str:
    return (rows.source.book.security(symbol).identical_group or symbol).casefold()


def _joined(rows: _Rows, one: str, other: str) -> bool:
    """True when a purchase in one account counts against a loss in the other: same return, or spouses."""
    if rows.accounts.keys() >= {one, other}:
        mine, theirs = _return_of(rows, one), _return_of(rows, other)
        return mine == theirs or {mine, theirs} <= _separate(rows)
    return False


def _separate(rows: _Rows) -> set[str]:
    found = set()
    for name, account in rows.accounts.items():
        profile = rows.source.profiles.get(account.tax_profile)
        if profile is not None and profile.filing_status == "married_separate":
            found.add(_return_of(rows, name))
    return found


def _check_wash_sales(rows: _Rows) -> None:
    """No loss of the plan is bought back, before or with it, in any account that counts."""
    today, window = rows.request.as_of, dt.timedelta(days=30)
    bought: list[tuple[str, str, dt.date]] = [
        (t.account, t.symbol, today) for t in rows.plan.trades if t.action is Action.BUY
    ]
    received = set()
    lots = rows.source.lots
    listed = set(zip(lots.account.tolist(), lots.symbol.tolist(), strict=True))
    for event in rows.source.history:
        # Where an account lists its lots, a purchase that is not among them has been sold already.
        told_by_lots = (event.account, event.symbol) in listed
        if event.event.value in ("buy", "reinvest") and not told_by_lots:
            bought.append((event.account, event.symbol, event.date))
        elif event.event.value == "receive":
            received.add((event.account, event.symbol, event.date))
    for i in range(len(lots)):
        each = (str(lots.account[i]), str(lots.symbol[i]), lots.acquired[i].astype(object))
        if each[2] is not None and each not in received:
            bought.append(each)
    for sale in rows.plan.lot_sales:
        if sale.gain >= -0.005:
            continue
        own = (sale.account, sale.symbol, sale.acquired)
        for account, symbol, day in bought:
            if (account, symbol, day) == own or not today - window <= day <= today + window:
                continue
            if _group(rows, symbol) == _group(rows, sale.symbol) and _joined(
                rows, account, sale.account
            ):
                where = f"{sale.account}, {sale.symbol}, lot of {sale.acquired}"
                what = f"is sold at a loss, and {symbol} is bought in {account} on {day}"
                rows.fault("wash-sale", where, what)
                break
    _check_bought_back(rows, today, window)


def _check_bought_back(rows: _Rows, today: dt.date, window: dt.timedelta) -> None:
    """Nothing is bought that history sold at a loss within 30 days."""
    book = rows.source.book
    who = taxpayers(book.accounts, rows.source.profiles, named=book.holdings.accounts())
    past = ledger(rows.source.history, who, book.securities, complete=False).sales
    for trade in rows.plan.trades:
        if trade.action is Action.SELL:
            continue
        for sale in past:
            lost = sale.gain is None or sale.gain < 0
            if not lost or not today - window <= sale.date <= today:
                continue
            same = _group(rows, trade.symbol) == _group(rows, sale.symbol)
            if same and _joined(rows, trade.account, sale.account):
                where = f"{trade.account}, {trade.symbol}"
                what = f"is bought, and was sold at a loss in {sale.account} on {sale.date}"
                rows.fault("wash-sale", where, what)
                break


def _check_budgets(rows: _Rows) -> None:
    request, sales = rows.request, rows.plan.lot_sales
    gains = sum(sale.gain for sale in sales)
    lost = -sum(min(sale.gain, 0.0) for sale in sales)
    if lost < request.harvest - 0.01:
        rows.fault(
            "harvest", "plan", f"realises {lost:,.2f} of losses, {request.harvest:,.2f} asked"
        )
    if request.gains_budget is not None and gains > request.gains_budget + 0.01:
        what = f"realises {gains:,.2f} of net gain, {request.gains_budget:,.2f} is the most"
        rows.fault("gains-budget", "plan", what)
    if request.limits.max_turnover is not None:
        traded = sum(
            t.value
            for t in rows.plan.trades
            if rows.source.book.security(t.symbol).vehicle is not Vehicle.CASH
        )
        most = request.limits.max_turnover * rows.plan.base
        if traded / 2 > most + 1.0:
            rows.fault("turnover", "plan", f"trades {traded / 2:,.2f}, {most:,.2f} is the most")


def _check_classes(rows: _Rows) -> None:
    """Weights sum to 100%, and no breach grows."""
    result = rows.plan.classes
    total = sum(each.weight_after for each in result)
    if result and abs(total - 1.0) > 1e-9:
        rows.fault("weights", "plan", f"weights sum to {total * 100:.8f}%")
    moved: dict[str, float] = defaultdict(float)
    for trade in rows.plan.trades:
        sign = 1.0 if trade.action is Action.BUY else -1.0
        moved[trade.asset_class] += sign * trade.quantity * trade.unit_value
    for each in result:
        if not classes.is_cash(each.asset_class):
            change = each.value_after - each.value_before
            if abs(change - moved[each.asset_class]) > 0.01:
                what = f"changes by {change:,.2f}, its trades by {moved[each.asset_class]:,.2f}"
                rows.fault("weights", f"class {each.asset_class}", what)
        spent = rows.plan.total_cost / rows.plan.base  # costs make the base smaller
        outside = each.status_after != "within"
        if outside and abs(each.drift_after) > abs(each.drift_before) + spent + 1e-6:
            what = f"drift grows from {each.drift_before:+.6f} to {each.drift_after:+.6f}"
            rows.fault("breach", f"class {each.asset_class}", what)
