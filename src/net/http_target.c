#include "net/http_internal.h"

#define T(lower) [(unsigned char)(lower)] = (lower)
#define LETTER(upper, lower) [(unsigned char)(upper)] = (lower), [(unsigned char)(lower)] = (lower)
const char http_token_lower[256] = {
    T('!'),           T('#'),           T('$'),           T('%'),           T('&'),           T('\''),
    T('*'),           T('+'),           T('-'),           T('.'),           T('^'),           T('_'),
    T('`'),           T('|'),           T('~'),           T('0'),           T('1'),           T('2'),
    T('3'),           T('4'),           T('5'),           T('6'),           T('7'),           T('8'),
    T('9'),           LETTER('A', 'a'), LETTER('B', 'b'), LETTER('C', 'c'), LETTER('D', 'd'), LETTER('E', 'e'),
    LETTER('F', 'f'), LETTER('G', 'g'), LETTER('H', 'h'), LETTER('I', 'i'), LETTER('J', 'j'), LETTER('K', 'k'),
    LETTER('L', 'l'), LETTER('M', 'm'), LETTER('N', 'n'), LETTER('O', 'o'), LETTER('P', 'p'), LETTER('Q', 'q'),
    LETTER('R', 'r'), LETTER('S', 's'), LETTER('T', 't'), LETTER('U', 'u'), LETTER('V', 'v'), LETTER('W', 'w'),
    LETTER('X', 'x'), LETTER('Y', 'y'), LETTER('Z', 'z'),
};
#undef T
#undef LETTER

bool http_is_token(Slice slice)
{
    for (size_t i = 0; i < slice.size; i++)
        if (http_token_lower[(unsigned char)slice.data[i]] == '\0')
            return false;
    return slice.size > 0;
}

bool http_is_host(Slice host)
{
    for (size_t i = 0; i < host.size; i++)
        if (http_token_lower[(unsigned char)host.data[i]] == '\0' && strchr(":[]()=,;", host.data[i]) == NULL)
            return false;
    return true;
}

bool http_split_target(HttpRequest *request, Slice host_field)
{
    Slice rest = request->target;
    request->host = host_field;
    if (slice_equal(rest, SLICE("*"))) {
        request->path = rest;
        request->query = SLICE("");
        return slice_equal(request->method, SLICE("OPTIONS"));
    }
    if (rest.size == 0 || slice_find(rest, '#') < rest.size)
        return false;
    if (rest.data[0] != '/') {
        size_t scheme = slice_find(rest, ':');
        Slice name = slice_make(rest.data, scheme);
        if (!slice_equal_ignore_case(name, SLICE("http")) && !slice_equal_ignore_case(name, SLICE("https")))
            return false;
        rest = slice_skip(rest, scheme);
        if (!slice_starts_with(rest, SLICE("://")))
            return false;
        rest = slice_skip(rest, 3);
        size_t end = 0;
        while (end < rest.size && rest.data[end] != '/' && rest.data[end] != '?')
            end++;
        /* The target's authority counts, not the field. */
        request->host = slice_make(rest.data, end);
        if (end == 0)
            return false;
        rest = slice_skip(rest, end);
    }
    size_t mark = slice_find(rest, '?');
    request->path = mark == 0 ? SLICE("/") : slice_make(rest.data, mark);
    request->query = mark < rest.size ? slice_skip(rest, mark + 1) : SLICE("");
    return true;
}
