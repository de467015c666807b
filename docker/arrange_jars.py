"""Delete Spark JARs that are not used here, and order the others: arrange_jars.py SPARK_JARS.

Spark's launcher puts `jars/*` on the class path, in the order in which the file system lists them. The order
may differ on another host, and the JVM would then ignore the class archive. So all JARs move one folder down,
and one new JAR names them in order.
"""

import shutil
import sys
import zipfile
from pathlib import Path

# Streaming's state store, the Scala shell, Kubernetes and YARN as cluster managers, Hive, machine learning's
# linear algebra, and native code for other systems than Linux: 240 MB.
UNUSED = (
    "connect-repl",
    "rocksdbjni-*",
    "spark-repl_*", "scala-compiler-*", "jline-*",
    "spark-kubernetes_*", "kubernetes-*", "volcano-*", "vertx-*", "zjsonpatch-*",
    "spark-yarn_*",
    "spark-hive*", "hive-[!s]*", "hive-serde-*", "hive-service-*", "hive-shims-*", "datanucleus-*", "derby*",
    "jdo-api-*", "javax.jdo-*", "libthrift-*", "libfb303-*", "jpam-*",
    "breeze*", "spire*", "cats-kernel_*", "algebra_*", "arpack*", "lapack-*", "blas-*", "JTransforms-*",
    "JLargeArrays-*",
    "*-osx-*", "*-windows-*",
)  # fmt: skip
ALL = "all"
BYTES_A_LINE = 72


def manifest(names: list[str]) -> bytes:
    """Return a JAR's manifest with the class path, folded as the format requires."""
    line = f"Class-Path: {' '.join(f'{ALL}/{name}' for name in names)}".encode()
    parts = [line[:BYTES_A_LINE]]
    parts += [line[i : i + BYTES_A_LINE - 1] for i in range(BYTES_A_LINE, len(line), BYTES_A_LINE - 1)]
    return b"Manifest-Version: 1.0\r\n" + b"\r\n ".join(parts) + b"\r\n\r\n"


def main(jars: Path) -> None:
    for pattern in UNUSED:
        for path in list(jars.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    (jars / ALL).mkdir()
    names = sorted(path.name for path in jars.glob("*.jar"))
    for name in names:
        (jars / name).rename(jars / ALL / name)
    with zipfile.ZipFile(jars / "spark.jar", "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", manifest(names))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
