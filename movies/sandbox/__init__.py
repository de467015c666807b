"""A test server with TMDB's API: real movies, any number of made-up ones, and faults on demand."""

from movies.sandbox.process import Sandbox, SandboxError

__all__ = ["Sandbox", "SandboxError"]
