"""Log chains, protocol versions, messages to raters, requests to unblind: the tables. The next migrations chain the log."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import annotation.models.items
import annotation.models.written_once


class Migration(migrations.Migration):

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('annotation', '0005_crowd_tokens_vacancies'),
    ]

    operations = [
        migrations.CreateModel(
            name='LogActor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=annotation.models.items.public_token, max_length=24, unique=True)),
                ('user', models.OneToOneField(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='LogChain',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=40, unique=True)),
                ('public_id', models.CharField(default=annotation.models.items.public_token, max_length=24, unique=True)),
                ('length', models.PositiveIntegerField(default=0)),
                ('head_sha256', models.CharField(default='0' * 64, max_length=64)),
                ('study', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='log_chain', to='annotation.study')),
            ],
        ),
        migrations.AddField(
            model_name='studyevent',
            name='log_actor',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='annotation.logactor'),
        ),
        migrations.AddField(
            model_name='studyevent',
            name='chain',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='annotation.logchain'),
        ),
        migrations.AddField(model_name='studyevent', name='number', field=models.PositiveIntegerField(null=True)),
        migrations.AddField(
            model_name='studyevent', name='role', field=models.CharField(default='unknown', max_length=120)
        ),
        migrations.AddField(
            model_name='studyevent', name='object_kind', field=models.CharField(default='study', max_length=40)
        ),
        migrations.AddField(model_name='studyevent', name='object_id', field=models.CharField(default='', max_length=80)),
        migrations.AddField(model_name='studyevent', name='old', field=models.JSONField(blank=True, null=True)),
        migrations.AddField(model_name='studyevent', name='new', field=models.JSONField(blank=True, null=True)),
        migrations.AddField(model_name='studyevent', name='record', field=models.TextField(default='')),
        migrations.AddField(model_name='studyevent', name='sha256', field=models.CharField(default='', max_length=64)),
        migrations.AlterField(
            model_name='studyevent', name='at', field=models.DateTimeField(default=django.utils.timezone.now)
        ),
        migrations.AlterField(
            model_name='studyevent',
            name='study',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='annotation.study'),
        ),
        migrations.AddField(
            model_name='unblinding',
            name='confirmed_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.CreateModel(
            name='UnblindingRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('asked_at', models.DateTimeField(auto_now_add=True)),
                ('reason', models.TextField()),
                ('expires_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('outcome', models.CharField(blank=True, choices=[('confirmed', 'confirmed'), ('withdrawn', 'withdrawn'), ('expired', 'expired')], max_length=12)),
                ('asked_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('ended_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('study', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='unblinding_requests', to='annotation.study')),
            ],
            options={
                'ordering': ['id'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('study',), name='one_open_unblinding_request_per_study')],
            },
        ),
        migrations.CreateModel(
            name='ProtocolVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('text', models.TextField()),
                ('sha256', models.CharField(max_length=64, unique=True)),
                ('reason', models.TextField(blank=True)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('judgments_before', models.PositiveIntegerField(default=0)),
                ('by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='annotation.logactor')),
                ('study', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='annotation.study')),
            ],
            options={
                'ordering': ['number'],
                'constraints': [models.UniqueConstraint(fields=('study', 'number'), name='one_protocol_version_per_study_and_number')],
            },
        ),
        migrations.CreateModel(
            name='RaterMessage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=annotation.models.items.public_token, max_length=24, unique=True)),
                ('text', models.TextField()),
                ('sent_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('taken_back_at', models.DateTimeField(blank=True, null=True)),
                ('evaluator', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='messages', to='annotation.evaluator')),
                ('sent_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='annotation.logactor')),
                ('study', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='messages', to='annotation.study')),
            ],
            options={'ordering': ['id']},
        ),
        migrations.CreateModel(
            name='MessageRead',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('evaluator', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='annotation.evaluator')),
                ('message', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='read_by', to='annotation.ratermessage')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('message', 'evaluator'), name='one_reading_per_message_and_evaluator')],
            },
        ),
    ]
