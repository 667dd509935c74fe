"""The people of the demo: German and English, deterministic by seed, about 60 % of them in both CRMs, with the cases that hurt.

`people()` says who there is and what each CRM knows of them; the `seed` modules write it down in each CRM's form. Days count from today.
E-mails and phone numbers are of the kinds kept free for fiction.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

SHARE_IN_BOTH = 0.6
ASCII = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "é": "e", "ë": "e", "ş": "s", "ç": "c", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "'": "", " ": ""}
)


@dataclass(frozen=True, slots=True)
class Note:
    text: str
    days_ago: int
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Task:
    title: str
    due_in_days: int
    done: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What one CRM knows of a person. The first e-mail and phone are the main ones; a phone is (kind, number as typed)."""

    first: str | None
    last: str | None
    emails: tuple[str, ...] = ()
    phones: tuple[tuple[str, str], ...] = ()
    company: str | None = None
    job: str | None = None
    street: str | None = None
    zip: str | None = None
    city: str | None = None
    state: str | None = None
    country: str | None = None
    website: str | None = None
    birthday: str | None = None
    customer_number: str | None = None
    tags: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    tasks: tuple[Task, ...] = ()
    known_for_days: int = 100
    seen_days_ago: int = 10


@dataclass(frozen=True, slots=True)
class Pair:
    """One human being as GHL and as CentralStation know them; None where a CRM doesn't."""

    ghl: Person | None
    centralstation: Person | None


@dataclass(frozen=True, slots=True)
class Place:
    city: str
    zip: str
    state: str
    country: str
    phone: str


GERMAN_FIRST = (
    *("Anna", "Jürgen", "Käthe", "Björn", "Sabine", "Thomas", "Ulrike", "Jörg", "Lena", "Matthias", "Zoë", "Florian", "Heike", "Günther"),
    *("Mareike", "Stefan", "Dörte", "Lukas", "Petra", "Rüdiger", "Svenja", "Ayşe", "Klaus-Dieter", "Nele", "Tobias", "Anneliese"),
)
GERMAN_LAST = (
    *(
        "Müller",
        "Schäfer",
        "Groß",
        "Weiß",
        "von der Heide",
        "Krüger",
        "Schmidt",
        "Jäger",
        "Böhm",
        "Köhler",
        "Özdemir",
        "Meyer-Lüdenscheidt",
    ),
    *("Hoffmann", "Schröder", "Bäcker", "Kühn", "Lindner", "Höfer", "Zöllner", "Vogt", "Straßburger", "Neumann", "Grün", "Fuchs"),
)
ENGLISH_FIRST = ("Oliver", "Charlotte", "Harry", "Siobhan", "Emily", "Jack", "Zoe", "Callum", "Imogen", "Graham", "Fiona", "Rhys", "Niamh")
ENGLISH_LAST = (
    "O'Brien",
    "Smith",
    "Taylor",
    "Hughes",
    "Fairweather",
    "Mac Donald",
    "Clarke",
    "Whitfield",
    "Bell",
    "Ashworth",
    "Price",
    "Khan",
)
GERMAN_PLACES = (
    Place("Köln", "50667", "NW", "DE", "0221 4710"),
    Place("Berlin", "10115", "BE", "DE", "030 23125"),
    Place("Hamburg", "20095", "HH", "DE", "040 66969"),
    Place("München", "80331", "BY", "DE", "089 99998"),
)
ENGLISH_PLACES = (Place("London", "SE1 7PB", "", "GB", "+44 20 7946 0"), Place("Leeds", "LS1 4AP", "", "GB", "+44 113 496 0"))
GERMAN_STREETS = ("Hauptstraße", "Am Mühlbach", "Lindenallee", "Schloßplatz", "Bahnhofstraße", "Große Bleichen", "Rosenweg")
ENGLISH_STREETS = ("High Street", "Station Road", "Mill Lane", "Church Walk", "King's Parade")
TRADES = ("Bau", "Optik", "Logistik", "Möbel", "Consulting", "Software", "Metallbau", "Garden Design", "Catering", "Print")
FORMS = {"DE": ("GmbH", "AG", "e. K.", "GmbH & Co. KG"), "GB": ("Ltd", "LLP", "plc", "Group")}
JOBS = ("Geschäftsführerin", "Einkauf", "Head of Sales", "Buchhaltung", "Owner", "Leiter Vertrieb", "Office Manager", "Technik")
TAGS = ("Kunde", "VIP", "Newsletter", "Messe Köln 2026", "Interessent", "Partner", "Branche|Handwerk", "webinar", "Referral")
NOTES = (
    "Rückruf vereinbart, möchte ein Angebot über 12 Arbeitsplätze.",
    "<p>Met at the <b>trade fair</b>:</p><ul><li>wants a demo</li><li>budget from Q1</li></ul>",
    "Called, no answer.\nTry again after 4 pm.",
    "<p>Vertrag verlängert bis Ende&nbsp;2027.<br>Ansprechpartnerin bleibt Frau Größer.</p>",
    "Prefers e-mail. Please don't call on Fridays.",
    "Reklamation geklärt – Gutschrift über 49,90 € ist raus.",
)
TASKS = (
    "Angebot schicken",
    "Send contract",
    "Rückruf",
    "Follow up after webinar",
    "Prepare demo",
    "Geburtstagskarte",
    "Check invoice 2026-118",
)


