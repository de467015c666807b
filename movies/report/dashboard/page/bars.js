// Figures of groups: years, genres, directors, franchises.

const MOST_DIRECTORS = 10;
const COMPARED_FROM_MOVIES = 5;

function yearlyTrends(view) {
  const dated = view.years.filter((row) => known(row.release_year));
  if (!dated.length) return { empty: "No movie with a release year." };
  const [first, last] = spanOfYears(dated.map((row) => row.release_year), dated.map((row) => row.movies));
  const rows = dated.filter((row) => row.release_year >= first && row.release_year <= last);
  const far = total(dated.map((row) => row.movies)) - total(rows.map((row) => row.movies));
  const { grey, blue, orange, orangeText } = colours();
  const years = rows.map((row) => row.release_year);
  const picks = rows.map((row) => ({ from: row.release_year, to: row.release_year }));
  const inDollars = (column) => rows.map((row) => (known(row[column]) ? row[column] * MILLION : null));
  const bar = (y, yaxis, colour, text) => ({
    type: "bar", x: years, y, yaxis, marker: { color: colour }, customdata: picks, text, textposition: "none",
    hovertemplate: "%{text}<extra></extra>",
  });
  const line = (column, colour, name) => ({
    type: "scatter", mode: years.length > 40 ? "lines" : "lines+markers", x: years, y: inDollars(column), yaxis: "y3",
    connectgaps: true, line: { color: colour, width: 2 }, marker: { size: 6 }, customdata: picks,
    text: rows.map((row) => `${row.release_year}: ${name} ${plotText(shortMoney(row[column]))}, ${counted(row.movies, "movie")}`),
    hovertemplate: "%{text}<extra></extra>",
  });
  const peak = rows.reduce((a, b) => ((b.total_revenue_musd ?? 0) > (a.total_revenue_musd ?? 0) ? b : a));
  const busiest = rows.reduce((a, b) => (b.movies > a.movies ? b : a));
  const titles = [
    panelTitle("Movies released", 0, 1.0), panelTitle("Total revenue (US dollars)", 0, 0.65),
    panelTitle(`<span style="color:${blue}">Mean revenue</span> and <span style="color:${orangeText}">mean budget</span>`, 0, 0.3),
  ];
  return {
    traces: [
      bar(rows.map((row) => row.movies), "y", grey, rows.map((row) => `${row.release_year}: ${counted(row.movies, "movie")}`)),
      bar(inDollars("total_revenue_musd"), "y2", blue, rows.map((row) => `${row.release_year}: ${plotText(shortMoney(row.total_revenue_musd))} in total`)),
      line("mean_revenue_musd", blue, "mean revenue"),
      line("mean_budget_musd", orange, "mean budget"),
    ],
    layout: layout({
      margin: { l: 8, r: 12, t: 26, b: 8 },
      xaxis: axis("Release year", { anchor: "y3", showgrid: false, tickformat: "d", nticks: NARROW.matches ? 5 : 12, tickangle: 0, range: [least(years) - 1, most(years) + 1] }),
      yaxis: axis("", { domain: [0.74, 1], tickformat: ",d", nticks: 4, rangemode: "tozero" }),
      yaxis2: moneyAxis("", { domain: [0.39, 0.64], nticks: 4, rangemode: "tozero" }),
      yaxis3: moneyAxis("", { domain: [0, 0.29], nticks: 4, rangemode: "tozero" }),
      annotations: titles, hovermode: "closest",
    }),
    height: 520,
    note: sentences(
      rows.length > 1 ? `${busiest.release_year} has most movies (${grouped(busiest.movies)})${peak.total_revenue_musd ? `; ${peak.release_year} earned most (${shortMoney(peak.total_revenue_musd)})` : ""}.` : "",
      far ? `${counted(far, "movie")} of far-off years not shown.` : "", view.overall,
    ),
  };
}

// The rectangles of panels side by side, or below each other where there is no width.
function panels(count, columns, gapX, gapY) {
  const lines = Math.ceil(count / columns);
  const [width, height] = [(1 - gapX * (columns - 1)) / columns, (1 - gapY * (lines - 1)) / lines];
  return Array.from({ length: count }, (_, place) => {
    const [column, row] = [place % columns, Math.floor(place / columns)];
    const [left, top] = [column * (width + gapX), 1 - row * (height + gapY)];
    return { x: [left, left + width], y: [Math.max(top - height, 0), top], number: place === 0 ? "" : String(place + 1) };
  });
}

