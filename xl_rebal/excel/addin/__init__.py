"""The Excel add-in, built on any machine from our VBA, the ribbon and the installed xlwings' own code."""
