"""What a run prints on the terminal: progress, a summary, or one sentence on what failed."""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from rich.console import Console

from cli.streams import silence
from movies.imdb import ATTRIBUTION
from movies.report.output_files import DASHBOARD_NAME
from movies.report.provenance import SANDBOX
from movies.tmdb.redaction import escape_controls, redact

if TYPE_CHECKING:
    import pyarrow as pa

    from flows.run_report import RunReport

SECONDS_BETWEEN_LINES = 5.0


class Advance(Protocol):
    """The progress of the fetching."""

    done: int
    total: int
    failed: int

    def note(self) -> str: ...

    def sentence(self) -> str: ...


class _Console(Console):
    """Prints texts verbatim, and nothing more after the reader has closed the pipe."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False, markup=False, emoji=False)

    def on_broken_pipe(self) -> None:
        # The run goes on, as it does without a terminal.
        self.quiet = True
        silence(self.file)


class Terminal:
    """Prints for a person on a terminal, and in plain lines elsewhere.

    Every text is one line without secrets, in which control characters are escaped.
    """

    def __init__(self, secrets: tuple[str, ...] = ()) -> None:
        self._out, self._errors = _Console(), _Console(stderr=True)
        self._secrets = secrets

    def say(self, text: str) -> None:
        self._print(self._out, text)

    def say_rows(self, rows: pa.Table, *, wrap: bool = False) -> None:
        """Print rows below the names of their columns; texts wider than the terminal are cut or wrapped."""
        from cli.terminal_tables import table_lines

        width = shutil.get_terminal_size().columns if self._out.is_terminal else None
        for line in table_lines(rows, width, wrap=wrap):
            self.say(line)

    def note(self, text: str) -> None:
        """Print a text on standard error, so that it is not piped."""
        self._print(self._errors, text)

    def fail(self, text: str) -> None:
        """Print what went wrong; the text has no full stop at its end."""
        self._print(self._errors, f"Error: {text}")

    def _print(self, console: Console, text: str) -> None:
        console.print(escape_controls(redact(text, self._secrets)), soft_wrap=True)

    @contextmanager
    def warnings_of(self, logger_name: str) -> Iterator[None]:
        """Print a logger's warnings during the block."""
        handler = logging.Handler(logging.WARNING)
        handler.emit = lambda record: self.say(record.getMessage())  # type: ignore[method-assign]
        logger = logging.getLogger(logger_name)
        logger.addHandler(handler)
        try:
            yield
        finally:
            logger.removeHandler(handler)

    @contextmanager
    def progress(self) -> Iterator[Callable[[Advance], None]]:
        """Show the progress of the fetching: a bar on a terminal, a line every few seconds elsewhere."""
        if not self._out.is_terminal:
            yield self._lines()
            return
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("Fetching"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}", markup=False),
        )
        with Progress(*columns, TimeRemainingColumn(), console=self._out, transient=True) as bar:
            row = bar.add_task("fetch", total=None, note="", visible=False)

            def draw(state: Advance) -> None:
                bar.update(row, total=state.total, completed=state.done, note=state.note(), visible=True)

            yield draw

    def _lines(self) -> Callable[[Advance], None]:
        last: float | None = None

        def write(state: Advance) -> None:
            nonlocal last
            now = time.monotonic()
            last = now if last is None else last
            if now - last >= SECONDS_BETWEEN_LINES:
                last = now
                self.say(f"Fetched {state.sentence()}")

        return write

    def summarise(self, report: RunReport, output_dir: Path, lake: str) -> None:
        """Print the counts and times of the run, and where its results are."""
        for row in report.rows():
            detail = f"  ({row['detail']})" if row["detail"] else ""
            self.say(f"  {row['movies'] + ' ':.<18} {row['count']:>9,}{detail}")
        steps = ", ".join(f"{step} {seconds:.1f} s" for step, seconds in report.seconds.items())
        self.say(f"  {'seconds ':.<18} {steps}")
        if report.analytics.rated is not None:
            self.say(ATTRIBUTION)
        if report.is_unchanged:
            self.say(f"{report.sentence().capitalize()}.")
        if report.source == SANDBOX:
            self.say(report.data)
        self.say(f"Tables are in {short(lake)}")
        if report.analytics.files:
            self.say(f"Report, plots and logs are in {short(str(output_dir))}")
            for path in report.analytics.files:
                if path.endswith(DASHBOARD_NAME):
                    self.say(f"The dashboard is {short(path)}: open it in a browser")


def short(place: str) -> str:
    """Return a path relative to the working folder if it is below it."""
    return place.removeprefix(f"{Path.cwd()}{os.sep}")
