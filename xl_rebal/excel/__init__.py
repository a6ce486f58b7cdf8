"""Worksheet functions: declared once, served by every host in the same words."""
