"""Proxies of the environment: right for TMDB and other servers elsewhere, never for this machine's own.

Every client in a process, and in those that it starts, reads the same variables: httpx, Prefect's clients,
gRPC, urllib, Docker's client, and the object stores' in delta-rs and the embedded engine. So the variables
are what is put right, once, before the first client is made.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import MutableMapping

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
# gRPC has a list of its own, which wins where it is set.
NO_PROXY_NAMES = ("NO_PROXY", "no_proxy")
GRPC_NO_PROXY = "no_grpc_proxy"
PROXY_NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
SCHEMES = ("http", "https", "socks5", "socks5h")


class ProxyError(Exception):
    """A proxy of the environment is of a kind that no client here can use (exit status 2)."""

    is_usage = True


def keep_loopback_direct(environment: MutableMapping[str, str] = os.environ) -> None:
    """Name loopback in NO_PROXY if there is any proxy; harmless when it is called again.

    Entries that httpx fails on at its client's construction, such as networks of IPv6, are left out.
    """
    from urllib.request import getproxies, getproxies_environment

    if environment is os.environ and not getproxies_environment():
        # Those of macOS's and Windows' own settings, which count only while there are no variables.
        found = {f"{scheme.upper()}_PROXY": url for scheme, url in getproxies().items() if scheme != "no"}
        environment.update(found)
    if not any(environment.get(spelt) for name in PROXY_NAMES for spelt in (name, name.lower())):
        return
    excepted = environment.get("no_proxy") or environment.get("NO_PROXY", "")
    for name in NO_PROXY_NAMES:
        environment[name] = _with_loopback(excepted)
    if GRPC_NO_PROXY in environment:
        environment[GRPC_NO_PROXY] = _with_loopback(environment[GRPC_NO_PROXY])


def check_proxies(environment: MutableMapping[str, str] = os.environ) -> None:
    """Refuse proxies that the clients cannot use.

    Raises:
        ProxyError: the scheme of one is not supported.
    """
    for name in PROXY_NAMES:
        for spelt in (name, name.lower()):
            scheme, separator, _ = environment.get(spelt, "").partition("://")
            if separator and scheme.lower() not in SCHEMES:
                raise ProxyError(
                    f"{spelt} names a proxy of the kind {scheme}://, which is not supported. Write http://, "
                    "https:// or socks5:// instead, or unset it"
                )


def _with_loopback(excepted: str) -> str:
    entries = [_readable(entry) for entry in re.split(r"[,\s]+", excepted)]
    return ",".join(dict.fromkeys([*filter(None, entries), *LOOPBACK_HOSTS]))


def _readable(entry: str) -> str | None:
    """An entry as every client can read it; None if httpx cannot."""
    is_address = re.search(r"[\[\]%]", entry) or entry.count(":") > 1
    if not is_address or re.fullmatch(r"\w+://[\w.*-]+(:\d+)?", entry):
        return entry
    try:
        return str(ipaddress.IPv6Address(re.sub(r"^\[|\](:\d+)?$", "", entry)))
    except ValueError:
        return None
