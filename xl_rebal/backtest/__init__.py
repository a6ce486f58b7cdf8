"""The backtest: the live policy on past prices, and what it would have come to."""
