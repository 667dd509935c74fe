"""Real time: authorisations, webhooks, brakes, and what is counted of them."""

import crmsync.models.connection
import crmsync.models.fields
import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.contrib.auth.management import create_permissions


def give_each_its_secret(apps, schema_editor):
    """One each: the column's default gave all existing rows the same."""
    for connection in apps.get_model("crmsync", "Connection").objects.only("pk"):
        connection.webhook_secret = crmsync.models.connection.new_secret()
        connection.save(update_fields=["webhook_secret"])


def let_all_roles_see(apps, schema_editor):
    config = apps.get_app_config("crmsync")
    config.models_module = True  # the historical app has none, and would be passed over
    create_permissions(config, apps=apps, verbosity=0)
    seen = apps.get_model("auth", "Permission").objects.filter(
        content_type__app_label="crmsync", codename__in=["view_event", "view_heldbatch", "view_tally"]
    )
    for group in apps.get_model("auth", "Group").objects.filter(name__in=["viewer", "operator", "administrator"]):
        group.permissions.add(*seen)


class Migration(migrations.Migration):

    dependencies = [
        ('crmsync', '0002_roles'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Event',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('via', models.CharField(choices=[('app', 'signed by GoHighLevel'), ('workflow', 'a GoHighLevel workflow'), ('hook', 'a CentralStationCRM webhook')], max_length=10)),
                ('type', models.CharField(blank=True, max_length=80)),
                ('webhook_id', models.CharField(max_length=100, null=True)),
                ('body', models.TextField()),
                ('received_at', models.DateTimeField(auto_now_add=True)),
                ('handled_at', models.DateTimeField(null=True)),
                ('outcome', models.CharField(blank=True, choices=[('used', 'used'), ('not_used', 'not used'), ('unknown', 'about nobody known')], max_length=10)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='HeldBatch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('creates', 'new contacts'), ('changes', 'changes'), ('deletions', 'deletions'), ('missing', 'contacts gone missing')], max_length=10)),
                ('side', models.CharField(choices=[('ghl', 'GoHighLevel'), ('centralstation', 'CentralStationCRM')], max_length=20)),
                ('state', models.CharField(choices=[('gathering', 'gathering'), ('held', 'held'), ('approved', 'approved'), ('rejected', 'rejected'), ('over', 'over')], default='held', max_length=10)),
                ('explanation', models.TextField()),
                ('samples', models.JSONField(default=list)),
                ('size', models.PositiveIntegerField(default=0)),
                ('opened_at', models.DateTimeField(auto_now_add=True)),
                ('decided_at', models.DateTimeField(null=True)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='Tally',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('hour', models.DateTimeField()),
                ('name', models.CharField(max_length=100)),
                ('count', models.PositiveIntegerField(default=0)),
                ('last_at', models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name='connection',
            name='authorize_root',
            field=models.URLField(blank=True, max_length=300, verbose_name='address of the authorisation page'),
        ),
        migrations.AddField(
            model_name='connection',
            name='client_id',
            field=models.CharField(blank=True, max_length=200, verbose_name='client id'),
        ),
        migrations.AddField(
            model_name='connection',
            name='client_secret',
            field=crmsync.models.fields.EncryptedTextField(blank=True, verbose_name='client secret'),
        ),
        migrations.AddField(
            model_name='connection',
            name='company_id',
            field=models.CharField(blank=True, editable=False, max_length=100),
        ),
        migrations.AddField(
            model_name='connection',
            name='expires_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='connection',
            name='granted_scopes',
            field=models.JSONField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='connection',
            name='hook_states',
            field=models.JSONField(default=list, editable=False),
        ),
        migrations.AddField(
            model_name='connection',
            name='hooks_checked_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='connection',
            name='hooks_notice',
            field=models.TextField(blank=True, editable=False),
        ),
        migrations.AddField(
            model_name='connection',
            name='hooks_wanted',
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AddField(
            model_name='connection',
            name='paused_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='connection',
            name='refresh_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='connection',
            name='refresh_lease',
            field=models.CharField(blank=True, editable=False, max_length=40),
        ),
        migrations.AddField(
            model_name='connection',
            name='refresh_lease_until',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='connection',
            name='refresh_token',
            field=crmsync.models.fields.EncryptedTextField(blank=True, editable=False),
        ),
        migrations.AddField(
            model_name='connection',
            name='webhook_keys',
            field=models.JSONField(default=list, editable=False),
        ),
        migrations.AddField(
            model_name='connection',
            name='webhook_secret',
            field=crmsync.models.fields.EncryptedTextField(default=crmsync.models.connection.new_secret, editable=False),
        ),
        migrations.AddField(
            model_name='contact',
            name='compared_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='contact',
            name='heard_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='contact',
            name='heard_on',
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name='contact',
            name='is_urgent',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='contact',
            name='let_go_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='contact',
            name='stopped',
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name='ratebudget',
            name='broken_until',
            field=models.FloatField(default=0),
        ),
        migrations.AddField(
            model_name='ratebudget',
            name='failures',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='ratebudget',
            name='live_until',
            field=models.FloatField(default=0),
        ),
        migrations.AddField(
            model_name='run',
            name='is_asked',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='sync',
            name='created_tag',
            field=models.CharField(blank=True, max_length=60, verbose_name='tag for contacts created in GoHighLevel'),
        ),
        migrations.AddField(
            model_name='sync',
            name='creates_per_hour',
            field=models.PositiveIntegerField(blank=True, help_text='Empty: as many as come.', null=True, verbose_name='new contacts an hour, at most'),
        ),
        migrations.AddField(
            model_name='sync',
            name='hold_changes',
            field=models.PositiveIntegerField(default=500, verbose_name='changed contacts'),
        ),
        migrations.AddField(
            model_name='sync',
            name='hold_changes_share',
            field=models.PositiveSmallIntegerField(default=30, validators=[django.core.validators.MaxValueValidator(100)], verbose_name='share of changed contacts (%)'),
        ),
        migrations.AddField(
            model_name='sync',
            name='hold_creates',
            field=models.PositiveIntegerField(default=500, verbose_name='new contacts'),
        ),
        migrations.AddField(
            model_name='sync',
            name='hold_deletions',
            field=models.PositiveIntegerField(default=20, verbose_name='deletions'),
        ),
        migrations.AddField(
            model_name='sync',
            name='hold_deletions_share',
            field=models.PositiveSmallIntegerField(default=5, validators=[django.core.validators.MaxValueValidator(100)], verbose_name='share of contacts with deletions (%)'),
        ),
        migrations.AddField(
            model_name='sync',
            name='live_nudged_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='sync',
            name='ping_pong_after',
            field=models.PositiveSmallIntegerField(default=6, validators=[django.core.validators.MinValueValidator(2)], verbose_name='stop a field that changes sides more often than (times an hour)'),
        ),
        migrations.AddField(
            model_name='sync',
            name='quiet_from',
            field=models.TimeField(blank=True, null=True, verbose_name='quiet from'),
        ),
        migrations.AddField(
            model_name='sync',
            name='quiet_until',
            field=models.TimeField(blank=True, null=True, verbose_name='quiet until'),
        ),
        migrations.AddField(
            model_name='sync',
            name='sweep_due_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AlterField(
            model_name='change',
            name='cause',
            field=models.CharField(choices=[('first_sync', 'first sync'), ('poll', 'looking for changes'), ('full', 'full comparison'), ('retry', 'retry by a person'), ('automatic_retry', 'automatic retry'), ('decision', 'decision by a person'), ('webhook', 'webhook'), ('sweep', 'rotating comparison'), ('run', 'run by a person')], max_length=20),
        ),
        migrations.AlterField(
            model_name='connection',
            name='credential',
            field=crmsync.models.fields.EncryptedTextField(blank=True, verbose_name='credential'),
        ),
        migrations.AlterField(
            model_name='connection',
            name='health',
            field=models.CharField(choices=[('untested', 'not tested yet'), ('ok', 'working'), ('refused', 'credentials refused'), ('unreachable', 'unreachable'), ('limited', 'working, with permissions missing'), ('reconnect', 'needs to be reconnected')], default='untested', editable=False, max_length=20),
        ),
        migrations.AlterField(
            model_name='sync',
            name='poll_every_s',
            field=models.PositiveIntegerField(default=10, validators=[django.core.validators.MinValueValidator(5), django.core.validators.MaxValueValidator(86400)], verbose_name='look for changes every (seconds)'),
        ),
        migrations.AddIndex(
            model_name='change',
            index=models.Index(fields=['sync', 'at'], name='change_by_time'),
        ),
        migrations.AddField(
            model_name='event',
            name='connection',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='crmsync.connection'),
        ),
        migrations.AddField(
            model_name='heldbatch',
            name='by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='heldbatch',
            name='sync',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='held_batches', to='crmsync.sync'),
        ),
        migrations.AddField(
            model_name='contact',
            name='held_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='contacts', to='crmsync.heldbatch'),
        ),
        migrations.AddIndex(
            model_name='contact',
            index=models.Index(condition=models.Q(('dirty', 0)), fields=['sync', 'compared_at'], name='contact_longest_uncompared'),
        ),
        migrations.AddField(
            model_name='tally',
            name='connection',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tallies', to='crmsync.connection'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(condition=models.Q(('handled_at__isnull', True)), fields=['connection', 'id'], name='event_waiting'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['received_at'], name='event_by_time'),
        ),
        migrations.AddConstraint(
            model_name='event',
            constraint=models.UniqueConstraint(condition=models.Q(('webhook_id__isnull', False)), fields=('connection', 'webhook_id'), name='event_once_a_webhook_id'),
        ),
        migrations.AddConstraint(
            model_name='heldbatch',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['gathering', 'held'])), fields=('sync', 'kind', 'side'), name='batch_held_once_a_kind'),
        ),
        migrations.AddConstraint(
            model_name='tally',
            constraint=models.UniqueConstraint(fields=('connection', 'hour', 'name'), name='tally_once_an_hour'),
        ),
        migrations.RunPython(give_each_its_secret, migrations.RunPython.noop),
        migrations.RunPython(let_all_roles_see, migrations.RunPython.noop),
    ]
