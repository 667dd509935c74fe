"""`manage.py why`: why a contact is as it is, as the *Why?* page says it."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from crmsync.models import Contact
from crmsync.sync import asking, pasted
from crmsync.sync.facts import Fact
from crmsync.sync.trail import trail
from crmsync.sync.why import Why, explain
from crmsync.sync.why_field import explain_field


class Command(BaseCommand):
    help = "Explains why a contact is as it is: in one sentence, with the facts that lead there."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("text", metavar="TEXT", help="A name, e-mail, phone number, id or address; #ID for crmsync's own id.")
        parser.add_argument("--field", metavar="NAME", help="One field of it, by the mapping's name; or tags, notes, tasks.")
        parser.add_argument("--ask", action="store_true", help="Ask both CRMs for somebody whom nobody knows here, and take them in.")
        parser.add_argument("--json", action="store_true", help="Print JSON, one object a line.")

    def handle(self, *args: Any, **options: Any) -> None:
        asked = pasted.read(options["text"])
        if found := pasted.contacts(asked)[: pasted.MOST]:
            for why in explain(found):
                self._show(options, _row(why, options["field"]))
            return
        answers = asking.ask(asked) if options["ask"] and asking.can_ask(asked) else []
        said = [{"connection": one.connection.pk, "found": one.is_found, "sentence": one.sentence} for one in answers]
        facts = list(map(_fact, asking.last_looks()))
        self._show(options, {"reason": "unknown", "sentence": asking.unknown(asked), "then": "", "answers": said, "trail": facts})

    def _show(self, options: dict[str, Any], row: dict[str, Any]) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(row, ensure_ascii=False, default=str))
            return
        lines = [row["field"]["sentence"]] if row.get("field") else [f"{row['sentence']} {row['then']}".strip()]
        lines += [f"  {answer['sentence']}" for answer in row.get("answers", ())]
        facts = row["field"]["trail"] if row.get("field") else row["trail"]
        lines += [f"  - {fact['text']}{_moment(fact)}" for fact in facts]
        self.stdout.write("\n".join(lines))


def _row(why: Why, field: str | None) -> dict[str, Any]:
    contact: Contact = why.contact
    row: dict[str, Any] = {"id": contact.pk, "sync": contact.sync_id, "status": contact.status, "reason": why.reason}
    row |= {"sentence": why.sentence, "then": why.then, "trail": list(map(_fact, trail(why)))}
    if field:
        one = explain_field(why, field)
        row["field"] = {"name": one.name, "sentence": one.sentence, "trail": list(map(_fact, one.facts))}
    return row


def _fact(fact: Fact) -> dict[str, Any]:
    return {"text": fact.text, "at": fact.at.isoformat() if fact.at else None, "is_cause": fact.is_cause}


def _moment(fact: dict[str, Any]) -> str:
    return f" ({fact['at'][:16]})" if fact["at"] else ""
