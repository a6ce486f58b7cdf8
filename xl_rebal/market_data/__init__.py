"""Prices: tables of the past, read from rows of cells."""
