// Light and dark: what the system prefers until somebody chooses.

const PREFERS_DARK = matchMedia("(prefers-color-scheme: dark)");
const NARROW = matchMedia("(max-width: 640px)");
const TOUCH = matchMedia("(pointer: coarse)");
const THEME_KEY = "tmdb-movie-dashboard-theme";

// Okabe and Ito's colours, told apart with any colour vision; those for dark are lighter.
const COLOURS = {
  light: {
    ink: "#1b2430", muted: "#55606e", grid: "#e3e7ec", card: "#ffffff", line: "#c5ccd5",
    blue: "#0072b2", orange: "#c77f00", vermillion: "#c04f00", green: "#00805d", grey: "#6b7683", orangeText: "#965e00",
    oldToNew: [[0, "#e0a92e"], [0.35, "#d55e00"], [0.7, "#8b2a6b"], [1, "#1b1f5e"]],
    fewToMany: [[0, "#8cc1e0"], [0.4, "#3b93c8"], [0.75, "#0b5a93"], [1, "#0a1f44"]],
  },
  dark: {
    ink: "#e7ecf2", muted: "#a9b4c1", grid: "#2b3643", card: "#1a222c", line: "#455364",
    blue: "#56b4e9", orange: "#e9a832", vermillion: "#ff8a50", green: "#2fc495", grey: "#93a1b1", orangeText: "#e9a832",
    oldToNew: [[0, "#8a6a1c"], [0.35, "#e0762c"], [0.7, "#e07ab8"], [1, "#b9c2ff"]],
    fewToMany: [[0, "#2b5d80"], [0.4, "#3f92c4"], [0.75, "#7cc6f2"], [1, "#e4f4ff"]],
  },
};

function remembered() {
  try {
    return localStorage.getItem(THEME_KEY);
  } catch {
    return null; // a page on a disk may have no memory
  }
}

function remember(theme) {
  try {
    localStorage.setItem(THEME_KEY, theme);
  } catch {
    // then it holds until the page is closed
  }
}

let chosenTheme = ["light", "dark"].includes(remembered()) ? remembered() : null;
let printing = false;
const theme = () => (printing ? "light" : (chosenTheme ?? (PREFERS_DARK.matches ? "dark" : "light")));
const colours = () => COLOURS[theme()];

function applyTheme() {
  const root = document.documentElement;
  root.dataset.theme = theme();
  root.classList.toggle("dark", theme() === "dark"); // by which DataTables knows
  document.getElementById("theme").textContent = theme() === "dark" ? "Light colours" : "Dark colours";
}

function toggleTheme() {
  chosenTheme = theme() === "dark" ? "light" : "dark";
  remember(chosenTheme);
  applyTheme();
}

function axis(title, more = {}) {
  const { grid, line, muted } = colours();
  return {
    title: { text: title, standoff: 8, font: { size: 12, color: muted } },
    gridcolor: grid, zeroline: false, linecolor: line, tickcolor: line, tickfont: { color: muted },
    automargin: true, fixedrange: TOUCH.matches, ...more,
  };
}

// Dollars: Plotly's own short units begin with B for billions.
const moneyAxis = (title, more = {}) => axis(title, { tickprefix: "$", exponentformat: "B", minexponent: 3, ...more });

function layout(more = {}) {
  const { ink, card, line } = colours();
  return {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false,
    font: { family: "system-ui, sans-serif", size: 12, color: ink },
    margin: { l: 8, r: 12, t: 12, b: 8, pad: 2 },
    hoverlabel: { bgcolor: card, bordercolor: line, font: { color: ink, size: 12 }, align: "left" },
    dragmode: TOUCH.matches ? false : "zoom",
    bargap: 0.25, ...more,
  };
}

// A heading above a panel.
function panelTitle(text, x, y) {
  return {
    text: `<b>${text}</b>`, x, y, xref: "paper", yref: "paper", xanchor: "left", yanchor: "bottom",
    showarrow: false, font: { size: 12, color: colours().ink },
  };
}
