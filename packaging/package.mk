# package.mk: what is installed, and the two packages made of it: `make install`, `make deb`, `make bundle`.
#
#   make install PREFIX=/usr/local DESTDIR=   program, manual page, unit, completion, example of a configuration, licence
#   make deb                                  build/package/brume_VERSION_ARCH.deb, for the release of Debian it is made on
#   make bundle                               build/package/brume-VERSION-linux-MACHINE.tar.gz, which runs on any Linux

SYSCONFDIR ?= /etc
UNITDIR ?= $(PREFIX)/lib/systemd/system
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions
SHARE := $(BUILD)/share
PACKAGES := $(BUILD)/package
STATIC := $(BUILD)/brume-static

.PHONY: install deb bundle static docs

# The pages that the program writes itself.
$(SHARE)/stamp: $(BRUME)
	@mkdir -p $(SHARE)
	@$(BRUME) help --format man > $(SHARE)/brume.1
	@$(BRUME) help start --format config > $(SHARE)/brume.conf.example
	@$(BRUME) completion bash > $(SHARE)/brume
	@$(BRUME) completion zsh > $(SHARE)/_brume
	@$(BRUME) completion fish > $(SHARE)/brume.fish
	@touch $@
docs: $(BRUME)
	$(BRUME) help start --format markdown > docs/configuration.md

# INSTALLED: the program to install, where it is another than the one of this build.
INSTALLED := $(BRUME)
put = install -D -m 644
install: $(SHARE)/stamp $(INSTALLED)
	install -D -m 755 $(INSTALLED) $(DESTDIR)$(PREFIX)/bin/brume
	$(put) $(SHARE)/brume.1 $(DESTDIR)$(PREFIX)/share/man/man1/brume.1
	$(put) $(SHARE)/brume $(DESTDIR)$(PREFIX)/share/bash-completion/completions/brume
	$(put) $(SHARE)/_brume $(DESTDIR)$(ZSHDIR)/_brume
	$(put) $(SHARE)/brume.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/brume.fish
	$(put) $(SHARE)/brume.conf.example $(DESTDIR)$(PREFIX)/share/doc/brume/brume.conf.example
	$(put) packaging/logrotate $(DESTDIR)$(PREFIX)/share/doc/brume/logrotate
	$(put) LICENSE $(DESTDIR)$(PREFIX)/share/doc/brume/LICENSE
	@mkdir -p $(DESTDIR)$(UNITDIR)
	sed -e 's|@PREFIX@|$(PREFIX)|g' -e 's|@SYSCONFDIR@|$(SYSCONFDIR)|g' packaging/brume.service \
	    > $(DESTDIR)$(UNITDIR)/brume.service
	@chmod 644 $(DESTDIR)$(UNITDIR)/brume.service

deb: $(SHARE)/stamp
	@packaging/build-deb $(BUILD)

# Everything of Debian's static libraries, the C library too. It warns of functions that look names up through shared
# libraries; no address of Brume's is looked up.
STATIC_LIBS := -lrocksdb $(shell $(PKG_CONFIG) --libs libuv-static 2>/dev/null) \
    $(shell $(PKG_CONFIG) --static --libs libssl libcrypto libnghttp2 expat libseccomp libcap libpcre2-8 2>/dev/null) \
    -lgflags -lsnappy -lz -lbz2 -llz4 -lzstd -lstdc++ -lm
$(STATIC): $(MAIN_OBJ) $(LIB)
	@echo "  ld $(@:$(BUILD)/%=%)" && { $(CC) $(ALL_CFLAGS) -static-pie $^ -o $@ $(ALL_LDFLAGS) \
	    -Wl,--start-group $(STATIC_LIBS) -Wl,--end-group 2>$@.log || { cat $@.log >&2; exit 1; }; }
static: $(STATIC)
bundle: $(STATIC) $(SHARE)/stamp
	@packaging/build-bundle $(BUILD)
