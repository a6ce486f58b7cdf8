"""What a run is asked to do, in a form that travels to workers and is compared on resuming."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from xl_rebal import __version__
from xl_rebal.custodians.orders import OrderFormats, shipped_formats
from xl_rebal.portfolio.accounts import PlanMode
from xl_rebal.trading.price_moves import PRICE_MOVE
from xl_rebal.workbooks.zipped import COMPRESSOR


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSettings:
    """What every client is planned with unless its accounts say otherwise.

    policy        policy text.
    mode          how trades are found.
    costs         cost text; None: trading is free, and every output says so.
    as_of         the day of the trades; None takes the book's valuation date.
    min_trade     smallest trade in money.
    max_turnover  cap on (buys + sells) / 2 as a fraction, or None.
    price_move    fraction by which prices may rise before a buy would overdraw its account: so much
                  cash is kept back.
    idle_cash     share of an account from which idle cash is invested although no band asks for it: a
                  deposit that has come in. In modes rules and pro_rata; 1 never.
    order_type, limit, time_in_force  how orders are sent, as in the command `trades`.
    workbooks     False leaves out the workbooks of the clients.
    orders        False writes no order files and notes nothing in the ledger: for looking, not for sending.
    consent       orders of accounts that are not discretionary are sent too: the clients have agreed.
    export        the run's name on its orders; worked out from the book and all the rest.
    """

    policy: str = "5pp"
    mode: PlanMode = PlanMode.RULES
    costs: str | None = None
    as_of: dt.date | None = None
    min_trade: float = 0.0
    max_turnover: float | None = None
    price_move: float = PRICE_MOVE
    idle_cash: float = 0.02
    order_type: str = "MARKET"
    limit: float | None = None
    time_in_force: str = "DAY"
    workbooks: bool = True
    orders: bool = True
    consent: bool = False
    export: str = ""

    def document(self) -> dict[str, Any]:
        """As the manifest keeps it, with the version whose rules apply and what makes the files' bytes."""
        day = self.as_of.isoformat() if self.as_of else None
        return {
            **asdict(self),
            "mode": self.mode.value,
            "as_of": day,
            "version": __version__,
            "compressor": COMPRESSOR,
        }

    @property
    def digest(self) -> str:
        """SHA-256 of the document: two runs of one digest and one book come out the same."""
        return digest_of(json.dumps(self.document(), sort_keys=True).encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What a run uses that stands outside its book and its folder.

    formats  how each custodian takes orders.
    ledger   where orders are noted as exported; None: nowhere.
    """

    formats: OrderFormats = field(default_factory=shipped_formats)
    ledger: Path | None = None


def digest_of(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()
