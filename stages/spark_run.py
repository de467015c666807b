"""The Spark engine of a run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from spark.engines.session import Engine


class EngineClosedError(Exception):
    """A task needed the Spark engine after the run had ended."""


class SparkRun:
    """The run's Spark engine: opened when a task first needs it, closed at the end.

    With `rebuild`, tasks rebuild their tables although nothing has changed; with `accepted_checks`, they
    publish although these checks fail.
    """

    def __init__(
        self,
        open_engine: Callable[[], Engine],
        *,
        rebuild: bool = False,
        accepted_checks: Collection[str] = (),
    ) -> None:
        self.rebuild = rebuild
        self.accepted_checks = accepted_checks
        self._open = open_engine
        self._engine: Engine | None = None
        self._closed = False
        self._lock = threading.Lock()

    @property
    def was_opened(self) -> bool:
        return self._engine is not None

    @property
    def session(self) -> SparkSession:
        """The session; the first caller waits for the engine to start."""
        with self._lock:
            if self._closed:
                raise EngineClosedError("The run ended before its Spark engine was needed")
            if self._engine is None:
                self._engine = self._open()
            session: SparkSession = self._engine.session
            return session

    @contextmanager
    def deaths_explained(self) -> Iterator[None]:
        """Raise the reason why the engine died, if that is why the block failed."""
        try:
            yield
        except Exception as error:
            if self._engine is None:
                raise
            with self._engine.deaths_explained():
                raise error

    def close(self) -> None:
        """Stop the engine; a remaining thread that needs it later gets an error."""
        with self._lock:
            self._closed = True
            if self._engine is not None:
                self._engine.stop()
