// Figures that draw single movies.

const FIGURE_HEIGHT = 400;
const MILLION = 1e6;
// Below this a figure is a slip (dollars for millions) or a token, and would flatten the rest.
const SMALLEST_MUSD = 0.01;
const LEAST_VOTES = 10;
const BOX_FROM_MOVIES = 5;
// More points than this hide each other, and are slow to draw.
const MOST_POINTS = 2500;
const MOST_GENRES = 20;
const CLEAR_CORRELATION = 0.3;
const LARGEST_RATING = 100;

const least = (values) => values.reduce((a, b) => Math.min(a, b), Infinity);
const most = (values) => values.reduce((a, b) => Math.max(a, b), -Infinity);
const spansDecades = (values) => values.length > 0 && least(values) > 0 && most(values) / least(values) > 50;
const sentences = (...parts) => parts.filter(Boolean).join(" ");

// A movie of so many years before or after the middle one has a mistyped date, and would flatten a time axis.
const [YEARS_BEFORE, YEARS_AFTER] = [150, 50];

// The first and last year near to the middle movie's, of ascending years with the number of movies of each.
function spanOfYears(years, movies) {
  const half = total(movies) / 2;
  let seen = 0;
  const middle = years[movies.findIndex((number) => (seen += number) >= half)];
  const near = years.filter((year) => year >= middle - YEARS_BEFORE && year <= middle + YEARS_AFTER);
  return [near[0], near[near.length - 1]];
}

function movieHover(movie) {
  const genres = movie.genreList.length ? `<br>${plotText(movie.genreList.join(", "))}` : "";
  return (
    `<b>${plotText(shorten(movieName(movie), 60))}</b>${genres}` +
    `<br>Budget ${plotText(money(movie.budget_musd))} · revenue ${plotText(money(movie.revenue_musd))}` +
    `<br>ROI ${plotText(multiple(movie.roi))} · rating ${decimal(movie.vote_average)} (${counted(movie.vote_count ?? 0, "vote")})`
  );
}

function revenueVsBudget(view) {
  const withBoth = view.movies.filter((movie) => known(movie.budget_musd) && known(movie.revenue_musd));
  const movies = withBoth
    .filter((movie) => movie.budget_musd >= SMALLEST_MUSD && movie.revenue_musd >= SMALLEST_MUSD)
    .sort((a, b) => (b.vote_count ?? 0) - (a.vote_count ?? 0));
  if (!movies.length) return { empty: "No movie with a budget and a revenue." };
  const budgets = movies.map((movie) => movie.budget_musd * MILLION);
  const revenues = movies.map((movie) => movie.revenue_musd * MILLION);
  const votes = movies.map((movie) => movie.vote_count ?? 0);
  const years = valuesOf(movies, "release_year").sort((a, b) => a - b);
  const [first, last] = years.length ? spanOfYears(years, years.map(() => 1)) : [0, 0];
  const log = spansDecades(budgets) || spansDecades(revenues);
  // The line goes as far as both axes do: beyond, it would stretch the shorter one.
  const [low, high] = [Math.max(least(budgets), least(revenues)), Math.min(1.1 * most(budgets), 1.1 * most(revenues))];
  const [smallest, largest] = movies.length < 200 ? [7, 26] : [4, 16];
  const earning = movies.filter((movie) => movie.revenue_musd > movie.budget_musd).length;
  const tiny = withBoth.length - movies.length;
  const { card, vermillion, oldToNew, muted } = colours();
  const scale = { type: log ? "log" : "linear", ...(log ? { dtick: 1 } : { rangemode: "tozero", nticks: 6 }) };
  return {
    traces: [
      {
        type: "scatter", mode: "lines", x: [Math.min(log ? low : 0, high), high], y: [Math.min(log ? low : 0, high), high], hoverinfo: "skip",
        line: { color: vermillion, width: 1.5, dash: "dot" },
      },
      {
        type: "scatter", mode: "markers", x: budgets, y: revenues, text: movies.map(movieHover),
        hovertemplate: "%{text}<extra></extra>",
        marker: {
          size: votes.map((number) => smallest + (largest - smallest) * Math.sqrt(number / Math.max(most(votes), 1))),
          color: movies.map((movie) => movie.release_year), cmin: first, cmax: Math.max(last, first + 1), colorscale: oldToNew, opacity: movies.length < 200 ? 0.9 : 0.65,
          line: { color: card, width: 0.6 }, showscale: !NARROW.matches && first < last,
          colorbar: { title: { text: "Year", font: { color: muted } }, thickness: 10, outlinewidth: 0, tickformat: "d", nticks: 6, tickfont: { color: muted } },
        },
      },
    ],
    layout: layout({
      xaxis: moneyAxis("Budget (US dollars)", scale), yaxis: moneyAxis("Revenue (US dollars)", scale), hovermode: "closest",
    }),
    note: sentences(
      `${grouped(earning)} of ${counted(movies.length, "movie")} with both figures known earned more than the budget (above the dotted line).`,
      "Larger points have more votes; colour is the release year.",
      tiny ? `${counted(tiny, "movie")} below $10K left out.` : "", view.ofPoints,
    ),
  };
}

