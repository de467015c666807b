"""Sessions of all engines; no other package knows the engines by name."""
