#include "base/bug.h"
#include "base/xml.h"

#include <expat.h>

/* Stands between a namespace and a name in what expat gives. No name holds it; expat refuses it in namespaces. */
enum { NAMESPACE_SEPARATOR = '\n' };

typedef struct OpenElement {
    XmlElement *element;
    Buffer text;
} OpenElement;

typedef struct Reading {
    XML_Parser parser;
    Arena *arena;
    XmlElement *root;
    OpenElement open[XML_DEPTH_MAX];
    unsigned depth;
    unsigned elements;
    Error error; /* why we stopped expat; OK while it goes on */
} Reading;

static void stop(Reading *reading, Error error)
{
    reading->error = error;
    XML_StopParser(reading->parser, XML_FALSE);
}

static void split_name(Arena *arena, const char *given, Slice *name, Slice *namespace)
{
    Slice whole = arena_copy(arena, slice_of_string(given));
    size_t separator = slice_find(whole, NAMESPACE_SEPARATOR);
    bool split = separator < whole.size;
    *namespace = split ? slice_make(whole.data, separator) : SLICE("");
    *name = split ? slice_skip(whole, separator + 1) : whole;
}

/* `given`: names and values in turn, then NULL. */
static void copy_attributes(Arena *arena, XmlElement *element, const char **given)
{
    size_t count = 0;
    while (given[2 * count] != NULL)
        count++;
    if (count == 0)
        return;
    XmlAttribute *attributes = ARENA_ARRAY(arena, XmlAttribute, count);
    for (size_t i = 0; i < count; i++) {
        split_name(arena, given[2 * i], &attributes[i].name, &attributes[i].namespace);
        attributes[i].value = arena_copy(arena, slice_of_string(given[2 * i + 1]));
    }
    element->attributes = attributes;
    element->attribute_count = count;
}

static void on_start(void *context, const char *name, const char **attributes)
{
    Reading *reading = context;
    if (reading->error != OK)
        return;
    if (reading->depth == XML_DEPTH_MAX) {
        stop(reading, ERROR_TOO_DEEP);
        return;
    }
    if (reading->elements++ == XML_ELEMENTS_MAX) {
        stop(reading, ERROR_TOO_LARGE);
        return;
    }
    XmlElement *element = ARENA_NEW(reading->arena, XmlElement);
    split_name(reading->arena, name, &element->name, &element->namespace);
    copy_attributes(reading->arena, element, attributes);
    if (reading->depth == 0) {
        reading->root = element;
    } else {
        XmlElement *parent = reading->open[reading->depth - 1].element;
        if (parent->last_child == NULL)
            parent->first_child = element;
        else
            parent->last_child->next = element;
        parent->last_child = element;
    }
    reading->open[reading->depth++] = (OpenElement){element, buffer_make(reading->arena)};
}

static bool is_space(Slice text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] != ' ' && text.data[i] != '\n' && text.data[i] != '\t' && text.data[i] != '\r')
            return false;
    return true;
}

static void on_end(void *context, const char *name)
{
    (void)name;
    Reading *reading = context;
    if (reading->error != OK)
        return;
    OpenElement *open = &reading->open[--reading->depth];
    Slice text = buffer_slice(&open->text);
    open->element->text = open->element->first_child != NULL && is_space(text) ? SLICE("") : text;
}

static void on_text(void *context, const char *bytes, int size)
{
    Reading *reading = context;
    if (reading->error == OK && reading->depth > 0)
        buffer_add(&reading->open[reading->depth - 1].text, slice_make(bytes, (size_t)size));
}

static void on_document_type(void *context, const char *name, const char *system, const char *public, int has_internal)
{
    (void)name;
    (void)system;
    (void)public;
    (void)has_internal;
    stop(context, ERROR_MALFORMED);
}

Error xml_parse(Slice text, Arena *arena, const XmlElement **root)
{
    if (text.size > XML_BYTES_MAX)
        return ERROR_TOO_LARGE;
    Reading reading;
    reading.parser = XML_ParserCreateNS(NULL, NAMESPACE_SEPARATOR);
    ASSERT(reading.parser != NULL);
    reading.arena = arena;
    reading.root = NULL;
    reading.depth = 0;
    reading.elements = 0;
    reading.error = OK;
    XML_SetUserData(reading.parser, &reading);
    XML_SetElementHandler(reading.parser, on_start, on_end);
    XML_SetCharacterDataHandler(reading.parser, on_text);
    XML_SetStartDoctypeDeclHandler(reading.parser, on_document_type);
    enum XML_Status status =
        XML_Parse(reading.parser, text.data == NULL ? "" : text.data, (int)text.size, /* the end */ 1);
    XML_ParserFree(reading.parser);
    if (reading.error != OK)
        return reading.error;
    if (status != XML_STATUS_OK)
        return ERROR_MALFORMED;
    *root = reading.root;
    return OK;
}

const XmlElement *xml_child(const XmlElement *element, Slice name)
{
    for (const XmlElement *child = element->first_child; child != NULL; child = child->next)
        if (slice_equal(child->name, name))
            return child;
    return NULL;
}

const XmlElement *xml_next_same(const XmlElement *element)
{
    for (const XmlElement *sibling = element->next; sibling != NULL; sibling = sibling->next)
        if (slice_equal(sibling->name, element->name))
            return sibling;
    return NULL;
}

Slice xml_attribute(const XmlElement *element, Slice name)
{
    for (size_t i = 0; i < element->attribute_count; i++)
        if (slice_equal(element->attributes[i].name, name))
            return element->attributes[i].value;
    return (Slice){0};
}

const char *xml_library(void)
{
    return XML_ExpatVersion();
}
