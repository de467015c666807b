"""What a command is used for, as its help shows it: each line runs as it stands."""

from __future__ import annotations

EXAMPLES = {
    "run": (
        "movies run --movie-ids 603,604,605",
        "movies run --source discover --filter with_genres=878 --max-requests 100",
        "movies run --dry-run",
        "movies run --stage kpis --stage report",
    ),
    "forecast": ("movies forecast --movie 603 --movie 604", "movies forecast --holdout-years 5"),
    "status": ("movies status", "movies status --json"),
    "sql": (
        'movies sql "SELECT title, roi FROM silver.movies ORDER BY roi DESC LIMIT 10"',
        'movies sql "SELECT genre, movies, median_roi FROM gold.genres" --format markdown',
        'movies sql "SELECT * FROM gold.years" --output years.parquet',
        'movies sql "DESCRIBE silver.movies"',
    ),
    "show": ("movies show", "movies show gold.genres", "movies show silver.movies --version 1 --rows 3"),
    "backup": ("movies backup backups/monday",),
    "restore": ("movies restore backups/monday --lake-root restored",),
    "prune": ("movies prune --dry-run", "movies prune --days 30"),
    "setup": ("movies setup", "movies setup --pool kubernetes"),
    "deploy": ("movies deploy", "movies deploy --no-build --defaults"),
    "worker": ("movies worker", "movies worker --name second --limit 2"),
}


def epilog(command: str) -> str:
    """Return the examples at the end of a command's help, one per line."""
    return "\n\n".join(["Examples:", *EXAMPLES[command]])
