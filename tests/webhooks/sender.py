"""A sender of webhooks for tests: keys of its own, signatures over the raw body, and payloads that are right unless told otherwise."""

from __future__ import annotations

import base64
import itertools
import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CONTACT_ID, LOCATION_ID = "ocQHyuzHvysMo5N5VsXc", "ve9EPM428h8vShlRW1KT"
_numbers = itertools.count(1)


@cache
def ed25519() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


@cache
def rsa(bits: int = 2048) -> RSAPrivateKey:
    return generate_private_key(65537, bits)


def public_pem(key: Any) -> str:
    pem: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem.decode()


def signed(body: bytes, key: Ed25519PrivateKey | None = None) -> dict[str, str]:
    return {"X-GHL-Signature": base64.b64encode((key or ed25519()).sign(body)).decode()}


def signed_the_old_way(body: bytes, key: RSAPrivateKey | None = None) -> dict[str, str]:
    return {"x-wh-signature": base64.b64encode((key or rsa()).sign(body, PKCS1v15(), hashes.SHA256())).decode()}


def payload(type: str = "ContactUpdate", **more: Any) -> dict[str, Any]:
    """A flat one; a field that is given as None is left out."""
    now = datetime.now(UTC).isoformat()
    whole = {"type": type, "locationId": LOCATION_ID, "id": CONTACT_ID, "webhookId": f"wh-{next(_numbers)}", "timestamp": now, **more}
    return {name: value for name, value in whole.items() if value is not None}


def body(type: str = "ContactUpdate", **more: Any) -> bytes:
    return json.dumps(payload(type, **more)).encode()
