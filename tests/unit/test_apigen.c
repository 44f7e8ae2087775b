/* The generator: mistakes end it with their place; the same input gives the same output. Runs from the repository's
 * root, as all tests do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[] = "/tmp/brume-apigen-XXXXXX";

#define START                                                                                                          \
    "$version: \"2\"\nnamespace com.example.t\n@sdkId(\"T\") @targetPrefix(\"T\") @apiVersion(\"1\") "                 \
    "@xmlNamespace(\"x\") @protocols([awsJson1_0])\nservice t { unsupported: [Gone] }\n"
#define OPERATION "@pure @iam(action: \"t:Do\", resource: \"*\")\noperation Do {\n"

static int make_directory(void **unused)
{
    (void)unused;
    return mkdtemp(directory) == NULL;
}

static int remove_directory(void **unused)
{
    (void)unused;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", directory);
    return system(command);
}

/* Runs the generator on the text; gives its exit status and what it said. */
static int generate(const char *text, const char *output, char *said, size_t size)
{
    char path[128];
    snprintf(path, sizeof path, "%s/t.smithy", directory);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    char command[256];
    snprintf(command, sizeof command, "/usr/bin/python3 tools/apigen %s %s/%s 2>&1", path, directory, output);
    FILE *generator = popen(command, "r");
    assert_non_null(generator);
    size_t got = fread(said, 1, size - 1, generator);
    said[got] = '\0';
    return pclose(generator);
}

static void read_output(const char *output, const char *name, char *text, size_t size)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s/%s", directory, output, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t got = fread(text, 1, size - 1, file);
    text[got] = '\0';
    fclose(file);
}

static void mistakes_are_told_with_their_place(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"$version: \"1\"\n", "only Smithy IDL 2 is read"},
        {"$version: \"2\"\nnamespace a\n", "no service is declared"},
        {START "operation Do }\n", "t.smithy:5: expected {, found }"},
        {START OPERATION "input := { A: Nothing } }\n", "t.smithy:7: shape Nothing is not declared"},
        {START OPERATION "input := { A: String A: String } }\n", "t.smithy:7: member A stands twice"},
        {START OPERATION "input := { @frob A: String } }\n", "t.smithy:7: trait @frob is not known here"},
        {START OPERATION "output := {} }\n", "operation Do has no input"},
        {START OPERATION "input := {} errors: [Oops] }\n", "t.smithy:7: Oops is not declared as an error"},
        {START "@pure @read\noperation Do { input := {} }\n", "Do is one of @pure, @read, @write and @async"},
        {START "@pure\noperation Do { input := {} }\n", "Do has no @iam"},
        {START "@write(home: \"B\") @iam(action: \"a\", resource: \"*\")\noperation Do { input := { A: String } }\n",
         "home B is not a string member of the input"},
        {START OPERATION "input := {} }\nstructure Left { A: String }\n", "Left is declared and not used"},
        {START OPERATION "input := { @range(min: 1) A: String } }\n", "@range does not fit a string"},
        {START OPERATION "input := { @length(min: 3, max: 2) A: String } }\n", "@length needs min, max or both"},
        {START OPERATION "input := { @pattern(\"(a|b\") A: String } }\n", "a group does not end"},
        {START OPERATION "input := { @pattern(\"a(?=b)\") A: String } }\n", "assertions are not supported"},
        {START OPERATION "input := {} output: Missing }\n", "Missing is not a structure that is declared"},
        {START OPERATION "input := {} output: L }\nlist L { member: String }\n",
         "L is not a structure that is declared"},
        {START OPERATION "input := { @xmlFlattened A: String } }\n", "@xmlFlattened is for lists and maps"},
        {START OPERATION "input := { A: L } }\nlist L { item: String }\n", "a list has exactly: member"},
        {START OPERATION "input := { @xmlName(\"B\") A: String B: String } }\n", "two members have the Query name B"},
        {START "@pure @iam(action: \"a\", resource: \"*\")\noperation Gone { input := {} }\n",
         "Gone is declared, and listed as unsupported"},
        {START "frob X\n", "frob is not a declaration that apigen knows"},
        {START "%\n", "t.smithy:5: unexpected character '%'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char said[4096];
        assert_int_not_equal(generate(cases[i].text, "out", said, sizeof said), 0);
        if (strstr(said, cases[i].message) == NULL || strstr(said, "Traceback") != NULL) {
            print_error("case %zu said: %s\n", i, said);
            fail();
        }
    }
}

#define REST_START                                                                                                     \
    "$version: \"2\"\nnamespace com.example.t\n@sdkId(\"T\") @apiVersion(\"1\") @protocols([restJson1])\n"             \
    "service t { unsupported: [@http(method: \"GET\", uri: \"/gone/{A}\") Gone] }\n"
#define HTTP(uri) "@pure @iam(action: \"t:Do\", resource: \"*\") @http(method: \"GET\", uri: \"" uri "\")\n"
#define REST_OPERATION HTTP("/do/{Id}") "operation Do { input := { @httpLabel @required Id: String\n"

