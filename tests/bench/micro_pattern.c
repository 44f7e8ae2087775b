/* How long it takes to match an event of 1 KB against 10 patterns at once: an EC2 notification with some numbers and an array,
 * patterns of every operator, of which 4 match. Prints "name value unit" lines: medians of ROUNDS. */
#include "base/bug.h"
#include "core/pattern.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 9, REPEATS = 200000 };

static const char event[] =
    "{\"version\":\"0\",\"id\":\"6a7e8feb-b491-4cf7-a9f1-bf3703467718\",\"detail-type\":\"EC2 Instance State-change "
    "Notification\",\"source\":\"aws.ec2\",\"account\":\"111122223333\",\"time\":\"2017-12-22T18:43:48Z\",\"region\":"
    "\"us-west-1\",\"resources\":[\"arn:aws:ec2:us-west-1:123456789012:instance/i-1234567890abcdef0\",\"arn:aws:ec2:us-"
    "west-1:123456789012:volume/vol-0123456789abcdef0\"],\"detail\":{\"instance-id\":\"i-1234567890abcdef0\",\"state\":"
    "\"terminated\",\"c-count\":3,\"d-count\":9.5,\"x-limit\":301.8,\"source-ip\":\"10.0.0.33\",\"user\":{\"name\":"
    "\"Alice "
    "Liddell\",\"department\":\"Engineering\",\"roles\":[\"admin\",\"developer\"]},\"tags\":[{\"key\":\"environment\","
    "\"value\":\"production\"},{\"key\":\"team\",\"value\":\"payments\"},{\"key\":\"cost-center\",\"value\":\"4711\"}],"
    "\"path\":\"/Users/alice/projects/brume/images/logo.png\",\"note\":\"The quick brown fox jumps over the lazy dog, "
    "again and again, until this event has the length that an ordinary event of an ordinary application has.\","
    "\"description\":\"instance was stopped by its owner, who needs it no longer\"}}";

static const char *const patterns[] = {
    "{\"source\":[\"aws.ec2\"],\"detail\":{\"state\":[\"terminated\"]}}",
    "{\"source\":[\"aws.s3\"],\"detail\":{\"bucket\":[{\"prefix\":\"logs-\"}]}}",
    "{\"region\":[{\"prefix\":\"eu-\"}],\"time\":[{\"prefix\":\"2017-12\"}]}",
    "{\"detail\":{\"c-count\":[{\"numeric\":[\">\",0,\"<=\",5]}],\"d-count\":[{\"numeric\":[\"<\",10]}]}}",
    "{\"detail\":{\"path\":[{\"wildcard\":\"/Users/*/images/*.png\"}]}}",
    "{\"detail\":{\"state\":[{\"anything-but\":[\"terminated\",\"stopped\"]}]}}",
    "{\"detail\":{\"user\":{\"department\":[{\"equals-ignore-case\":\"engineering\"}]},\"source-ip\":[{\"cidr\":\"10.1."
    "0.0/"
    "24\"}]}}",
    "{\"detail\":{\"tags\":{\"key\":[\"team\"],\"value\":[\"production\"]}}}",
    "{\"source\":[\"aws.ec2\"],\"$or\":[{\"detail\":{\"x-limit\":[301.8]}},{\"detail\":{\"error\":[{\"exists\":true}]}}"
    "]}",
    "{\"detail-type\":[{\"suffix\":\"Failure\"}],\"detail\":{\"error\":[{\"exists\":false}]}}",
};

/* Processor time, so that other programs on the machine do not count. */
static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int compare_doubles(const void *a, const void *b)
{
    double first = *(const double *)a;
    double second = *(const double *)b;
    return (first > second) - (first < second);
}

static void measure(const char *name, size_t count, size_t expected)
{
    enum { PATTERNS = sizeof patterns / sizeof *patterns };
    double ns[ROUNDS];
    Arena arena = arena_make();
    Arena scratch = arena_make();
    Slice texts[PATTERNS];
    bool matched[PATTERNS];
    const PatternSet *set;
    size_t wrong;
    Slice problem;
    for (size_t i = 0; i < count; i++)
        texts[i] = slice_of_string(patterns[i]);
    ASSERT(pattern_compile(&arena, texts, count, &set, &wrong, &problem) == OK);
    for (int round = 0; round < ROUNDS; round++) {
        arena_alloc(&scratch, 1);
        double start = now_ns();
        for (int i = 0; i < REPEATS; i++)
            ASSERT(pattern_match(set, slice_make(event, sizeof event - 1), &scratch, matched) == expected);
        ns[round] = (now_ns() - start) / REPEATS;
    }
    qsort(ns, ROUNDS, sizeof *ns, compare_doubles);
    printf("%s %.1f ns\n", name, ns[ROUNDS / 2]);
    arena_free(&scratch);
    arena_free(&arena);
}

int main(void)
{
    printf("pattern_event %zu bytes\n", sizeof event - 1);
    measure("pattern_match_1", 1, 1);
    measure("pattern_match_10", sizeof patterns / sizeof *patterns, 4);
    return 0;
}