function franchiseVsStandalone(view) {
  const found = Object.fromEntries(view.segments.map((row) => [row.segment, row]));
  const rows = ["Franchise", "Standalone"].map((segment) => found[segment] ?? { segment, movies: 0 });
  if (!rows.some((row) => row.movies)) return { empty: "No movie." };
  const shown = [
    ["mean_revenue_musd", "Mean revenue", shortMoney], ["mean_budget_musd", "Mean budget", shortMoney],
    ["median_roi", "Median ROI", multiple], ["mean_rating", "Mean rating", decimal],
  ];
  const { blue, orange } = colours();
  const places = panels(4, 2, 0.1, 0.24);
  const result = { annotations: [] };
  const traces = shown.map(([column, title, show], place) => {
    const { x, y, number } = places[place];
    const values = rows.map((row) => row[column] ?? 0);
    result[`xaxis${number}`] = axis("", { domain: x, anchor: `y${number}`, showgrid: false, fixedrange: true, ticks: "", tickangle: 0 });
    result[`yaxis${number}`] = axis("", {
      domain: y, anchor: `x${number}`, visible: false, range: [0, 1.18 * Math.max(most(values), 1e-9)], fixedrange: true,
    });
    result.annotations.push(panelTitle(title, x[0], y[1]));
    return {
      type: "bar", x: rows.map((row) => row.segment), y: values, xaxis: `x${number}`, yaxis: `y${number}`, cliponaxis: false,
      marker: { color: [blue, orange] }, text: rows.map((row) => plotText(show(row[column]))), textposition: "outside",
      customdata: [{ franchise: "franchise" }, { franchise: "standalone" }], hoverinfo: "none",
      textfont: { size: 13 },
    };
  });
  const [franchise, alone] = rows.map((row) => row.mean_revenue_musd);
  return {
    traces, layout: layout({ margin: { l: 8, r: 8, t: 26, b: 8 }, ...result }), height: FIGURE_HEIGHT,
    note: sentences(
      known(franchise) && known(alone) ? `Franchise movies earned ${shortMoney(franchise)} on average, standalone movies ${shortMoney(alone)}.` : "",
      `${grouped(rows[0].movies)} and ${grouped(rows[1].movies)} movies; a franchise movie belongs to a collection. ROI is revenue / budget.`,
      view.overall,
    ),
  };
}

function topDirectors(view) {
  const rows = view.directors.slice(0, MOST_DIRECTORS);
  if (!rows.length) return { empty: "No movie with a director." };
  const totals = rows.map((row) => (row.total_revenue_musd ?? 0) * MILLION);
  const earned = (row) => (row.total_revenue_musd ? shortMoney(row.total_revenue_musd) : "no revenue known");
  const label = (row) =>
    NARROW.matches ? `${earned(row)}, ${decimal(row.mean_rating)}` : `${earned(row)} · ${counted(row.movies, "movie")} · rated ${decimal(row.mean_rating)}`;
  const directors = view.isFiltered ? view.directors.length : DATA.listings.directors.rows;
  return {
    traces: [
      {
        type: "bar", orientation: "h", y: rows.map((_, place) => place), x: totals, marker: { color: colours().blue }, width: 0.7,
        text: rows.map((row) => plotText(label(row))), constraintext: "none",
        textposition: totals.map((value) => (value > 0.6 * most(totals) && value > 0 ? "inside" : "outside")),
        insidetextanchor: "start", insidetextfont: { color: theme() === "dark" ? "#0b1117" : "#ffffff" }, cliponaxis: false,
        customdata: rows.map((row) => ({ q: row.director })), hoverinfo: "none",
      },
    ],
    layout: layout({
      xaxis: moneyAxis("Total revenue (US dollars)", { range: [0, 1.04 * Math.max(most(totals), 1)], nticks: 5 }),
      yaxis: axis("", {
        tickvals: rows.map((_, place) => place), ticktext: rows.map((row) => plotText(shorten(oneLine(row.director), NARROW.matches ? 16 : 26))),
        range: [Math.max(rows.length, 5) - 0.4, -0.6], showgrid: false,
      }),
    }),
    height: FIGURE_HEIGHT,
    note: sentences(
      directors > MOST_DIRECTORS ? `The first ${MOST_DIRECTORS} of ${grouped(directors)} directors by total revenue.` : `${counted(directors, "director")} by total revenue.`,
      NARROW.matches ? "Beside the money: the mean rating." : "", "Every co-director is credited with the whole movie.", view.overall,
    ),
  };
}

