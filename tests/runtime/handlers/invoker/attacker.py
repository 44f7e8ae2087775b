"""Init code that is to be copied, and the copies, try what no worker may (tests/runtime/attacks.c)."""

import ctypes
import os

ATTACKS = ctypes.CDLL("/opt/attacks.so")
os.environ["TMP_BYTES"] = str(16 << 20)
IN_INIT = (
    "mount_things make_namespaces use_power_to_copy enter_kernel change_machine trace_processes write_elsewhere "
    "write_kernel_settings make_devices read_kernel leave_control_groups run_setuid_program"
).split()
IN_A_COPY = (
    "mount_things make_namespaces gain_capabilities enter_kernel change_machine trace_processes write_elsewhere "
    "write_kernel_settings make_devices read_kernel leave_control_groups run_setuid_program raise_limits fill_disk"
).split()


def fallen(attacks):
    counts = {name: ATTACKS.attack(name.encode()) for name in attacks}
    return {name: count for name, count in counts.items() if count != 0}


FALLEN_IN_INIT = fallen(IN_INIT)


def attack(event, context):
    return {"inInit": FALLEN_IN_INIT, "inACopy": fallen(IN_A_COPY), "tried": len(IN_INIT) + len(IN_A_COPY)}
