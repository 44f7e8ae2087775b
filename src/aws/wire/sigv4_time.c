#include "aws/wire/sigv4_internal.h"

#include "base/time_format.h"

static Slice write_time(Arena *arena, int64_t seconds)
{
    char text[TIME_TEXT_MAX];
    return arena_copy(arena, time_format_iso_basic(seconds * 1000, text));
}

bool sigv4_read_time(Slice text, Arena *arena, Slice *timestamp, int64_t *seconds)
{
    int64_t ms;
    *timestamp = text;
    if (time_parse_iso_basic(text, &ms) == OK) {
        *seconds = ms / 1000;
        return ms >= 0;
    }
    if (time_parse_http(text, &ms) != OK || ms < 0)
        return false;
    *seconds = ms / 1000;
    *timestamp = write_time(arena, *seconds);
    return true;
}

SigV4Verdict sigv4_check_time(const SigV4 *signature, int64_t now_s, Arena *arena, Slice *message)
{
    int64_t earliest = now_s - SIGV4_SKEW_S;
    int64_t latest = now_s + SIGV4_SKEW_S;
    if (signature->signed_at_s > latest)
        return sigv4_refuse(SIGV4_MISMATCH, message,
                            arena_format(arena,
                                         "Signature not yet current: %.*s is still later than %.*s (%.*s + 15 min.)",
                                         SLICE_PRINT(signature->timestamp), SLICE_PRINT(write_time(arena, latest)),
                                         SLICE_PRINT(write_time(arena, now_s))));
    if (signature->presigned) {
        if (signature->signed_at_s + (int64_t)signature->expires_s < now_s)
            return sigv4_refuse(SIGV4_EXPIRED, message, SLICE("Request has expired."));
        return SIGV4_GOOD;
    }
    if (signature->signed_at_s < earliest)
        return sigv4_refuse(SIGV4_MISMATCH, message,
                            arena_format(arena, "Signature expired: %.*s is now earlier than %.*s (%.*s - 15 min.)",
                                         SLICE_PRINT(signature->timestamp), SLICE_PRINT(write_time(arena, earliest)),
                                         SLICE_PRINT(write_time(arena, now_s))));
    return SIGV4_GOOD;
}
