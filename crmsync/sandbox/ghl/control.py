"""GHL's share of the control API, beside that of both CRMs.

GET    /_sandbox/oauth                    how many refreshes and authorisations there were, and the app's client id
POST   /_sandbox/oauth/authorise          {"scopes": [...], "location_id"?}: install the app; the answer of /oauth/token
POST   /_sandbox/oauth/expire             all access tokens have expired
POST   /_sandbox/oauth/revoke             no token of the app works any more
POST   /_sandbox/oauth/uninstall          the same, and UNINSTALL is sent
POST   /_sandbox/oauth/lose-next-refresh  the next answer of /oauth/token gets lost
PUT    /_sandbox/oauth/scopes             {"scopes": [...]}: what every token may do from now on
PUT    /_sandbox/webhook-url              {"url": "https://...", "events"?: [...]}; an empty url for nowhere
GET    /_sandbox/webhook-key?kind=rsa     the public key (PEM, as text) that webhooks are signed with; without kind, Ed25519
POST   /_sandbox/workflow-webhook         {"url", "contact_id", "type"?}: a workflow's unsigned webhook
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from crmsync.sandbox.control import Handler
from crmsync.sandbox.core import Json
from crmsync.sandbox.ghl.location import Ghl


def _oauth(crm: Ghl, request: Request, body: Any) -> Json:
    return {"refreshes": crm.refreshes, "authorisations": len(crm.oauth.authorisations), "client_id": crm.settings.client_id}


def _authorise(crm: Ghl, request: Request, body: Any) -> Json:
    return crm.authorise(body["scopes"], body.get("location_id", ""))


def _expire(crm: Ghl, request: Request, body: Any) -> Json:
    crm.expire_tokens()
    return _oauth(crm, request, body)


def _revoke(crm: Ghl, request: Request, body: Any) -> Json:
    crm.revoke()
    return _oauth(crm, request, body)


def _uninstall(crm: Ghl, request: Request, body: Any) -> Json:
    crm.uninstall()
    return _oauth(crm, request, body)


def _lose_next_refresh(crm: Ghl, request: Request, body: Any) -> Json:
    crm.lose_next_refresh()
    return _oauth(crm, request, body)


def _scopes(crm: Ghl, request: Request, body: Any) -> Json:
    crm.change_scopes(body["scopes"])
    return {"scopes": body["scopes"]}


def _webhook_url(crm: Ghl, request: Request, body: Any) -> Json:
    crm.send_webhooks_to(body["url"], body.get("events"))
    return {"url": crm.webhook_url, "events": sorted(crm.events.events)}


def _webhook_key(crm: Ghl, request: Request, body: Any) -> str:
    return crm.webhook_legacy_public_key if request.query_params.get("kind") == "rsa" else crm.webhook_public_key


def _workflow_webhook(crm: Ghl, request: Request, body: Any) -> Json:
    crm.call_workflow(body["url"], body["contact_id"], body.get("type", "ContactUpdate"))
    return {}


HANDLERS: list[tuple[str, str, Handler]] = [
    ("GET", "oauth", _oauth),
    ("POST", "oauth/authorise", _authorise),
    ("POST", "oauth/expire", _expire),
    ("POST", "oauth/revoke", _revoke),
    ("POST", "oauth/uninstall", _uninstall),
    ("POST", "oauth/lose-next-refresh", _lose_next_refresh),
    ("PUT", "oauth/scopes", _scopes),
    ("PUT", "webhook-url", _webhook_url),
    ("GET", "webhook-key", _webhook_key),
    ("POST", "workflow-webhook", _workflow_webhook),
]
