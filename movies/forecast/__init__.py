"""Forecasting a movie's revenue from what is known before its release; knows neither Prefect nor Spark."""
