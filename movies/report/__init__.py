"""The report, the plots and the dashboard, made from gold tables."""
