// The movies of the page, and what is computed of those that are chosen, by the rules of the gold tables.

const DATA = JSON.parse(document.getElementById("data").textContent);
const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

function toRows(columns) {
  const columnNames = Object.keys(columns);
  return (columns[columnNames[0]] ?? []).map((_, place) =>
    Object.fromEntries(columnNames.map((name) => [name, columns[name][place]])),
  );
}

const listing = (name) => (DATA.listings[name] ? toRows(DATA.listings[name].columns) : []);
const distinct = (joined) => [...new Set((joined ?? "").split("|").filter(Boolean))];

const MOVIES = toRows(DATA.movies).map((movie) => ({
  ...movie,
  genreList: distinct(movie.genres),
  directorList: distinct(movie.director),
  found: fold([movie.title, movie.director, movie.belongs_to_collection].filter(known).join(" ")),
}));
// How many movies there are in all; those of the page are a sample where it holds fewer.
const ALL = DATA.provenance.movies;
const IS_SAMPLE = MOVIES.length < ALL;

const valuesOf = (movies, column) => movies.map((movie) => movie[column]).filter(known);
const total = (values) => values.reduce((sum, value) => sum + value, 0);
const mean = (values) => (values.length ? total(values) / values.length : null);

// The value below which a share of the values lies, interpolated linearly.
function quantile(values, share) {
  if (!values.length) return null;
  const sorted = Float64Array.from(values).sort();
  const place = (sorted.length - 1) * share;
  const low = Math.floor(place);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (place - low);
}

function figuresOf(movies) {
  const revenues = valuesOf(movies, "revenue_musd");
  const budgets = valuesOf(movies, "budget_musd");
  const returns = valuesOf(movies, "roi");
  const profits = valuesOf(movies, "profit_musd");
  return {
    movies: movies.length,
    total_revenue_musd: total(revenues),
    mean_revenue_musd: mean(revenues),
    mean_budget_musd: mean(budgets),
    mean_rating: mean(valuesOf(movies, "vote_average")),
    mean_popularity: mean(valuesOf(movies, "popularity")),
    median_roi: quantile(returns, 0.5),
    roi_p25: quantile(returns, 0.25),
    roi_p75: quantile(returns, 0.75),
    movies_with_budget: budgets.length,
    movies_with_revenue: revenues.length,
    movies_with_roi: returns.length,
    share_profitable: profits.length ? profits.filter((profit) => profit > 0).length / profits.length : null,
  };
}

// Rows of figures by a name of which a movie may have several; each gets the whole movie.
function grouping(movies, name, namesOf) {
  const groups = new Map();
  for (const movie of movies) {
    for (const one of namesOf(movie)) {
      if (!groups.has(one)) groups.set(one, []);
      groups.get(one).push(movie);
    }
  }
  return [...groups].map(([one, members]) => ({ [name]: one, ...figuresOf(members) }));
}

const byName = (name) => (a, b) => (a[name] < b[name] ? -1 : a[name] > b[name] ? 1 : 0);

// Everything the figures are drawn from: of all movies where none are chosen, else of those that are.
function viewOf(movies, isFiltered) {
  const basis = basisOf(movies, isFiltered);
  if (!isFiltered) {
    return {
      movies, isFiltered, ...basis,
      overview: DATA.overview,
      genres: listing("genres"),
      years: listing("years").sort(byName("release_year")),
      directors: listing("directors"),
      segments: listing("franchise_comparison"),
    };
  }
  return {
    movies, isFiltered, ...basis,
    overview: figuresOf(movies),
    genres: grouping(movies, "genre", (movie) => movie.genreList),
    years: grouping(movies, "release_year", (movie) => (known(movie.release_year) ? [movie.release_year] : [])).sort(
      byName("release_year"),
    ),
    directors: grouping(movies, "director", (movie) => movie.directorList)
      .sort((a, b) => b.total_revenue_musd - a.total_revenue_musd || byName("director")(a, b)),
    segments: grouping(movies, "segment", (movie) => [known(movie.belongs_to_collection) ? "Franchise" : "Standalone"]),
  };
}

// What figures are computed over (`overall`) and what points are drawn of (`ofPoints`), in words.
function basisOf(movies, isFiltered) {
  const sampled = `a sample of ${grouped(MOVIES.length)} of ${counted(ALL, "movie")}`;
  if (isFiltered) {
    const chosen = IS_SAMPLE
      ? `${counted(movies.length, "chosen movie")} in ${sampled}`
      : `${grouped(movies.length)} of ${counted(ALL, "movie")}`;
    return { overall: `Over ${chosen}.`, ofPoints: `Of ${chosen}.` };
  }
  const overall = `Over all ${counted(ALL, "movie")}.`;
  return { overall, ofPoints: IS_SAMPLE ? `Of ${sampled}.` : `Of all ${counted(ALL, "movie")}.` };
}
