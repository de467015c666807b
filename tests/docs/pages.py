"""The project's pages of Markdown: their links, headings and blocks of code."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
FOLDERS = (".", ".github", "benchmarks", "deployments", "docker")
SHELLS = ("sh", "console")
MARKDOWN = MarkdownIt("commonmark").enable("table")


def pages() -> list[Path]:
    """All pages, and no others that may lie in an environment or an output folder."""
    found = [path for folder in FOLDERS for path in sorted((ROOT / folder).glob("*.md"))]
    return [*found, *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / ".github").glob("*/*.md"))]


def name_of(page: Path) -> str:
    """A page as messages call it."""
    return page.relative_to(ROOT).as_posix()


def links(page: Path) -> Iterator[str]:
    """The targets of a page's links and pictures, also of those in HTML."""
    for token in _tokens(page):
        target = token.attrs.get("href") or token.attrs.get("src")
        if target is not None:
            yield str(target)
        elif token.type.startswith("html"):
            yield from re.findall(r'\b(?:href|src|srcset)="([^"]*)"', token.content)


def anchors(page: Path) -> set[str]:
    """What a link to a heading of the page may name, as GitHub and the site make it of the heading's text."""
    tokens = MARKDOWN.parse(page.read_text(encoding="utf-8"))
    headings = [after for token, after in pairwise(tokens) if token.type == "heading_open"]
    texts = ("".join(part.content for part in heading.children or ()) for heading in headings)
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in texts}


def commands(page: Path) -> Iterator[list[str]]:
    """The commands in a page's blocks for a shell, as lists of words, without variables set before them."""
    for token in MARKDOWN.parse(page.read_text(encoding="utf-8")):
        if token.type != "fence" or token.info not in SHELLS:
            continue
        for line in token.content.replace("\\\n", " ").splitlines():
            if token.info == "console" and not line.startswith("$ "):
                continue  # what a command prints
            lexer = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars="&|;<>")
            lexer.whitespace_split = True
            yield from _split(list(lexer))


def _split(words: list[str]) -> Iterator[list[str]]:
    command: list[str] = []
    for before, word in pairwise(["", *words, ";"]):
        if word in ("&&", "&", "|", "||", ";"):
            if command:
                yield command
            command = []
        elif ">" not in (before, word) and (command or not re.match(r"[A-Z_]+=", word)):
            command.append(word)


def _tokens(page: Path) -> Iterator[Token]:
    for token in MARKDOWN.parse(page.read_text(encoding="utf-8")):
        yield token
        yield from token.children or ()
