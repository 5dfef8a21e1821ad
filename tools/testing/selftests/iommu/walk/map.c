// SPDX-License-Identifier: GPL-2.0
/* Mapping, copying and unmapping. */
#include <errno.h>

#include "model_check.h"
#include "walk.h"

/* Memory a failed command may have mapped for a while must be gone. */
static void expect_undone(struct ioas *ioas, __u64 iova, const struct piece *pieces,
			  unsigned int n)
{
	unsigned int i;

	if (iova < MOCK_APERTURE_START || iova > MOCK_APERTURE_LAST)
		return;
	for (i = 0; i < n; iova += pieces[i++].length)
		agree(model_check_gone(&w.m, w.fd, ioas, iova, piece_va(&pieces[i]),
				       pieces[i].length));
}

static void finish_map(struct ioas *ioas, long want, long got, __u64 want_iova, __u64 iova,
		       __u32 flags, const struct piece *pieces, unsigned int n)
{
	expect(want, got);
	if (want == -EFAULT && flags & IOMMU_IOAS_MAP_FIXED_IOVA)
		expect_undone(ioas, iova, pieces, n);
	if (want)
		return;
	expect(want_iova, iova);
	model_map(ioas, iova, flags, pieces, n);
}

static int map_file(__u32 ioas, __u32 flags, const struct piece *piece, __u64 *iova)
{
	struct iommu_ioas_map_file cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.ioas_id = ioas,
		.fd = piece->backing->source->fd,
		.start = piece->offset,
		.length = piece->length,
		.iova = *iova,
	};
	int ret = __iommufd_ioctl(w.fd, IOMMU_IOAS_MAP_FILE, &cmd);

	*iova = cmd.iova;
	return ret;
}

void step_map(void)
{
	struct ioas *ioas = some_ioas();
	const struct source *source = some_source();
	bool fixed = !one_in(3), file = source->fd >= 0 && one_in(2);
	size_t unit = some_unit(), bytes = source->npages * PAGE;
	size_t offset = rnd(bytes / unit) * unit;
	__u32 id = ioas ? ioas->id : NO_SUCH_ID, flags = some_flags();
	struct piece piece = { .offset = offset, .length = some_length(unit, bytes - offset) };
	__u64 iova = some_iova(unit), want_iova = iova;
	int want, got;

	piece.backing = model_backing(&w.m, source, file, flags & MAP_W);
	want = !flags ? -EINVAL : !ioas ? -ENOENT : !piece.length ? -EINVAL :
	       model_place(&w.m, ioas, fixed, file ? offset : (uintptr_t)piece_va(&piece),
			   &piece, 1, &want_iova);
	if (fixed)
		flags |= IOMMU_IOAS_MAP_FIXED_IOVA;
	say("map %s%zu+%#zx, %#zx bytes, flags %u, to %u:%#llx", file ? "file " : "",
	    source - w.source, offset, piece.length, flags, id, iova);
	got = file ? map_file(id, flags, &piece, &iova) :
		     __ioas_map(w.fd, id, flags, piece_va(&piece), piece.length, &iova);
	finish_map(ioas, want, got, want_iova, iova, flags, &piece, 1);
	model_put(&w.m, piece.backing);
}

void step_copy(void)
{
	struct ioas *src = some_ioas(), *dst = some_ioas();
	__u32 flags = some_flags(), dst_id = dst ? dst->id : NO_SUCH_ID, allowed;
	struct piece pieces[MODEL_PIECES];
	__u64 src_iova, iova = some_iova(some_unit()), want_iova = iova;
	bool fixed = !one_in(3);
	unsigned int n = 0, i;
	int want, got;
	size_t length;

	some_range(src, &src_iova, &length);
	want = !flags ? -EINVAL : !src || !dst ? -ENOENT : !length ? -EINVAL :
	       src_iova + length - 1 < src_iova ? -EOVERFLOW :
	       model_gather(src, src_iova, length, pieces, &n, &allowed);
	for (i = 0; i < n && !want && flags & MAP_W; i++)
		if (!pieces[i].backing->writable)
			want = -EPERM;
	if (!want)
		want = model_place(&w.m, dst, fixed, pieces[0].backing->file ?
				   pieces[0].offset : (uintptr_t)piece_va(&pieces[0]),
				   pieces, n, &want_iova);
	if (fixed)
		flags |= IOMMU_IOAS_MAP_FIXED_IOVA;
	say("copy %u:%#llx, %#zx bytes, flags %u, to %u:%#llx", src ? src->id : 0, src_iova,
	    length, flags, dst_id, iova);
	got = __ioas_copy(w.fd, flags, dst_id, src ? src->id : NO_SUCH_ID, length, &iova,
			  src_iova);
	finish_map(dst, want, got, want_iova, iova, flags, pieces, n);
}

struct span {
	__u64 iova;
	const char *va;
	size_t length;
};

void step_unmap(void)
{
	static struct span spans[MODEL_PIECES];
	struct ioas *ioas = some_ioas();
	bool all = one_in(24);
	unsigned int n = 0, i;
	struct area *area;
	__u64 iova;
	size_t length;
	long want;

	some_range(ioas, &iova, &length);
	if (all) {
		iova = 0;
		length = UINT64_MAX;
	}
	for (area = ioas ? ioas->areas : NULL; area && n < MODEL_PIECES; area = area->next)
		if (area->iova >= iova && area->iova - iova < length)
			spans[n++] = (struct span){ area->iova, piece_va(&area->piece),
						    area->piece.length };
	want = !ioas ? -ENOENT : !length ? -EINVAL :
	       iova + length - 1 < iova ? -EOVERFLOW :
	       model_unmap(&w.m, ioas, iova, all ? UINT64_MAX : iova + length - 1);
	if (!want && !all)
		want = -ENOENT;
	say("unmap %u:%#llx, %#zx bytes", ioas ? ioas->id : 0, iova, length);
	expect(want, __ioas_unmap(w.fd, ioas ? ioas->id : NO_SUCH_ID, iova, length));
	for (i = 0; want > 0 && i < n; i++)
		agree(model_check_gone(&w.m, w.fd, ioas, spans[i].iova, spans[i].va,
				       spans[i].length));
}

