"""Links of the pages lead somewhere, which is looked up without a network."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.docs.pages import ROOT, anchors, links, name_of, pages

HOSTS = (Path(__file__).parent / "hosts.txt").read_text(encoding="utf-8").split()


def is_dead(page: Path, link: str) -> bool:
    """Whether a relative link leads to no file, or to no heading of its page."""
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.is_relative_to(ROOT) or not target.exists():
        return True
    return bool(anchor) and anchor not in anchors(target)


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_links_within_the_project_lead_to_files_and_headings(page: Path) -> None:
    relative = [link for link in links(page) if not urlsplit(link).scheme]
    assert [link for link in relative if is_dead(page, link)] == []


def test_links_elsewhere_go_to_the_hosts_that_are_listed() -> None:
    linked = {
        str(urlsplit(link).hostname) for page in pages() for link in links(page) if urlsplit(link).scheme
    }
    if sorted(linked) != HOSTS:
        listed = "\n".join(sorted(linked))
        pytest.fail(f"if each of these is meant, tests/docs/hosts.txt must be:\n{listed}", pytrace=False)


def test_dead_links_are_found(tmp_path: Path) -> None:
    page = ROOT / "docs" / "tables.md"
    links_to = {"kpis.md": False, "kpis.md#tables": False, "#what-is-current": False}
    links_to |= {"kpi.md": True, "kpis.md#table": True, "#newest": True, "../../elsewhere": True}
    assert {link: is_dead(page, link) for link in links_to} == links_to
