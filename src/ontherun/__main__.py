"""`python -m ontherun`: the same as the `ontherun` command."""

from ontherun.cli import main

if __name__ == "__main__":
    main()
