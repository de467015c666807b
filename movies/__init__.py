"""The library below the pipeline, without Prefect and Spark: TMDB, the lake, the report."""
