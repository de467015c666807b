"""`docs/troubleshooting.md` has one entry for each class of errors that a user can meet."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

from movies.project import OWN_PACKAGES

PAGE = Path(__file__).parents[2] / "docs" / "troubleshooting.md"
PACKAGES = OWN_PACKAGES
# No user meets these: they are bases of others, or the code tries again, records the movie, or goes on.
INTERNAL = {
    *("EngineError", "FatalError", "ForecastError", "ImdbError", "LakeError", "RecordError", "TmdbError"),
    *("ApiBusyError", "BudgetSpent", "ConnectionFailedError", "InvalidPayloadError", "MovieNotFoundError"),
    *("NoIdsError", "NotThereError", "NotWholeError", "OversizedPayloadError", "PageError"),
    *("RateLimitedError", "Refused", "ServerError", "StoppedError", "TooLargeError", "TransientError"),
    "UnexpectedStatusError",
}


def subclasses(kind: type[BaseException]) -> Iterator[type[BaseException]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from subclasses(subclass)


def own_errors() -> set[str]:
    for package in PACKAGES:
        for module in walk_packages(import_module(package).__path__, f"{package}."):
            if not module.name.endswith((".__main__", ".main")):
                import_module(module.name)
    own = (kind for kind in subclasses(BaseException) if kind.__module__.partition(".")[0] in PACKAGES)
    return {kind.__name__ for kind in own}


def test_each_error_that_a_user_can_meet_has_one_entry() -> None:
    markers = re.findall(r"^### .+\n<!-- (.+) -->\n\n\S", PAGE.read_text("utf-8"), re.MULTILINE)
    entries = Counter(name for marker in markers for name in marker.split())

    assert entries == Counter((found := own_errors()) - INTERNAL)
    assert found >= INTERNAL
