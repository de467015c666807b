"""Apache Spark as a Spark Connect server, the main process of a container.

`python -m spark.engines.connect_server --help`. It stops Spark on a signal, or when its standard input ends
(with `--until-stdin-closes`: the process that started the container has ended). It reports if Spark was
killed for memory.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

from spark.engines.cluster import driver_options
from spark.engines.engine_options import SESSION_OPTIONS
from spark.engines.object_store import object_store_options

PORT = 15002
MAIN_CLASS = "org.apache.spark.sql.connect.service.SparkConnectServer"
GRACE_SECONDS = 5.0
KILLED = 137
# Where the kernel counts processes that it killed for memory, in control groups of version 2 and 1.
KILL_COUNTS = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")
KILLED_FOR_MEMORY = "Spark was killed: it needed more memory than its container has"
HEAP_IS_FULL = "Spark ended: its heap is full"
HEAP_IS_FULL_STATUS = 3  # exit status by -XX:+ExitOnOutOfMemoryError


def command(options: argparse.Namespace) -> list[str]:
    """Return the command that runs the server with our session options."""
    pyspark = find_spec("pyspark")
    assert pyspark is not None and pyspark.origin is not None
    driver = driver_options(options.master, options.cores)
    java_options = driver["spark.driver.extraJavaOptions"]
    settings = {
        **SESSION_OPTIONS,
        **driver,
        **object_store_options(os.environ),
        "spark.driver.extraJavaOptions": f"{java_options} -XX:+ExitOnOutOfMemoryError",
        "spark.connect.grpc.binding.address": options.address,
        "spark.connect.grpc.binding.port": str(options.port),
        **({"spark.driver.memory": options.driver_memory} if options.driver_memory else {}),
        **dict(setting.split("=", 1) for setting in options.conf),
    }
    spark_submit = Path(pyspark.origin).parent / "bin" / "spark-submit"
    flags = [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]
    return [str(spark_submit), "--class", MAIN_CLASS, *flags, "spark-internal"]


def count_memory_kills() -> int:
    """Count the processes of this container that the kernel has killed for memory."""
    for path in KILL_COUNTS:
        try:
            lines = Path(path).read_text().splitlines()
        except OSError:
            continue
        return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
    return 0


def main() -> NoReturn:
    options = _parse_arguments()
    kills_before = count_memory_kills()
    # In its own session, so signals reach only this process, which then stops Spark.
    spark = subprocess.Popen(command(options), start_new_session=True, stdin=subprocess.DEVNULL)

    def stop(*_: object) -> None:
        os.killpg(spark.pid, signal.SIGTERM)
        threading.Timer(GRACE_SECONDS, os.killpg, (spark.pid, signal.SIGKILL)).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    if options.until_stdin_closes:
        threading.Thread(target=_call_at_end_of_input, args=(stop,), daemon=True).start()
    status = spark.wait()
    if count_memory_kills() > kills_before:
        print(KILLED_FOR_MEMORY, flush=True)  # noqa: T201
        status = KILLED
    elif status == HEAP_IS_FULL_STATUS:
        print(HEAP_IS_FULL, flush=True)  # noqa: T201
    sys.stdout.flush()
    # A normal exit would wait for the timer.
    os._exit(status if status >= 0 else 128 - status)


def _call_at_end_of_input(end: Callable[[], None]) -> None:
    while os.read(0, 4096):
        pass
    end()


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m spark.engines.connect_server", description=__doc__)
    parser.add_argument("--address", default="0.0.0.0", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=PORT, help="port to listen on (%(default)s)")
    parser.add_argument("--master", default="local[*]", help="Spark master (%(default)s)")
    parser.add_argument("--driver-memory", metavar="2g", help="Spark's heap")
    parser.add_argument("--cores", type=int, help="cores to use (all by default)")
    parser.add_argument("--conf", action="append", default=[], metavar="NAME=VALUE", help="a Spark option")
    parser.add_argument("--until-stdin-closes", action="store_true", help="stop at the end of standard input")
    return parser.parse_args()


if __name__ == "__main__":
    main()
