"""The JavaScript libraries that the page embeds, from the Python packages that ship them."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

# The bundle is a module, which a page on a disk cannot import, so it is converted to a script.
_EXPORTS = re.compile(r"\bexport\s*\{([^}]*)\}\s*;?")
_DEFAULT = re.compile(r"([\w$]+) as default\b")


class MissingLibraryError(Exception):
    """A file to embed is missing in the package that ships it."""


@dataclass(frozen=True)
class Packed:
    """An embedded library: gzip in base64, and the digest that lets a browser run it."""

    base64: str
    digest: str


@cache
def plotly() -> Packed:
    """Return Plotly's minified JavaScript, which defines `Plotly`."""
    return _pack(_text("plotly", "package_data/plotly.min.js"))


@cache
def data_tables() -> Packed:
    """Return the DataTables bundle of itables as a plain script, which defines `DataTable`."""
    return _pack(as_script(_text("itables", "html/dt_bundle.js")))


@cache
def data_tables_style() -> Packed:
    """Return the style sheet of the DataTables bundle."""
    return _pack(_text("itables", "html/dt_bundle.css"))


def as_script(module: str) -> str:
    """Convert a module whose default export is DataTables to a script that defines it.

    Raises:
        MissingLibraryError: the module has no such export.
    """
    exports = _EXPORTS.search(module)
    default = _DEFAULT.search(exports[1]) if exports else None
    if exports is None or default is None:
        raise MissingLibraryError("The DataTables bundle of itables exports nothing by default")
    body = f"{module[: exports.start()]}globalThis.DataTable={default[1]};{module[exports.end() :]}"
    return f'(()=>{{"use strict";{body}\n}})();'


def digest(source: str) -> str:
    """Return a source's digest in the format of Content-Security-Policy."""
    return f"sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}"


def _pack(source: str) -> Packed:
    # No time in the header, so the same source gives the same bytes.
    packed = gzip.compress(source.encode(), compresslevel=9, mtime=0)
    return Packed(base64.b64encode(packed).decode(), digest(source))


def _text(package: str, path: str) -> str:
    """Read a package's file without importing the package."""
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations if spec else None) or ():
        file = Path(folder) / path
        if file.is_file():
            return file.read_text(encoding="utf-8").replace("\r\n", "\n")
    raise MissingLibraryError(f"{path} of the package {package} is not here. Install the project again")
