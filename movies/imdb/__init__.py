"""IMDb's public files: found, read and checked. Nothing here knows Prefect, Spark, TMDB or the lake."""

# What IMDb asks of whoever shows something of it (docs/sources.md).
ATTRIBUTION = "Information courtesy of IMDb (https://www.imdb.com). Used with permission."
