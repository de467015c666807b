"""`python -m flows` is the command line `movies`, where the project is not installed."""

from flows.cli import main

main()
