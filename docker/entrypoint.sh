#!/bin/sh
# Java asks for the name of the user it runs as, who may be any: jobs write the lake as the owner of its folder.
# /etc/passwd is a link to the copy made here, since the image itself may be mounted read-only.
set -eu
cp /etc/passwd.image /tmp/passwd
if ! getent passwd "$(id -u)" >/dev/null; then
  echo "movies-$(id -u):x:$(id -u):$(id -g)::$HOME:/bin/sh" >>/tmp/passwd
fi
# What Spark shuffles goes to a disk if there is one: where the image is mounted read-only, /tmp is memory.
if [ -w /scratch ]; then export SPARK_LOCAL_DIRS="${SPARK_LOCAL_DIRS:-/scratch}"; fi
# Matplotlib lists all fonts again, for seconds, if it may not write beside the list that it has.
if [ ! -w "$MPLCONFIGDIR" ]; then
  cp -r "$MPLCONFIGDIR" /tmp/matplotlib
  export MPLCONFIGDIR=/tmp/matplotlib
fi
exec "$@"
