from snapshot_restore_py import register_after_restore


@register_after_restore
def after():
    raise OSError("no network yet")


def handler(event, context):
    return 1
