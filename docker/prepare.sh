#!/bin/sh
# What must be there before Prefect's database starts; compose.yaml runs it each time, as root without most of its power.
set -eu
data=/var/lib/postgresql/data
password=/secrets/database

case $PREFECT_LISTEN in
  127.*:* | localhost:* | "[::1]:"*) ;;
  *)
    if [ -z "$HAS_PASSWORD" ]; then
      # A stack that has run before goes on as it did.
      if [ -z "$(find "$data" -maxdepth 2 -name PG_VERSION)" ]; then
        echo "PREFECT_LISTEN=$PREFECT_LISTEN lets other machines use Prefect's API. Set PREFECT_API_PASSWORD." >&2
        exit 1
      fi
      echo "WARNING: other machines can use Prefect's API and read the TMDB key. Set PREFECT_API_PASSWORD." >&2
    fi
    ;;
esac

if [ ! -s "$password" ]; then
  head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \n' >"$password.new"
  # For two users, the database's and the server's, and mounted in no other container.
  chmod 444 "$password.new"
  mv "$password.new" "$password"
fi
# Files of a database that runs may go meanwhile.
find "$data" /var/run/postgresql ! -user postgres -exec chown -h postgres:postgres {} + || :
