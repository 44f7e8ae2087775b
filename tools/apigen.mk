# apigen.mk: each declared API (api/NAME.smithy) becomes build/gen/api/NAME.h and NAME.c, by one run for both.
$(GEN)/api/%.h $(GEN)/api/%.c: api/%.smithy $(wildcard tools/apigen/*.py)
	@echo "  apigen $<" && /usr/bin/python3 tools/apigen $< $(GEN)/api
