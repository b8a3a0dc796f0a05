from django.db import migrations, models


def seats_say_who_sits_there(apps, schema_editor):
    """Seats from before they had a kind are for the raters whom their study was for."""
    Study, Seat = apps.get_model("annotation", "Study"), apps.get_model("annotation", "Seat")
    for study in Study.objects.exclude(rater_kind="human").only("rater_kind"):
        Seat.objects.filter(study=study, kind="human").update(kind=study.rater_kind)


class Migration(migrations.Migration):

    dependencies = [
        ('annotation', '0013_leak_audits'),
    ]

    operations = [
        migrations.AlterField(
            model_name='crowdsubmission',
            name='status',
            field=models.CharField(choices=[('started', 'at work'), ('complete', 'complete'), ('full', 'no seat was free'), ('repeat', 'took part in an earlier study'), ('screened_out', 'did not pass the training'), ('no_consent', 'did not consent'), ('returned', 'gave the place back'), ('timed_out', 'ran out of time'), ('left', 'left the seat here')], default='started', max_length=16),
        ),
        migrations.RunPython(seats_say_who_sits_there, migrations.RunPython.noop, elidable=True),
    ]
