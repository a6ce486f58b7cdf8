"""Arrays in, proven optima out: mixed-integer programs through HiGHS. It knows nothing of portfolios."""
