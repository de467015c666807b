// Figures and names as people read them, as the report has them; whatever is unknown is an en dash.

const UNKNOWN = "\u2013";
const known = (value) => value !== null && value !== undefined && !Number.isNaN(value);

// A format is costly to make, and thousands of figures share it.
const GROUPED = [0, 1, 2].map(
  (decimals) => new Intl.NumberFormat("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals }),
);
const grouped = (value, decimals = 0) => GROUPED[decimals].format(value);

const counted = (number, noun) => `${grouped(number)} ${noun}${number === 1 ? "" : "s"}`;
// From here on a figure is written with an exponent: its digits would push all else aside.
const HUGE = 1e15;
const exponent = (value) => value.toExponential(1).replace("e+", "e");
const whole = (value) => (known(value) ? grouped(value) : UNKNOWN);
const decimal = (value) => (!known(value) ? UNKNOWN : Math.abs(value) >= HUGE ? exponent(value) : grouped(value, 2));
const percent = (value) => (known(value) ? `${grouped(100 * value, 1)}%` : UNKNOWN);
const year = (value) => (known(value) ? String(value) : UNKNOWN);
const minutes = (value) => (known(value) ? `${value} min` : UNKNOWN);

// Millions of dollars with one decimal; with three where one would hide the amount.
function money(musd) {
  if (!known(musd)) return UNKNOWN;
  const sign = musd < 0 ? "-" : "";
  const amount = Math.abs(musd);
  if (amount * 1e6 >= HUGE) return `${sign}$${exponent(amount * 1e6)}`;
  if (amount > 0 && amount < 0.0005) return `${sign}<$0.001M`;
  if (amount > 0 && amount < 0.05) return `${sign}$${amount.toFixed(3)}M`;
  return `${sign}$${grouped(amount, 1)}M`;
}

// An amount in the unit that makes it short, for tiles and labels of figures.
function shortMoney(musd) {
  if (!known(musd)) return UNKNOWN;
  const sign = musd < 0 ? "-" : "";
  const amount = Math.abs(musd);
  if (amount * 1e6 >= HUGE) return `${sign}$${exponent(amount * 1e6)}`;
  if (amount >= 999500) return `${sign}$${grouped(amount / 1e6, 1)}T`;
  if (amount >= 999.5) return `${sign}$${grouped(amount / 1000, 1)}B`;
  if (amount >= 9.95) return `${sign}$${amount.toFixed(0)}M`;
  if (amount >= 0.9995) return `${sign}$${amount.toFixed(1)}M`;
  if (amount > 0 && amount < 0.0005) return `${sign}<$1K`;
  return `${sign}$${(amount * 1000).toFixed(0)}K`;
}

function dollars(usd) {
  if (!known(usd)) return UNKNOWN;
  const amount = Math.abs(usd);
  return `${usd < 0 ? "-" : ""}$${amount >= HUGE ? exponent(amount) : grouped(amount)}`;
}

function multiple(value) {
  if (!known(value)) return UNKNOWN;
  return value > 0 && value < 0.005 ? "<0.01x" : `${decimal(value)}x`;
}

// Text without line breaks, control or direction signs, so that it cannot leave its place.
function oneLine(text) {
  if (!known(text)) return UNKNOWN;
  return text.replace(/[\p{Cc}\p{Cn}\p{Co}\u202a-\u202e\u2066-\u2069]/gu, " ").replace(/\s+/g, " ").trim() || UNKNOWN;
}

function shorten(text, signs) {
  const all = Array.from(text);
  return all.length <= signs ? text : `${all.slice(0, signs - 1).join("").trimEnd()}\u2026`;
}

const names = (joined) => (known(joined) ? oneLine(joined.replaceAll("|", ", ")) : UNKNOWN);
const movieName = (movie) => oneLine(movie.title) + (known(movie.release_year) ? ` (${movie.release_year})` : "");

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const escapeHtml = (text) => text.replace(/[&<>"']/g, (sign) => ENTITIES[sign]);
// Plotly reads tags in its texts, and takes what stands between two dollar signs for a formula.
const plotText = (text) => escapeHtml(oneLine(text)).replaceAll("$", "&#36;");

// "highest_revenue" as a heading.
function words(name) {
  const text = name.replaceAll("_", " ").replace(/\broi\b/g, "ROI").replace(/\b(scifi)\b/g, "sci-fi");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const LANGUAGE_NAMES = typeof Intl.DisplayNames === "function" ? new Intl.DisplayNames(["en"], { type: "language" }) : null;
function languageName(code) {
  if (!known(code)) return UNKNOWN;
  if (code === "xx") return "No language (xx)";
  if (code === "cn") return "Cantonese (cn)"; // TMDB's own code
  try {
    const name = LANGUAGE_NAMES.of(code);
    return name === code ? code : `${name} (${code})`;
  } catch {
    return oneLine(code);
  }
}

const MONTHS = "January February March April May June July August September October November December".split(" ");
const monthName = (month) => MONTHS[month - 1] ?? UNKNOWN;

// How a column of a table is headed and shown; `text` sorts by what is shown, the others by their value.
const COLUMNS = {
  title: ["Title", oneLine, "text"],
  release_year: ["Year", year],
  decade: ["Decade", (value) => (known(value) ? `${value}s` : UNKNOWN)],
  month: ["Month", monthName],
  real_base_year: ["Dollars of", year],
  genres: ["Genres", names, "text"],
  director: ["Director", names, "text"],
  language: ["Language", languageName, "text"],
  original_language: ["Language", languageName, "text"],
  belongs_to_collection: ["Franchise", oneLine, "text"],
  collection: ["Franchise", oneLine, "text"],
  ranking: ["Ranking", words, "text"],
  search: ["Search", words, "text"],
  reason: ["Reason", words, "text"],
  check: ["Check", words, "text"],
  vote_count: ["Votes", whole],
  vote_average: ["Rating", decimal],
  runtime: ["Runtime", minutes],
  roi: ["ROI", multiple],
  median_roi: ["Median ROI", multiple],
  roi_p25: ["ROI, 25%", multiple],
  roi_p75: ["ROI, 75%", multiple],
  share_profitable: ["Profitable", percent],
  budget_below_musd: ["Budget below", money],
  budget_from_musd: ["Budget from", money],
};
const TEXT_COLUMNS = ["actor", "company", "country", "genre", "segment", "severity", "status", "limit", "examples", "definition"];

function columnFormat(name) {
  const [heading, show, kind = "number"] = COLUMNS[name] ?? guessFormat(name);
  return { heading, show, isText: kind === "text" };
}

function guessFormat(name) {
  if (TEXT_COLUMNS.includes(name)) return [words(name), oneLine, "text"];
  if (name.endsWith("_real_musd")) return [`${words(name.slice(0, -10))}, real`, money];
  if (name.endsWith("_musd")) return [words(name.slice(0, -5)), money];
  if (name.endsWith("_usd")) return [words(name.slice(0, -4)), dollars];
  if (/^(rank|tier|movies|rows|failing_rows)/.test(name)) return [words(name), whole];
  return [words(name), decimal];
}
