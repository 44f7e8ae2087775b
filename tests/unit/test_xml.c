#include "base/xml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const XmlElement *parse(Arena *arena, Slice text)
{
    const XmlElement *root = NULL;
    assert_int_equal(xml_parse(text, arena, &root), OK);
    assert_non_null(root);
    return root;
}

static void assert_text(Slice actual, const char *expected)
{
    if (!slice_equal(actual, slice_of_string(expected)))
        fail_msg("'%.*s' instead of '%s'", SLICE_PRINT(actual), expected);
}

static void a_document_becomes_a_tree(void **state)
{
    (void)state;
    Arena arena = arena_make();
    const XmlElement *root =
        parse(&arena, SLICE("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- note -->\n"
                            "<Tagging xmlns=\"urn:a\" xmlns:b=\"urn:b\" one='1' b:two='2&#10;&quot;'>\n"
                            "  <Tag><Key>k&amp;1</Key><Value><![CDATA[<v>]]></Value></Tag>\n"
                            "  <Tag><Key>k<!-- -->2</Key><b:Value/></Tag>\n  <Other> </Other>\n</Tagging>\n"));
    assert_text(root->name, "Tagging");
    assert_text(root->namespace, "urn:a");
    assert_text(root->text, "");
    assert_int_equal(root->attribute_count, 2);
    assert_text(xml_attribute(root, SLICE("one")), "1");
    assert_text(root->attributes[0].namespace, "");
    assert_text(xml_attribute(root, SLICE("two")), "2\n\"");
    assert_text(root->attributes[1].namespace, "urn:b");
    assert_null(xml_attribute(root, SLICE("three")).data);
    const XmlElement *tag = xml_child(root, SLICE("Tag"));
    assert_text(xml_child(tag, SLICE("Key"))->text, "k&1");
    assert_text(xml_child(tag, SLICE("Value"))->text, "<v>");
    assert_null(xml_child(tag, SLICE("Missing")));
    tag = xml_next_same(tag);
    assert_text(xml_child(tag, SLICE("Key"))->text, "k2");
    assert_text(xml_child(tag, SLICE("Value"))->namespace, "urn:b");
    assert_text(xml_child(tag, SLICE("Value"))->text, "");
    assert_null(xml_next_same(tag));
    assert_text(xml_child(root, SLICE("Other"))->text, " ");
    arena_free(&arena);
}

static void what_is_not_well_formed_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        " ",
        "text",
        "<a>",
        "<a></b>",
        "<a/><b/>",
        "<a/>x",
        "<a b/>",
        "<a b=1/>",
        "<a b='1' b='2'/>",
        "<a>&unknown;</a>",
        "<a>&#0;</a>",
        "<a>\x01</a>",
        "<a>\xff</a>",
        "<a>\xed\xa0\x80</a>",
        "<a><![CDATA[</a>",
        "<p:a/>",
        "<a>]]></a>",
        "<a b='<'/>",
        "<?xml version='1.0' encoding='no-such'?><a/>",
        "<a",
        "<!-- -- --><a/>",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        Arena arena = arena_make();
        const XmlElement *root;
        if (xml_parse(slice_of_string(bad[i]), &arena, &root) != ERROR_MALFORMED)
            fail_msg("accepted %s", bad[i]);
        arena_free(&arena);
    }
    Arena arena = arena_make();
    const XmlElement *root;
    assert_int_equal(xml_parse((Slice){0}, &arena, &root), ERROR_MALFORMED);
    arena_free(&arena);
}

static void document_types_and_their_entities_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "<!DOCTYPE a><a/>",
        "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
        "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>",
        "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
        "<!DOCTYPE a [<!ENTITY b 'bb'><!ENTITY c '&b;&b;&b;&b;'><!ENTITY d '&c;&c;&c;&c;'>]><a>&d;</a>",
        "<!DOCTYPE a [<!ENTITY % p SYSTEM 'http://127.0.0.1/'> %p;]><a/>",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        Arena arena = arena_make();
        const XmlElement *root;
        assert_int_equal(xml_parse(slice_of_string(bad[i]), &arena, &root), ERROR_MALFORMED);
        arena_free(&arena);
    }
}

static Error parse_nested(size_t depth)
{
    Arena arena = arena_make();
    Buffer text = buffer_make(&arena);
    for (size_t i = 0; i < depth; i++)
        BUFFER_ADD(&text, "<a>");
    for (size_t i = 0; i < depth; i++)
        BUFFER_ADD(&text, "</a>");
    const XmlElement *root;
    Error error = xml_parse(buffer_slice(&text), &arena, &root);
    arena_free(&arena);
    return error;
}

static Error parse_many(size_t elements)
{
    Arena arena = arena_make();
    Buffer text = buffer_make(&arena);
    BUFFER_ADD(&text, "<a>");
    for (size_t i = 1; i < elements; i++)
        BUFFER_ADD(&text, "<b/>");
    BUFFER_ADD(&text, "</a>");
    const XmlElement *root;
    Error error = xml_parse(buffer_slice(&text), &arena, &root);
    arena_free(&arena);
    return error;
}

