// The page: what is known is shown at once, then tables and figures as their libraries are unpacked.

const FIGURES = [
  ["revenue_vs_budget", "Revenue against budget", revenueVsBudget],
  ["roi_by_genre", "Return on investment by genre", roiByGenre],
  ["popularity_vs_rating", "Popularity against rating", popularityVsRating],
  ["yearly_trends", "Movies and money by year", yearlyTrends],
  ["franchise_vs_standalone", "Franchises against standalone movies", franchiseVsStandalone],
  ["rating_distribution", "Ratings", ratingDistribution],
  ["top_directors", "Directors by revenue", topDirectors],
  ["genre_performance", "Genres compared", genrePerformance],
].map(([name, title, build]) => ({ name, title, build, isNear: false, isStale: true }));
const PLOT_CONFIG = {
  // Its bar of buttons would be dozens of stops for the keyboard; a double click undoes a zoom.
  responsive: true, displayModeBar: false,
};

let view = viewOf(MOVIES, false);
let watcher = null;

function element(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

function addFigures() {
  watcher = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        const figure = FIGURES.find((one) => one.plot === target);
        figure.isNear = isIntersecting;
        if (isIntersecting) draw(figure);
      }
    },
    { rootMargin: "400px" },
  );
  for (const figure of FIGURES) {
    const card = element("figure", "card");
    const heading = element("h3", "", figure.title);
    figure.noteElement = element("figcaption", "note");
    figure.plot = element("div", "plot");
    figure.emptyElement = element("p", "empty");
    figure.plot.id = `figure-${figure.name}`;
    card.append(heading, figure.plot, figure.emptyElement, figure.noteElement);
    document.getElementById("figure-list").append(card);
    watcher.observe(figure.plot);
  }
}

function prepare(figure) {
  const made = figure.build(view);
  const isEmpty = "empty" in made;
  figure.made = made;
  figure.isStale = true;
  figure.noteElement.textContent = isEmpty ? "" : made.note;
  figure.emptyElement.textContent = !isEmpty ? "" : view.isFiltered ? `${made.empty} Choose fewer filters.` : made.empty;
  figure.plot.hidden = isEmpty;
  figure.plot.style.height = `${made.height ?? FIGURE_HEIGHT}px`;
  figure.plot.setAttribute("role", "img");
  figure.plot.setAttribute("aria-label", `${figure.title}. ${made.note ?? ""}`);
}

function draw(figure) {
  if (!figure.isStale || typeof Plotly === "undefined" || !figure.made || "empty" in figure.made) return;
  figure.isStale = false;
  Plotly.react(figure.plot, figure.made.traces, figure.made.layout, PLOT_CONFIG);
  if (figure.isClickable) return;
  figure.isClickable = true;
  figure.plot.on("plotly_click", ({ points }) => {
    const picked = points.find((point) => point.customdata)?.customdata;
    if (picked) change({ ...readForm(), ...picked });
  });
}

function showTiles() {
  const { overview } = view;
  const list = document.getElementById("tiles");
  list.replaceChildren();
  const from = (number, what) => (known(number) ? `of ${counted(number, "movie")} with ${what}` : "");
  addTile(list, view.isFiltered ? "Movies chosen" : "Movies", whole(overview.movies));
  addTile(list, "Mean revenue", shortMoney(overview.mean_revenue_musd), from(overview.movies_with_revenue, "a revenue"));
  addTile(list, "Mean budget", shortMoney(overview.mean_budget_musd), from(overview.movies_with_budget, "a budget"));
  addTile(list, "Mean rating", known(overview.mean_rating) ? `${decimal(overview.mean_rating)} / 10` : UNKNOWN);
  addTile(list, "Earned more than the budget", percent(overview.share_profitable), from(overview.movies_with_roi, "both figures"));
  document.getElementById("overview-basis").textContent = view.overall;
}

