"""Taxes on gains: holding periods, lots, netting, rates, wash sales, harvesting. All of it is pure."""

from xl_rebal.tax.holding_period import is_long_term, long_term_from

__all__ = ["is_long_term", "long_term_from"]
