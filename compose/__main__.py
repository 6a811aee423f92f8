"""`python -m compose`: the `wellstream` command without an installed script."""

from compose.cli import main

if __name__ == "__main__":
    main()
