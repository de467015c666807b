"""Forecast a movie's revenue from what is known before its release, independent of Prefect and Spark."""
