"""The boundary of the command line, at which errors become one sentence and an exit status."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from cli.streams import prepare_streams, silence
from cli.terminal import Terminal
from flows.failure import OK, explained, is_own, package_of, sentence, status
from flows.interrupt import interrupt_status, interrupts_raised
from movies.proxies import keep_loopback_direct
from tasks.run_logs import log_files

if TYPE_CHECKING:
    from movies.settings import Settings

logger = logging.getLogger(__name__)


class Group(TyperGroup):
    """Commands whose help shows no type for an option without a value."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Find a command by its name."""
        command = super().get_command(ctx, cmd_name)
        if command is not None:
            _hide_flag_types(command.get_params(ctx))
        return command

    def get_params(self, ctx: Any) -> list[Any]:
        """List the options of the group itself."""
        params = super().get_params(ctx)
        _hide_flag_types(params)
        return params


def _hide_flag_types(params: list[Any]) -> None:
    for param in params:
        if getattr(param, "is_flag", False):
            param.metavar = ""


class Commands(Group):
    """Commands whose exceptions become a message and an exit status."""

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Parse and run a command; its output may go anywhere."""
        prepare_streams()
        try:
            return super().main(*arguments, **options)
        except SystemExit as end:
            # Libraries exit in this way if the reader of a help text or a version has closed the pipe.
            if isinstance(end.__context__, BrokenPipeError):
                silence(sys.stdout)
                end.code = OK
            raise

    def invoke(self, ctx: Any) -> object:
        """Run a command, and exit with the status of its exception."""
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
            if package_of(error) in ("click", "typer"):
                raise
            raise typer.Exit(fail(error)) from error


def fail(error: Exception) -> int:
    """Print what went wrong; log the stack trace if the error is not one of the project's."""
    settings = _load_settings()
    terminal = Terminal(() if settings is None else settings.secrets)
    error = explained(error, settings)
    if is_own(error):
        terminal.fail(sentence(error))
    else:
        terminal.fail(f"{sentence(error)}{_keep_trace(error, settings)}")
    return status(error)


def _load_settings() -> Settings | None:
    """Return the settings, or None if they are not valid."""
    from movies.settings import SettingsError, load_settings

    try:
        return load_settings()
    except SettingsError:
        return None


def _keep_trace(error: Exception, settings: Settings | None) -> str:
    """Log the stack trace and return where it is; return an empty text if the log cannot be written."""
    if settings is None:
        return ""
    logs = settings.output_dir / "logs"
    try:
        with log_files(logs, settings.secrets):
            logger.error("the command failed", exc_info=error)
    except OSError:
        return ""
    return f" (the stack trace is in {logs / 'project.log'})"