function genreReturns(view) {
  const returns = new Map(view.genres.map((row) => [row.genre, []]));
  for (const movie of view.movies) {
    if (!(movie.roi > 0)) continue;
    for (const genre of movie.genreList) returns.get(genre)?.push(movie);
  }
  const rows = [...view.genres]
    .sort((a, b) => b.movies - a.movies || byName("genre")(a, b))
    .map((row) => ({ ...row, drawn: returns.get(row.genre) }))
    .filter((row) => known(row.median_roi) && row.median_roi > 0 && row.drawn.length)
    .slice(0, MOST_GENRES);
  const boxed = (row) => row.drawn.length >= BOX_FROM_MOVIES && row.roi_p25 > 0;
  return rows
    .map((row) => ({ ...row, boxed: boxed(row) }))
    .sort((a, b) => b.boxed - a.boxed || b.median_roi - a.median_roi);
}

function roiByGenre(view) {
  const rows = genreReturns(view);
  if (!rows.length) return { empty: "No movie with a genre, a budget and a revenue." };
  const boxes = rows.filter((row) => row.boxed);
  const drawn = rows.reduce((sum, row) => sum + row.drawn.length, 0);
  // Of many, only those that have no box to stand for them.
  const pointed = drawn > MOST_POINTS ? rows.filter((row) => !row.boxed) : rows;
  const place = new Map(rows.map((row, number) => [row.genre, number]));
  const points = pointed.flatMap((row) => row.drawn.map((movie) => ({ row, movie })));
  const shown = rows.flatMap((row) => valuesOf(row.drawn, "roi"));
  const log = spansDecades(shown);
  const whisker = (row, share) => quantile(valuesOf(row.drawn, "roi"), share);
  const { blue, vermillion, grey } = colours();
  const low = 0.8 * Math.min(quantile(shown, 0.01), 1);
  const high = 1.25 * Math.max(quantile(shown, 0.99), 1);
  // Spread by the id: the same movies are drawn alike every time.
  const spread = ({ row, movie }) => place.get(row.genre) + (row.boxed ? (((movie.id * 7919) % 101) / 101 - 0.5) * 0.5 : 0);
  return {
    traces: [
      {
        type: "scatter", mode: "markers", x: points.map(({ movie }) => movie.roi), y: points.map(spread),
        text: points.map(({ movie }) => movieHover(movie)), hovertemplate: "%{text}<extra></extra>",
        marker: { size: 5, color: blue, opacity: Math.min(0.9, Math.max(0.25, 150 / Math.max(points.length, 1))) },
      },
      {
        type: "box", orientation: "h", y: boxes.map((row) => place.get(row.genre)), width: 0.6, hoverinfo: "skip",
        q1: boxes.map((row) => row.roi_p25), median: boxes.map((row) => row.median_roi), q3: boxes.map((row) => row.roi_p75),
        lowerfence: boxes.map((row) => Math.min(whisker(row, 0.05), row.roi_p25)),
        upperfence: boxes.map((row) => Math.max(whisker(row, 0.95), row.roi_p75)),
        line: { color: blue, width: 1.2 }, fillcolor: "rgba(86,180,233,0.25)",
      },
      {
        type: "scatter", mode: "markers", x: rows.map((row) => row.median_roi), y: rows.map((row) => place.get(row.genre)),
        customdata: rows.map((row) => ({ genre: row.genre })),
        text: rows.map((row) => `<b>${plotText(row.genre)}</b><br>median ${multiple(row.median_roi)}, middle half ${multiple(row.roi_p25)} to ${multiple(row.roi_p75)}`),
        hovertemplate: "%{text}<extra></extra>",
        marker: { symbol: "line-ns", size: 15, line: { color: vermillion, width: 3 } },
      },
    ],
    layout: layout({
      xaxis: axis("ROI (revenue / budget)", {
        type: log ? "log" : "linear", ticksuffix: "x",
        ...(log ? { range: [Math.log10(low), Math.log10(high)], dtick: 1 } : { range: [0, 1.06 * Math.max(most(shown), 1)], nticks: 6 }),
      }),
      yaxis: axis("", {
        tickvals: rows.map((_, number) => number), ticktext: rows.map((row) => plotText(shorten(row.genre, 22))),
        range: [rows.length - 0.4, -0.6], showgrid: false,
      }),
      shapes: [{ type: "line", x0: 1, x1: 1, yref: "paper", y0: 0, y1: 1, line: { color: grey, width: 1, dash: "dash" } }],
      hovermode: "closest",
    }),
    height: Math.max(FIGURE_HEIGHT, 80 + 21 * rows.length),
    note: sentences(
      boxes.length ? `Boxes: median and middle half, from ${BOX_FROM_MOVIES} movies on; whiskers 5% to 95%. Dashed: break-even.` : "Dashed: break-even.",
      pointed === rows ? "Each point is a movie, in all its genres." : "",
      log ? "The outermost 1% on either side may be off the axis." : "",
      view.isFiltered || !IS_SAMPLE ? view.ofPoints : `Medians and boxes: over all ${counted(ALL, "movie")}; whiskers and points: of a sample of ${grouped(MOVIES.length)}.`,
    ),
  };
}

