#!/bin/sh
# Runs a program of the image as it is named, and anything else as a command of `movies`: `status`, `run …`, `--help`.
set -eu
if [ -e /etc/passwd.image ]; then
  # Java asks for the name of the user it runs as, who may be any: jobs write the lake as the owner of its folder.
  # /etc/passwd is a link to the copy made here, since the image itself may be mounted read-only.
  cp /etc/passwd.image /tmp/passwd 2>/dev/null || {
    echo "Error: /tmp cannot be written. Start the container with --tmpfs /tmp:exec." >&2
    exit 1
  }
  if ! getent passwd "$(id -u)" >/dev/null; then
    echo "movies-$(id -u):x:$(id -u):$(id -g)::$HOME:/bin/sh" >>/tmp/passwd
  fi
fi
if [ $# -eq 0 ] || ! command -v -- "$1" >/dev/null; then
  set -- movies "$@"
fi
# What Spark shuffles goes to a disk if there is one: where the image is mounted read-only, /tmp is memory.
if [ -w /scratch ]; then export SPARK_LOCAL_DIRS="${SPARK_LOCAL_DIRS:-/scratch}"; fi
# Matplotlib lists all fonts again, for seconds, if it may not write beside the list that it has.
if [ -n "${MPLCONFIGDIR:-}" ] && [ ! -w "$MPLCONFIGDIR" ]; then
  cp -r "$MPLCONFIGDIR" /tmp/matplotlib
  export MPLCONFIGDIR=/tmp/matplotlib
fi
exec "$@"
