"""The command line `movies`: one module per command, and one place where errors end."""
