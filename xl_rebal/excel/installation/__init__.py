"""Puts the add-in and the templates where Excel looks for them, and takes them away again."""
