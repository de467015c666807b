"""What a process needs for which flows."""

from __future__ import annotations

import subprocess
import sys

from tests.flows.conftest import PROJECT_ROOT

WITHOUT_SPARK = """
import sys

class NoSpark:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("pyspark", "pysail", "delta"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, NoSpark())
import flows.ingest, flows.maintain, flows.pipeline, flows.prune, flows.setup, flows.worker, tasks.pruning
"""


def test_what_only_fetches_and_keeps_the_lake_needs_no_spark() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_SPARK], cwd=PROJECT_ROOT, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
