"""Everything on Spark: engines, the transform, checks and KPIs. This package does not use Prefect."""
