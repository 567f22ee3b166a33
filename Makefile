# trustgraft: `make` builds everything under build/, `make demo` shows it, `make check` tests it.
# `make programs` tries it with many real programs, `make compat` with other TLS libraries,
# `make lint` reads it, `make bench` measures it, `make install` installs it under PREFIX,
# `make uninstall` takes it away again; `make deb`, `make portable` (for old and new systems) and
# `make dist` pack it, `make musl` builds it for musl, `make portable-check` tries the second on them,
# `make release` gathers all three; `make help` prints this. With ARCH=arm64 deb, portable,
# portable-check and all are for that.
# V=1 shows commands; CC, CFLAGS, LDFLAGS, PREFIX, LIBDIR, MODULESDIR, DESTDIR, SYSCONFDIR can be set.

# ARCH, a Debian architecture, on the command line: for that, by Debian's cross compiler with Debian's
# packages, unpacked in SYSROOT, in which `make emulated` tries it. What it packs stands beside the
# packages of this machine, in PACKED.
NATIVE := $(shell dpkg --print-architecture 2>/dev/null)
ifneq ($(origin ARCH),command line)
ARCH := $(NATIVE)
endif
ifneq ($(ARCH),$(NATIVE))
CROSS := $(if $(filter arm64,$(ARCH)),aarch64-linux-gnu,$(error ARCH can be arm64, or $(NATIVE)))
endif
BUILD      ?= build
PACKED     := $(BUILD)
ifdef CROSS
override BUILD := $(BUILD)/$(ARCH)
SYSROOT    ?= $(BUILD)/root
RUNNER     := qemu-aarch64-static -L $(SYSROOT)
CC         := $(CROSS)-gcc --sysroot=$(SYSROOT)
else
SYSROOT    :=
endif
CFLAGS     ?= -O2 -g
PREFIX     ?= /usr/local
LIBDIR     ?= $(PREFIX)/lib
SYSCONFDIR ?= /etc
CHOSEN     := $(MODULESDIR)
MODULESDIR ?= $(if $(CROSS),/usr/lib/$(CROSS)/ossl-modules,$(shell \
  OPENSSL_CONF=/dev/null openssl version -m 2>/dev/null | sed -n 's/^MODULESDIR: "\(.*\)"/\1/p'))
