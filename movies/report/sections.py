"""The report's content: seven sections of tables whose cells are ready to print."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from movies.lake import gold_tables as tables
from movies.report import formats
from movies.report.gold import FEW_MOVIES, Gold, Row
from movies.report.provenance import ATTRIBUTION, Provenance

TITLE = "TMDB movie report"
LISTED = 10


@dataclass(frozen=True)
class Heading:
    """The heading of a column; figures are aligned to the right."""

    title: str
    figures: bool = True


@dataclass(frozen=True)
class TextTable:
    """A table with a title, and the sentence to print if it has no rows."""

    title: str
    columns: tuple[Heading, ...]
    rows: tuple[tuple[str, ...], ...]
    when_empty: str


@dataclass(frozen=True)
class Section:
    """A numbered part of the report."""

    title: str
    tables: tuple[TextTable, ...]
    remark: str | None = None


@dataclass(frozen=True)
class Report:
    """The whole content, for any renderer."""

    title: str
    introduction: tuple[str, ...]
    sections: tuple[Section, ...]
    footer: tuple[str, ...]


@dataclass(frozen=True)
class _Metric:
    """A figure of a row, with the heading of its column."""

    heading: str
    show: Callable[[Row], str]
    figures: bool = True


@dataclass(frozen=True)
class _Ranking:
    """A ranking in `gold/movie_rankings`: its columns, and the condition for movies, in words."""

    name: str
    title: str
    metrics: tuple[_Metric, ...]
    needs: str


_MOVIE = _Metric("Movie", lambda row: formats.movie_name(row["title"], row["release_year"]), figures=False)
_REVENUE = _Metric("Revenue", lambda row: formats.money(row["revenue_musd"]))
_BUDGET = _Metric("Budget", lambda row: formats.money(row["budget_musd"]))
_PROFIT = _Metric("Profit", lambda row: formats.money(row["profit_musd"]))
_ROI = _Metric("ROI", lambda row: formats.multiple(row["roi"]))
_RATING = _Metric("Rating", lambda row: formats.rating(row["vote_average"], row.get("vote_count")))
_PLAIN_RATING = _Metric("Rating", lambda row: formats.rating(row["vote_average"]))
_VOTES = _Metric("Votes", lambda row: formats.whole(row["vote_count"]))
_MEAN_RATING = _Metric("Mean rating", lambda row: formats.rating(row["mean_rating"]))
_POPULARITY = _Metric("Popularity", lambda row: formats.decimal(row["popularity"]))
_RUNTIME = _Metric("Runtime", lambda row: formats.minutes(row["runtime"]))
_DIRECTOR = _Metric("Director", lambda row: formats.names(row["director"]), figures=False)
_MOVIES = _Metric("Movies", lambda row: formats.whole(row["movies"]))
_TOTAL_REVENUE = _Metric("Total revenue", lambda row: formats.money(row["total_revenue_musd"]))

_PERFORMANCE = (
    _Ranking("highest_revenue", "Highest revenue", (_REVENUE, _BUDGET, _PROFIT, _ROI), "a known revenue"),
    _Ranking("highest_budget", "Highest budget", (_BUDGET, _REVENUE, _PROFIT, _ROI), "a known budget"),
    _Ranking("highest_profit", "Highest profit", (_PROFIT, _REVENUE, _BUDGET, _ROI), "a known profit"),
    _Ranking("lowest_profit", "Lowest profit", (_PROFIT, _REVENUE, _BUDGET, _ROI), "a known profit"),
    _Ranking(
        "highest_roi",
        "Highest ROI (budget of $10M or more)",
        (_ROI, _REVENUE, _BUDGET, _PROFIT),
        "a known ROI and a budget of $10M or more",
    ),
    _Ranking(
        "lowest_roi",
        "Lowest ROI (budget of $10M or more)",
        (_ROI, _REVENUE, _BUDGET, _PROFIT),
        "a known ROI and a budget of $10M or more",
    ),
)
_RATINGS = (
    _Ranking("most_voted", "Most voted", (_VOTES, _PLAIN_RATING, _POPULARITY), "any votes"),
    _Ranking("highest_rated", "Highest rated (10 votes or more)", (_RATING, _POPULARITY), "10 votes or more"),
    _Ranking("lowest_rated", "Lowest rated (10 votes or more)", (_RATING, _POPULARITY), "10 votes or more"),
    _Ranking("most_popular", "Most popular", (_POPULARITY, _RATING), "a known popularity"),
)
_FRANCHISE_METRICS = (
    _Metric("Collection", lambda row: formats.one_line(row["collection"]), figures=False),
    _MOVIES,
    _TOTAL_REVENUE,
    _Metric("Mean revenue", lambda row: formats.money(row["mean_revenue_musd"])),
    _Metric("Total budget", lambda row: formats.money(row["total_budget_musd"])),
    _Metric("Mean budget", lambda row: formats.money(row["mean_budget_musd"])),
    _MEAN_RATING,
)
_DIRECTOR_METRICS = (_DIRECTOR, _MOVIES, _TOTAL_REVENUE, _MEAN_RATING)
_SEGMENT_METRICS = (
    _MOVIES,
    _Metric("Mean revenue", lambda row: formats.money(row["mean_revenue_musd"])),
    _Metric("Median ROI", lambda row: formats.multiple(row["median_roi"])),
    _Metric("Mean budget", lambda row: formats.money(row["mean_budget_musd"])),
    _Metric("Mean popularity", lambda row: formats.decimal(row["mean_popularity"])),
    _MEAN_RATING,
)


def build_report(gold: Gold, provenance: Provenance) -> Report:
    """Build the report's content from the gold tables, for any renderer."""
    introduction = [provenance.caption, "Money is in millions of US dollars; ROI is revenue / budget."]
    if gold.movies == 0:
        introduction.append("There are no movies yet, so there is nothing to rank or to average.")
    elif gold.movies < FEW_MOVIES:
        introduction.append(f"Rankings and averages say little with {formats.counted(gold.movies, 'movie')}.")
    return Report(
        TITLE,
        tuple(introduction),
        (
            Section("General statistics", (_general_statistics(gold),)),
            Section("Top performing movies", tuple(_ranking(gold, ranking) for ranking in _PERFORMANCE)),
            Section("Critical & audience ratings", tuple(_ranking(gold, ranking) for ranking in _RATINGS)),
            Section("Advanced searches", _searches(gold)),
            Section("Franchise vs standalone", (_segments(gold),), _segments_remark(gold)),
            Section("Most successful franchises", (_franchises(gold),)),
            Section("Most successful directors", (_directors(gold),), "Every co-director is credited."),
        ),
        (provenance.caption, ATTRIBUTION),
    )


