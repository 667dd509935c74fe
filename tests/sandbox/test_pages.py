"""The pages: what a person does by hand reaches the CRM's records."""

from __future__ import annotations

import html
import re

import httpx
import pytest

from crmsync.sandbox.centralstation import CentralStation
from crmsync.sandbox.ghl import Ghl
from tests.sandbox.conftest import client


def text(page: httpx.Response) -> str:
    assert page.status_code == 200, page.text
    return html.unescape(re.sub(r"<[^>]+>", " ", page.text))


def form_of(page: httpx.Response) -> dict[str, str]:
    """The fields of the contact's own form, as the browser would send them back."""
    form = page.text.partition('class="grid"')[2].partition("</form>")[0]
    return {
        html.unescape(name): html.unescape(value) for name, value in re.findall(r'<input name="([^"]+)" type="[^"]*" value="([^"]*)"', form)
    }


@pytest.fixture(params=["ghl", "centralstation"])
def crm(request: pytest.FixtureRequest) -> Ghl | CentralStation:
    sandbox: Ghl | CentralStation = request.getfixturevalue(f"{request.param}_sandbox")
    return sandbox


@pytest.fixture
def browser(crm: Ghl | CentralStation) -> httpx.Client:
    return client(crm.url, follow_redirects=True)


@pytest.fixture
def ada(crm: Ghl | CentralStation, browser: httpx.Client) -> str:
    page = browser.post("/view", data={"first": "Ada", "last": "<Größe>", "email": "ada@example.org"})
    return page.url.path.rpartition("/")[2]


def test_the_list_shows_and_finds_contacts(browser: httpx.Client, ada: str) -> None:
    assert "Ada <Größe>" in text(browser.get("/"))
    assert "Ada" in text(browser.get("/", params={"q": "größe"}))
    assert "Nobody matches." in text(browser.get("/", params={"q": "nobody"}))


def test_saving_a_form_unchanged_changes_nothing(crm: Ghl | CentralStation, browser: httpx.Client, ada: str) -> None:
    before = {key: value for key, value in (crm.details(ada) or {}).items() if "pdated" not in key and key != "lastActivity"}
    browser.post(f"/view/{ada}", data=form_of(browser.get(f"/view/{ada}")))
    assert before.items() <= (crm.details(ada) or {}).items()


def test_tags_notes_and_tasks_are_edited(crm: Ghl | CentralStation, browser: httpx.Client, ada: str) -> None:
    browser.post(f"/view/{ada}/tags", data={"name": "vip"})
    browser.post(f"/view/{ada}/notes", data={"note": "", "title": "T", "text": "one\r\ntwo"})
    page = text(browser.post(f"/view/{ada}/tasks", data={"task": "", "title": "Call", "due": "2020-01-01"}))
    assert all(word in page for word in ("vip ×", "one\ntwo", "overdue"))
    record = crm.details(ada) or {}
    note, task = record["notes"][0]["id"], record["tasks"][0]["id"]
    browser.post(f"/view/{ada}/tags", data={"remove": "vip"})
    browser.post(f"/view/{ada}/notes", data={"note": note, "delete": "", "title": "", "text": ""})
    browser.post(f"/view/{ada}/tasks", data={"task": task, "title": "Called", "due": "2020-01-01", "done": "on"})
    record = crm.details(ada) or {}
    assert (record["tags"], record["notes"]) == ([], [])
    assert (record["tasks"][0].get("completed", record["tasks"][0].get("finished"))) is True


def test_a_contact_is_deleted(crm: Ghl | CentralStation, browser: httpx.Client, ada: str) -> None:
    browser.post(f"/view/{ada}/delete")
    assert crm.overview() == []
    assert browser.get(f"/view/{ada}").status_code == 404