def people(per_side: int, seed: int) -> list[Pair]:
    """`per_side` people in each CRM: those in both, those only here, those only there, in a mixed order that the seed decides."""
    chance = random.Random(seed)
    in_both = round(per_side * SHARE_IN_BOTH)
    alone = per_side - in_both
    maker = _Maker(chance)
    pairs = [_as_both_know(chance, maker.person(), place) for place in range(in_both)]
    pairs += [Pair(_loner(maker.person(), place), None) for place in range(alone)]
    pairs += [Pair(None, maker.person()) for _ in range(alone)]
    if in_both > 1 and alone > 1:
        pairs[-1] = Pair(None, _sharing(pairs[0], pairs[-1]))
    chance.shuffle(pairs)
    return pairs


@dataclass(slots=True)
class _Maker:
    """Makes people, no two with the same e-mail or phone."""

    chance: random.Random
    count: int = 0
    emails: set[str] = field(default_factory=set)

    def person(self) -> Person:
        chance, self.count = self.chance, self.count + 1
        german = chance.random() < 0.7
        place = chance.choice(GERMAN_PLACES if german else ENGLISH_PLACES)
        first, last = (chance.choice(GERMAN_FIRST if german else ENGLISH_FIRST), chance.choice(GERMAN_LAST if german else ENGLISH_LAST))
        company = f"{last.split()[-1]} {chance.choice(TRADES)} {chance.choice(FORMS[place.country])}" if chance.random() < 0.6 else None
        email = self._email(first, last, company)
        street = chance.choice(GERMAN_STREETS if german else ENGLISH_STREETS)
        house = chance.randint(1, 90)
        return Person(
            first=first,
            last=last,
            emails=(email,),
            phones=(("office", f"{place.phone}{self.count:03d}"),) if chance.random() < 0.8 else (),
            company=company,
            job=chance.choice(JOBS) if company else None,
            street=f"{street} {house}" if german else f"{house} {street}",
            zip=place.zip,
            city=place.city,
            state=place.state or None,
            country=place.country,
            website=f"https://www.{email.partition('@')[2]}" if company else None,
            birthday=f"{chance.randint(1955, 2002)}-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}"
            if chance.random() < 0.2
            else None,
            customer_number=f"K-{10_000 + self.count}" if chance.random() < 0.4 else None,
            tags=tuple(chance.sample(TAGS, chance.choice((0, 1, 1, 2, 3)))),
            notes=tuple(self._notes()),
            tasks=tuple(self._tasks()),
            known_for_days=chance.randint(60, 900),
            seen_days_ago=chance.randint(0, 59),
        )

    def _email(self, first: str, last: str, company: str | None) -> str:
        domain = f"{(company or 'post').partition(' ')[0].translate(ASCII).lower()}.example"
        name = f"{first}.{last}".translate(ASCII).lower()
        email = f"{name}@{domain}"
        if email in self.emails:
            email = f"{name}.{self.count}@{domain}"
        self.emails.add(email)
        return email

    def _notes(self) -> Iterator[Note]:
        for _ in range(self.chance.choice((0, 0, 0, 1, 1, 2, 3))):
            yield Note(self.chance.choice(NOTES), self.chance.randint(0, 300))

    def _tasks(self) -> Iterator[Task]:
        for _ in range(self.chance.choice((0, 0, 0, 0, 1, 2))):
            due = self.chance.randint(-40, 30)
            yield Task(self.chance.choice(TASKS), due, done=due < 0 and self.chance.random() < 0.6)


