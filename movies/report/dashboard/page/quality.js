// How old the data are, where they come from, and what the checks of silver found.

const DAY = 86_400_000;
// TMDB's terms: data should not be kept longer without a refresh.
const MOST_DAYS = 180;

function addTile(list, name, value, detail = "", kind = "") {
  const tile = document.createElement("div");
  if (kind) tile.className = kind;
  for (const [tag, text] of [["dt", name], ["dd", value], ["dd", detail]]) {
    if (!text) continue;
    const element = document.createElement(tag);
    element.textContent = text;
    if (text === detail) element.className = "detail";
    tile.append(element);
  }
  list.append(tile);
}

function ageInWords(milliseconds) {
  const hours = Math.floor(milliseconds / 3_600_000);
  if (milliseconds < 0) return "after the clock of this machine";
  if (hours < 1) return "less than an hour ago";
  return hours < 48 ? `${counted(hours, "hour")} ago` : `${counted(Math.floor(hours / 24), "day")} ago`;
}

function showFreshness(now) {
  const place = document.getElementById("freshness");
  const until = DATA.provenance.fetched_until;
  if (!until) {
    place.textContent = "It is not known here until when these data were fetched.";
    return;
  }
  const moment = new Date(/(Z|[+-]\d\d:\d\d)$/.test(until) ? until : `${until}Z`);
  const age = now - moment;
  const old = age > MOST_DAYS * DAY;
  place.textContent = sentences(
    `Fetched until ${moment.toISOString().slice(0, 16).replace("T", " ")} UTC, ${ageInWords(age)}.`,
    old ? "That is over six months: TMDB asks that data not be kept so long without a refresh." : "",
  );
  place.classList.toggle("old", old);
}

function showProvenance() {
  const { movies, silver_version, raw_version, code_version, run_id } = DATA.provenance;
  const list = document.getElementById("provenance");
  addTile(list, "Movies in silver", whole(movies));
  const facts = [["silver/movies", silver_version, "version "], ["raw/movies", raw_version, "version "], ["Code", code_version, ""], ["Run", run_id, ""]];
  for (const [name, value, before] of facts) if (known(value)) addTile(list, name, `${before}${value}`);
}

const STATUS_ORDER = ["failed", "passed", "skipped"];
const QUALITY_COLUMNS = ["check", "status", "severity", "value", "limit", "failing_rows", "examples", "definition"];

function qualityRows() {
  return toRows(DATA.quality).sort((a, b) => STATUS_ORDER.indexOf(a.status) - STATUS_ORDER.indexOf(b.status));
}

function showQuality() {
  const basis = document.getElementById("quality-basis");
  if (DATA.quality === null) {
    basis.textContent = "What the checks found of just these tables is not known here.";
    return;
  }
  const rows = qualityRows();
  const list = document.getElementById("provenance");
  for (const status of STATUS_ORDER) {
    const number = rows.filter((row) => row.status === status).length;
    addTile(list, `Checks ${status}`, whole(number), "", status === "failed" && number ? "bad" : "");
  }
  const failed = rows.filter((row) => row.status === "failed");
  basis.textContent = sentences(
    failed.length ? `Failed: ${failed.map((row) => row.check).join(", ")}.` : "No check failed.",
    "A check is skipped where there are too few movies, or no earlier run, to compare with.",
  );
}

function makeQualityTable() {
  if (DATA.quality === null) return;
  makeTable(document.getElementById("quality-table"), "Checks of silver", "data_quality", QUALITY_COLUMNS, qualityRows());
}
