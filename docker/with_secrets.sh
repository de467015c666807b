#!/bin/sh
# Starts a service of compose.yaml with its secrets, which must not be in an environment that `docker inspect` shows, and
# without blank variables, which Prefect would treat as values.
set -eu
if [ -n "${KEYS_FILE:-}" ]; then
  # Compose wrote the file into the container's own layer, where it stays after the container has stopped.
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
    # A worker passes it to its jobs.
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
