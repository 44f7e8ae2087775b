# zoo.mk: the tests' own API, made by the same generator as the real ones.
$(GEN)/tests/zoo.c $(GEN)/tests/zoo.h &: tests/unit/zoo.smithy $(wildcard tools/apigen/*.py)
	@echo "  apigen $<" && /usr/bin/python3 tools/apigen $< $(GEN)/tests
$(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/unit/test_decode*.c tests/unit/test_encode*.c tests/unit/test_validate*.c \
    tests/unit/test_route.c tests/unit/test_wire*.c)): | $(GEN)/tests/zoo.c