// Spearman's coefficient; null where one of the two does not vary.
function rankCorrelation(first, second) {
  const ranksOf = (values) => {
    const order = values.map((_, place) => place).sort((a, b) => values[a] - values[b]);
    const ranks = new Array(values.length);
    for (let from = 0; from < order.length; ) {
      let to = from;
      while (to + 1 < order.length && values[order[to + 1]] === values[order[from]]) to += 1;
      for (let place = from; place <= to; place += 1) ranks[order[place]] = (from + to) / 2;
      from = to + 1;
    }
    return ranks;
  };
  const [a, b] = [ranksOf(first), ranksOf(second)];
  const [centreA, centreB] = [mean(a), mean(b)];
  const together = (left, right, centreLeft, centreRight) =>
    total(left.map((value, place) => (value - centreLeft) * (right[place] - centreRight)));
  const spread = Math.sqrt(together(a, a, centreA, centreA) * together(b, b, centreB, centreB));
  return spread > 0 ? together(a, b, centreA, centreB) / spread : null;
}

function popularityVsRating(view) {
  const movies = view.movies
    .filter((movie) => movie.vote_count >= LEAST_VOTES && movie.popularity > 0 && movie.vote_average > 0)
    .sort((a, b) => a.vote_count - b.vote_count);
  if (!movies.length) return { empty: `No movie with ${LEAST_VOTES} votes or more.` };
  const ratings = movies.map((movie) => movie.vote_average);
  const popularity = movies.map((movie) => movie.popularity);
  const log = spansDecades(popularity);
  const votes = movies.map((movie) => Math.log10(movie.vote_count));
  const decades = Array.from({ length: 19 }, (_, zeros) => 10 ** zeros);
  // Ticks within each of many decades would stand on each other.
  const ticks = (most(votes) - least(votes) < 6 ? decades.flatMap((ten) => [ten, 2 * ten, 5 * ten]) : decades)
    .filter((number) => Math.log10(number) <= most(votes) && Math.log10(number) >= least(votes));
  const { card, fewToMany, muted } = colours();
  const correlation = movies.length < 3 ? null : rankCorrelation(ratings, popularity);
  const tendency = correlation > 0 ? "more" : "less";
  const finding = correlation === null ? "" : Math.abs(correlation) < CLEAR_CORRELATION
    ? `Rating says little about popularity (rank correlation ${correlation.toFixed(2)}).`
    : `Better rated movies tend to be ${tendency} popular (rank correlation ${correlation.toFixed(2)}).`;
  return {
    traces: [
      {
        type: "scatter", mode: "markers", x: ratings, y: popularity, text: movies.map(movieHover),
        hovertemplate: "%{text}<extra></extra>",
        marker: {
          size: movies.length < 200 ? 10 : 6, color: votes, colorscale: fewToMany, opacity: 0.85,
          line: { color: card, width: 0.5 }, showscale: !NARROW.matches && least(votes) < most(votes),
          colorbar: {
            title: { text: "Votes", font: { color: muted } }, thickness: 10, outlinewidth: 0, tickfont: { color: muted },
            tickvals: ticks.map(Math.log10), ticktext: ticks.map((number) => (number < 1e9 ? grouped(number) : exponent(number).replace(".0", ""))),
          },
        },
      },
    ],
    layout: layout({
      xaxis: axis("Mean rating (out of 10)", { nticks: 8 }),
      yaxis: axis("Popularity (TMDB score)", log ? { type: "log", dtick: 1 } : { nticks: 6 }), hovermode: "closest",
    }),
    note: sentences(finding, `${counted(movies.length, "movie")} with ${LEAST_VOTES} votes or more; colour is the number of votes.`, view.ofPoints),
  };
}

