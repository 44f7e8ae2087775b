# apigen.mk: the declared APIs (api/NAME.smithy) become build/gen/api/NAME.h, NAME.c and an object of OBJ.
# Included by the Makefile behind OBJ and before what is linked of it.
API_NAMES := $(patsubst api/%.smithy,%,$(wildcard api/*.smithy))
API_HEADERS := $(API_NAMES:%=$(BUILD)/gen/api/%.h)
API_OBJ := $(API_NAMES:%=$(BUILD)/gen/api/%.o)

# One run makes both; every source may include the headers, so that they are made first.
$(BUILD)/gen/api/%.h $(BUILD)/gen/api/%.c: api/%.smithy $(wildcard tools/apigen/*.py)
	/usr/bin/python3 tools/apigen $< $(BUILD)/gen/api
$(BUILD)/gen/%.o: $(BUILD)/gen/%.c
	$(CC) $(STD) $(CPPFLAGS) $(CFLAGS) $(WARNINGS) -MMD -MP -c $< -o $@
# A rule with targets of its own must not become the first one.
.DEFAULT_GOAL := all
$(OBJ): | $(API_HEADERS)
OBJ += $(API_OBJ)
.SECONDARY: $(API_HEADERS) $(API_NAMES:%=$(BUILD)/gen/api/%.c)
