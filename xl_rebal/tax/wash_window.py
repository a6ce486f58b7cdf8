"""What the last and the next thirty days forbid: safe days to buy back, losses that would be washed now,
planned trades against the history and against each other.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from xl_rebal.portfolio.history import Event, History, Transaction
from xl_rebal.portfolio.lots import Lots
from xl_rebal.portfolio.securities import Security
from xl_rebal.tax.taxpayers import Reach, Taxpayers
from xl_rebal.tax.wash_sales import WINDOW, Match, identical_group, ledger

_DAY = dt.timedelta(days=1)
_REINVESTED = dt.timedelta(days=120)  # a dividend reinvested this lately will be reinvested again
TOUCHED = (Reach.DEFER, Reach.LOSE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyback:
    """A security that was sold at a loss, and the first day on which buying it washes nothing.

    known  False where the history does not show the basis, so that a loss is only possible.
    """

    household: str
    account: str
    symbol: str
    sold: dt.date
    safe_from: dt.date
    known: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """Units bought within the window and still held: they would replace shares sold at a loss.

    row  the lot's place among the lots that the window was made with; None for a row of the history.
    """

    account: str
    symbol: str
    date: dt.date
    quantity: float
    row: int | None = None

    @property
    def safe_from(self) -> dt.date:
        """The first day on which this purchase washes no loss any more."""
        return self.date + WINDOW + _DAY


def safe_to_buy(sold: dt.date) -> dt.date:
    """The first day after the 61-day period of a sale: sold 2026-11-24, safe from 2026-12-25."""
    return sold + WINDOW + _DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class WashWindow:
    """The 30 days before `as_of` of all accounts, ready to be asked about trades of that day.

    buybacks   by household and group of identical securities: sales at a loss in the window.
    purchases  likewise: what was bought in the window and replaces nothing yet.
    reinvests  accounts and symbols whose dividends are reinvested.
    """

    as_of: dt.date
    who: Taxpayers
    securities: Mapping[str, Security]
    buybacks: Mapping[tuple[str, str], tuple[Buyback, ...]]
    purchases: Mapping[tuple[str, str], tuple[Purchase, ...]]
    reinvests: frozenset[tuple[str, str]]

    def key(self, account: str, symbol: str) -> tuple[str, str]:
        """Household and group of identical securities."""
        return (self.who.household_of(account), identical_group(self.securities, symbol))

    def blocked_until(self, symbol: str, account: str) -> dt.date | None:
        """The first day on which buying the symbol in the account washes no loss; None: at once."""
        days = [
            sale.safe_from
            for sale in self.buybacks.get(self.key(account, symbol), ())
            if self.who.reach(account, sale.account) in TOUCHED and sale.safe_from > self.as_of
        ]
        return max(days, default=None)

    def replacing(
        self,
        symbol: str,
        account: str,
        *,
        row: int | None = None,
        acquired: dt.date | None = None,
    ) -> tuple[Purchase, ...]:
        """Purchases that would wash a loss on units of the symbol sold in the account on `as_of`.

        row, acquired  the lot that is sold, by its place among the lots and by its day: it does not replace
                       itself (where there are no lots, nor does what was bought on its day).
        """
        own = (account, symbol, acquired)
        return tuple(
            p
            for p in self.purchases.get(self.key(account, symbol), ())
            if self.who.reach(p.account, account) in TOUCHED
            and not (p.row is not None and p.row == row)
            and not (p.row is None and (p.account, p.symbol, p.date) == own)
        )

    def reinvesting(self, symbol: str, account: str) -> tuple[str, ...]:
        """Accounts that reinvest dividends of the same security: turn it off before selling at a loss."""
        group = identical_group(self.securities, symbol)
        return tuple(
            sorted(
                {
                    other
                    for other, bought in self.reinvests
                    if identical_group(self.securities, bought) == group
                    and self.who.reach(other, account) in TOUCHED
                }
            )
        )


def wash_window(
    history: History,
    who: Taxpayers,
    *,
    as_of: dt.date,
    securities: Mapping[str, Security] | None = None,
    lots: Lots | None = None,
) -> WashWindow:
    """The window of a day. `lots`, where an account has some, say what recent purchases it still holds.

    The history may begin anywhere: a recent sale whose purchase it does not show counts as a loss.
    """
    known = securities or {}
    past = tuple(event for event in history if event.date <= as_of)
    book = ledger(past, who, known, complete=False)
    buybacks: dict[tuple[str, str], list[Buyback]] = {}
    for sale in book.sales:
        open_loss = sale.allowed is None or sale.allowed < 0
        if open_loss and as_of - sale.date <= WINDOW:
            household = who.household_of(sale.account)
            key = (household, identical_group(known, sale.symbol))
            buybacks.setdefault(key, []).append(
                Buyback(
                    household=household,
                    account=sale.account,
                    symbol=sale.symbol,
                    sold=sale.date,
                    safe_from=safe_to_buy(sale.date),
                    known=sale.allowed is not None,
                )
            )
    purchases: dict[tuple[str, str], list[Purchase]] = {}
    for purchase in _recent(past, lots, as_of):
        key = (who.household_of(purchase.account), identical_group(known, purchase.symbol))
        purchases.setdefault(key, []).append(purchase)
    reinvests = frozenset(
        (event.account, event.symbol)
        for event in past
        if event.event is Event.REINVEST and as_of - event.date <= _REINVESTED
    )
    return WashWindow(
        as_of=as_of,
        who=who,
        securities=known,
        buybacks={key: tuple(found) for key, found in buybacks.items()},
        purchases={key: tuple(found) for key, found in purchases.items()},
        reinvests=reinvests,
    )


def _recent(history: History, lots: Lots | None, as_of: dt.date) -> Iterable[Purchase]:
    """Purchases of the last 30 days: from the lots where an account has them, else from the history."""
    covered: set[tuple[str, str]] = set()
    if lots is not None:
        rows = zip(
            lots.account.tolist(),
            lots.symbol.tolist(),
            lots.acquired.tolist(),
            lots.quantity.tolist(),
            strict=True,
        )
        for row, (account, symbol, acquired, quantity) in enumerate(rows):
            covered.add((account, symbol))
            if acquired is not None and dt.timedelta(0) <= as_of - acquired <= WINDOW:
                yield Purchase(
                    account=account, symbol=symbol, date=acquired, quantity=quantity, row=row
                )
    for event in history:
        bought = event.event in (Event.BUY, Event.REINVEST)
        recent = dt.timedelta(0) <= as_of - event.date <= WINDOW
        if bought and recent and (event.account, event.symbol) not in covered:
            yield Purchase(
                account=event.account,
                symbol=event.symbol,
                date=event.date,
                quantity=event.quantity,
            )


def planned_washes(
    history: History,
    planned: Sequence[Transaction],
    who: Taxpayers,
    securities: Mapping[str, Security] | None = None,
) -> tuple[Match, ...]:
    """Losses that planned trades would disallow, their own and those of the history.

    The history must hold the purchases of what the plan sells; `conflicts` needs recent trades only.
    Purchases on other tax returns of the household come last, with reach `warn`.
    """
    book = ledger((*history, *planned), who, securities)
    return tuple(m for m in (*book.matches, *book.alerts) if m.planned)


@dataclass(frozen=True, slots=True, kw_only=True)
class LotSold:
    """Units of one lot that a plan sells; `gain` is negative for a loss.

    row  the lot's place among the lots that the window was made with, None where it was made without.
    """

    account: str
    symbol: str
    acquired: dt.date
    quantity: float
    gain: float
    row: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bought:
    """Units that a plan buys."""

    account: str
    symbol: str
    quantity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A loss that a plan washes: which, by what purchase, and when neither would touch the other."""

    account: str
    symbol: str
    sold_at: dt.date
    bought_in: str
    bought_symbol: str
    bought: dt.date
    reach: Reach
    safe_from: dt.date
    what: str


