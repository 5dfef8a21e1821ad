# SPDX-License-Identifier: GPL-2.0
#
# The commands of this project. Every target installs the Debian packages it
# needs, keeps what it downloads in ~/.cache/iommufd and its results in build/.

SHELL := /bin/bash
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DELETE_ON_ERROR:

lab := tools/testing/vm
selftests := tools/testing/selftests/iommu

help:
	@echo 'make run        show /dev/iommu at work on an unmodified Debian kernel in a VM'
	@echo 'make test       all tests; the last line is "N passed, N failed, N skipped"'
	@echo 'make modules    build the kernel modules into build/stock'
	@echo 'make selftests  build the test programs into build/selftests'
	@echo 'make iommuctl   build the administration tool into build/iommuctl'
	@echo 'make install    modules of the running kernel, iommuctl and its files (after building)'
	@echo 'make uninstall  take them away again'
	@echo 'make deb        the packages iommufd-dkms and iommuctl in build/deb'
	@echo 'make check-install  the packages on Debian 12 and 13, in a VM (root; 10 minutes, later 6)'
	@echo 'make kernel     build the debug kernel into build/debug/bzImage (15 minutes)'
	@echo 'make unit       tests of the data structures in user space, with sanitizers'
	@echo 'make check      checkpatch, sparse and compiler warnings on our files'
	@echo 'make soak       random commands for SECONDS=300, each checked against a model'
	@echo 'make coverage   which lines of the engine the tests run (30 minutes)'
	@echo 'make htmldocs   the documentation in build/html'
	@echo 'make bench      cost of map, unmap, attach, exit and so on next to type1 (4 minutes)'
	@echo 'make shell      a shell in the test VM'
	@echo 'make clean      remove build/ and the objects of this checkout'
	@echo
	@echo 'TOPOLOGY=name   devices of the VM (tools/testing/vm/topologies)'
	@echo 'RELEASE=name    check-install of bookworm or trixie alone'
	@echo 'KERNEL=release  a Debian 6.12 kernel other than the newest'

modules:
	@scripts/build-modules

selftests:
	@scripts/build-selftests

iommuctl:
	@scripts/build-iommuctl

install:
	@scripts/install all

uninstall:
	@scripts/install remove

deb:
	@scripts/build-deb

check-install: iommuctl modules
	@$(lab)/check-install $(RELEASE)

run: modules selftests
	@$(lab)/demo

test: modules selftests iommuctl
	@$(lab)/run-tests

kernel:
	@scripts/build-kernel

unit:
	@scripts/run-unit-tests

check:
	@scripts/check

soak: modules selftests
	@$(lab)/soak

coverage: selftests
	@$(lab)/coverage

htmldocs:
	@scripts/build-docs

bench: modules selftests
	@$(lab)/bench

shell: modules
	@$(lab)/lab shell --topology $(or $(TOPOLOGY),all)

clean:
	@scripts/clean

.PHONY: help modules selftests iommuctl install uninstall deb check-install kernel run test unit check soak coverage htmldocs bench shell clean
