"""LibreOffice Calc as a host: the same functions from an extension (.oxt)."""
