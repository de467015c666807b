"""Errors of engines and of data quality.

* EngineError
  x EngineUnavailable
    + EngineSilentError
  x EngineDied
* DataQualityError
  x UnknownCheckError
"""


class EngineError(Exception):
    """A Spark engine failed."""

    is_temporary = True


class EngineUnavailable(EngineError):
    """The requested engine cannot be used here; the text says why."""

    is_temporary = False


class EngineSilentError(EngineUnavailable):
    """The engine does not start or answer; a retry may help."""

    is_temporary = True


class EngineDied(EngineError):
    """The engine ended during its work; the text says why, if that is known."""


class DataQualityError(Exception):
    """Checks of severity `error` failed; the text says which, with their figures and ids of some rows."""


class UnknownCheckError(DataQualityError):
    """A check to accept does not exist; the text names it (exit status 2)."""

    is_usage = True
