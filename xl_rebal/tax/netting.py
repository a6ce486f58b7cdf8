"""Capital gains and losses of one tax return, netted: Schedule D, its carryover worksheet, 28% gains."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Gains:
    """Gains and losses (negative) of one tax return, in dollars, by how they are taxed.

    short         held one year or less.
    long          held more than one year, collectibles left out.
    collectible   collectibles held more than one year (physical gold funds such as GLD and IAU).
    section_1256  regulated futures and broad index options: 60% long, 40% short (26 USC 1256(a)(3)).
    ordinary      other ordinary income that a plan causes, such as a withdrawal from an IRA.
    """

    short: float = 0.0
    long: float = 0.0
    collectible: float = 0.0
    section_1256: float = 0.0
    ordinary: float = 0.0

    def __add__(self, other: Gains) -> Gains:
        return Gains(
            short=self.short + other.short,
            long=self.long + other.long,
            collectible=self.collectible + other.collectible,
            section_1256=self.section_1256 + other.section_1256,
            ordinary=self.ordinary + other.ordinary,
        )

    @property
    def split(self) -> Gains:
        """The same with section 1256 gains shared out: 40% short, 60% long."""
        return Gains(
            short=self.short + 0.4 * self.section_1256,
            long=self.long + 0.6 * self.section_1256,
            collectible=self.collectible,
            ordinary=self.ordinary,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Netted:
    """What is left after netting.

    short        net gain that is taxed as ordinary income, 0 or more.
    long         net capital gain (taxed at the rates for long-term gains), 0 or more.
    collectible  the part of `long` that is taxed at up to 28%.
    deducted     net loss that is deducted from other income this year, 0 or more.
    carry_short  short-term loss carried to the next year, 0 or more.
    carry_long   long-term loss carried to the next year, 0 or more.
    """

    short: float
    long: float
    collectible: float
    deducted: float
    carry_short: float
    carry_long: float


def net(
    gains: Gains,
    *,
    carry_short: float = 0.0,
    carry_long: float = 0.0,
    loss_limit: float = 3_000.0,
    taxable_income: float = math.inf,
) -> Netted:
    """Net the gains of a year, all of them, against each other and the losses carried into it.

    carry_short, carry_long  losses carried in, positive (Schedule D lines 6 and 14).
    taxable_income           of the year before the deduction of a loss; may be negative: a loss that
                             no income absorbs is carried on (capital loss carryover worksheet).

    Worked: short -15,500, long +7,100: net -8,400; 3,000 deducted, 5,400 carried as short.
    """
    parts = gains.split
    short = parts.short - carry_short  # line 7
    long = parts.long + parts.collectible - carry_long  # line 15
    total = short + long  # line 16
    at_28 = parts.collectible - carry_long + min(short, 0.0)  # 28% rate gain worksheet
    net_long = max(0.0, min(long, total))
    deducted = min(loss_limit, max(0.0, -total))  # line 21
    used = min(deducted, max(0.0, taxable_income))  # worksheet line 4
    short_loss, long_loss = max(0.0, -short), max(0.0, -long)
    carry_on_short = max(0.0, short_loss - used - max(0.0, long))
    used_after_short = max(0.0, used - short_loss)
    carry_on_long = max(0.0, long_loss - max(0.0, short) - used_after_short)
    return Netted(
        short=max(0.0, min(short, total)),
        long=net_long,
        collectible=min(net_long, max(0.0, at_28)),
        deducted=deducted,
        carry_short=carry_on_short,
        carry_long=carry_on_long,
    )
