// Sortable tables, by DataTables; cells are text, whatever they say.

// Unknown values stand last in either direction.
function addKnownOrder() {
  const order = (sign) => (a, b) => (!known(a) ? (known(b) ? 1 : 0) : !known(b) ? -1 : sign * (a < b ? -1 : a > b ? 1 : 0));
  Object.assign(DataTable.ext.type.order, { "known-asc": order(1), "known-desc": order(-1) });
}

function tableColumn(name) {
  const { heading, show, isText } = columnFormat(name);
  return {
    title: heading, name, type: "known", className: isText ? "dt-left" : "dt-right",
    data: null, defaultContent: "",
    orderSequence: isText || name === "rank" ? ["asc", "desc"] : ["desc", "asc"],
    render: (_, what, row) => {
      const value = row[name];
      // Null would become `defaultContent` on its way to the order.
      if (what === "sort") return !known(value) ? NaN : isText ? fold(show(value)) : value;
      // Also for searching: DataTables parses what it searches as HTML.
      return escapeHtml(show(value));
    },
  };
}

// Put a table into a place instead of what was there; what a column of the gold table means is its heading's tooltip.
function makeTable(place, label, gold, columns, rows, options = {}) {
  const table = document.createElement("table");
  table.className = "display compact";
  table.setAttribute("aria-label", label);
  const scroller = document.createElement("div");
  place.replaceChildren(table);
  const made = new DataTable(table, {
    data: rows, columns: columns.map(tableColumn), pageLength: 10, lengthMenu: [10, 25, 50, 100], autoWidth: false,
    order: [], deferRender: true,
    language: {
      emptyTable: "No rows.", zeroRecords: "No row fits.", info: "_START_ to _END_ of _TOTAL_", infoEmpty: "No rows",
      infoFiltered: "(of _MAX_)", lengthMenu: "_MENU_ rows a page", search: "Search this table:",
    },
    ...options,
  });
  columns.forEach((name, place) => (made.column(place).header().title = DATA.meanings[gold][name].replaceAll("`", "")));
  // Only the table itself moves sideways on a narrow screen, also by keyboard.
  scroller.className = "scroller";
  scroller.tabIndex = 0;
  scroller.setAttribute("role", "region");
  scroller.setAttribute("aria-label", `${label}, can be scrolled sideways`);
  table.replaceWith(scroller);
  scroller.append(table);
  return made;
}

const MOVIE_TABLE_COLUMNS = [
  "title", "release_year", "genres", "director", "budget_musd", "revenue_musd", "roi", "vote_average", "vote_count",
  "popularity", "runtime", "original_language", "belongs_to_collection",
];
let movieTable = null;

function makeMovieTable(view) {
  movieTable = makeTable(document.getElementById("movies-table"), "Movies", "movie_sample", MOVIE_TABLE_COLUMNS, view.movies, {
    order: [[MOVIE_TABLE_COLUMNS.indexOf("revenue_musd"), "desc"]],
    layout: { topStart: "pageLength", topEnd: null },
    language: { emptyTable: "No movie fits these filters.", info: "_START_ to _END_ of _TOTAL_", infoEmpty: "No movies", lengthMenu: "_MENU_ rows a page" },
  });
}

function updateMovieTable(view) {
  movieTable?.clear().rows.add(view.movies).draw();
}

function fillListings() {
  const chooser = document.getElementById("listing");
  for (const [name, { title }] of Object.entries(DATA.listings)) chooser.append(new Option(title, name));
  chooser.addEventListener("change", () => showListing(chooser.value));
}

function showListing(name) {
  const { title, table, rows, columns } = DATA.listings[name];
  const shown = toRows(columns);
  document.getElementById("listing-basis").textContent =
    rows > shown.length ? `The first ${grouped(shown.length)} of ${grouped(rows)} rows of ${table}.` : `${counted(rows, "row")} of ${table}.`;
  makeTable(document.getElementById("listing-table"), title, name, Object.keys(columns), shown);
}