VERSION    := 0.1.0
SOVERSION  := 0
ifeq ($(origin CC),default)
CC := gcc
endif
ifeq ($(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc)
endif

comma := ,
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' '$(1)' '$(patsubst $(CURDIR)/%,%,$(2))')
PYTHON := /usr/bin/python3
export PYTHONDONTWRITEBYTECODE := 1

# Whose headers the files of a folder may include besides their own: the compiler refuses the rest.
# tests/lint/arrows.py reads these lines too.
EVERY := policy $(filter-out policy/package,$(patsubst %/,%,$(sort $(wildcard policy/*/ policy/*/*/))))
sees/policy/base/der          := policy
sees/policy/base/lock         := policy
sees/policy/base              := policy policy/base/der
sees/policy/base/image        := policy policy/base policy/base/der
sees/policy/bundle            := policy policy/base policy/base/lock
sees/policy/rules             := $(sees/policy/bundle) policy/bundle policy/base/image
sees/policy/language/text     := $(sees/policy/rules) policy/rules
sees/policy/language          := $(sees/policy/language/text) policy/language/text
sees/policy/language/compiled := $(sees/policy/language) policy/language
sees/policy/trust/certificate := $(sees/policy/rules) policy/rules
sees/policy/trust/verdict     := $(sees/policy/rules) policy/rules
sees/policy/trust             := $(sees/policy/trust/verdict) policy/trust/verdict policy/trust/certificate
sees/policy/hook/process      := $(sees/policy/trust) policy/trust policy/language policy/language/text policy/language/compiled
sees/policy/hook/lib          := $(sees/policy/trust) policy/trust policy/hook/process
sees/policy/hook/connection   := $(sees/policy/hook/lib) policy/hook/lib
sees/policy/hook              := $(sees/policy/hook/connection) policy/hook/connection
sees/policy/hook/foreign      := $(sees/policy/hook) policy/hook
sees/policy/hook/gnutls       := $(sees/policy/hook/foreign) policy/hook/foreign
sees/policy/hook/nss          := $(sees/policy/hook/gnutls)
sees/policy/cli/ui            := $(sees/policy/hook/process) policy/hook/process
sees/policy/cli/files         := $(sees/policy/cli/ui) policy/cli/ui
sees/policy/cli/net           := $(sees/policy/cli/files) policy/cli/files
sees/policy/cli/reach         := $(sees/policy/cli/net)
sees/policy/cli/import        := $(sees/policy/cli/net)
sees/policy/cli/ca            := $(sees/policy/cli/net)
sees/policy/cli/ask           := $(sees/policy/cli/net) policy/cli/net policy/cli/reach
sees/policy/cli/fetch         := $(sees/policy/cli/ask) policy/cli/ask
sees/policy/cli/compile       := $(sees/policy/cli/ask) policy/cli/ask
sees/policy/cli/scan          := $(sees/policy/cli/fetch)
sees/policy/cli/log           := $(sees/policy/cli/net) policy/cli/reach
sees/policy/cli               := $(sees/policy/cli/fetch) policy/cli/import policy/cli/ca policy/cli/fetch policy/cli/scan policy/cli/compile policy/cli/log
sees/preload                  := policy policy/hook policy/hook/process policy/hook/gnutls policy/hook/nss
sees/provider                 := $(sees/policy/hook/lib) policy/hook
SEES = $(addprefix -I,$(or $(sees/$(patsubst %/,%,$(dir $<))),$(EVERY)))

WARN     := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wundef
CPPFLAGS += -D_GNU_SOURCE -DTG_VERSION='"$(VERSION)"' -DTG_SYSCONFDIR='"$(SYSCONFDIR)"' \
             -DTG_LIBDIR='"$(LIBDIR)"' -isystem $(SYSROOT)/usr/include/libxml2
ALL_CFLAGS = -std=gnu11 -fPIC -fvisibility=$(VISIBILITY) -fstack-protector-strong -pthread $(WARN) $(CFLAGS)
VISIBILITY = hidden
ALL_LDFLAGS = -pthread -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--no-undefined -Wl,--as-needed $(LDFLAGS)
SANITIZE := -O1 -g -Wno-error -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
THREADED := -O1 -g -Wno-error -fsanitize=thread -fno-omit-frame-pointer
shared = -shared -Wl,-soname,$(or $(2),$(notdir $@)) -Wl,-z,nodelete -Wl,--version-script=$(1)

# $(1): the module; $(2): where it looks for libtrustgraft.so.
link_provider = $(CC) $(call shared,provider/provider.map,trustgraft.so) -o $(1) $(PROVIDER) $(ALL_LDFLAGS) \
  -L$(BUILD) -ltrustgraft -lcrypto -Wl,-rpath,'$(2)'

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard $(1)))
asan    = $(patsubst $(BUILD)/%,$(BUILD)/asan/%,$(1))
tsan    = $(patsubst $(BUILD)/%,$(BUILD)/tsan/%,$(1))
STORES   := $(call objects,policy/trust/certificate/stores.c)
ENGINE   := $(filter-out $(STORES),$(call objects,policy/base/*.c policy/base/*/*.c policy/bundle/*.c policy/rules/*.c \
             policy/language/*.c policy/language/*/*.c policy/trust/*.c policy/trust/*/*.c))