def build_rankings(gold: Gold) -> dict[str, TextTable]:
    """Return the rankings that have movies, by name."""
    taken = (ranking for ranking in (*_PERFORMANCE, *_RATINGS) if gold.ranking(ranking.name))
    return {ranking.name: _ranking(gold, ranking) for ranking in taken}


def _general_statistics(gold: Gold) -> TextTable:
    overview, years = gold.overview, gold.rows(tables.YEARS, by="release_year")
    span = sorted({years[0]["release_year"], years[-1]["release_year"]}) if years else []
    measures = (
        ("Movies", formats.whole(gold.movies)),
        ("Release years", " to ".join(map(str, span)) or formats.UNKNOWN),
        ("Mean budget", formats.money(overview["mean_budget_musd"])),
        ("Mean revenue", formats.money(overview["mean_revenue_musd"])),
        ("Mean rating", formats.rating(overview["mean_rating"])),
    )
    return TextTable("", (Heading("Measure", figures=False), Heading("Value")), measures, "")


def _ranking(gold: Gold, ranking: _Ranking) -> TextTable:
    return _ranked(
        ranking.title,
        (_MOVIE, *ranking.metrics),
        gold.ranking(ranking.name),
        f"No movie has {ranking.needs}.",
    )


def _searches(gold: Gold) -> tuple[TextTable, ...]:
    return (
        _ranked(
            "Science fiction action movies with Bruce Willis, best rating first",
            (_MOVIE, _RATING, _RUNTIME, _DIRECTOR),
            gold.search("bruce_willis_scifi_action"),
            "No movie matches this search.",
        ),
        _ranked(
            "Movies by Quentin Tarantino with Uma Thurman, shortest first",
            (_MOVIE, _RUNTIME, _RATING, _DIRECTOR),
            gold.search("tarantino_uma_thurman"),
            "No movie matches this search.",
        ),
    )


def _segments(gold: Gold) -> TextTable:
    segments = gold.segments()
    rows = tuple((metric.heading, *map(metric.show, segments)) for metric in _SEGMENT_METRICS)
    return TextTable("", (Heading("Measure", False), Heading("Franchise"), Heading("Standalone")), rows, "")


def _segments_remark(gold: Gold) -> str:
    franchise, standalone = gold.segments()
    if gold.movies and not franchise["movies"]:
        return "No movie belongs to a collection."
    if gold.movies and not standalone["movies"]:
        return "Every movie belongs to a collection."
    return "A franchise movie is one that belongs to a collection."


def _franchises(gold: Gold) -> TextTable:
    return _ranked(
        _listed("By total revenue", gold.count(tables.FRANCHISES), "collection", "of two movies or more"),
        _FRANCHISE_METRICS,
        gold.rows(tables.FRANCHISES, by="rank", first=LISTED),
        "No collection has two movies or more.",
    )


def _directors(gold: Gold) -> TextTable:
    return _ranked(
        _listed("By total revenue", gold.count(tables.DIRECTORS), "director"),
        _DIRECTOR_METRICS,
        gold.rows(tables.DIRECTORS, by="rank", first=LISTED),
        "No movie has a known director.",
    )


def _listed(order: str, number: int, noun: str, which: str = "") -> str:
    """Return a title with the number of rows, and whether only the first are listed."""
    if not number:
        return order
    share = f"first {LISTED} of " if number > LISTED else ""
    return f"{order}, {share}{formats.counted(number, noun)} {which}".rstrip()


def _ranked(title: str, metrics: Sequence[_Metric], rows: Sequence[Row], when_empty: str) -> TextTable:
    """Build a table of ranked rows, with the rank in the first column."""
    return TextTable(
        title,
        (Heading("#"), *(Heading(metric.heading, metric.figures) for metric in metrics)),
        tuple((str(row["rank"]), *(metric.show(row) for metric in metrics)) for row in rows),
        when_empty,
    )
