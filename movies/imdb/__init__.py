"""Download, read and check IMDb's public files, independent of Prefect, Spark, TMDB and the lake."""

# IMDb requires this text with its data (docs/sources.md).
ATTRIBUTION = "Information courtesy of IMDb (https://www.imdb.com). Used with permission."
