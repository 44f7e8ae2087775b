"""Open hash tables over member names; the hash is the same as name_table_find's in src/aws/wire/descriptor.c."""


def hash_name(name, seed):
    size = len(name)
    value = size + (name[0] << 8) + (name[size // 2] << 16) + (name[size - 1] << 24)
    value ^= name[size // 3] << 4
    value = (value * seed) & 0xFFFFFFFF
    return value >> 16


def make_table(names):
    """(slots, mask, seed): the smallest table of at least twice the names without a collision, or the best one seen."""
    encoded = [name.encode() for name in names]
    size = 2
    while size < 2 * len(encoded):
        size *= 2
    best = None
    for table_size in (size, size * 2, size * 4):
        for seed in range(0x9E3779B1, 0x9E3779B1 + 2 * 2000, 2):
            collisions, slots = fill(encoded, table_size - 1, seed)
            if best is None or collisions < best[0]:
                best = (collisions, slots, table_size - 1, seed)
            if collisions == 0:
                return best[1:]
    return best[1:]


def fill(encoded, mask, seed):
    slots = [0] * (mask + 1)
    collisions = 0
    for number, name in enumerate(encoded):
        slot = hash_name(name, seed) & mask
        while slots[slot] != 0:
            slot = (slot + 1) & mask
            collisions += 1
        slots[slot] = number + 1
    return collisions, slots
