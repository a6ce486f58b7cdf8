"""Arrays in, proven optima out: programs through HiGHS. It knows nothing of portfolios."""
