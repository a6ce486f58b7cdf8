"""An order: a trade as it is sent, its quantity an exact decimal."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from xl_rebal.errors import PlanError
from xl_rebal.portfolio.securities import Vehicle
from xl_rebal.trading.limits import OrderType, TimeInForce
from xl_rebal.trading.plan import Action, Trade

PLACES = 9  # decimals of a quantity: no custodian keeps more
UNIT = Decimal(1).scaleb(-PLACES)
LARGEST = Decimal(1_000_000_000)  # units of one order
_SAME = Decimal("1e-12")  # relative: float noise, which is 1e-16; never a fraction that is held


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order of one account.

    quantity     units, exact, at most nine decimals.
    price        the plan's price, in the security's currency.
    value, cost  money of the plan to the cent, in the base currency.
    client       whose account it is: the household's or account's name.
    limit_price  for LIMIT orders only.
    step         the security's quantity step; allocations move in it.
    held         units held before the order.
    plan_id      the plan that it comes from.
    """

    account: str
    symbol: str
    action: Action
    quantity: Decimal
    price: float
    value: float
    cost: float = 0.0
    custodian: str = ""
    client: str = ""
    order_type: OrderType = OrderType.MARKET
    limit_price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.DAY
    currency: str = ""
    vehicle: Vehicle = Vehicle.STOCK
    step: Decimal = Decimal(1)
    held: Decimal = Decimal(0)
    discretionary: bool = True
    held_away: bool = False
    plan_id: str = ""

    def __post_init__(self) -> None:
        if not 0 < self.quantity <= LARGEST or not _has_few_decimals(self.quantity):
            raise PlanError.of(
                where=f"account {self.account}, {self.symbol}",
                what=f"{self.quantity} is no quantity to order: it must be above zero, at most "
                f"{LARGEST:,} units, with at most {PLACES} decimals",
                remedy="correct the holdings",
            )
        if (self.order_type is OrderType.LIMIT) != (self.limit_price is not None):
            raise ValueError("a limit price belongs to limit orders, and to them alone")
        if not self.step > 0:
            raise ValueError(f"a quantity step of {self.step}")

    @property
    def wave(self) -> int:
        """1 for sells, 2 for the buys that they pay for."""
        return wave_of(self.action)

    @property
    def key(self) -> tuple[str, str]:
        """Account and symbol: an account has one order of a security."""
        return (self.account, self.symbol)


def _has_few_decimals(number: Decimal) -> bool:
    exponent = number.as_tuple().exponent
    return isinstance(exponent, int) and (exponent >= -PLACES or number == number.quantize(UNIT))


def wave_of(action: Action) -> int:
    """1 for sells, which are sent first; 2 for buys."""
    return 1 if action is Action.SELL else 2


def exact_quantity(quantity: float, step: float) -> Decimal:
    """A quantity in whole steps without float noise; a full liquidation keeps its own fraction.

    Cut to nine decimals, so that never more is sold than is held.

    >>> exact_quantity(0.1 + 0.2, 0.1), exact_quantity(12.3456, 1.0)
    (Decimal('0.3'), Decimal('12.3456'))
    """
    exact, unit = Decimal(repr(float(quantity))), Decimal(repr(float(step)))
    stepped = (exact / unit).to_integral_value() * unit
    chosen = stepped if abs(stepped - exact) <= _SAME * max(Decimal(1), exact) else exact
    return plain(chosen.quantize(UNIT, rounding="ROUND_DOWN"))


def plain(number: Decimal) -> Decimal:
    """The same number without trailing zeros and without an exponent."""
    short = number.normalize()
    return short.quantize(Decimal(1)) if short.as_tuple().exponent > 0 else short  # type: ignore[operator]  # finite


def decimal_text(number: Decimal) -> str:
    """`100`, `12.5`: digits, a point where needed, no exponent."""
    return f"{plain(number):f}"


def order_of_trade(
    trade: Trade,
    *,
    step: float,
    vehicle: Vehicle,
    held: float,
    custodian: str,
    client: str,
    currency: str,
    discretionary: bool,
    held_away: bool,
    plan_id: str,
) -> Order:
    """The order that carries out a trade."""
    limit = trade.limit_price
    return Order(
        account=trade.account,
        symbol=trade.symbol,
        action=trade.action,
        quantity=exact_quantity(trade.quantity, step),
        price=trade.price,
        value=trade.value,
        cost=trade.cost,
        custodian=custodian,
        client=client,
        order_type=trade.order_type,
        limit_price=None if limit is None else plain(Decimal(repr(float(limit)))),
        time_in_force=trade.time_in_force,
        currency=currency,
        vehicle=vehicle,
        step=Decimal(repr(float(step))),
        held=plain(Decimal(repr(float(held))).quantize(UNIT, rounding="ROUND_DOWN")),
        discretionary=discretionary,
        held_away=held_away,
        plan_id=plan_id,
    )
