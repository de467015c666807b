#!/bin/sh
# Java asks for the name of the user it runs as, who may be any: jobs write the lake as the owner of its folder.
# /etc/passwd is a link to the copy made here, since the image itself may be mounted read-only.
set -eu
cp /etc/passwd.image /tmp/passwd
if ! getent passwd "$(id -u)" >/dev/null; then
  echo "movies-$(id -u):x:$(id -u):$(id -g)::$HOME:/bin/sh" >>/tmp/passwd
fi
exec "$@"
