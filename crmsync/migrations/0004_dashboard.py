"""What staff keep and are told: saved views, alerts, reports, revisions, the audit log."""

import crmsync.models.connection
import crmsync.models.fields
import crmsync.models.search
import django.core.serializers.json
import django.db.models.deletion
import django.db.models.functions.text
import uuid
from django.conf import settings
from django.db import migrations, models
from django.contrib.auth.management import create_permissions


def let_all_roles_see(apps, schema_editor):
    config = apps.get_app_config("crmsync")
    config.models_module = True  # the historical app has none, and would be passed over
    create_permissions(config, apps=apps, verbosity=0)
    seen = apps.get_model("auth", "Permission").objects.filter(content_type__app_label="crmsync", codename__startswith="view_")
    for group in apps.get_model("auth", "Group").objects.filter(name__in=["viewer", "operator", "administrator"]):
        group.permissions.add(*seen)


class Migration(migrations.Migration):

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('crmsync', '0003_real_time'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Alarm',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('new_cause', 'a new cause of failure'), ('recovered', 'a cause of failure is over'), ('connection', 'a connection needs attention, or works again'), ('backlog', 'changes wait for too long, or no longer'), ('batch', 'a batch is held, or decided'), ('deafness', 'a connection hears no webhooks any more, or hears them again')], max_length=20)),
                ('key', models.CharField(max_length=60)),
                ('text', models.TextField()),
                ('path', models.CharField(max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name='AlertChoice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kinds', models.JSONField(default=list)),
                ('backlog_minutes', models.PositiveIntegerField(default=30)),
                ('by_email', models.BooleanField(default=True)),
                ('webhook_url', models.CharField(blank=True, max_length=500)),
                ('webhook_secret', crmsync.models.fields.EncryptedTextField(default=crmsync.models.connection.new_secret, editable=False)),
            ],
        ),
        migrations.CreateModel(
            name='AlertMessage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid.uuid4, editable=False)),
                ('via', models.CharField(choices=[('email', 'e-mail'), ('webhook', 'webhook')], max_length=10)),
                ('kind', models.CharField(max_length=20)),
                ('state', models.CharField(max_length=10)),
                ('text', models.TextField()),
                ('path', models.CharField(max_length=200)),
                ('at', models.DateTimeField()),
                ('due_at', models.DateTimeField(null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('sent_at', models.DateTimeField(null=True)),
                ('failure', models.CharField(blank=True, max_length=300)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='AuditEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(auto_now_add=True)),
                ('by_name', models.CharField(blank=True, max_length=254)),
                ('act', models.CharField(choices=[('connection_added', 'connection added'), ('connection_changed', 'connection changed'), ('credential_replaced', 'credential replaced'), ('oauth_connected', 'connected by OAuth'), ('location_chosen', 'location chosen'), ('connection_paused', 'connection paused'), ('connection_resumed', 'connection resumed'), ('connection_deleted', 'connection deleted'), ('hooks_registered', 'webhooks registered'), ('hooks_repaired', 'webhooks repaired'), ('hooks_removed', 'webhooks removed'), ('sync_created', 'sync created'), ('sync_changed', 'sync changed'), ('sync_paused', 'sync paused'), ('sync_live', 'sync set live'), ('mapping_changed', 'mapping changed'), ('person_added', 'person added'), ('person_invited', 'person invited'), ('role_changed', 'role changed'), ('access_taken', 'access taken away'), ('access_given', 'access given back'), ('password_replaced', 'password replaced'), ('person_removed', 'person removed'), ('batch_approved', 'held batch approved'), ('batch_rejected', 'held batch rejected'), ('conflict_decided', 'conflict decided'), ('contacts_linked', 'contacts linked'), ('contact_kept_apart', 'contact kept apart'), ('contact_excluded', 'contact excluded'), ('contact_included', 'contact included'), ('contact_deleted', 'contact deleted there, too'), ('contact_unlinked', 'contact unlinked'), ('contact_restored', 'contact restored'), ('decision_undone', 'decision taken back')], max_length=30)),
                ('object_kind', models.CharField(max_length=30)),
                ('object_id', models.BigIntegerField()),
                ('object_name', models.CharField(blank=True, max_length=300)),
                ('before', models.JSONField(default=dict)),
                ('after', models.JSONField(default=dict)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='Canary',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('others', models.PositiveIntegerField()),
                ('state', models.CharField(choices=[('trying', 'trying one'), ('went_through', 'went through'), ('failed_again', 'failed again')], default='trying', max_length=15)),
                ('begun_at', models.DateTimeField(auto_now_add=True)),
                ('ended_at', models.DateTimeField(null=True)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='Decision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('label', models.CharField(max_length=250)),
                ('rows', models.JSONField(default=list, encoder=django.core.serializers.json.DjangoJSONEncoder)),
                ('held', models.JSONField(default=list)),
                ('changes', models.JSONField(default=dict)),
                ('at', models.DateTimeField(auto_now_add=True)),
                ('undone_at', models.DateTimeField(null=True)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='MappingRevision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('at', models.DateTimeField(auto_now_add=True)),
                ('by_name', models.CharField(blank=True, max_length=254)),
                ('rows', models.JSONField(default=list)),
                ('restored', models.PositiveIntegerField(null=True)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='NotUndone',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('label', models.CharField(blank=True, max_length=250)),
                ('side', models.CharField(blank=True, choices=[('ghl', 'GoHighLevel'), ('centralstation', 'CentralStationCRM')], max_length=20)),
                ('name', models.CharField(max_length=200)),
                ('why', models.TextField()),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='ReportSubscription',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('every', models.CharField(choices=[('day', 'day'), ('week', 'week'), ('month', 'month')], max_length=10)),
                ('sent_until', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Visit',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('seen_at', models.DateTimeField()),
                ('since', models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddField(
            model_name='change',
            name='agreed',
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name='change',
            name='lag_s',
            field=models.FloatField(null=True),
        ),
        migrations.AddField(
            model_name='issue',
            name='exchange',
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name='issue',
            name='reopened_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='item',
            name='contested',
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name='ratebudget',
            name='calls_today',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='ratebudget',
            name='today',
            field=models.DateField(null=True),
        ),
        migrations.AlterField(
            model_name='change',
            name='cause',
            field=models.CharField(choices=[('first_sync', 'first sync'), ('poll', 'looking for changes'), ('full', 'full comparison'), ('retry', 'retry by a person'), ('automatic_retry', 'automatic retry'), ('decision', 'decision by a person'), ('webhook', 'webhook'), ('sweep', 'rotating comparison'), ('run', 'run by a person'), ('undo', 'undo by a person')], max_length=20),
        ),
        migrations.AlterField(
            model_name='run',
            name='kind',
            field=models.CharField(choices=[('first_sync', 'first sync'), ('poll', 'poll'), ('full', 'full comparison'), ('retry', 'retry'), ('undo', 'undo')], max_length=20),
        ),
        migrations.AddIndex(
            model_name='contact',
            index=models.Index(condition=models.Q(('status', 'in_sync')), fields=['sync', 'verified_at'], name='contact_verified'),
        ),
        migrations.AddIndex(
            model_name='contact',
            index=models.Index(fields=['status', 'id'], name='contact_by_status_alone'),
        ),
        migrations.AddIndex(
            model_name='contact',
            index=models.Index(django.db.models.functions.text.Upper('label'), models.F('id'), name='contact_by_name'),
        ),
        migrations.AddIndex(
            model_name='contact',
            index=models.Index(fields=['updated_at', 'id'], name='contact_by_update'),
        ),
        migrations.AddIndex(
            model_name='contact',
            index=crmsync.models.search.SubstringIndex(fields=['label', 'email', 'phone'], name='contact_search'),
        ),
        migrations.AddIndex(
            model_name='contact',
            index=crmsync.models.search.TagIndex(fields=['base'], name='contact_by_tag'),
        ),
        migrations.AddField(
            model_name='alertchoice',
            name='user',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='alert_choice', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='alarm',
            name='choice',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='alarms', to='crmsync.alertchoice'),
        ),
        migrations.AddField(
            model_name='alertmessage',
            name='choice',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='messages', to='crmsync.alertchoice'),
        ),
        migrations.AddField(
            model_name='auditentry',
            name='by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='canary',
            name='by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='canary',
            name='contact',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='crmsync.contact'),
        ),
        migrations.AddField(
            model_name='canary',
            name='issue',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='canaries', to='crmsync.issue'),
        ),
        migrations.AddField(
            model_name='decision',
            name='by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='decision',
            name='sync',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='crmsync.sync'),
        ),
        migrations.AddField(
            model_name='mappingrevision',
            name='sync',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='revisions', to='crmsync.sync'),
        ),
        migrations.AddField(
            model_name='notundone',
            name='contact',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='crmsync.contact'),
        ),
        migrations.AddField(
            model_name='notundone',
            name='run',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='not_undone', to='crmsync.run'),
        ),
        migrations.AddField(
            model_name='reportsubscription',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='report_subscriptions', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='alarm',
            constraint=models.UniqueConstraint(fields=('choice', 'kind', 'key'), name='alarm_once'),
        ),
        migrations.AddIndex(
            model_name='alertmessage',
            index=models.Index(fields=['due_at'], name='alert_message_due'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(fields=['act', '-id'], name='audit_by_act'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(fields=['by_name', '-id'], name='audit_by_who'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(fields=['at'], name='audit_by_time'),
        ),
        migrations.AddConstraint(
            model_name='canary',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'trying')), fields=('issue',), name='canary_once_an_issue'),
        ),
        migrations.AddConstraint(
            model_name='mappingrevision',
            constraint=models.UniqueConstraint(fields=('sync', 'number'), name='mapping_revision_once'),
        ),
        migrations.AddConstraint(
            model_name='notundone',
            constraint=models.UniqueConstraint(fields=('run', 'contact', 'side', 'name'), name='not_undone_once_a_run'),
        ),
        migrations.AddConstraint(
            model_name='reportsubscription',
            constraint=models.UniqueConstraint(fields=('user', 'every'), name='report_once_a_period'),
        ),
        migrations.RunPython(let_all_roles_see, migrations.RunPython.noop),
    ]
