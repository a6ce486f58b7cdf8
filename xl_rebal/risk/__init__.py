"""How classes move together, and what follows from it: benefit of a plan, bands, shocks."""
