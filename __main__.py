"""`python -m melon` is the command `melon`."""

from melon.cli import main

if __name__ == "__main__":
    main()
