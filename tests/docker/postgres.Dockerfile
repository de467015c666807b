# Stands in for the official image of Postgres where no container registry is reached: built from this folder.
ARG BASE_IMAGE=python:3.13-slim-trixie
FROM ${BASE_IMAGE}
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql >/dev/null \
 && ln -s /usr/lib/postgresql/*/bin /usr/local/postgresql \
 && mkdir -p /var/lib/postgresql/data && chown -R postgres:postgres /var/lib/postgresql /var/run/postgresql
ENV PATH=/usr/local/postgresql:$PATH PGDATA=/var/lib/postgresql/data/pgdata
COPY postgres.sh /usr/local/bin/
USER postgres
VOLUME /var/lib/postgresql/data
CMD ["sh", "/usr/local/bin/postgres.sh"]
