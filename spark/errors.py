"""What can go wrong with an engine, or with what it is given.

* EngineError
  x EngineUnavailable
    + EngineSilentError
  x EngineDied
* DataQualityError
  x UnknownCheckError
"""


class EngineError(Exception):
    """A Spark engine does not do as asked."""

    is_temporary = True


class EngineUnavailable(EngineError):
    """The engine asked for cannot be had here; the text says why, in one sentence."""

    is_temporary = False


class EngineSilentError(EngineUnavailable):
    """The engine is there and does not start or answer, which another try may find mended."""

    is_temporary = True


class EngineDied(EngineError):
    """The engine ended in the middle of its work; the text says why, as far as that is known."""


class DataQualityError(Exception):
    """Checks of severity `error` failed; the text says which, with their figures and ids of some rows."""


class UnknownCheckError(DataQualityError):
    """A check was accepted that does not exist; the text names it (exit status 2)."""

    is_usage = True