static void mistakes_in_http_bindings_are_told_with_their_place(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {REST_START OPERATION "input := {} }\n", "t.smithy:6: Do has no @http, which restJson1 asks for"},
        {START HTTP("/do") "operation Do { input := {} }\n", "t.smithy:6: @http is for services of restJson1"},
        {START OPERATION "input := { @httpQuery(\"a\") A: String } }\n",
         "t.smithy:7: @httpQuery is for services of restJson1"},
        {REST_START HTTP("do") "operation Do { input := {} }\n", "the uri of @http begins with a slash"},
        {REST_START HTTP("/a//b") "operation Do { input := {} }\n", "'' is no segment of a uri"},
        {REST_START HTTP("/a{b}") "operation Do { input := {} }\n", "'a{b}' is no segment of a uri"},
        {REST_START HTTP("/{A+}/b") "operation Do { input := {} }\n", "a greedy label is the last segment"},
        {REST_START HTTP("/do/{Id}") "operation Do { input := {} }\n",
         "t.smithy:6: the uri's label Id is no @httpLabel member of the input"},
        {REST_START HTTP("/do") "operation Do { input := { @httpLabel @required Id: String } }\n",
         "@httpLabel Id is not in the uri"},
        {REST_START HTTP("/do/{Id}") "operation Do { input := { @httpLabel Id: String } }\n",
         "t.smithy:6: @httpLabel Id is @required"},
        {REST_START REST_OPERATION "@httpLabel @httpQuery(\"a\") A: String } }\n", "A is bound twice"},
        {REST_START REST_OPERATION "@httpQuery A: String } }\n", "t.smithy:7: @httpQuery needs a name"},
        {REST_START REST_OPERATION "@httpQuery(\"a\") A: Blob } }\n", "@httpQuery does not fit a blob"},
        {REST_START REST_OPERATION "@httpHeader(\"a\") A: S } }\nstructure S { B: String }\n",
         "@httpHeader does not fit a structure"},
        {REST_START REST_OPERATION "@httpQueryParams A: String } }\n", "@httpQueryParams does not fit a string"},
        {REST_START REST_OPERATION "@httpPrefixHeaders(\"a\") A: M } }\nmap M { key: String value: Integer }\n",
         "@httpPrefixHeaders does not fit a map"},
        {REST_START REST_OPERATION "@httpPayload A: Integer } }\n", "@httpPayload does not fit a integer"},
        {REST_START REST_OPERATION "@httpPayload A: Blob B: String } }\n", "B has no place beside the payload A"},
        {REST_START REST_OPERATION "@httpResponseCode A: Integer } }\n", "does not fit a member of an input"},
        {REST_START REST_OPERATION "} output := { @httpQuery(\"a\") A: String } }\n",
         "does not fit a member of an output"},
        {REST_START REST_OPERATION "A: S } }\nstructure S { @httpHeader(\"b\") B: String }\n",
         "t.smithy:8: @httpHeader does not fit a member of a nested structure"},
        {REST_START REST_OPERATION "@jsonName(\"B\") A: String B: String } }\n", "two members have the JSON name B"},
        {REST_START REST_OPERATION "@timestampFormat(\"iso\") A: Timestamp } }\n", "@timestampFormat is one of"},
        {REST_START REST_OPERATION "@timestampFormat(\"date-time\") A: String } }\n",
         "@timestampFormat is for timestamps"},
        {REST_START REST_OPERATION "@streaming @httpPayload A: Blob } }\n", "an input is not @streaming"},
        {REST_START REST_OPERATION "} output := { @streaming @httpPayload A: Blob } }\n",
         "@streaming is for the @httpPayload of an @async operation"},
        {REST_START HTTP("/gone/{Id}/") "operation Do { input := { @httpLabel @required Id: String } }\n",
         "Gone and Do have the same method and uri"},
        {REST_START "@bodyLimit(\"low\") " REST_OPERATION "} }\n", "@bodyLimit names a row of the limits"},
        {"$version: \"2\"\nnamespace a\n@sdkId(\"T\") @apiVersion(\"1\") @protocols([restJson1])\n"
         "service t { unsupported: [Gone] }\n",
         "t.smithy:4: Gone has no @http"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char said[4096];
        assert_int_not_equal(generate(cases[i].text, "out", said, sizeof said), 0);
        if (strstr(said, cases[i].message) == NULL || strstr(said, "Traceback") != NULL) {
            print_error("case %zu said: %s\n", i, said);
            fail();
        }
    }
}

static void the_same_declaration_gives_the_same_code(void **unused)
{
    (void)unused;
    static const char text[] = START OPERATION
        "input := { A: String B: M C: E @pattern(\"[a-z]{2,3}\") D: String }\noutput := { E: Integer } }\n"
        "map M { key: String value: L }\nlist L { member: S }\nstructure S { A: L }\nenum E { X Y = \"z z\" }\n";
    static char first[65536], second[65536];
    char said[4096];
    assert_int_equal(generate(text, "one/api", said, sizeof said), 0);
    assert_int_equal(generate(text, "two/api", said, sizeof said), 0);
    static const char *const names[] = {"t.h", "t.c"};
    for (size_t i = 0; i < 2; i++) {
        read_output("one/api", names[i], first, sizeof first);
        read_output("two/api", names[i], second, sizeof second);
        assert_string_equal(first, second);
    }
    assert_non_null(strstr(first, "const Service t_service = {"));
}

static void an_output_may_be_a_structure_of_its_own_name(void **unused)
{
    (void)unused;
    static const char text[] = START OPERATION "input := { A: S }\noutput: S }\nstructure S { B: String }\n";
    static char header[65536];
    char said[4096];
    assert_int_equal(generate(text, "shared/api", said, sizeof said), 0);
    read_output("shared/api", "t.h", header, sizeof header);
    assert_non_null(strstr(header, "typedef TS DoOutput;"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_are_told_with_their_place),
        cmocka_unit_test(mistakes_in_http_bindings_are_told_with_their_place),
        cmocka_unit_test(the_same_declaration_gives_the_same_code),
        cmocka_unit_test(an_output_may_be_a_structure_of_its_own_name),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
