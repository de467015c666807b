#!/bin/sh
# Prepares files before Prefect's database starts. compose.yaml runs it each time, as root with few capabilities.
set -eu
data=/var/lib/postgresql/data
password=/secrets/database
was_open=/secrets/was-open

is_open=yes
case $PREFECT_LISTEN in
  127.*:* | localhost:* | "[::1]:"*) is_open= ;;
esac
if [ -z "$is_open" ] || [ -n "$HAS_PASSWORD" ]; then
  rm -f "$was_open"
# A service that was open before may stay open. A service of version 0.1.0 has no password yet and may have been open.
elif [ -e "$was_open" ] || { [ ! -s "$password" ] && [ -n "$(find "$data" -maxdepth 2 -name PG_VERSION)" ]; }; then
  touch "$was_open"
  echo "WARNING: other machines can use Prefect's API and read the TMDB key. Set PREFECT_API_PASSWORD." >&2
else
  echo "PREFECT_LISTEN=$PREFECT_LISTEN lets other machines use Prefect's API. Set PREFECT_API_PASSWORD." >&2
  exit 1
fi

if [ ! -s "$password" ]; then
  head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \n' >"$password.new"
  # Readable for two users, the database's and the server's. No other container mounts it.
  chmod 444 "$password.new"
  mv "$password.new" "$password"
fi
# If the database is running, it may delete files meanwhile, so errors are ignored.
find "$data" /var/run/postgresql ! -user postgres -exec chown -h postgres:postgres {} + || :
