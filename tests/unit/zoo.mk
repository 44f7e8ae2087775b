# zoo.mk: the tests' own APIs, made by the same generator as the real ones.
$(GEN)/tests/%.c $(GEN)/tests/%.h: tests/unit/%.smithy $(wildcard tools/apigen/*.py)
	@echo "  apigen $<" && /usr/bin/python3 tools/apigen $< $(GEN)/tests
$(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/unit/test_decode*.c tests/unit/test_encode*.c tests/unit/test_validate*.c \
    tests/unit/test_route.c tests/unit/test_wire*.c)): | $(GEN)/tests/zoo.c
$(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/unit/test_rest*.c tests/unit/test_async.c tests/fuzz/fuzz_rest.c)): | \
    $(GEN)/tests/aviary.c
