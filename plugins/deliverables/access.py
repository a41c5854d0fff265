"""Who may see the page."""

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import HTTPException
from starlette.exceptions import HTTPException as AnyHTTPException


class NotAllowed(HTTPException):
    """A user whom Airflow has logged in, but who may not see the page."""


def reader(user: GetUserDep) -> None:
    """Let pass a user of Airflow who may see plugins: the same that find the page in the navigation.

    The user comes from Airflow's own dependency, which reads the cookie of its UI or a bearer token, and
    raises when there is none.
    """
    if not get_auth_manager().is_authorized_view(access_view=AccessView.PLUGINS, user=user):
        raise NotAllowed(403)


def is_nobody(error: AnyHTTPException) -> bool:
    """Whether an error says that no user is known; Airflow says 403 of a token that it does not accept."""
    return error.status_code in (401, 403) and not isinstance(error, NotAllowed)
