"""Correct the proxy variables, so that servers on this machine are reached directly.

All clients in this process and its children read the same variables: httpx, Prefect's clients, gRPC, urllib,
Docker's client, and those for object stores in delta-rs and the embedded engine. So the variables are
corrected once, before the first client is created.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import MutableMapping

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
# gRPC has its own variable, which wins if it is set.
NO_PROXY_NAMES = ("NO_PROXY", "no_proxy")
GRPC_NO_PROXY = "no_grpc_proxy"
PROXY_NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
SCHEMES = ("http", "https", "socks5", "socks5h")


class ProxyError(Exception):
    """A proxy variable has a scheme that the clients cannot use (exit status 2)."""

    is_usage = True


def keep_loopback_direct(environment: MutableMapping[str, str] = os.environ) -> None:
    """Add loopback to NO_PROXY if there is any proxy; harmless if called again.

    Entries that httpx cannot parse, such as networks of IPv6, are removed.
    """
    from urllib.request import getproxies, getproxies_environment

    if environment is os.environ and not getproxies_environment():
        # Proxies in the settings of macOS or Windows, which apply only if there are no variables.
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
    """Reject proxies that the clients cannot use.

    Raises:
        ProxyError: the scheme of a proxy is not supported.
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
    """Return an entry in a form that every client can read, or None if there is none."""
    is_address = re.search(r"[\[\]%]", entry) or entry.count(":") > 1
    if not is_address or re.fullmatch(r"\w+://[\w.*-]+(:\d+)?", entry):
        return entry
    try:
        return str(ipaddress.IPv6Address(re.sub(r"^\[|\](:\d+)?$", "", entry)))
    except ValueError:
        return None
