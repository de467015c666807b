"""What can go wrong with an engine.

* EngineError
  x EngineUnavailable
"""


class EngineError(Exception):
    """A Spark engine does not do as asked."""


class EngineUnavailable(EngineError):
    """The engine asked for cannot be had here; the text says why, in one sentence."""
