<<<<<<< HEAD
"""Arrays in, proven optima out: mixed-integer programs through HiGHS. It knows nothing of portfolios."""
=======
"""Arrays in, proven optima out: programs through HiGHS. It knows nothing of portfolios."""
>>>>>>> bf1808e (Plan households: lots, accounts and purchases in one program through HiGHS, whole shares, own verifier)
