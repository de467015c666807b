"""The dashboard: one HTML file that works without a server."""

from __future__ import annotations

from movies.report.dashboard.listings import DASHBOARD_TABLES
from movies.report.dashboard.page import dashboard_page

__all__ = ["DASHBOARD_TABLES", "dashboard_page"]