def test_rows_are_changed_added_and_removed(centralstation_sandbox: CentralStation) -> None:
    id = centralstation_sandbox.add_contact(name="Ada", tels=["1"], emails=["a@example.org"], company="A GmbH")
    browser = client(centralstation_sandbox.url)
    form = form_of(browser.get(f"/view/{id}"))
    changed = {key: {"1": "2", "a@example.org": "", "A GmbH": "B GmbH"}.get(value, value) for key, value in form.items()}
    browser.post(f"/view/{id}", data=changed | {"homepages.new.name": "https://a.example", "historic_events.new.name": "1990-01-02"})
    record = centralstation_sandbox.contact(id) or {}
    names = {group: [row["name"] for row in record[group]] for group in ("tels", "emails", "homepages", "historic_events")}
    assert names == {"tels": ["2"], "emails": [], "homepages": ["https://a.example"], "historic_events": ["1990-01-02"]}
    assert [row["company_name"] for row in record["positions"]] == ["B GmbH"]


def test_what_the_crm_refuses_is_said(centralstation_sandbox: CentralStation) -> None:
    answer = httpx.post(f"{centralstation_sandbox.url}/view", data={"first": "Ada", "last": "", "email": ""})
    assert (answer.status_code, "can&#39;t be blank" in answer.text) == (422, True)


def test_faults_are_switched_on_and_off(crm: Ghl | CentralStation, browser: httpx.Client) -> None:
    form = {"kind": "server_error", "rate": "50", "times": "3", "method": "POST", "path": "", "field": "", "pattern": "", "latency_ms": ""}
    assert "50 % of POST requests" in text(browser.post("/faults", data=form))
    assert (crm.faults.active[0].rate, crm.faults.active[0].times, crm.faults.active[0].path) == (0.5, 3, None)
    browser.post("/faults/clear")
    assert crm.faults.active == []


def test_a_form_from_another_site_is_refused(browser: httpx.Client) -> None:
    assert browser.post("/faults/clear", headers={"Origin": "https://elsewhere.example"}).status_code == 403


def test_nothing_is_loaded_from_elsewhere(browser: httpx.Client, ada: str) -> None:
    for path in ("/", f"/view/{ada}", "/_sandbox/style.css"):
        assert not re.search(r"""(src|href|url)\W{1,3}(https?:)?//""", browser.get(path).text)


FAULT = {"kind": "field_dropped", "rate": "40", "times": "3", "method": "PUT", "latency_ms": "7", "path": "/tels", "pattern": ""}


def test_each_field_that_can_be_chosen_can_be_dropped(crm: Ghl | CentralStation, browser: httpx.Client) -> None:
    choice = browser.get("/").text.partition('<select name="field">')[2].partition("</select>")[0]
    names = [name for name in re.findall(r'value="([^"]*)"', choice) if name]
    assert {"phone", "body", "dueDate"} <= set(names) or {"first_name", "name", "street", "zip", "content"} <= set(names)
    assert [browser.post("/faults", data={**FAULT, "field": name}).status_code for name in names] == [200] * len(names)
    assert [fault.field for fault in crm.faults.active] == names


def test_values_can_be_refused(ghl_sandbox: Ghl) -> None:
    form = {**FAULT, "kind": "value_refused", "field": "phone", "pattern": "[^+0-9]"}
    httpx.post(f"{ghl_sandbox.url}/faults", data=form, headers={"Origin": ghl_sandbox.url})
    assert [(fault.field, fault.pattern) for fault in ghl_sandbox.faults.active] == [("phone", "[^+0-9]")]


@pytest.mark.parametrize("field", ["", "telephone"])
def test_a_field_that_is_never_sent_is_refused_and_the_form_comes_back_whole(
    crm: Ghl | CentralStation, browser: httpx.Client, field: str
) -> None:
    page = browser.post("/faults", data={**FAULT, "field": field})
    assert (page.status_code, crm.faults.active) == (422, [])
    assert "Choose" in page.text
    for kept in ('value="field_dropped" selected', 'value="40"', 'value="3"', "<option selected>PUT", 'value="7"', 'value="/tels"'):
        assert kept in page.text


def test_the_control_api_refuses_a_field_that_is_never_sent(crm: Ghl | CentralStation, browser: httpx.Client) -> None:
    answer = browser.post("/_sandbox/faults", json={"kind": "field_dropped", "field": "telephone"})
    assert (answer.status_code, crm.faults.active) == (400, [])
    assert f"{crm.title} is sent no field named “telephone”" in answer.json()["error"]
