"""Where the errors of every command end: in one sentence and an exit status (contract, section 1)."""

from __future__ import annotations

import logging
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from flows.interrupt import interrupt_status, interrupts_raised
from flows.streams import prepare_streams, silence
from flows.terminal import Terminal
from proxies import keep_loopback_direct
from tasks.run_logs import OWN_PACKAGES, log_files

logger = logging.getLogger(__name__)

OK, FAILED, USAGE = 0, 1, 2
LONGEST_SENTENCE = 300


class Commands(TyperGroup):
    """Commands that do their work or raise; whatever they raise ends here."""

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Parse and run a command, wherever its output goes."""
        prepare_streams()
        try:
            return super().main(*arguments, **options)
        except SystemExit as end:
            # How the libraries end where nobody reads a help text or a version.
            if isinstance(end.__context__, BrokenPipeError):
                silence(sys.stdout)
                end.code = OK
            raise

    def invoke(self, ctx: Any) -> object:
        """Run a command, and end with the status of what it raised."""
        try:
            keep_loopback_direct()
            with interrupts_raised():
                return super().invoke(ctx)
        except BrokenPipeError:
            silence(sys.stdout)
            raise typer.Exit(OK) from None
        except KeyboardInterrupt as interrupt:
            Terminal().fail(str(interrupt) or "Interrupted")
            raise typer.Exit(interrupt_status(interrupt)) from None
        except Exception as error:
            if _package(error) in ("click", "typer"):
                raise
            raise typer.Exit(fail(error)) from error


def fail(error: Exception) -> int:
    """Say what went wrong; of what nobody foresaw, the stack trace goes into the log file."""
    terminal = Terminal(_secrets())
    if is_own(error):
        terminal.fail(sentence(error))
    else:
        terminal.fail(f"{sentence(error)}{_keep_trace(error)}")
    return status(error)


def status(error: Exception) -> int:
    """The exit status of a command that ends with an error, which knows whether it is of wrong usage."""
    return USAGE if getattr(error, "is_usage", False) else FAILED


def sentence(error: Exception) -> str:
    """What went wrong, in the words of our own errors; of others, the kind and the first line."""
    text = ". ".join([str(error), *getattr(error, "__notes__", [])])
    if is_own(error):
        return text
    return f"{type(error).__name__}: {text.partition(chr(10))[0][:LONGEST_SENTENCE]}"


def is_own(error: Exception) -> bool:
    """Whether the project raised it itself, with a text that is for people."""
    return _package(error) in OWN_PACKAGES


def _package(error: Exception) -> str:
    return type(error).__module__.partition(".")[0]


def _secrets() -> tuple[str, ...]:
    from settings import SettingsError, load_settings

    try:
        return load_settings().secrets
    except SettingsError:
        return ()


def _keep_trace(error: Exception) -> str:
    """Append the stack trace to the log, and say where that is; nothing where no log can be written."""
    from settings import SettingsError, load_settings

    try:
        settings = load_settings()
        logs = settings.output_dir / "logs"
        with log_files(logs, settings.secrets):
            logger.error("the command failed", exc_info=error)
    except (OSError, SettingsError):
        return ""
    return f" (the stack trace is in {logs / 'project.log'})"
