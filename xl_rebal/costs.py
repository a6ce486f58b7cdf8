"""What a trade costs: commission, half the bid-ask spread, market impact."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

from xl_rebal.errors import CostError
from xl_rebal.portfolio.securities import Security

EXAMPLES = '"half-spread 5bp, commission 0" or "spread 10bp, commission 4.95, 0.005 per share"'


@dataclass(frozen=True, slots=True, kw_only=True)
class CostModel:
    """The cost of a trade of `value` money and `quantity` units.

    half_spread     half the quoted bid-ask spread as a fraction of value: what one side pays.
    commission      money per trade.
    per_share       money per unit.
    min_commission, max_commission   bounds on the sum of both, in money (max may be infinite).
    impact          fraction of value when a trade is a whole day's volume; a trade of q units
                    pays impact x sqrt(q / ADV), the square-root law (Barra 1997; Almgren et al.
                    2005, "Direct Estimation of Equity Market Impact"). Needs ADV.
    """

    half_spread: float = 0.0
    commission: float = 0.0
    per_share: float = 0.0
    min_commission: float = 0.0
    max_commission: float = math.inf
    impact: float = 0.0

    def __post_init__(self) -> None:
        for name in ("half_spread", "commission", "per_share", "min_commission", "impact"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name} is {value}; it must be zero or more")
        if self.half_spread >= 0.5:
            raise ValueError("a half-spread of 50% or more is not a cost")
        if self.max_commission < self.min_commission:
            raise ValueError("the largest commission is below the smallest")

    @property
    def is_zero(self) -> bool:
        """True when every trade is free."""
        return self == CostModel()

    def for_security(self, security: Security) -> CostModel:
        """This model with the security's own spread and commission where it has them."""
        changes: dict[str, float] = {}
        if security.spread_bps is not None:
            changes["half_spread"] = security.spread_bps / 2e4
        if security.commission is not None:
            changes |= {
                "commission": security.commission,
                "per_share": 0.0,
                "min_commission": 0.0,
                "max_commission": math.inf,
            }
        return replace(self, **changes) if changes else self

    def parts(self, quantity: float, value: float, adv: float | None) -> tuple[float, float, float]:
        """Commission, half-spread and impact of one trade, in money (not rounded)."""
        commission = self.commission + self.per_share * quantity
        if commission < self.min_commission:
            commission = self.min_commission
        if commission > self.max_commission:
            commission = self.max_commission
        impact = 0.0
        if self.impact and adv:
            impact = self.impact * math.sqrt(quantity / adv) * value
        return commission, self.half_spread * value, impact

    def in_words(self) -> str:
        """`half-spread 5 bp (quoted spread 10 bp), commission 4.95 a trade`; says so when all is zero."""
        if self.is_zero:
            return "no trading costs (all are zero)"
        words = [
            f"half-spread {self.half_spread * 1e4:.10g} bp of value "
            f"(quoted spread {self.half_spread * 2e4:.10g} bp)",
            f"commission {self.commission:.10g} a trade",
        ]
        if self.per_share:
            words.append(f"{self.per_share:.10g} per share")
        if self.min_commission:
            words.append(f"commission at least {self.min_commission:.10g}")
        if math.isfinite(self.max_commission):
            words.append(f"commission at most {self.max_commission:.10g}")
        if self.impact:
            words.append(
                f"impact {self.impact * 1e4:.10g} bp x sqrt(quantity / ADV) where ADV is known"
            )
        return ", ".join(words)


_NUMBER = r"\$?(\d+(?:\.\d*)?|\.\d+)"
_RATE = _NUMBER + r"\s*(bps?|basis points?|%)"
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("half", re.compile(rf"half[- ]?spread (?:of )?{_RATE}|{_RATE} half[- ]?spread")),
    (
        "full",
        re.compile(
            rf"(?:full |quoted |bid-ask )*spread (?:of )?{_RATE}|{_RATE} (?:full |quoted |bid-ask )*spread"
        ),
    ),
    ("impact", re.compile(rf"impact (?:of )?{_RATE}|{_RATE} impact")),
    (
        "min_commission",
        re.compile(rf"(?:minimum|min) commission {_NUMBER}|commission (?:at least|min) {_NUMBER}"),
    ),
    (
        "max_commission",
        re.compile(rf"(?:maximum|max) commission {_NUMBER}|commission (?:at most|max) {_NUMBER}"),
    ),
    ("per_share", re.compile(rf"(?:commission )?{_NUMBER} (?:per|a) share|per[- ]share {_NUMBER}")),
    (
        "commission",
        re.compile(rf"commission (?:of )?{_NUMBER}(?: (?:per|a) trade)?|{_NUMBER} (?:per|a) trade"),
    ),
)


def parse_costs(text: str) -> CostModel:
    """The cost model that a text describes. Raises CostError naming the part that is not understood.

    `spread` is the full quoted spread, of which one side pays half; `half-spread` is that half.
    """
    found: dict[str, float] = {}
    for part in re.split(r"[,;]", text.casefold()):
        words = re.sub(r"\s+", " ", part.replace(":", " ").replace("=", " ")).strip()
        if not words:
            continue
        if words in {"none", "zero", "no costs", "free"}:
            continue
        name, value = _parse_part(words, text)
        if name in found:
            raise _refuse(text, f"it gives the {name.replace('_', ' ')} twice")
        found[name] = value
    if "half" in found and "full" in found:
        raise _refuse(text, "it gives both a spread and a half-spread")
    if "full" in found:
        found["half_spread"] = found.pop("full") / 2
    if "half" in found:
        found["half_spread"] = found.pop("half")
    try:
        return CostModel(**found)
    except ValueError as error:
        raise _refuse(text, str(error)) from None


def _parse_part(words: str, text: str) -> tuple[str, float]:
    for name, pattern in _PATTERNS:
        match = pattern.fullmatch(words)
        if match is None:
            continue
        groups = [g for g in match.groups() if g is not None]
        value = float(groups[0])
        if len(groups) > 1:
            value *= 0.01 if groups[1] == "%" else 1e-4
        return name, round(value, 15)
    hint = ""
    if re.fullmatch(_RATE, words):
        hint = " (is it the half-spread that one side pays, or the full quoted spread?)"
    raise _refuse(text, f"{words!r} is not understood{hint}")


def _refuse(text: str, what: str) -> CostError:
    return CostError.of(where=f"costs {text!r}", what=what, remedy=f"write for example {EXAMPLES}")
