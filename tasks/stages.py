"""The steps of a whole run."""

from enum import StrEnum


class Stage(StrEnum):
    """A step, in the order of a run; each can be run alone."""

    INGEST = "ingest"
    TRANSFORM = "transform"
    KPIS = "kpis"
    REPORT = "report"
