# Flows, worker and Prefect server: only Python, without Java, Spark or the embedded engine.
ARG BASE_IMAGE=python:3.13-slim-trixie

FROM ${BASE_IMAGE} AS packages
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends binutils >/dev/null \
 && python3 -m pip install --quiet --no-cache-dir --root-user-action=ignore uv==0.13.9
WORKDIR /build
COPY pyproject.toml docker/install_packages.sh ./
ENV NEVER="pyspark delta-spark pysail seaborn plotly itables"
ENV LEARNS_AND_DRAWS="matplotlib scikit-learn skops pandas numpy pillow"
RUN sh install_packages.sh /opt/movies $NEVER $LEARNS_AND_DRAWS
# `s3` adds the packages for object stores with the S3 API (docs/object-storage.md).
ARG OBJECT_STORE=
# `1` adds the packages of the forecast, for its image.
ARG FORECAST=
RUN [ -z "$OBJECT_STORE$FORECAST" ] || EXTRAS="${OBJECT_STORE:+--extra aws}" \
      sh install_packages.sh /opt/movies $NEVER $([ -n "$FORECAST" ] || echo $LEARNS_AND_DRAWS)

FROM ${BASE_IMAGE} AS init
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends tini >/dev/null

FROM ${BASE_IMAGE}
RUN useradd --uid 1000 --create-home movies && chmod 777 /home/movies \
 && mkdir -p /data/lake /data/sandbox /data/results /data/output && chown -R movies:movies /data \
 && printf '#!/bin/sh\nexec python -m cli "$@"\n' >/usr/local/bin/movies && chmod +x /usr/local/bin/movies
COPY --from=packages /opt/movies /opt/movies
COPY --from=init /usr/bin/tini /usr/bin/tini
# All programs write below /data or /tmp, so the rest may be read-only.
ENV PATH=/opt/movies/bin:$PATH \
    HOME=/home/movies \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    REAL_LAKE=/data/lake \
    SANDBOX_LAKE=/data/sandbox \
    OUTPUT_DIR=/data/output \
    PREFECT_HOME=/tmp/prefect \
    PREFECT_LOCAL_STORAGE_PATH=/data/results \
    PREFECT_LOGGING_EXTRA_LOGGERS=cli,deployments,flows,movies,spark,stages,tasks \
    PREFECT_SERVER_ANALYTICS_ENABLED=false \
    PREFECT_UI_STATIC_DIRECTORY=/tmp/prefect-ui \
    DO_NOT_TRACK=1
# In a job's container, only files in a mount or an object store are kept (flows/places.py).
ENV MOVIES_CONTAINER=1
WORKDIR /app
USER 1000:1000
HEALTHCHECK --interval=30s --timeout=5s CMD ["test", "-w", "/data"]
# The commit, if it is passed to the build. The project's own label is for pruning: docs/operating.md, "Upgrade".
ARG REVISION=
LABEL tmdb-movies.image=flow \
      org.opencontainers.image.title="TMDB movie pipeline: flows" \
      org.opencontainers.image.description="Fetches movies from TMDB into Delta tables, and runs Prefect's worker and server." \
      org.opencontainers.image.version=0.1.0 \
      org.opencontainers.image.revision=$REVISION
# An init is needed: the kernel drops a SIGTERM that process 1 does not handle, or does not handle yet.
ENTRYPOINT ["tini", "-s", "--", "sh", "/app/docker/entrypoint.sh"]
CMD ["movies", "run", "--stage", "ingest"]
COPY . /app
