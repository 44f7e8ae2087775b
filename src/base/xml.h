/* xml.h: XML read into a small tree, and written.
 *
 * The reader is libexpat's, bounded: a document type declaration is refused, and with it every entity of the
 * document's own (no expansion attacks, no outside files); so is what passes the bounds below. The tree lives in the
 * caller's arena and borrows nothing from the text. Pure; any thread. */
#ifndef BRUME_BASE_XML_H
#define BRUME_BASE_XML_H

#include "base/buffer.h"
#include "base/error.h"

enum { XML_DEPTH_MAX = 64, XML_BYTES_MAX = 16 << 20, XML_ELEMENTS_MAX = 200000 };

typedef struct XmlAttribute {
    Slice name;      /* without prefix */
    Slice namespace; /* the address, not the prefix; empty for none */
    Slice value;
} XmlAttribute;

typedef struct XmlElement {
    Slice name;      /* without prefix */
    Slice namespace; /* the address, not the prefix; empty for none */
    Slice text;      /* all character data directly within it; empty when that is only the white space of children */
    const XmlAttribute *attributes; /* without declarations of namespaces */
    size_t attribute_count;
    struct XmlElement *first_child;
    struct XmlElement *last_child;
    struct XmlElement *next; /* sibling */
} XmlElement;

/* Reads a whole document. ERROR_MALFORMED: not well-formed (Namespaces in XML 1.0 included), or with a document type
 * declaration; ERROR_TOO_DEEP, ERROR_TOO_LARGE: past the bounds. */
Error xml_parse(Slice text, Arena *arena, const XmlElement **root);

/* The first child of that name, in any namespace; NULL when there is none. */
const XmlElement *xml_child(const XmlElement *element, Slice name);
/* The next sibling of the same name; NULL when there is none. */
const XmlElement *xml_next_same(const XmlElement *element);
/* The value of the attribute of that name, in any namespace; `data` is NULL when there is none. */
Slice xml_attribute(const XmlElement *element, Slice name);

/* Whether all of it can stand in an XML 1.0 document: UTF-8, and of the control characters only tab, line feed and
 * carriage return; neither U+FFFE nor U+FFFF (XML 1.0, production Char; also what an SQS message may hold). */
bool xml_is_text(Slice bytes);

/* ---- Writing: nesting is the caller's; names are literals or have been checked ---- */

typedef struct XmlWriter {
    Buffer *out;
    bool tag_open; /* the last start tag still takes attributes */
} XmlWriter;

XmlWriter xml_writer(Buffer *out);
/* <?xml version="1.0" encoding="UTF-8"?>, before all else. */
void xml_write_declaration(XmlWriter *writer);
void xml_write_begin(XmlWriter *writer, Slice name);
/* Right after xml_write_begin or another attribute. */
void xml_write_attribute(XmlWriter *writer, Slice name, Slice value);
/* Escaped, so that a reader gives back the same bytes (carriage returns included). The bytes must be UTF-8; characters
 * that XML 1.0 cannot hold in any form (xml_is_text) become U+FFFD. */
void xml_write_text(XmlWriter *writer, Slice text);
/* Closes the element of that name, which is the innermost open one. */
void xml_write_end(XmlWriter *writer, Slice name);
/* <name>text</name> */
void xml_write_element(XmlWriter *writer, Slice name, Slice text);

/* The library that reads it and its version, as "expat_2.5.0"; static. */
const char *xml_library(void);

#endif
