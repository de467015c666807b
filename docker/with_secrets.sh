#!/bin/sh
# Starts a service of compose.yaml with what is in no environment that `docker inspect` shows, and what Prefect takes for
# a value even if it is blank.
set -eu
if [ -n "${KEYS_FILE:-}" ]; then
  # Compose wrote the file into the container's own layer, which outlives the container.
  if [ ! -e "$KEYS_FILE" ]; then
    echo "The keys were handed over once. Run docker compose up, which does it again." >&2
    exit 1
  fi
  while IFS= read -r line; do
    [ -z "$line" ] || export "$line"
  done <"$KEYS_FILE"
  rm -f "$KEYS_FILE"
fi
if [ -n "${PREFECT_API_PASSWORD:-}" ]; then
  if [ -n "${PREFECT_API_URL:-}" ]; then
    # A worker hands it on to its jobs.
    export PREFECT_API_AUTH_STRING="admin:$PREFECT_API_PASSWORD"
  else
    export PREFECT_SERVER_API_AUTH_STRING="admin:$PREFECT_API_PASSWORD"
  fi
fi
unset PREFECT_API_PASSWORD
if [ -e /secrets/database ]; then
  PREFECT_SERVER_DATABASE_PASSWORD=$(cat /secrets/database)
  export PREFECT_SERVER_DATABASE_PASSWORD
fi
exec "$@"
