"""All KPIs, in the order of the gold tables."""

from spark.kpis.directors import DIRECTORS
from spark.kpis.franchises import FRANCHISE_COMPARISON, FRANCHISES
from spark.kpis.genres import GENRES
from spark.kpis.overview import OVERVIEW
from spark.kpis.rankings import MOVIE_RANKINGS
from spark.kpis.sample import MOVIE_SAMPLE
from spark.kpis.searches import MOVIE_SEARCHES
from spark.kpis.years import YEARS

KPIS = (
    OVERVIEW,
    MOVIE_RANKINGS,
    MOVIE_SEARCHES,
    FRANCHISE_COMPARISON,
    FRANCHISES,
    DIRECTORS,
    GENRES,
    YEARS,
    MOVIE_SAMPLE,
)
