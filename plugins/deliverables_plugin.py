"""Puts the page of deliverables into Airflow's navigation."""

import logging
from functools import cached_property

from airflow.plugins_manager import AirflowPlugin


class DeliverablesPlugin(AirflowPlugin):
    """See `deliverables`."""

    name = "deliverables"
    # Relative, or a reverse proxy that serves Airflow below a path would be left.
    external_views = [  # noqa: RUF012
        {
            "name": "Deliverables",
            "href": "deliverables/",
            "destination": "nav",
            "nav_top_level": True,
            "url_route": "deliverables",
            "icon": "deliverables/-/icon.svg",
            "icon_dark_mode": "deliverables/-/icon-dark.svg",
        },
    ]

    @cached_property
    def fastapi_apps(self) -> list[dict[str, object]]:
        """The page's application. The api-server alone asks for it; every other part loads the plugin too."""
        try:
            from deliverables.app import create_app
        except Exception:
            # Airflow itself is to start without the page, as it does without a plugin that cannot be loaded.
            logging.getLogger(__name__).exception("The page of deliverables cannot be loaded")
            return []
        return [{"name": "deliverables", "url_prefix": "/deliverables", "app": create_app()}]