function genrePerformance(view) {
  const compared = (row) => row.movies >= COMPARED_FROM_MOVIES;
  const rows = [...view.genres]
    .sort((a, b) => b.movies - a.movies || byName("genre")(a, b))
    .slice(0, MOST_GENRES)
    .sort((a, b) => compared(b) - compared(a) || (b.mean_revenue_musd ?? 0) - (a.mean_revenue_musd ?? 0));
  if (!rows.length) return { empty: "No movie with a genre." };
  const { blue, vermillion, green } = colours();
  const shown = [
    ["mean_revenue_musd", "Mean revenue", shortMoney, blue],
    ["mean_rating", "Mean rating", decimal, vermillion],
    ["mean_popularity", "Mean popularity", decimal, green],
  ];
  const places = panels(3, NARROW.matches ? 1 : 3, 0.04, 0.05);
  const result = { annotations: [] };
  const traces = shown.map(([column, title, show, colour], place) => {
    const { x, y, number } = places[place];
    const values = rows.map((row) => row[column] ?? 0);
    const isRating = column === "mean_rating";
    const [low, high] = isRating ? [least(valuesOf(rows, column)), most(values)] : [0, most(values)];
    const room = isRating ? Math.max(0.3 * (high - low), 0.3) : 0.42 * Math.max(high, 1e-9);
    result[`xaxis${number}`] = axis("", {
      domain: x, anchor: `y${number}`, range: [isRating ? low - room : 0, high + (isRating ? 1.6 * room : room)],
      showticklabels: false, ticks: "", showline: false, showgrid: false, fixedrange: true,
    });
    result[`yaxis${number}`] = axis("", {
      domain: y, anchor: `x${number}`, tickvals: rows.map((_, line) => line), showgrid: isRating, fixedrange: true,
      ticktext: rows.map((row) => plotText(`${shorten(oneLine(row.genre), 22)} (${grouped(row.movies)})`)),
      showticklabels: NARROW.matches || place === 0, range: [Math.max(rows.length, 5) - 0.4, -0.6],
    });
    result.annotations.push(panelTitle(title, x[0], y[1]));
    const common = {
      y: rows.map((_, line) => line), xaxis: `x${number}`, yaxis: `y${number}`, text: rows.map((row) => plotText(show(row[column]))),
      customdata: rows.map((row) => ({ genre: row.genre })), hoverinfo: "none", cliponaxis: false,
    };
    const faded = rows.map((row) => (compared(row) ? 1 : 0.35));
    return isRating
      ? { ...common, type: "scatter", mode: "markers+text", x: rows.map((row) => row[column]), textposition: "middle right", marker: { size: 9, color: colour, opacity: faded } }
      : { ...common, type: "bar", orientation: "h", x: values, textposition: "outside", width: 0.66, marker: { color: colour, opacity: faded } };
  });
  const tall = Math.max(NARROW.matches ? 0 : FIGURE_HEIGHT, 46 + 22 * Math.max(rows.length, 5));
  return {
    traces, layout: layout({ margin: { l: 8, r: 8, t: 26, b: 8 }, ...result }), height: NARROW.matches ? 3 * tall : tall,
    note: sentences(
      "In brackets: movies. A movie counts in each of its genres.",
      rows.every(compared) ? "" : `Pale: genres of fewer than ${COMPARED_FROM_MOVIES} movies.`,
      view.genres.length > MOST_GENRES ? `The ${MOST_GENRES} largest of ${grouped(view.genres.length)} genres.` : "",
      view.overall,
    ),
  };
}
