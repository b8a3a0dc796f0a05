"""Seven roles instead of three: the groups of admins and researchers get the names of their roles, four are new.

Whoever was an admin could also unblind, so on a site that is in use these accounts become unblinders too.
"""

from django.db import migrations

RENAMED = {"admins": "admin", "researchers": "statistician"}
ROLES = ("owner", "admin", "statistician", "unblinder", "monitor", "auditor", "evaluators")


def rename(groups, names):
    """Rename groups; where both exist, the members of the old one join the new one."""
    for old_name, new_name in names.items():
        old, new = groups.filter(name=old_name).first(), groups.filter(name=new_name).first()
        if old is not None and new is not None:
            new.user_set.add(*old.user_set.all())
            old.delete()
        elif old is not None:
            old.name = new_name
            old.save()


def roles_make(apps, schema_editor):
    groups = apps.get_model("auth", "Group").objects
    rename(groups, RENAMED)
    for name in ROLES:
        groups.get_or_create(name=name)
    groups.get(name="unblinder").user_set.add(*groups.get(name="admin").user_set.all())


def roles_unmake(apps, schema_editor):
    rename(apps.get_model("auth", "Group").objects, {new: old for old, new in RENAMED.items()})


class Migration(migrations.Migration):
    dependencies = [("annotation", "0008_audit_whole")]
    operations = [migrations.RunPython(roles_make, roles_unmake)]
