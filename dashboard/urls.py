"""The addresses of the staff's pages, by object."""

from django.urls import URLPattern, URLResolver, path

from dashboard.views import connections, contact, contacts, mappings, overview, people, runs, syncs

urlpatterns: list[URLPattern | URLResolver] = [
    path("", overview.overview, name="overview"),
    path("contacts/", contacts.contacts, name="contacts"),
    path("contacts/retry", contacts.retry_found, name="contacts_retry"),
    path("contacts/<int:pk>/", contact.contact, name="contact"),
    path("contacts/<int:pk>/row", contacts.contact_row, name="contact_row"),
    path("contacts/<int:pk>/exclude", contact.exclude, name="contact_exclude"),
    path("contacts/<int:pk>/decide", contact.decide, name="contact_decide"),
    path("contacts/<int:pk>/link/<int:other>", contact.link, name="contact_link"),
    path("contacts/<int:pk>/do/<slug:name>", contact.do, name="contact_do"),
    path("issues/<int:pk>/retry", contacts.retry_issue, name="issue_retry"),
    path("runs/", runs.runs, name="runs"),
    path("runs/<int:pk>/", runs.run, name="run"),
    path("connections/", connections.connections, name="connections"),
    path("connections/add/ghl", connections.add_ghl, name="connection_add_ghl"),
    path("connections/add/centralstation", connections.add_centralstation, name="connection_add_centralstation"),
    path("connections/<int:pk>/", connections.connection, name="connection"),
    path("connections/<int:pk>/edit", connections.edit, name="connection_edit"),
    path("connections/<int:pk>/credential", connections.credential, name="connection_credential"),
    path("connections/<int:pk>/test", connections.test, name="connection_test"),
    path("connections/<int:pk>/delete", connections.delete, name="connection_delete"),
    path("syncs/", syncs.syncs, name="syncs"),
    path("syncs/add", syncs.add, name="sync_add"),
    path("syncs/<int:pk>/", syncs.sync, name="sync"),
    path("syncs/<int:pk>/edit", syncs.edit, name="sync_edit"),
    path("syncs/<int:pk>/run", syncs.run, name="sync_run"),
    path("syncs/<int:pk>/pause", syncs.pause, name="sync_pause"),
    path("syncs/<int:pk>/resume", syncs.resume, name="sync_resume"),
    path("syncs/<int:pk>/go-live", syncs.go_live, name="sync_go_live"),
    path("syncs/<int:pk>/mappings/", mappings.mappings, name="mappings"),
    path("syncs/<int:pk>/mappings/add", mappings.add, name="mapping_add"),
    path("mappings/<int:pk>/change", mappings.change, name="mapping_change"),
    path("mappings/<int:pk>/remove", mappings.remove, name="mapping_remove"),
    path("people/", people.people, name="people"),
    path("people/add", people.add, name="person_add"),
    path("people/<int:pk>/role", people.role, name="person_role"),
    path("people/<int:pk>/access", people.access, name="person_access"),
]
