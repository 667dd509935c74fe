"""The drills. Each takes a running `World` and says what came of it."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

from tests.drills.world import Figures, World

CITIES = ["Bremen", "Köln", "Mainz", "Kassel", "Ulm", "Trier", "Jena", "Fulda"]


def storm(world: World, *, events: int, away_s: float, kill_every_s: float) -> Figures:
    """So many signed webhooks at full speed into all web processes, while the database goes away and workers are killed."""
    figures, ids = Figures(), [str(one["id"]) for one in world.ghl.overview()]
    chance = random.Random(7)
    with world.workers_killed(kill_every_s) as killed:
        away = threading.Timer(1.0, world.database_away, [away_s])
        away.start()
        began = time.monotonic()
        for n in range(events):
            if n % 50 == 0:
                world.listen_at(n // 50)
            world.ghl.edit_contact(chance.choice(ids), city=chance.choice(CITIES), address1=f"Weg {n}")
        away.join()
        world.ghl.webhooks.wait(600)
        figures.values["seconds until all were answered 2xx"] = round(time.monotonic() - began, 1)
    figures.values["workers killed"] = killed["killed"]
    sent = world.ghl.webhooks.stats()
    figures.values["redelivered after 429"] = sent["redelivered"]
    figures.expect("lost on the way", sent["lost"], 0)
    world.settle(180, figures)
    accepted = [one for one in world.ghl.webhooks if one.state == "delivered"]
    missing = len(accepted) - world.state()["stored_app"]
    figures.expect("answered 2xx and not stored", missing, 0)
    return figures


def trouble(world: World, *, edits: int) -> Figures:
    """Webhooks of both CRMs are doubled, shuffled, and 30 % of them dropped."""
    figures, chance = Figures(), random.Random(3)
    for crm in (world.ghl, world.central):
        crm.webhooks.trouble(drop=0.3, duplicate=0.3, shuffle_s=2.0)
    _edit_on_both_sides(world, edits, chance)
    for crm in (world.ghl, world.central):
        crm.webhooks.wait(60)
        crm.webhooks.trouble()
    world.settle(120, figures)
    return figures


def lost_answers(world: World, *, edits: int) -> Figures:
    """Both CRMs do what they are told and lose 5 % of the answers to writes."""
    figures, chance = Figures(), random.Random(5)
    for crm in (world.ghl, world.central):
        for method in ("POST", "PUT", "DELETE"):
            crm.fault("answer_lost", rate=0.05, method=method)
    _edit_on_both_sides(world, edits, chance)
    for n in range(max(1, edits // 4)):
        new = {"firstName": f"Neu{n}", "lastName": "Hall", "email": f"neu{n}@example.org"}
        contact_id = world.ghl.add_contact(**new)
        world.ghl.add_note(contact_id, f"Note {n}")
        world.ghl.add_task(contact_id, f"Task {n}")
    _mended(world, figures, 60)
    return figures


def out_of_order(world: World, *, edits: int, for_s: float) -> Figures:
    """For a while 30 % of all answers are 429 or 500."""
    figures, chance = Figures(), random.Random(6)
    for crm in (world.ghl, world.central):
        crm.fault("rate_limited", rate=0.15, retry_after_s=1)
        crm.fault("server_error", rate=0.15)
    until = time.monotonic() + for_s
    while time.monotonic() < until:
        _edit_on_both_sides(world, max(1, edits // 10), chance)
        time.sleep(min(for_s / 10, 2))
    if _mended(world, figures, 60) > 30:
        figures.failures.append("not recovered within 30 s")
    return figures


def clock(world: World, *, edits: int) -> Figures:
    """GoHighLevel's clock is an hour off (`World` was made with that); what is edited while no webhook comes is found all the same.

    But for its notes: nothing but the rotating comparison finds those, and that takes longer than a drill."""
    figures = Figures()
    world.ghl.webhooks.trouble(drop=1.0)
    world.central.webhooks.trouble(drop=1.0)
    _edit_on_both_sides(world, edits, random.Random(9), ghl_notes=False)
    _mended(world, figures, 90)
    return figures


def revoked(world: World, *, edits: int) -> Figures:
    """The authorisation is revoked in the midst of it (`World` was let in by OAuth); later somebody presses Reconnect."""
    figures, chance = Figures(), random.Random(8)
    _edit_on_both_sides(world, edits, chance)
    world.ghl.revoke()
    _edit_on_both_sides(world, edits, chance)
    until = time.monotonic() + 30
    while world.state()["health"] != "reconnect" and time.monotonic() < until:
        time.sleep(0.3)
    figures.expect("what the connection says", world.state()["health"], "reconnect")
    calls = len(world.ghl.calls())
    time.sleep(3)
    figures.expect("requests while it waits to be reconnected", len(world.ghl.calls()) - calls, 0)
    world.reconnect()
    world.settle(60, figures)
    return figures


def _mended(world: World, figures: Figures, seconds: float) -> float:
    world.ghl.clear_faults()
    world.central.clear_faults()
    return world.settle(seconds, figures)


def _edit_on_both_sides(world: World, edits: int, chance: random.Random, *, ghl_notes: bool = True) -> None:
    """Different fields on different sides, so that nobody's edit has to win."""
    here = [str(one["id"]) for one in world.ghl.overview()]
    there = [str(one["id"]) for one in world.central.overview()]
    edit: list[Callable[[int], object]] = [
        lambda n: world.ghl.edit_contact(chance.choice(here), companyName=f"Firma {n}"),
        lambda n: world.ghl.edit_contact(chance.choice(here), website=f"https://{n}.example.org"),
        lambda n: world.central.edit_contact(chance.choice(there), first_name=f"Gerda{n}"),
        lambda n: world.central.add_task(chance.choice(there), f"Aufgabe {n} {chance.random()}", precise_time="2027-01-04T09:00:00"),
        lambda n: world.central.add_tags(chance.choice(there), f"tag{n % 5}"),
    ]
    if ghl_notes:
        edit.append(lambda n: world.ghl.add_note(chance.choice(here), f"Note {n} {chance.random()}"))
    for n in range(edits):
        edit[n % len(edit)](n)
        time.sleep(0.01)
