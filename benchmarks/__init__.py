"""Benchmarks: ratios measured in one run, never in the test suite. `make bench` runs them all."""
