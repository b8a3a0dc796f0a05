"""The three roles of the site as groups, so that a fresh database has them (see evalsite.access)."""

from django.db import migrations

GROUPS = ("evaluators", "admins", "researchers")


def create_groups(apps, schema_editor):
    group = apps.get_model("auth", "Group")
    for name in GROUPS:
        group.objects.get_or_create(name=name)


class Migration(migrations.Migration):
    dependencies = [("annotation", "0001_initial"), ("auth", "0012_alter_user_first_name_max_length")]
    # Groups stay on the way back: accounts may already be in them.
    operations = [migrations.RunPython(create_groups, migrations.RunPython.noop)]
