# zoo.mk: the tests' own API, made by the same generator as the real ones.
$(GEN)/api/zoo.c $(GEN)/api/zoo.h &: tests/unit/zoo.smithy $(wildcard tools/apigen/*.py)
	@echo "  apigen $<" && /usr/bin/python3 tools/apigen $< $(GEN)/api
$(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/unit/test_decode*.c tests/unit/test_encode*.c tests/unit/test_validate*.c \
    tests/unit/test_route.c tests/unit/test_wire*.c)): | $(GEN)/api/zoo.c
