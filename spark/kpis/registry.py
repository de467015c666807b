"""All KPIs, in the order of the gold tables."""

from spark.kpis.actors import ACTORS
from spark.kpis.budget_tiers import BUDGET_TIERS
from spark.kpis.correlations import CORRELATIONS
from spark.kpis.decades import DECADES
from spark.kpis.directors import DIRECTORS
from spark.kpis.franchises import FRANCHISE_COMPARISON, FRANCHISES
from spark.kpis.genre_pairs import GENRE_PAIRS
from spark.kpis.genres import GENRES
from spark.kpis.languages import LANGUAGES
from spark.kpis.months import RELEASE_MONTHS
from spark.kpis.outliers import OUTLIERS
from spark.kpis.overview import OVERVIEW
from spark.kpis.pairs import ACTOR_DIRECTOR_PAIRS, DIRECTOR_PAIRS
from spark.kpis.prior_power import PRIOR_POWER
from spark.kpis.producers import COMPANIES, COUNTRIES
from spark.kpis.rankings import MOVIE_RANKINGS
from spark.kpis.real_money import REAL_REVENUES
from spark.kpis.sample import MOVIE_SAMPLE
from spark.kpis.searches import MOVIE_SEARCHES
from spark.kpis.sequels import SEQUELS
from spark.kpis.suspicious_money import SUSPICIOUS_MONEY
from spark.kpis.weighted_ratings import WEIGHTED_RATINGS
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
    DECADES,
    LANGUAGES,
    COMPANIES,
    COUNTRIES,
    ACTORS,
    RELEASE_MONTHS,
    BUDGET_TIERS,
    SEQUELS,
    DIRECTOR_PAIRS,
    ACTOR_DIRECTOR_PAIRS,
    GENRE_PAIRS,
    CORRELATIONS,
    OUTLIERS,
    WEIGHTED_RATINGS,
    REAL_REVENUES,
    PRIOR_POWER,
    SUSPICIOUS_MONEY,
)
