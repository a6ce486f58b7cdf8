"""Workbooks that anyone can open: client reports built with openpyxl, and the checks on their packages."""
