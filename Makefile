# trustgraft: `make` builds everything under build/, `make demo` shows it, `make check` tests it.
# V=1 shows commands; CC, CFLAGS, LDFLAGS, PREFIX, DESTDIR, SYSCONFDIR can be set.
BUILD      ?= build
CC         ?= gcc
CFLAGS     ?= -O2 -g
PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
VERSION    := 0.1.0

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' '$(1)' '$(patsubst $(CURDIR)/%,%,$(2))')

WARN     := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wundef
CPPFLAGS += -D_GNU_SOURCE -DTG_VERSION='"$(VERSION)"' -DTG_SYSCONFDIR='"$(SYSCONFDIR)"' -Ipolicy -Ipolicy/hook
ALL_CFLAGS = -std=gnu11 -fPIC -fvisibility=hidden -fstack-protector-strong -pthread $(WARN) $(CFLAGS)
ALL_LDFLAGS = -pthread -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--no-undefined -Wl,--as-needed $(LDFLAGS)
shared = -shared -Wl,-soname,$(notdir $@) -Wl,-z,nodelete -Wl,--version-script=$(1)

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard $(1)))
ENGINE   := $(call objects,policy/*.c)
HOOK     := $(call objects,policy/hook/*.c)
COMMAND  := $(call objects,policy/cli/*.c)
PRELOAD  := $(call objects,preload/*.c)
PROVIDER := $(call objects,provider/*.c)

ARTIFACTS := $(BUILD)/libtrustgraft.so $(BUILD)/libtrustgraft-preload.so \
             $(BUILD)/ossl-modules/trustgraft.so $(BUILD)/trustgraft $(BUILD)/openssl.cnf

.PHONY: all clean
all: $(ARTIFACTS)

$(BUILD)/obj/%.o: %.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/libtrustgraft.so: $(ENGINE) $(HOOK) policy/trustgraft.map
	$(call say,LD,$@)
	$(Q)$(CC) $(call shared,policy/trustgraft.map) -o $@ $(ENGINE) $(HOOK) $(ALL_LDFLAGS) -lcrypto

$(BUILD)/libtrustgraft-preload.so: $(PRELOAD) preload/preload.map
	$(call say,LD,$@)
	$(Q)$(CC) $(call shared,preload/preload.map) -o $@ $(PRELOAD) $(ALL_LDFLAGS)

$(BUILD)/ossl-modules/trustgraft.so: $(PROVIDER) $(BUILD)/libtrustgraft.so provider/provider.map
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(call shared,provider/provider.map) -o $@ $(PROVIDER) $(ALL_LDFLAGS) \
	  -L$(BUILD) -ltrustgraft -lcrypto -Wl,-rpath,'$$ORIGIN/..'

$(BUILD)/trustgraft: $(COMMAND) $(ENGINE) $(HOOK)
	$(call say,LD,$@)
	$(Q)$(CC) -o $@ $^ $(ALL_LDFLAGS) -lcrypto

clean:
	$(Q)rm -rf $(BUILD)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
