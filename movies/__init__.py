"""The library of the pipeline, without Prefect and Spark: TMDB, the lake, the report."""
