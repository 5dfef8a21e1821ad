// SPDX-License-Identifier: GPL-2.0
/* The IOAS as such, and what limits its IOVAs. */
#include <errno.h>
#include <string.h>

#include "walk.h"

void step_ioas(void)
{
	struct ioas *ioas = &w.m.ioas[rnd(ARRAY_LEN(w.m.ioas))];
	int want;

	if (!ioas->id) {
		say("alloc IOAS");
		memset(ioas, 0, sizeof(*ioas));
		ioas->huge_pages = true;
		expect(0, __ioas_alloc(w.fd, &ioas->id));
		return;
	}
	if (!one_in(8))
		return step_map();
	want = model_is_busy(&w.m, ioas) ? -EBUSY : 0;
	say("destroy IOAS %u", ioas->id);
	expect(want, __destroy(w.fd, ioas->id));
	if (want)
		return;
	model_unmap(&w.m, ioas, 0, UINT64_MAX);
	ioas->id = 0;
}

void step_options(void)
{
	struct ioas *ioas = some_ioas();
	unsigned int value = one_in(8) ? 2 : rnd(2);
	int want = !ioas ? -ENOENT : value > 1 ? -EINVAL :
		   model_set_huge_pages(&w.m, ioas, value);

	say("huge pages of %u: %u", ioas ? ioas->id : 0, value);
	expect(want, __option_set(w.fd, IOMMU_OPTION_HUGE_PAGES, ioas ? ioas->id : NO_SUCH_ID,
				  value));
}

void step_allow(void)
{
	struct ioas *ioas = some_ioas();
	struct iommu_iova_range ranges[2];
	unsigned int n = one_in(2) ? 0 : 1 + rnd(2), i;
	int want;

	for (i = 0; i < n; i++) {
		ranges[i].start = some_iova(PAGE);
		ranges[i].last = ranges[i].start + some_length(PAGE, KIB(512)) - 1;
	}
	want = ioas ? model_allow(&w.m, ioas, n, ranges) : -ENOENT;
	say("allow %u ranges in %u", n, ioas ? ioas->id : 0);
	expect(want, __ioas_allow(w.fd, ioas ? ioas->id : NO_SUCH_ID, n, ranges));
}

void step_reserve(void)
{
	struct ioas *ioas = some_ioas();
	__u64 start = some_iova(PAGE), last;
	size_t length = some_length(PAGE, KIB(16));
	int want;

	/* It is for ever. */
	if (!ioas || ioas->nreserved == ARRAY_LEN(ioas->reserved))
		return;
	last = start + length - 1;
	want = !length ? -EINVAL : last < start ? -EOVERFLOW :
	       model_reserve(ioas, start, last);
	say("reserve %#llx-%#llx in %u", start, last, ioas->id);
	expect(want, __mock_reserve(w.fd, ioas->id, start, length));
}