function showCount() {
  const of = IS_SAMPLE ? `${grouped(MOVIES.length)} sampled movies` : counted(ALL, "movie");
  const text = MOVIES.length === 0 ? "There are no movies yet." : view.movies.length === 0
    ? "No movie fits these filters."
    : `${grouped(view.movies.length)} of ${of} shown.`;
  const count = document.getElementById("count");
  // Said again it would be read out again.
  if (count.textContent !== text) count.textContent = text;
  document.getElementById("scope").textContent = IS_SAMPLE
    ? `Filters act on a sample of ${grouped(MOVIES.length)} of ${counted(ALL, "movie")}. Without a filter, what says “over all” is computed over all of them.`
    : `Filters act on ${ALL === 1 ? "the one movie" : `all ${counted(ALL, "movie")}`}.`;
  document.getElementById("movies-basis").textContent = view.ofPoints;
}

function show() {
  const chosen = readForm();
  const isFiltered = isAnythingChosen(chosen);
  view = viewOf(isFiltered ? choose(chosen) : MOVIES, isFiltered);
  showCount();
  showTiles();
  redraw();
  updateMovieTable(view);
}

function redraw(all = false) {
  for (const figure of FIGURES) {
    prepare(figure);
    if (all || figure.isNear) draw(figure);
  }
}

function change(chosen) {
  writeForm(chosen);
  writeAddress(readForm());
  show();
}

async function unpack(id) {
  const packed = atob(document.getElementById(id).textContent);
  const bytes = new Uint8Array(packed.length);
  for (let place = 0; place < packed.length; place += 1) bytes[place] = packed.charCodeAt(place);
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}

// The policy of the page lets a script run by its digest: these and no others.
function run(source) {
  const script = document.createElement("script");
  script.textContent = source;
  document.head.append(script);
  script.remove();
}

const nextFrame = () => new Promise((resolve) => setTimeout(resolve));

async function bringLibraries() {
  const style = document.createElement("style");
  style.textContent = await unpack("packed-tables-style");
  document.head.prepend(style);
  run(await unpack("packed-tables"));
  addKnownOrder();
  makeMovieTable(view);
  fillListings();
  if (document.getElementById("listing").value) showListing(document.getElementById("listing").value);
  makeQualityTable();
  await nextFrame();
  run(await unpack("packed-plotly"));
  for (const figure of FIGURES) if (figure.isNear) draw(figure);
}

function listen() {
  let waiting = 0;
  FORM.addEventListener("input", () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => change(readForm()));
  });
  FORM.addEventListener("submit", (event) => event.preventDefault());
  FORM.addEventListener("reset", (event) => {
    event.preventDefault();
    change({});
  });
  addEventListener("hashchange", () => {
    const chosen = readAddress();
    if (chosen === null) return;
    writeForm(chosen);
    show();
  });
  // A link within the page moves there, and leaves the filters in the address.
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    const target = link && document.getElementById(link.hash.slice(1));
    if (!target) return;
    event.preventDefault();
    target.focus({ preventScroll: true });
    target.scrollIntoView();
  });
  document.getElementById("theme").addEventListener("click", () => {
    toggleTheme();
    redraw();
  });
  for (const query of [PREFERS_DARK, NARROW]) {
    query.addEventListener("change", () => {
      applyTheme();
      redraw();
    });
  }
  for (const [name, isPrinting] of [["beforeprint", true], ["afterprint", false]]) {
    addEventListener(name, () => {
      printing = isPrinting;
      applyTheme();
      redraw(isPrinting);
    });
  }
}

function start() {
  for (const hidden of document.querySelectorAll("header [hidden], main[hidden]")) hidden.hidden = false;
  applyTheme();
  fillForm();
  writeForm(readAddress() ?? {});
  addFigures();
  showFreshness(Date.now());
  showProvenance();
  showQuality();
  listen();
  show();
  document.documentElement.dataset.state = "shown";
  performance.mark("dashboard-shown");
  nextFrame()
    .then(bringLibraries)
    .then(() => {
      document.documentElement.dataset.state = "ready";
    })
    .catch((error) => {
      document.documentElement.dataset.state = "failed";
      const words = typeof DecompressionStream === "undefined" ? "This browser is older than 2023: it cannot unpack figures and tables." : `Figures and tables cannot be shown: ${error.message}`;
      for (const place of document.querySelectorAll(".waiting")) place.textContent = words;
    });
}

start();
