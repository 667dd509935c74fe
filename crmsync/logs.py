"""Log lines for who runs crmsync: one line an event, a fixed message, fields beside it, and no secret in it."""

import logging
import re
import time

STANDARD_FIELDS = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "request", "server_time", "status_code"}
MASK = "[hidden]"
SECRETS = re.compile(
    r"""(?ix)
    \b pit-[\w-]{8,}                                            # a GHL private integration token
    | \b gAAAAA[\w-]{20,}={0,2}                                 # something encrypted with Fernet
    | \b eyJ[\w-]{8,}\.[\w-]+\.[\w-]*                           # a signed token
    | (?<= bearer\s) [^\s"',;]+
    | (?<= ://) [^\s/@:]* : [^\s/@]+ (?= @)                     # user and password in an address
    | (?: \b(?:api|access|refresh|secret|credential)?[_-]?(?:key|keys|token|secret|password) ["']? \s* [=:] \s* ["']? ) [^\s"',;&}]+
    """
)


def mask(text: str) -> str:
    """`text` without what looks like a credential. Belt and braces: nothing of ours logs one."""
    return SECRETS.sub(MASK, text)


class MaskSecrets(logging.Filter):
    """Masks the message before any handler writes it."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = mask(record.getMessage()), ()
        return True


class LineFormatter(logging.Formatter):
    """`2026-11-24T10:00:00Z INFO crmsync.sync reconciled contact=41 writes=2`; a traceback stays on its event's line."""

    converter = time.gmtime  # type: ignore[assignment]  # logging's own documented way

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s", datefmt="%Y-%m-%dT%H:%M:%SZ")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is logging's
        fields = (f" {name}={value}" for name, value in record.__dict__.items() if name not in STANDARD_FIELDS)
        return super().formatMessage(record) + "".join(fields)

    def format(self, record: logging.LogRecord) -> str:
        return mask(super().format(record)).replace("\n", "\\n")
