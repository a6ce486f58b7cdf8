"""Order files: each account's orders in its custodian's format, exact text or refused.

What cannot be sent is reported with its reason and remedy, never dropped. An account's orders go together:
where one cannot be sent, none of the account is, since its buys may live on its sells.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from xl_rebal.custodians.orders.cells import Refused, Why, header_of, line_of
from xl_rebal.custodians.orders.fields import LotInstruction
from xl_rebal.custodians.orders.formats import OrderFormat, OrderFormats
from xl_rebal.custodians.orders.verified import VerifiedOrders
from xl_rebal.errors import FileError
from xl_rebal.portfolio.accounts import is_masked
from xl_rebal.trading.order import Order

_WAVES = {1: "1-sells", 2: "2-buys"}


class Consent(StrEnum):
    """What happens to orders of accounts that are not discretionary."""

    HOLD = "hold"  # they are reported: the client's word is needed first
    GIVEN = "given"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """How orders are sent.

    only     name of the format that all orders are written in; empty: that of the account's custodian.
    consent  for accounts that are not discretionary.
    no_custodian  format for accounts that name no custodian; empty: their orders cannot be sent.
    """

    only: str = ""
    no_custodian: str = ""
    consent: Consent = Consent.HOLD


NOTHING_ASKED = Sending()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """An order and the file that it stands in."""

    order: Order
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsendable:
    """An order that stands in no file: why, and what to do about it."""

    order: Order
    why: Why
    what: str
    remedy: str

    def in_words(self) -> str:
        """`account 1, BUY 10 VTI: has no custodian; name it in the accounts table`."""
        order = self.order
        return (
            f"account {order.account}, {order.action} {order.quantity:f} {order.symbol}: {self.what}; "
            f"{self.remedy}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Where some orders went: each is in one of the two."""

    sent: tuple[Sent, ...]
    unsendable: tuple[Unsendable, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFiles:
    """The files by name, and what stands in none.

    warnings  what nobody has confirmed of a format in use, and sales without lot instructions.
    """

    files: Mapping[str, bytes]
    sent: tuple[Sent, ...]
    unsendable: tuple[Unsendable, ...]
    warnings: tuple[str, ...]


@dataclass(slots=True)
class _Open:
    """The files of one format and wave: rows in the newest, and how many were started."""

    rows: list[bytes] = field(default_factory=list)
    number: int = 1


class OrderWriter:
    """Takes verified orders chunk by chunk and keeps only the files' text.

    An account's orders come in one chunk.
    """

    def __init__(self, formats: OrderFormats, sending: Sending = NOTHING_ASKED) -> None:
        self._formats, self._sending = formats, sending
        self._only = self._named(sending.only) if sending.only else None
        self._plain = self._named(sending.no_custodian) if sending.no_custodian else None
        self._lot_format = formats.lots
        self._open: dict[tuple[str, str], _Open] = {}
        self._files: dict[str, bytes] = {}
        self._warnings: dict[str, None] = {}
        self._used: dict[str, OrderFormat] = {}

    def add(self, verified: VerifiedOrders) -> Placed:
        """Write some accounts' orders; says which stand where, and which cannot be sent."""
        accounts: dict[str, list[Order]] = {}
        for order in verified.orders:
            accounts.setdefault(order.account, []).append(order)
        lots: dict[tuple[str, str], list[LotInstruction]] = {}
        for lot in verified.lots:
            lots.setdefault((lot.account, lot.symbol), []).append(lot)
        self._warnings.update(dict.fromkeys(verified.notes))
        sent: list[Sent] = []
        unsendable: list[Unsendable] = []
        for orders in accounts.values():
            placed = self._account(orders, lots)
            sent += placed.sent
            unsendable += placed.unsendable
        return Placed(sent=tuple(sent), unsendable=tuple(unsendable))

    def files(self) -> dict[str, bytes]:
        """The files so far, by name."""
        made = dict(self._files)
        for (name, part), held in self._open.items():
            made[self._file(self._used[name], part, held)] = b"".join(held.rows)
        return dict(sorted(made.items()))

    def warnings(self) -> tuple[str, ...]:
        """What to mind before the files are sent."""
        unconfirmed = tuple(
            f"{each.name} order files: {', '.join(each.unconfirmed)} are ours, and no text of the "
            "custodian that we could read confirms them; compare a file with its template before it is "
            "imported (docs/orders.md)"
            for each in self._used.values()
            if each.unconfirmed
        )
        return (*unconfirmed, *self._warnings)

    def _account(
        self, orders: list[Order], lots: Mapping[tuple[str, str], list[LotInstruction]]
    ) -> Placed:
        lines: list[tuple[Order, OrderFormat, bytes, list[bytes]]] = []
        refused: dict[int, Refused] = {}
        for place, order in enumerate(orders):
            try:
                made = self._format(order)
                own = [line_of(self._lot_format, order, lot) for lot in lots.get(order.key, [])]
                lines.append((order, made, line_of(made, order), own))
            except Refused as error:
                refused[place] = error
        if refused:
            return Placed(
                sent=(),
                unsendable=tuple(
                    _unsendable(order, refused.get(place)) for place, order in enumerate(orders)
                ),
            )
        return Placed(
            sent=tuple(
                Sent(order=order, file=self._write(made, order, line, own))
                for order, made, line, own in sorted(lines, key=lambda each: each[0].wave)
            ),
            unsendable=(),
        )

    def _format(self, order: Order) -> OrderFormat:
        if is_masked(order.account):
            raise Refused(
                Why.MASKED,
                "the account shows only its last digits, so nobody can tell which account is meant",
                "write the full account number in the holdings, or give an account map",
            )
        if order.held_away:
            raise Refused(Why.HELD_AWAY, "the account is held away", "remove its trades")
        if not order.discretionary and self._sending.consent is Consent.HOLD:
            raise Refused(
                Why.CONSENT,
                "the account is not discretionary",
                "get the client's word, then send the order by hand or export again with consent given",
            )
        if self._only is not None:
            return self._only
        if not order.custodian:
            if self._plain is not None:
                return self._plain
            raise Refused(
                Why.NO_CUSTODIAN,
                "the account has no custodian",
                "name it in the accounts table, column custodian",
            )
        found = self._formats.of(order.custodian)
        if found is None:
            raise Refused(
                Why.UNKNOWN_CUSTODIAN,
                f"no order format is for custodian {order.custodian!r}",
                f"declare one (docs/orders.md); known are {', '.join(self._formats.names())}",
            )
        if found.template:
            raise Refused(
                Why.TEMPLATE_REQUIRED,
                f"the format for {order.custodian} is not known to us; it needs {found.template}",
                f"declare its columns in a file {found.name}.toml (docs/orders.md)",
            )
        return found

    def _write(self, made: OrderFormat, order: Order, line: bytes, lots: list[bytes]) -> str:
        part = _WAVES[order.wave] if made.waves else ""
        name = self._append(made, part, line)
        for each in lots:
            self._append(self._lot_format, made.name, each)
        return name

    def _append(self, made: OrderFormat, part: str, line: bytes) -> str:
        self._used.setdefault(made.name, made)
        held = self._open.setdefault((made.name, part), _Open())
        if made.max_rows and len(held.rows) - bool(made.header) >= made.max_rows:
            self._files[self._file(made, part, held)] = b"".join(held.rows)
            held.rows, held.number = [], held.number + 1
        if not held.rows and made.header:
            held.rows.append(header_of(made))
        held.rows.append(line)
        return self._file(made, part, held)

    @staticmethod
    def _file(made: OrderFormat, part: str, held: _Open) -> str:
        words = [part, "lots"] if made.for_lots else [made.name, "orders", part]
        number = f"{held.number:02d}" if made.max_rows else ""
        return "-".join(word for word in (*words, number) if word) + f".{made.extension}"

    def _named(self, name: str) -> OrderFormat:
        found = self._formats.of(name)
        if found is None or found.template:
            raise FileError.of(
                where="order format",
                what=f"{name!r} is not known"
                if found is None
                else f"{name} needs {found.template}",
                remedy=f"known are {', '.join(self._formats.names())}; see docs/orders.md",
            )
        return found


def write_orders(
    verified: Iterable[VerifiedOrders], formats: OrderFormats, sending: Sending = NOTHING_ASKED
) -> OrderFiles:
    """The order files of verified plans; every order is in one of them, or in `unsendable`."""
    writer = OrderWriter(formats, sending)
    placed = [writer.add(each) for each in verified]
    return OrderFiles(
        files=writer.files(),
        sent=tuple(each for part in placed for each in part.sent),
        unsendable=tuple(each for part in placed for each in part.unsendable),
        warnings=writer.warnings(),
    )


def in_one_account(unsendable: Iterable[Unsendable]) -> Iterator[str]:
    """One line for each account that has orders which cannot be sent."""
    found: dict[str, list[Unsendable]] = {}
    for each in unsendable:
        found.setdefault(each.order.account, []).append(each)
    for account, listed in found.items():
        causes = dict.fromkeys(
            f"{each.what}; {each.remedy}" for each in listed if each.why is not Why.ACCOUNT
        )
        yield f"account {account}: {len(listed)} orders not written: {' | '.join(causes)}"


def _unsendable(order: Order, refused: Refused | None) -> Unsendable:
    if refused is None:
        return Unsendable(
            order=order,
            why=Why.ACCOUNT,
            what="another order of the account cannot be sent",
            remedy="mend that one; an account's orders go together",
        )
    return Unsendable(order=order, why=refused.why, what=refused.what, remedy=refused.remedy)
