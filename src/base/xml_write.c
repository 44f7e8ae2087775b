#include "base/json.h" /* utf8_is_valid */
#include "base/xml.h"

/* What stands for each ASCII byte that cannot stand as it is. A bare carriage return, and in attributes a line feed or
 * tab, would be read back as another character (XML 1.0, sections 2.11 and 3.3.3). */
static const Slice text_escapes[128] = {
    ['&'] = SLICE_INIT("&amp;"),  ['<'] = SLICE_INIT("&lt;"),   ['>'] = SLICE_INIT("&gt;"),
    ['"'] = SLICE_INIT("&quot;"), ['\r'] = SLICE_INIT("&#13;"),
};
static const Slice attribute_escapes[128] = {
    ['&'] = SLICE_INIT("&amp;"),  ['<'] = SLICE_INIT("&lt;"),   ['>'] = SLICE_INIT("&gt;"),
    ['"'] = SLICE_INIT("&quot;"), ['\r'] = SLICE_INIT("&#13;"), ['\n'] = SLICE_INIT("&#10;"),
    ['\t'] = SLICE_INIT("&#9;"),
};

/* The size of the character at `at` when XML 1.0 has no way to hold it, else 0: control characters, U+FFFE, U+FFFF. */
static size_t unwritable_size(const char *at, size_t left)
{
    unsigned char c = (unsigned char)*at;
    if (c < 0x20)
        return c == '\t' || c == '\n' || c == '\r' ? 0 : 1;
    bool last_two =
        c == 0xef && left >= 3 && (memcmp(at, "\xef\xbf\xbe", 3) == 0 || memcmp(at, "\xef\xbf\xbf", 3) == 0);
    return last_two ? 3 : 0;
}

bool xml_is_text(Slice bytes)
{
    for (size_t i = 0; i < bytes.size; i++)
        if (unwritable_size(bytes.data + i, bytes.size - i) > 0)
            return false;
    return utf8_is_valid(bytes);
}

static void add_escaped(Buffer *out, Slice text, const Slice escapes[128])
{
    size_t plain = 0; /* where the bytes begin that are still to be copied */
    size_t i = 0;
    while (i < text.size) {
        unsigned char c = (unsigned char)text.data[i];
        size_t unwritable = unwritable_size(text.data + i, text.size - i);
        if (unwritable == 0 && (c >= 128 || escapes[c].size == 0)) {
            i++;
            continue;
        }
        buffer_add(out, slice_make(text.data + plain, i - plain));
        buffer_add(out, unwritable > 0 ? SLICE("\xef\xbf\xbd") : escapes[c]);
        i += unwritable > 0 ? unwritable : 1;
        plain = i;
    }
    if (plain < i)
        buffer_add(out, slice_make(text.data + plain, i - plain));
}

static void close_tag(XmlWriter *writer)
{
    if (writer->tag_open)
        buffer_add_byte(writer->out, '>');
    writer->tag_open = false;
}

XmlWriter xml_writer(Buffer *out)
{
    return (XmlWriter){.out = out};
}

void xml_write_declaration(XmlWriter *writer)
{
    BUFFER_ADD(writer->out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
}

void xml_write_begin(XmlWriter *writer, Slice name)
{
    close_tag(writer);
    buffer_add_byte(writer->out, '<');
    buffer_add(writer->out, name);
    writer->tag_open = true;
}

void xml_write_attribute(XmlWriter *writer, Slice name, Slice value)
{
    buffer_add_byte(writer->out, ' ');
    buffer_add(writer->out, name);
    BUFFER_ADD(writer->out, "=\"");
    add_escaped(writer->out, value, attribute_escapes);
    buffer_add_byte(writer->out, '"');
}

void xml_write_text(XmlWriter *writer, Slice text)
{
    close_tag(writer);
    add_escaped(writer->out, text, text_escapes);
}

void xml_write_end(XmlWriter *writer, Slice name)
{
    if (writer->tag_open) {
        BUFFER_ADD(writer->out, "/>");
        writer->tag_open = false;
        return;
    }
    BUFFER_ADD(writer->out, "</");
    buffer_add(writer->out, name);
    buffer_add_byte(writer->out, '>');
}

void xml_write_element(XmlWriter *writer, Slice name, Slice text)
{
    xml_write_begin(writer, name);
    xml_write_text(writer, text);
    xml_write_end(writer, name);
}
