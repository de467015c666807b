# Apache Spark with Delta: the transform, KPIs, report and plots, and the Spark Connect server.
ARG BASE_IMAGE=python:3.13-slim-trixie

FROM ${BASE_IMAGE} AS packages
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends binutils >/dev/null \
 && python3 -m pip install --quiet --no-cache-dir --root-user-action=ignore uv==0.13.9
WORKDIR /build
COPY pyproject.toml docker/install_packages.sh ./
ENV NEVER="pysail scikit-learn skops prettytable narwhals"
RUN sh install_packages.sh /opt/movies $NEVER

FROM ${BASE_IMAGE} AS java
# The installation of the JDK fails without a folder for its manual.
RUN mkdir -p /usr/share/man/man1 && apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends binutils openjdk-21-jdk-headless >/dev/null
# A runtime with the modules that Spark names or loads: a third of the JDK. It uses the base image's certificates.
RUN jlink --output /opt/java --strip-debug --no-header-files --no-man-pages --compress zip-6 --generate-cds-archive \
      --add-modules java.se,jdk.crypto.ec,jdk.httpserver,jdk.incubator.vector,jdk.jfr,jdk.management,jdk.naming.dns,jdk.net,jdk.security.auth,jdk.security.jgss,jdk.unsupported,jdk.zipfs \
 && cp --remove-destination --dereference /etc/ssl/certs/java/cacerts /opt/java/lib/security/cacerts \
 && rm /opt/java/lib/server/classes_nocoops.jsa

FROM packages AS spark
COPY --from=java /opt/java /opt/java
ENV JAVA_HOME=/opt/java PATH=/opt/movies/bin:/opt/java/bin:$PATH
COPY docker/fetch_jars.py docker/arrange_jars.py ./
COPY docker/jars ./jars
RUN ln -s /opt/movies/lib/python3*/site-packages/pyspark /opt/spark \
 && python fetch_jars.py /opt/spark/jars jars/delta.txt /opt/spark/jars \
 && python arrange_jars.py /opt/spark/jars
COPY docker/train_class_data.py ./
RUN python train_class_data.py /opt/java/lib/server/spark.jsa
# Matplotlib lists the fonts once. Any user may have to list them again.
RUN MPLCONFIGDIR=/opt/movies/matplotlib python -c "import matplotlib.font_manager" \
 && chmod 777 /opt/movies/matplotlib
# `s3` adds the packages and JARs for object stores with the S3 API (docs/object-storage.md). The JARs must be last on the
# class path: the class archive is valid for every path that begins like the path it was built with.
ARG OBJECT_STORE=
RUN [ -z "$OBJECT_STORE" ] || { EXTRAS="--extra aws" sh install_packages.sh /opt/movies $NEVER \
 && python fetch_jars.py /opt/spark/jars/all jars/$OBJECT_STORE.txt /opt/movies/store; }

FROM ${BASE_IMAGE} AS init
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends tini >/dev/null

FROM ${BASE_IMAGE}
RUN useradd --uid 1000 --create-home movies && chmod 777 /home/movies \
 && mkdir -p /data/lake /data/sandbox /data/results /data/output && chown -R movies:movies /data \
 && mkdir --mode=1777 /scratch \
 && printf '#!/bin/sh\nexec python -m cli "$@"\n' >/usr/local/bin/movies && chmod +x /usr/local/bin/movies \
 && mv /etc/passwd /etc/passwd.image && ln -s /tmp/passwd /etc/passwd
COPY --from=spark /opt/java /opt/java
COPY --from=spark /opt/movies /opt/movies
COPY --from=init /usr/bin/tini /usr/bin/tini
# All programs write below /data, /scratch or /tmp, so the rest may be read-only.
ENV PATH=/opt/movies/bin:/opt/java/bin:$PATH \
    JAVA_HOME=/opt/java \
    HOME=/home/movies \
    MPLCONFIGDIR=/opt/movies/matplotlib \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    REAL_LAKE=/data/lake \
    SANDBOX_LAKE=/data/sandbox \
    OUTPUT_DIR=/data/output \
    SPARK_MASTER=local[*] \
    SPARK_LOCAL_IP=127.0.0.1 \
    SPARK_DIST_CLASSPATH=/opt/movies/store/* \
    SPARK_SUBMIT_OPTS="-XX:SharedArchiveFile=/opt/java/lib/server/spark.jsa -Xlog:cds=off -Xlog:cds+dynamic=off" \
    PREFECT_HOME=/tmp/prefect \
    PREFECT_LOCAL_STORAGE_PATH=/data/results \
    PREFECT_LOGGING_EXTRA_LOGGERS=cli,deployments,flows,movies,spark,stages,tasks \
    PREFECT_SERVER_ANALYTICS_ENABLED=false \
    DO_NOT_TRACK=1
# In a job's container, only files in a mount or an object store are kept (flows/places.py).
ENV MOVIES_CONTAINER=1
WORKDIR /app
USER 1000:1000
EXPOSE 15002
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python", "docker/check_health.py"]
# The commit, if it is passed to the build. The project's own label is for pruning: docs/operating.md, "Upgrade".
ARG REVISION=
LABEL tmdb-movies.image=spark \
      org.opencontainers.image.title="TMDB movie pipeline: Spark" \
      org.opencontainers.image.description="Apache Spark with Delta, as Spark Connect server or in the flow's process." \
      org.opencontainers.image.version=0.1.0 \
      org.opencontainers.image.revision=$REVISION
# An init is needed: the kernel drops a SIGTERM that process 1 does not handle, or does not handle yet.
ENTRYPOINT ["tini", "-s", "--", "sh", "/app/docker/entrypoint.sh"]
CMD ["python", "-m", "spark.engines.connect_server"]
COPY . /app
