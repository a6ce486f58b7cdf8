"""The worksheet functions. Each is a few lines: cells to nouns, the engine, nouns to cells.

A new module is named in MODULES; the functions stand in the order of that list everywhere.
"""

MODULES = ("measure", "trade", "risk", "backtest", "words", "tax", "household", "book")
