"""The names of the stages."""

from enum import StrEnum


class StageName(StrEnum):
    """The stages in the order of a run; each can be run alone."""

    INGEST = "ingest"
    TRANSFORM = "transform"
    KPIS = "kpis"
    REPORT = "report"

    def __repr__(self) -> str:
        # Pydantic's messages name the choices of a `Literal` like this.
        return repr(self.value)