def conflicts(
    window: WashWindow, sold: Sequence[LotSold], bought: Sequence[Bought]
) -> tuple[Conflict, ...]:
    """Every wash sale among trades of `window.as_of`: against the history, and against each other."""
    found = [conflict for lot in sold if lot.gain < 0 for conflict in _of_sale(window, lot, bought)]
    for buy in bought:
        until = window.blocked_until(buy.symbol, buy.account)
        for sale in window.buybacks.get(window.key(buy.account, buy.symbol), ()):
            reach = window.who.reach(buy.account, sale.account)
            if until is not None and reach in TOUCHED and sale.safe_from > window.as_of:
                loss = "at a loss" if sale.known else "at a basis that is not known"
                found.append(
                    Conflict(
                        account=sale.account,
                        symbol=sale.symbol,
                        sold_at=sale.sold,
                        bought_in=buy.account,
                        bought_symbol=buy.symbol,
                        bought=window.as_of,
                        reach=reach,
                        safe_from=sale.safe_from,
                        what=f"{buy.symbol} bought in {buy.account}, and {sale.symbol} was sold {loss} in "
                        f"{sale.account} on {sale.sold}",
                    )
                )
    return tuple(dict.fromkeys(found))


def _of_sale(window: WashWindow, lot: LotSold, bought: Sequence[Bought]) -> Iterable[Conflict]:
    if not window.who.is_taxable(lot.account):
        return
    recent = window.replacing(lot.symbol, lot.account, row=lot.row, acquired=lot.acquired)
    planned = [
        Purchase(account=b.account, symbol=b.symbol, date=window.as_of, quantity=b.quantity)
        for b in bought
        if window.key(b.account, b.symbol) == window.key(lot.account, lot.symbol)
        and window.who.reach(b.account, lot.account) in TOUCHED
    ]
    for purchase in (*recent, *planned):
        again = "is bought by the same plan" if purchase in planned else f"bought {purchase.date}"
        yield Conflict(
            account=lot.account,
            symbol=lot.symbol,
            sold_at=window.as_of,
            bought_in=purchase.account,
            bought_symbol=purchase.symbol,
            bought=purchase.date,
            reach=window.who.reach(purchase.account, lot.account),
            safe_from=purchase.safe_from,
            what=f"{lot.symbol} of {lot.acquired} sold at a loss in {lot.account}, and "
            f"{purchase.quantity:,.10g} {purchase.symbol} in {purchase.account} {again}",
        )
