"""What staff keep and are told: saved views, alerts, reports, revisions, the audit log."""

import django.db.models.deletion
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
            name='Visit',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('seen_at', models.DateTimeField()),
                ('since', models.DateTimeField(null=True)),
            ],
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
        migrations.AddIndex(
            model_name='contact',
            index=models.Index(condition=models.Q(('status', 'in_sync')), fields=['sync', 'verified_at'], name='contact_verified'),
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
            model_name='mappingrevision',
            name='sync',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='revisions', to='crmsync.sync'),
        ),
        migrations.AddConstraint(
            model_name='canary',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'trying')), fields=('issue',), name='canary_once_an_issue'),
        ),
        migrations.AddConstraint(
            model_name='mappingrevision',
            constraint=models.UniqueConstraint(fields=('sync', 'number'), name='mapping_revision_once'),
        ),
        migrations.RunPython(let_all_roles_see, migrations.RunPython.noop),
    ]