static void depth_and_size_are_bounded(void **state)
{
    (void)state;
    assert_int_equal(parse_nested(XML_DEPTH_MAX), OK);
    assert_int_equal(parse_nested(XML_DEPTH_MAX + 1), ERROR_TOO_DEEP);
    assert_int_equal(parse_nested(100000), ERROR_TOO_DEEP);
    assert_int_equal(parse_many(XML_ELEMENTS_MAX), OK);
    assert_int_equal(parse_many(XML_ELEMENTS_MAX + 1), ERROR_TOO_LARGE);
    Arena arena = arena_make();
    const XmlElement *root;
    char *large = arena_zalloc(&arena, XML_BYTES_MAX + 1);
    assert_int_equal(xml_parse(slice_make(large, XML_BYTES_MAX + 1), &arena, &root), ERROR_TOO_LARGE);
    arena_free(&arena);
}

static void long_text_comes_whole(void **state)
{
    (void)state;
    Arena arena = arena_make();
    Buffer text = buffer_make(&arena);
    BUFFER_ADD(&text, "<a>");
    for (int i = 0; i < 20000; i++)
        BUFFER_ADD(&text, "line\r\n&lt;");
    BUFFER_ADD(&text, "</a>");
    const XmlElement *root = parse(&arena, buffer_slice(&text));
    assert_int_equal(root->text.size, 20000 * 6); /* line ends are normalized to one line feed */
    assert_true(slice_starts_with(root->text, SLICE("line\n<line\n<")));
    arena_free(&arena);
}

static void the_writer_writes_elements(void **state)
{
    (void)state;
    Arena arena = arena_make();
    Buffer out = buffer_make(&arena);
    XmlWriter writer = xml_writer(&out);
    xml_write_declaration(&writer);
    xml_write_begin(&writer, SLICE("a"));
    xml_write_attribute(&writer, SLICE("xmlns"), SLICE("urn:x"));
    xml_write_element(&writer, SLICE("b"), SLICE("1 < 2 & 3 > \"2\"\r\n\x01\xef\xbf\xbf"));
    xml_write_begin(&writer, SLICE("c"));
    xml_write_attribute(&writer, SLICE("d"), SLICE("'\"\t\n"));
    xml_write_end(&writer, SLICE("c"));
    xml_write_element(&writer, SLICE("e"), (Slice){0});
    xml_write_end(&writer, SLICE("a"));
    assert_text(buffer_slice(&out),
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                "<a xmlns=\"urn:x\"><b>1 &lt; 2 &amp; 3 &gt; &quot;2&quot;&#13;\n\xef\xbf\xbd\xef\xbf\xbd</b>"
                "<c d=\"'&quot;&#9;&#10;\"/><e></e></a>");
    arena_free(&arena);
}

static void what_is_written_reads_back(void **state)
{
    (void)state;
    static const char palette[] = "ab&<>\"'\r\n\t ]";
    uint32_t seed = 9;
    for (int round = 0; round < 3000; round++) {
        Arena arena = arena_make();
        char bytes[40];
        for (size_t i = 0; i < sizeof bytes; i++) {
            seed = seed * 1664525u + 1013904223u;
            bytes[i] = palette[(seed >> 16) % (sizeof palette - 1)];
        }
        Slice value = slice_make(bytes, (seed >> 8) % sizeof bytes);
        assert_true(xml_is_text(value));
        Buffer out = buffer_make(&arena);
        XmlWriter writer = xml_writer(&out);
        xml_write_begin(&writer, SLICE("a"));
        xml_write_attribute(&writer, SLICE("b"), value);
        xml_write_text(&writer, value);
        xml_write_end(&writer, SLICE("a"));
        const XmlElement *root = parse(&arena, buffer_slice(&out));
        assert_true(slice_equal(root->text, value));
        assert_true(slice_equal(xml_attribute(root, SLICE("b")), value));
        arena_free(&arena);
    }
}

/* The definition: every character alone, compared with production Char of XML 1.0. */
static void text_is_what_xml_can_hold(void **state)
{
    (void)state;
    for (uint32_t code = 0; code <= 0x10ffff; code++) {
        char bytes[4];
        size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
        for (size_t i = size - 1, rest = code; i > 0; i--, rest >>= 6)
            bytes[i] = (char)(0x80 | (rest & 63));
        bytes[0] = (char)(size == 1 ? code : (0xf00u >> size & 0xff) | code >> (6 * (size - 1)));
        bool expected = code == 9 || code == 10 || code == 13 || (code >= 0x20 && code <= 0xd7ff) ||
                        (code >= 0xe000 && code <= 0xfffd) || code >= 0x10000;
        if (xml_is_text(slice_make(bytes, size)) != expected)
            fail_msg("U+%04X", code);
    }
    assert_false(xml_is_text(SLICE("a\xff")));
    assert_true(xml_is_text(SLICE("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_becomes_a_tree),
        cmocka_unit_test(what_is_not_well_formed_is_refused),
        cmocka_unit_test(document_types_and_their_entities_are_refused),
        cmocka_unit_test(depth_and_size_are_bounded),
        cmocka_unit_test(long_text_comes_whole),
        cmocka_unit_test(the_writer_writes_elements),
        cmocka_unit_test(what_is_written_reads_back),
        cmocka_unit_test(text_is_what_xml_can_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