def _as_both_know(chance: random.Random, person: Person, place: int) -> Pair:
    """Each CRM has some of the notes, tasks and tags; the first few people are the cases that hurt, every tenth has a conflict."""
    ghl = replace(person, notes=person.notes[:1], tasks=person.tasks[:1], tags=person.tags[:2])
    central = replace(person, notes=person.notes[1:], tasks=person.tasks[1:], tags=tuple(tag.upper() for tag in person.tags[1:]))
    if place < len(HARD):
        return HARD[place](ghl, central)
    return _conflicting(ghl, central) if chance.random() < 0.1 else Pair(ghl, central)


def _shared_mailbox(ghl: Person, central: Person) -> Pair:
    shared = "info@kaesemarkt.example"
    return Pair(replace(ghl, emails=(shared,), company="Käsemarkt GmbH"), replace(central, emails=(shared,), company="Käsemarkt GmbH"))


def _spelled_two_ways(ghl: Person, central: Person) -> Pair:
    email = ("juergen.mueller@mueller-bau.example",)
    return Pair(replace(ghl, first="Juergen", last="Mueller", emails=email), replace(central, first="Jürgen", last="Müller", emails=email))


def _many_phones(ghl: Person, central: Person) -> Pair:
    office = ("office", "0221 4710 990")
    phones = (
        office,
        ("mobile", "0171 39200 11"),
        ("fax", "0221 4710 991"),
        ("private", "+49 (0)30 23125-992"),
        ("office_hq", "0221 4710 993"),
    )
    private = f"privat.{central.emails[0]}"
    return Pair(replace(ghl, phones=(("office", "+49221 4710990"),)), replace(central, phones=phones, emails=(*central.emails, private)))


def _only_a_phone(ghl: Person, central: Person) -> Pair:
    phones = (("mobile", "0171 39200 22"),)
    return Pair(replace(ghl, emails=(), phones=phones), replace(central, emails=(), phones=(("mobile", "+49 171 3920022"),)))


def _only_a_name(ghl: Person, central: Person) -> Pair:
    bare = {"emails": (), "phones": (), "first": "Dörte", "last": "Straßburger", "company": "Straßburger Optik GmbH"}
    return Pair(replace(ghl, **bare), replace(central, **bare))  # type: ignore[arg-type]


def _shouted_email(ghl: Person, central: Person) -> Pair:
    return Pair(ghl, replace(central, emails=(f" {central.emails[0].title()} ",)))


def _busy(ghl: Person, central: Person) -> Pair:
    late = (Task("Angebot nachfassen", -21), Task("Send signed contract", -3), Task("Jahresgespräch vorbereiten", 12))
    talk = tuple(Note(text, days) for days, text in enumerate(NOTES))
    return Pair(replace(ghl, tasks=late, notes=talk[:3]), replace(central, notes=talk[3:]))


def _conflicting(ghl: Person, central: Person) -> Pair:
    """Moved house here, changed the firm there, both more than they should have."""
    return Pair(replace(ghl, street="Neuer Wall 7", seen_days_ago=2), replace(central, street="Alter Markt 3", company="Neue Firma GmbH"))


HARD = (_shared_mailbox, _spelled_two_ways, _many_phones, _only_a_phone, _only_a_name, _shouted_email, _busy, _conflicting)


def _loner(person: Person, place: int) -> Person:
    """Of those only in GHL: one without a last name, one without e-mail, one with nothing but a name."""
    match place:
        case 0:
            return replace(person, first="Mia", last=None, company=None)
        case 1:
            return replace(person, emails=(), phones=(("mobile", "0171 39200 33"),))
        case 2:
            return replace(person, emails=(), phones=(), company=None)
        case _:
            return person


def _sharing(pair: Pair, other: Pair) -> Person:
    """A second person in CentralStation with the mailbox of the first."""
    assert pair.centralstation
    assert other.centralstation
    return replace(other.centralstation, emails=pair.centralstation.emails, company=pair.centralstation.company)
