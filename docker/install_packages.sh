#!/bin/sh
# Installs the project's pinned dependencies into a virtual environment, and deletes files that are not used:
#   install_packages.sh FOLDER [PACKAGE…]
# Run it in the folder of pyproject.toml. It leaves out the packages named and their own dependencies. EXTRAS may be uv's
# options for extras. If the environment exists already, it adds the packages that are missing.
set -eu
folder=$1
shift

pruned=""
for package in "$@"; do pruned="$pruned --prune $package"; done

# Use the certificates of the base image, not the bundled ones: it may have a private authority.
export UV_SYSTEM_CERTS=1 UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy
# shellcheck disable=SC2086
uv export --quiet --no-dev --no-emit-project --no-hashes --no-annotate --no-header \
  ${EXTRAS:-} $pruned >requirements.txt
[ -d "$folder" ] || uv venv --quiet "$folder"
uv pip install --quiet --no-cache --python "$folder" --requirement requirements.txt

packages=$(echo "$folder"/lib/python*/site-packages)
cd "$packages"
# Delete Arrow's RPC, ORC and clients of object stores (delta-rs has its own), headers, sources and packages' tests.
rm -rf pyarrow/*_flight* pyarrow/*_s3* pyarrow/_azurefs* pyarrow/_gcsfs* pyarrow/_hdfs* pyarrow/_orc* pyarrow/_dataset_orc* \
  pyarrow/*_cpp_tests* pyarrow/include pyarrow/src pyarrow/tests sqlalchemy/testing alembic/testing
# Of the dashboard's libraries, keep only the JavaScript, which runs in the reader's browser.
for package in plotly itables; do
  if [ -d $package ]; then find $package -type f ! -name plotly.min.js ! -path 'itables/html/dt_bundle.*' -delete; fi
done
rm -rf _plotly_utils "$folder/share/jupyter" "$folder/etc/jupyter"
# Delete files that only compilers, type checkers and scanners use.
find . -type f \( -name '*.pyi' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.pxi' -o -path '*.dist-info/sboms/*' \) -delete
# Keep one copy of each library, under the name that is loaded. A wheel has three copies.
rm -f pyarrow/libarrow_python*.so pyarrow/libarrow_python*.so.*.*.*
find . -type d \( -name tests -o -name test \) ! -path './prefect*' ! -path './numpy*' -prune -exec rm -rf {} +
# Delete symbols for debuggers, but not in bundled libraries of wheels (*.libs), because some would break.
find . -name '*.so*' -type f ! -path './*.libs/*' -exec strip --strip-unneeded {} +

# Compile the modules that are imported. A user without write access here would compile them at every start.
cat >imports.py <<'PYTHON'
from importlib import import_module

FLOWS = """aiolimiter backoff deltalake duckdb httpx msgspec obstore prefect prefect.cli.flow_run prefect.flow_engine prefect.runner
    prefect.task_engine pyarrow.compute pydantic_settings rich typer"""
SERVICES = """prefect.cli.deploy prefect.cli.server prefect.cli.worker prefect.server.api.server prefect_docker.worker
    uvicorn"""
FORECAST = "matplotlib.backends.backend_agg pandas PIL.Image sklearn.ensemble"
SPARK = "delta pandas pyspark.sql pyspark.sql.connect.session seaborn"

for names in (FLOWS, SERVICES, FORECAST, SPARK):
    try:
        for name in names.split():
            import_module(name)
    except ModuleNotFoundError as error:
        print(f"{error.name} is not in this image")
PYTHON
[ -d pyspark ] && rm -rf prefect/server/ui* && sed -i 's/(FLOWS, SERVICES, FORECAST, SPARK)/(FLOWS, SPARK)/' imports.py
PYTHONPATH=. python3 imports.py
rm imports.py
