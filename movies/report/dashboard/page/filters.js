// What is chosen: in the form, and in the address, so that a link says it too.

const FORM = document.getElementById("filters");
const NAMES = ["q", "genre", "franchise", "language", "from", "to"];
// Of a franchise in the address and the form: the others are kinds, not names.
const ONE_FRANCHISE = "of:";

function fillForm() {
  const count = (namesOf) => {
    const counts = new Map();
    for (const movie of MOVIES) for (const name of namesOf(movie)) counts.set(name, (counts.get(name) ?? 0) + 1);
    return counts;
  };
  const add = (parent, value, text) => parent.append(new Option(text, value));
  const genres = count((movie) => movie.genreList);
  for (const genre of [...genres.keys()].sort()) add(FORM.elements.genre, genre, `${oneLine(genre)} (${grouped(genres.get(genre))})`);
  const languages = count((movie) => (known(movie.original_language) ? [movie.original_language] : []));
  for (const [code, number] of [...languages].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))) {
    add(FORM.elements.language, code, `${languageName(code)} – ${grouped(number)}`);
  }
  const franchises = count((movie) => (known(movie.belongs_to_collection) ? [movie.belongs_to_collection] : []));
  const group = document.createElement("optgroup");
  group.label = "One franchise";
  for (const name of [...franchises.keys()].sort()) add(group, ONE_FRANCHISE + name, shorten(oneLine(name), 60));
  if (franchises.size) FORM.elements.franchise.append(group);
  const years = valuesOf(MOVIES, "release_year");
  if (years.length) {
    const [first, last] = [years.reduce((a, b) => Math.min(a, b)), years.reduce((a, b) => Math.max(a, b))];
    for (const [field, hint] of [["from", first], ["to", last]]) FORM.elements[field].placeholder = String(hint);
  }
}

function readForm() {
  return Object.fromEntries(NAMES.map((name) => [name, FORM.elements[name].value.trim()]));
}

// Only what the form can say: an option that is not there, or a year that is none, counts as nothing.
function writeForm(chosen) {
  for (const name of NAMES) {
    const field = FORM.elements[name];
    field.value = chosen[name] ?? "";
    if (field.tagName === "SELECT" && field.selectedIndex < 0) field.value = "";
  }
}

// Null where the address says nothing of filters, as after following a link within the page.
function readAddress() {
  const hash = location.hash.slice(1);
  return hash === "" || hash.includes("=") ? Object.fromEntries(new URLSearchParams(hash)) : null;
}

function writeAddress(chosen) {
  const said = new URLSearchParams(NAMES.filter((name) => chosen[name]).map((name) => [name, chosen[name]]));
  const hash = String(said) ? `#${said}` : location.pathname.split("/").pop() || ".";
  try {
    history.replaceState(null, "", hash);
  } catch {
    location.hash = String(said); // where a browser lets no page on a disk change its address
  }
}

function choose(chosen) {
  const terms = fold(chosen.q).split(/\s+/).filter(Boolean);
  const [from, to] = [chosen.from, chosen.to].map((text) => (text === "" ? null : Number(text)));
  const franchise = chosen.franchise.startsWith(ONE_FRANCHISE) ? chosen.franchise.slice(ONE_FRANCHISE.length) : null;
  return MOVIES.filter(
    (movie) =>
      (!chosen.genre || movie.genreList.includes(chosen.genre)) &&
      (!chosen.language || movie.original_language === chosen.language) &&
      (from === null || (known(movie.release_year) && movie.release_year >= from)) &&
      (to === null || (known(movie.release_year) && movie.release_year <= to)) &&
      (chosen.franchise !== "franchise" || known(movie.belongs_to_collection)) &&
      (chosen.franchise !== "standalone" || !known(movie.belongs_to_collection)) &&
      (franchise === null || movie.belongs_to_collection === franchise) &&
      terms.every((term) => movie.found.includes(term)),
  );
}

const isAnythingChosen = (chosen) => NAMES.some((name) => chosen[name]);
