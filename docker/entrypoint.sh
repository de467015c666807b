#!/bin/sh
# Runs the arguments: a program of the image, or otherwise a command of `movies` (`status`, `run …`, `--help`).
set -eu
if [ -e /etc/passwd.image ]; then
  # Java needs the name of its user, and that may be any user: jobs write the lake as the owner of its folder.
  # /etc/passwd is a link to this copy, because the image itself may be mounted read-only.
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
# Write Spark's shuffles to a disk if there is one: /tmp is in memory if the image is mounted read-only.
if [ -w /scratch ]; then export SPARK_LOCAL_DIRS="${SPARK_LOCAL_DIRS:-/scratch}"; fi
# If Matplotlib cannot write beside its list of fonts, it creates the list again, which takes seconds.
if [ -n "${MPLCONFIGDIR:-}" ] && [ ! -w "$MPLCONFIGDIR" ]; then
  cp -r "$MPLCONFIGDIR" /tmp/matplotlib
  export MPLCONFIGDIR=/tmp/matplotlib
fi
exec "$@"
