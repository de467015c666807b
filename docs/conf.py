"""How Sphinx builds the site: `uv run --group docs sphinx-build -W --keep-going docs site`."""

import posixpath
import re
from pathlib import Path

from sphinx.application import Sphinx

project = "TMDB movie pipeline"
extensions = ["myst_parser"]
myst_heading_anchors = 4
# Sentences and options are to be found as they are written.
smartquotes = False
html_theme = "furo"
html_title = project
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False

ROOT = Path(__file__).parents[1]
# Files beside this folder that are pages of the site too.
PAGES = {
    "README.md": "project/readme.md",
    "CHANGELOG.md": "project/changelog.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "SECURITY.md": "project/security.md",
    "benchmarks/README.md": "project/benchmarks.md",
    "deployments/README.md": "project/deployments.md",
    "docker/README.md": "project/images.md",
}
LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)(#[^)]*)?\)")
TEXT_LINK = re.compile(r"\[([^\[\]]+)\]\(([\w./-]+)\)")
OPTIONAL = re.compile(r"^([\w/-]+\*)\n", re.MULTILINE)
# What GitHub shows in one of two versions, by its theme.
PICTURE = re.compile(r"<picture>.*?<img\b([^>]*)>.*?</picture>", re.DOTALL)
DIAGRAM = re.compile(r"^```mermaid\n.+?^```$", re.MULTILINE | re.DOTALL)


def relink(text: str, folder: str, site_folder: str) -> str:
    """Turn links as they are right in a folder of the project into those of a page of the site."""

    def target(link: re.Match[str]) -> str:
        file = posixpath.normpath(posixpath.join(folder, link[1]))
        file = posixpath.join("docs", PAGES[file]) if file in PAGES else file
        return f"]({posixpath.relpath(file, posixpath.join('docs', site_folder))}{link[2] or ''})"

    def without_folders(link: re.Match[str]) -> str:
        # GitHub lists a folder; the site has no page of it.
        return link[1] if (ROOT / folder / link[2]).is_dir() else link[0]

    return LINK.sub(target, TEXT_LINK.sub(without_folders, text))


def read_page(app: Sphinx, name: str, source: list[str]) -> None:
    """Called with the text of each page of this folder."""
    folder = posixpath.dirname(name)
    text = relink(source[0], posixpath.join("docs", folder), folder)
    # A pattern of the table of contents that no page has yet would be warned of.
    source[0] = OPTIONAL.sub(lambda entry: entry[0] if any(app.srcdir.glob(f"{entry[1]}.md")) else "", text)


def read_included(app: Sphinx, path: Path, parent: str, source: list[str]) -> None:
    """Called with the text of each file that a page includes."""
    folder = posixpath.normpath(posixpath.join("docs", posixpath.dirname(path.as_posix())))
    # Nothing is loaded from elsewhere to draw it.
    text = DIAGRAM.sub("![From TMDB to the report](docs/pipeline.svg)", source[0])
    text = PICTURE.sub(
        lambda picture: f"![{_attribute('alt', picture[1])}]({_attribute('src', picture[1])})", text
    )
    source[0] = relink(text, folder, "project")


def _attribute(name: str, tag: str) -> str:
    found = re.search(rf'\b{name}="([^"]*)"', tag)
    return found[1] if found else ""


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", read_page)
    app.connect("include-read", read_included)
