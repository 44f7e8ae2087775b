# bundle.mk: runtimes/, and the object that Python zygotes load, become a C file that the program carries.
RUNTIME_FILES := $(filter-out %.pyc,$(wildcard $(foreach d,runtimes/python runtimes/nodejs,$(d)/*.* $(d)/*/*.* $(d)/*/*/*.*)))
ZYGOTE_SRC := zygote sandbox sandbox_first sandbox_landlock sandbox_network
ZYGOTE := $(GEN)/runtime/zygote.so
GEN_SRC += $(GEN)/runtime/bundle_files.c

# It runs inside of Python, so it is the same in every variant; and workers are forks of it, so it brings no library.
$(ZYGOTE): $(ZYGOTE_SRC:%=src/runtime/%.c) src/runtime/sandbox.h src/runtime/sandbox_calls.h
	@mkdir -p $(@D) && echo "  cc $@" && $(CC) -D_GNU_SOURCE -Isrc -std=gnu17 -O2 -fPIC -shared -fvisibility=default $(WARNINGS) \
	    $(filter %.c,$^) -o $@ -s -Wl,-z,relro,-z,now

# The list is a dependency, so that a file that is gone is no longer carried.
$(GEN)/runtime/bundle.list: FORCE
	@mkdir -p $(@D) && echo '$(RUNTIME_FILES)' | cmp -s - $@ || echo '$(RUNTIME_FILES)' > $@
$(GEN)/runtime/bundle_files.c: $(RUNTIME_FILES) $(ZYGOTE) $(GEN)/runtime/bundle.list tools/bundle
	@echo "  bundle $@" && tools/bundle $@ $(foreach f,$(RUNTIME_FILES),$(f:runtimes/%=%)=$(f)) zygote.so=$(ZYGOTE)
