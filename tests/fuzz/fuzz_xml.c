/* Any bytes: what is read as XML can be written, and reads back as the same tree. */
#include "base/bug.h"
#include "base/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Attributes in a namespace are left out: without their prefixes two of them may have one name. */
static void write_tree(XmlWriter *writer, const XmlElement *element)
{
    xml_write_begin(writer, element->name);
    for (size_t i = 0; i < element->attribute_count; i++)
        if (element->attributes[i].namespace.size == 0)
            xml_write_attribute(writer, element->attributes[i].name, element->attributes[i].value);
    xml_write_text(writer, element->text);
    for (const XmlElement *child = element->first_child; child != NULL; child = child->next)
        write_tree(writer, child);
    xml_write_end(writer, element->name);
}

static void compare_trees(const XmlElement *a, const XmlElement *b)
{
    ASSERT(slice_equal(a->name, b->name) && slice_equal(a->text, b->text) && xml_is_text(a->text));
    for (size_t i = 0; i < a->attribute_count; i++)
        if (a->attributes[i].namespace.size == 0)
            ASSERT(slice_equal(a->attributes[i].value, xml_attribute(b, a->attributes[i].name)));
    const XmlElement *of_a = a->first_child;
    const XmlElement *of_b = b->first_child;
    for (; of_a != NULL && of_b != NULL; of_a = of_a->next, of_b = of_b->next)
        compare_trees(of_a, of_b);
    ASSERT(of_a == NULL && of_b == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena arena = arena_make();
    const XmlElement *root;
    if (xml_parse(slice_make(data, size), &arena, &root) == OK) {
        Buffer out = buffer_make(&arena);
        XmlWriter writer = xml_writer(&out);
        xml_write_declaration(&writer);
        write_tree(&writer, root);
        const XmlElement *again;
        ASSERT(xml_parse(buffer_slice(&out), &arena, &again) == OK);
        compare_trees(root, again);
    }
    arena_free(&arena);
    return 0;
}
