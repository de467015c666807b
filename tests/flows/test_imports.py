"""What a process needs for which flows."""

from __future__ import annotations

import subprocess
import sys

from tests.places import PROJECT_ROOT

WITHOUT_SPARK = """
import sys

class NoSpark:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("pyspark", "pysail", "delta"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, NoSpark())
import flows.ingest, flows.maintain, flows.pipeline, cli.prune, cli.setup, deployments.worker, tasks.pruning
"""


CHECKS_ARE_KNOWN = """
from flows.request import RunRequest
from spark.spark_errors import UnknownCheckError

RunRequest.read({"accept_checks": ["unique_ids"]})
try:
    RunRequest.read({"accept_checks": ["unique_ids", "nonsense"]})
except UnknownCheckError as error:
    print(error)
"""


def test_checks_are_known_by_name_without_spark() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_SPARK + CHECKS_ARE_KNOWN],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "There is no data quality check called nonsense. docs/data-quality.md lists all\n"
