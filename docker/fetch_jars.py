"""Download and verify the JARs of a list, with the resolver that Spark has.

fetch_jars.py SPARK_JARS LIST TARGET
"""

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.sax.saxutils import quoteattr

IVY_FILE = """<ivy-module version="2.0">
  <info organisation="build" module="jars"/>
  <dependencies defaultconfmapping="*->master,compile">
{}
  </dependencies>
</ivy-module>
"""


def read_list(path: Path) -> dict[str, str]:
    """Return the digests by coordinates (`group:artifact:version`)."""
    lines = [line.split() for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return {coordinates: digest for digest, coordinates in lines}


def fetch(ivy: Path, coordinates: list[str], target: Path) -> None:
    """Download only these JARs, without their dependencies."""
    dependencies = "\n".join(
        "    <dependency org={} name={} rev={} transitive='false'/>".format(*map(quoteattr, one.split(":")))
        for one in coordinates
    )
    with tempfile.TemporaryDirectory() as folder:
        ivy_file = Path(folder) / "ivy.xml"
        ivy_file.write_text(IVY_FILE.format(dependencies))
        options = ["-cache", f"{folder}/cache", "-types", "jar", "bundle", "-warn"]
        pattern = f"{target}/[artifact]-[revision].[ext]"
        subprocess.run(
            ["java", "-jar", str(ivy), "-ivy", str(ivy_file), "-retrieve", pattern, *options], check=True
        )


def main(spark_jars: Path, list_path: Path, target: Path) -> None:
    wanted = read_list(list_path)
    [ivy] = spark_jars.glob("ivy-*.jar")
    fetch(ivy, list(wanted), target)
    for coordinates, digest in wanted.items():
        _, artifact, version = coordinates.split(":")
        found = hashlib.sha256((target / f"{artifact}-{version}.jar").read_bytes()).hexdigest()
        if found != digest:
            raise SystemExit(f"{coordinates} is not what it was: its SHA-256 is {found}, expected {digest}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