function ratingDistribution(view) {
  // A rating far off the scale would take more bars than there is room for.
  const ratings = valuesOf(view.movies, "vote_average").filter((rating) => Math.abs(rating) <= LARGEST_RATING);
  if (!ratings.length) return { empty: "No rated movie." };
  const spread = quantile(ratings, 0.75) - quantile(ratings, 0.25);
  const ideal = ratings.length >= 30 ? (2 * spread) / Math.cbrt(ratings.length) : 0.5;
  const width = [0.1, 0.2, 0.25].find((step) => ideal <= step) ?? 0.5;
  const first = Math.floor(least(ratings) / width);
  const counts = new Array(Math.floor(most(ratings) / width) - first + 1).fill(0);
  for (const rating of ratings) counts[Math.floor(rating / width) - first] += 1;
  const { blue, vermillion, ink } = colours();
  const [average, middle] = [view.overview.mean_rating, quantile(ratings, 0.5)];
  const mark = (name, value, colour, toTheLeft) => ({
    line: { type: "line", x0: value, x1: value, yref: "paper", y0: 0, y1: 1, line: { color: colour, width: 2.5 } },
    label: {
      x: value, y: 1.0, yref: "paper", yanchor: "bottom", xanchor: toTheLeft ? "right" : "left", showarrow: false,
      text: `<b>${name} ${decimal(value)}</b>`, font: { color: colour, size: 13 },
    },
  });
  const marks = [mark("mean", average, vermillion, average < middle), mark("median", middle, ink, average >= middle)].filter(
    (one) => known(one.line.x0),
  );
  return {
    traces: [
      {
        type: "bar", x: counts.map((_, place) => (first + place + 0.5) * width), y: counts, width: width * 0.94,
        marker: { color: blue, opacity: 0.75 },
        text: counts.map((number, place) => `${((first + place) * width).toFixed(2)} to ${((first + place + 1) * width).toFixed(2)}: ${counted(number, "movie")}`),
        textposition: "none", hovertemplate: "%{text}<extra></extra>",
      },
    ],
    layout: layout({
      margin: { l: 8, r: 12, t: 30, b: 8 },
      xaxis: axis("Rating (out of 10)", { showgrid: false, nticks: 10 }),
      yaxis: axis("Movies", { rangemode: "tozero", tickformat: ",d", nticks: 6 }),
      shapes: marks.map((one) => one.line), annotations: marks.map((one) => one.label),
    }),
    note: sentences(
      ratings.length > 3 ? `The middle half is rated ${quantile(ratings, 0.25).toFixed(1)} to ${quantile(ratings, 0.75).toFixed(1)}.` : "",
      `Ratings of ${counted(ratings.length, "movie")} that anyone voted on. ${view.ofPoints}`,
      IS_SAMPLE && !view.isFiltered ? `The mean is that of all ${grouped(ALL)}.` : "",
    ),
  };
}
