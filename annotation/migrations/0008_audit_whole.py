"""From here on every line of the log stands in a chain."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [('annotation', '0007_audit_chain')]

    operations = [
        migrations.RemoveField(model_name='studyevent', name='actor'),
        migrations.RenameField(model_name='studyevent', old_name='log_actor', new_name='actor'),
        migrations.AlterField(
            model_name='studyevent',
            name='chain',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='events', to='annotation.logchain'),
        ),
        migrations.AlterField(model_name='studyevent', name='number', field=models.PositiveIntegerField()),
        migrations.AlterField(model_name='studyevent', name='role', field=models.CharField(max_length=120)),
        migrations.AlterField(model_name='studyevent', name='object_kind', field=models.CharField(max_length=40)),
        migrations.AlterField(model_name='studyevent', name='object_id', field=models.CharField(max_length=80)),
        migrations.AlterField(model_name='studyevent', name='record', field=models.TextField()),
        migrations.AlterField(model_name='studyevent', name='sha256', field=models.CharField(max_length=64)),
        migrations.AddConstraint(
            model_name='studyevent',
            constraint=models.UniqueConstraint(fields=('chain', 'number'), name='one_line_per_chain_and_number'),
        ),
        migrations.AddConstraint(
            model_name='studyevent',
            constraint=models.CheckConstraint(condition=models.Q(('number__gte', 1)), name='lines_are_counted_from_one'),
        ),
    ]