INSIDE   := $(call objects,policy/hook/inside.c)
HOOK     := $(filter-out $(INSIDE),$(call objects,policy/hook/*.c policy/hook/*/*.c))
COMMAND  := $(call objects,policy/cli/*.c policy/cli/*/*.c)
PRELOAD  := $(call objects,preload/*.c policy/hook/process/source.c policy/hook/process/loaded.c \
             policy/hook/process/symtab_file.c)
PROVIDER := $(call objects,provider/*.c policy/hook/process/loaded.c)

ARTIFACTS := $(BUILD)/libtrustgraft.so $(BUILD)/libtrustgraft-inside.so.$(SOVERSION) \
             $(BUILD)/libtrustgraft-preload.so \
             $(BUILD)/ossl-modules/trustgraft.so $(BUILD)/trustgraft $(BUILD)/openssl.cnf
UNITS     := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/test_*.c))
FUZZERS   := $(patsubst %.c,$(BUILD)/asan/%,$(wildcard tests/fuzz/fuzz_*.c))
SANITIZED := $(call asan,$(UNITS) $(BUILD)/trustgraft) $(FUZZERS)
STRESS    := $(addprefix $(BUILD)/,tsan/tests/stress/crowd tsan/tests/stress/tables tests/stress/endure)
RACED     := $(BUILD)/tsan/libtrustgraft.so $(BUILD)/tsan/libtrustgraft-preload.so
CORPORA   := $(if $(wildcard tests/corpora/*.c),$(BUILD)/tests/corpora/evaluate)
BENCHES   := $(BUILD)/tests/bench/handshake $(BUILD)/tests/bench/empty.so
MANUALS   := $(wildcard policy/*.[1-8] policy/cli/*.[1-8] preload/*.[1-8] provider/*.[1-8])

# These get what they need by themselves; everything they build waits for that.
GOALS := $(filter demo check programs compat lint bench deb portable portable-check musl,$(MAKECMDGOALS)) $(if $(CROSS),$(ARCH))
READY := $(if $(strip $(GOALS)),setup) $(SYSROOT)

.PHONY: all help setup pki units demo check programs compat emulated lint bench install uninstall deb portable portable-check musl dist release clean
.DELETE_ON_ERROR:
.SECONDARY:
all: $(ARTIFACTS)

help:
	@sed -n 's/^# //p;/^BUILD/q' Makefile

setup:
	@$(if $(CROSS),env -u CC )tests/setup $(GOALS)

ifdef SYSROOT
$(SYSROOT): | setup
	$(call say,FETCH,$@)
	$(Q)$(PYTHON) tests/compat/fetch.py $(ARCH) $@
endif

$(BUILD)/obj/%.o: %.c | $(READY)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(SEES) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/libtrustgraft.so: $(ENGINE) $(HOOK) policy/trustgraft.map
	$(call say,LD,$@)
	$(Q)$(CC) $(call shared,policy/trustgraft.map,$(@F).$(SOVERSION)) -Wl,-Bsymbolic-functions -o $@ $(ENGINE) $(HOOK) $(ALL_LDFLAGS) -lcrypto
	$(Q)ln -sf $(@F) $@.$(SOVERSION)

# With a libcrypto of its own, for processes that have none. Without libcrypto.a there is no such
# engine, and the preload library is built to do without.
LIBCRYPTO = $(filter %/libcrypto.a,$(shell $(CC) -print-file-name=libcrypto.a))
COMMAND_LIBRARIES = -lssl -lcrypto

# OPENSSL and LIBCURL, folders in which these were built as static libraries, are what `make portable`
# has inside: for each system, whatever it has (policy/package/portable).
ifdef OPENSSL
LIBCRYPTO = $(OPENSSL)/libcrypto.a
ANYWHERE  = $(STORES) $(patsubst %,-Wl$(comma)--wrap=%,X509_get_default_cert_file X509_get_default_cert_area)
CURL_USED = curl_global_init curl_easy_init curl_easy_setopt curl_easy_perform curl_easy_strerror curl_easy_cleanup
COMMAND_LIBRARIES = $(ANYWHERE) -Wl,--gc-sections \
  $(foreach name,$(CURL_USED),-Wl,-u,$(name) -Wl,--export-dynamic-symbol=$(name)) \
  $(LIBCURL)/lib/.libs/libcurl.a $(OPENSSL)/libssl.a $(LIBCRYPTO)
CPPFLAGS += -isystem $(OPENSSL)/include -isystem $(LIBCURL)/include
$(BUILD)/libtrustgraft-inside.so.$(SOVERSION) $(BUILD)/trustgraft: | $(STORES)
endif
$(BUILD)/libtrustgraft-inside.so.$(SOVERSION): $(ENGINE) $(HOOK) $(INSIDE) policy/hook/inside.map
	$(call say,$(if $(LIBCRYPTO),LD,SKIP),$@)
	$(Q)if [ -z '$(LIBCRYPTO)' ]; then \
	  rm -f $@; echo "  no libcrypto.a: programs without OpenSSL 3 will load libcrypto.so.3" >&2; \
	else $(CC) $(call shared,policy/hook/inside.map) -o $@ $(INSIDE) $(ENGINE) $(HOOK) $(ALL_LDFLAGS) \
	  -Wl,-Bsymbolic -Wl,--gc-sections -Wl,--exclude-libs,ALL $(ANYWHERE) $(LIBCRYPTO); fi

%/preload/choice.o %/reach/environment.o: CPPFLAGS += -DTG_HAS_INSIDE=$(if $(LIBCRYPTO),1,0)
%/net/download.o: CPPFLAGS += -DTG_LIBCURL=$(if $(LIBCURL),NULL,'"libcurl.so.4"')

$(BUILD)/libtrustgraft-preload.so: $(PRELOAD) preload/preload.map
	$(call say,LD,$@)
	$(Q)$(CC) $(call shared,preload/preload.map) -o $@ $(PRELOAD) $(ALL_LDFLAGS)

# Of this length the linker's strncmp stays within the word, so that valgrind has nothing to say.
$(BUILD)/ossl-modules/trustgraft.so: $(PROVIDER) $(BUILD)/libtrustgraft.so provider/provider.map
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(call link_provider,$@,$$ORIGIN/../ossl-modules/..)

$(BUILD)/trustgraft: $(COMMAND) $(ENGINE) $(HOOK)
	$(call say,LD,$@)
	$(Q)$(CC) -o $@ $^ $(ALL_LDFLAGS) $(COMMAND_LIBRARIES)

$(BUILD)/openssl.cnf: provider/openssl-cnf | $(READY)
	$(call say,GEN,$@)
	@mkdir -p $(@D)
	$(Q)provider/openssl-cnf '$(abspath $(BUILD))/ossl-modules/trustgraft.so' >$@
	$(Q)install -m 755 provider/openssl-cnf $(BUILD)/

# Tests: each unit test is a program, and these and the command exist once more under ASan and UBSan.
# Tests that put a malloc of their own before libcrypto's have to export it.
$(BUILD)/obj/tests/unit/%: VISIBILITY = default
$(BUILD)/tests/unit/%: $(BUILD)/obj/tests/unit/%.o $(ENGINE) $(HOOK)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -o $@ $^ $(ALL_LDFLAGS) -lcmocka -lssl -lcrypto

$(BUILD)/asan/obj/%.o: %.c | $(READY)
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(SEES) $(ALL_CFLAGS) $(SANITIZE) -MMD -MP -c -o $@ $<

$(BUILD)/asan/tests/unit/%: $(BUILD)/asan/obj/tests/unit/%.o $(call asan,$(ENGINE) $(HOOK))
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SANITIZE) -o $@ $^ $(ALL_LDFLAGS) -lcmocka -lssl -lcrypto

$(FUZZERS): %: $(BUILD)/asan/obj/tests/fuzz/replay.o $(call asan,$(ENGINE) $(HOOK))
$(BUILD)/asan/tests/fuzz/fuzz_import: $(call asan,$(addprefix $(BUILD)/obj/policy/cli/, \
    ui/argument.o ui/terminal.o ui/url.o $(addprefix files/,json.o loadable.o pem.o) \
    $(addprefix import/,android.o dict.o plist.o spiffe.o translate.o xml.o)))
$(BUILD)/asan/tests/fuzz/fuzz_log: $(call asan,$(addprefix $(BUILD)/obj/policy/cli/, \
    ui/terminal.o files/json.o log/record.o))
$(BUILD)/asan/tests/fuzz/fuzz_compiled: $(call asan,$(addprefix $(BUILD)/obj/policy/cli/compile/, \
    compiling.o contents.o cutter.o imagefile.o job.o repeated.o samekeys.o))
$(FUZZERS): $(BUILD)/asan/tests/fuzz/%: $(BUILD)/asan/obj/tests/fuzz/%.o
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SANITIZE) -o $@ $^ $(ALL_LDFLAGS) -lssl -lcrypto

$(CORPORA): $(call objects,tests/corpora/*.c) $(ENGINE)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -o $@ $^ $(ALL_LDFLAGS) -lcrypto

$(BUILD)/tsan/obj/%.o: %.c | $(READY)
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(SEES) $(ALL_CFLAGS) $(THREADED) -MMD -MP -c -o $@ $<

MEETING := $(call objects,tests/stress/meet.c tests/inject/pair.c)
$(BUILD)/tests/stress/endure: $(BUILD)/obj/tests/stress/endure.o $(MEETING)
$(BUILD)/tsan/tests/stress/crowd: $(BUILD)/tsan/obj/tests/stress/crowd.o \
    $(call tsan,$(MEETING) $(ENGINE) $(HOOK))
$(BUILD)/tsan/tests/stress/tables: $(BUILD)/tsan/obj/tests/stress/tables.o \
    $(call tsan,$(call objects,preload/slot.c) $(ENGINE) $(HOOK))
$(STRESS):
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(if $(findstring /tsan/,$@),$(THREADED)) -o $@ $^ $(ALL_LDFLAGS) -lssl -lcrypto

# The preload library and the engine once more, for a program that runs under ThreadSanitizer.
$(BUILD)/tsan/libtrustgraft.so: $(call tsan,$(ENGINE) $(HOOK))
	$(call say,LD,$@)
	$(Q)$(CC) $(THREADED) $(call shared,policy/trustgraft.map,$(@F).$(SOVERSION)) -o $@ $^ $(ALL_LDFLAGS) -lcrypto
	$(Q)ln -sf $(@F) $@.$(SOVERSION)

$(BUILD)/tsan/libtrustgraft-preload.so: $(call tsan,$(PRELOAD))
	$(call say,LD,$@)
	$(Q)$(CC) $(THREADED) $(call shared,preload/preload.map) -o $@ $^ $(ALL_LDFLAGS)

$(BUILD)/asan/trustgraft: $(call asan,$(COMMAND) $(ENGINE) $(HOOK))
	$(call say,LD,$@)
	$(Q)$(CC) $(SANITIZE) -o $@ $^ $(ALL_LDFLAGS) -lssl -lcrypto

$(BUILD)/tests/bench/handshake: $(BUILD)/obj/tests/bench/handshake.o
	@mkdir -p $(@D)
	$(Q)$(CC) -o $@ $^ $(ALL_LDFLAGS) -lssl -lcrypto

$(BUILD)/tests/bench/empty.so: $(BUILD)/obj/tests/bench/empty.o
	@mkdir -p $(@D)
	$(Q)$(CC) -shared -o $@ $^ $(ALL_LDFLAGS)

pki: | $(READY)
	$(Q)certs/make-pki $(BUILD)/pki

units: $(UNITS) $(SANITIZED) $(STRESS) $(RACED) $(CORPORA)

demo: all pki
	$(Q)tests/demo --build $(BUILD) --pki $(BUILD)/pki

check: all units pki $(BENCHES)
	$(Q)$(PYTHON) tests/check.py --build $(BUILD) --pki $(BUILD)/pki

# WRITE=1 makes the manual page of it anew.
programs: all pki
	$(Q)$(PYTHON) tests/programs/fetch.py $(BUILD)/programs || echo "  without it, its rows are skipped"
	$(Q)$(PYTHON) tests/programs/run.py --build $(BUILD) --pki $(BUILD)/pki $(if $(WRITE),--write)
	$(Q)$(PYTHON) tests/same/run.py --build $(BUILD) python
	$(Q)$(PYTHON) tests/same/run.py --build $(BUILD) gnutls
	$(Q)$(PYTHON) tests/readme/run.py --build $(BUILD) examples/containers
	$(Q)$(PYTHON) tests/readme/run.py --build $(BUILD) examples/ansible

# What works with other systems' TLS libraries. WRITE=1 keeps the table in tests/compat/table.txt.
compat: all pki musl
	$(Q)$(PYTHON) tests/compat/run.py --build $(BUILD) --pki $(BUILD)/pki $(if $(WRITE),--write)
	$(Q)$(PYTHON) tests/musl/run.py --build $(BUILD) --pki $(BUILD)/pki
	$(Q)$(if $(filter amd64,$(NATIVE)),if tests/setup arm64 && $(MAKE) ARCH=arm64 $(BUILD)/arm64/root; then \
	  $(MAKE) ARCH=arm64 emulated; else echo 'skipped arm64: what is named above is missing'; fi)

# What is built for another ARCH, by qemu-user.
ifdef CROSS
emulated: all pki $(UNITS)
	$(Q)$(PYTHON) tests/$(ARCH)/built.py --build $(BUILD) --pki $(BUILD)/pki
endif

lint: all
	$(Q)CPPFLAGS="$(subst ",\",$(CPPFLAGS)) $(addprefix -I,$(EVERY)) -DTG_HAS_INSIDE=1 -DTG_LIBCURL=NULL" WARN="$(WARN)" tests/lint/run $(BUILD)

bench: all $(BENCHES)
	$(Q)$(PYTHON) tests/bench/bench.py --build $(BUILD) $(BENCH)

# policy/package/install has the list of what goes where.
PLACES = DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' LIBDIR='$(LIBDIR)' MODULESDIR='$(MODULESDIR)' \
         SYSCONFDIR='$(SYSCONFDIR)' VERSION=$(VERSION) SOVERSION=$(SOVERSION) BUILD='$(BUILD)' \
         CHOSEN='$(CHOSEN)' RUNNER='$(RUNNER)'
install: all
	$(call say,INSTALL,$(DESTDIR)$(PREFIX))
	$(Q)linked=$$(mktemp -d '$(BUILD)/install.XXXXXX') && \
	  $(call link_provider,"$$linked/trustgraft.so",$(LIBDIR)) && \
	  $(PLACES) LINKED="$$linked/trustgraft.so" policy/package/install $(MANUALS); \
	  status=$$?; rm -rf "$$linked"; exit $$status

uninstall:
	$(Q)$(PLACES) policy/package/install --undo $(MANUALS)

deb: $(if $(CROSS),$(SYSROOT),all)
	$(Q)CC='$(CC)' SYSROOT='$(SYSROOT)' policy/package/deb '$(PACKED)' $(VERSION) $(ARCH)

portable: | $(READY)
	$(Q)policy/package/portable '$(PACKED)' $(VERSION) $(CROSS)

portable-check: portable pki $(if $(CROSS),deb all $(UNITS))
	$(Q)$(PYTHON) tests/$(if $(CROSS),$(ARCH),portable)/run.py --build $(PACKED) --pki $(BUILD)/pki
	$(if $(CROSS),$(Q)$(MAKE) emulated)

# For systems with musl, on which a plain `make` builds the same.
musl: | $(READY)
	$(Q)policy/package/musl '$(BUILD)'

dist:
	$(Q)policy/package/dist '$(BUILD)' $(VERSION)

release:
	$(Q)policy/package/release check '$(BUILD)' $(VERSION)
	$(Q)$(MAKE) dist deb portable
	$(Q)$(if $(filter amd64,$(NATIVE)),$(MAKE) ARCH=arm64 deb portable)
	$(Q)policy/package/release gather '$(BUILD)' $(VERSION)

clean:
	$(Q)rm -rf $(BUILD)

-include $(shell find $(BUILD)/obj $(BUILD)/asan/obj $(BUILD)/tsan/obj -name '*.d' 2>/dev/null)
