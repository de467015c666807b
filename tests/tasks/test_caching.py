import subprocess
import sys

from stages.names import StageName
from tasks.code import CODE, LIBRARIES, PROJECT_ROOT, code_version

# Imported by the Spark stages, yet without a say in what they compute.
NO_SAY = {"spark/__init__.py", "spark/engines/embedded.py", "spark/errors.py", "spark/engines/java.py"}


def covered(places):
    for place in places:
        path = PROJECT_ROOT / place
        files = path.rglob("*.py") if path.is_dir() else [path]
        yield from (file.relative_to(PROJECT_ROOT).as_posix() for file in files)


def imported_by(module: str) -> set[str]:
    """Files of ours that a module brings along, seen in a fresh process."""
    script = (
        f"import sys, {module}\n"
        "print(*(getattr(module, '__file__', None) for module in list(sys.modules.values())), sep='\\n')"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    root = f"{PROJECT_ROOT}/"
    files = {line.removeprefix(root) for line in out.splitlines() if line.startswith(root)}
    return {file for file in files if file.startswith(("spark/", "lake/"))}


def test_the_code_version_covers_every_module_a_stage_runs():
    for stage, module in ((StageName.TRANSFORM, "spark.transform"), (StageName.KPIS, "spark.kpis")):
        assert imported_by(module) - NO_SAY <= set(covered(CODE[stage])), stage


def test_another_file_or_library_makes_another_code_version():
    versions = {code_version(places, LIBRARIES) for places in CODE.values()}
    versions |= {code_version(CODE[StageName.KPIS]), code_version(("movies/lake/tables.py",))}

    assert len(versions) == 4
