"""Sessions of every engine; no other package names one."""
