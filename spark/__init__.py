"""Spark's room: engines, the transform, KPIs. DataFrame in, DataFrame out; nothing here knows Prefect."""
