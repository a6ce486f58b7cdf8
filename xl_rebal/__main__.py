"""`python -m xl_rebal` is the same as the command `xl-rebal`."""

from xl_rebal.cli import main

if __name__ == "__main__":
    main()
