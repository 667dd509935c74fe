"""The three roles, as groups. Each may do what the one before may, and more."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

OPERATOR = ("retry_contact", "resolve_contact", "run_sync")
ADMINISTRATOR = (*OPERATOR, "manage_connections", "manage_mappings", "manage_people")


def add_roles(apps, schema_editor):
    # Permissions are made after all migrations; on a new database they aren't there yet.
    config = apps.get_app_config("crmsync")
    config.models_module = True  # the historical app has none, and would be passed over
    create_permissions(config, apps=apps, verbosity=0)
    permissions = apps.get_model("auth", "Permission").objects.filter(content_type__app_label="crmsync")
    view = permissions.filter(codename__startswith="view_")
    groups = apps.get_model("auth", "Group").objects
    for name, codenames in (("viewer", ()), ("operator", OPERATOR), ("administrator", ADMINISTRATOR)):
        group, _ = groups.get_or_create(name=name)
        group.permissions.set([*view, *permissions.filter(codename__in=codenames)])


def remove_roles(apps, schema_editor):
    apps.get_model("auth", "Group").objects.filter(name__in=("viewer", "operator", "administrator")).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("crmsync", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(add_roles, remove_roles)]
