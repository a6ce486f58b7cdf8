"""Several accounts, one target: which lot to sell, in which account, and what to buy where, at least cost."""
