"""A server that speaks TMDB's API over true facts, made-up load and faults on demand."""

from movies.sandbox.process import Sandbox, SandboxError

__all__ = ["Sandbox", "SandboxError"]
