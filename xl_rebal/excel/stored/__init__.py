"""Workbook files edited in place: only the parts that change are written, all others stay as they are."""
