// SPDX-License-Identifier: GPL-2.0
/* Mapping, copying and unmapping, also as a container does it. */
#include <errno.h>
#include <sys/ioctl.h>

#include "container.h"
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

/* What an unmap takes away */
static struct span {
	__u64 iova;
	const char *va;
	size_t length;
} spans[MODEL_PIECES];
static unsigned int nspans;

static long predict_unmap(struct ioas *ioas, __u64 iova, size_t length, bool all)
{
	struct area *area;

	nspans = 0;
	if (!length)
		return -EINVAL;
	if (iova + length - 1 < iova)
		return -EOVERFLOW;
	for (area = ioas->areas; area && nspans < MODEL_PIECES; area = area->next)
		if (area->iova >= iova && area->iova - iova < length)
			spans[nspans++] = (struct span){ area->iova, piece_va(&area->piece),
							 area->piece.length };
	return model_unmap(&w.m, ioas, iova, all ? UINT64_MAX : iova + length - 1);
}

static void finish_unmap(struct ioas *ioas, long want, long got)
{
	unsigned int i;

	expect(want, got);
	for (i = 0; want > 0 && i < nspans; i++)
		agree(model_check_gone(&w.m, w.fd, ioas, spans[i].iova, spans[i].va,
				       spans[i].length));
}

void step_unmap(void)
{
	struct ioas *ioas = some_ioas();
	bool all = one_in(24);
	__u64 iova;
	size_t length;
	long want;

	some_range(ioas, &iova, &length);
	if (all) {
		iova = 0;
		length = UINT64_MAX;
	}
	want = ioas ? predict_unmap(ioas, iova, length, all) : -ENOENT;
	if (!want && !all)
		want = -ENOENT;
	say("unmap %u:%#llx, %#zx bytes", ioas ? ioas->id : 0, iova, length);
	finish_unmap(ioas, want, __ioas_unmap(w.fd, ioas ? ioas->id : NO_SUCH_ID, iova, length));
}

static void container_map(struct ioas *ioas)
{
	struct vfio_iommu_type1_dma_map cmd = { .argsz = sizeof(cmd) };
	const struct source *source = some_source();
	size_t unit = some_unit(), bytes = source->npages * PAGE;
	size_t offset = rnd(bytes / unit) * unit;
	struct piece piece = { .offset = offset, .length = some_length(unit, bytes - offset) };
	__u32 flags = some_flags() ?: MAP_R;
	__u64 iova = some_iova(unit);
	int want;

	piece.backing = model_backing(&w.m, source, false, flags & MAP_W);
	want = !piece.length ? -EINVAL :
	       model_place(&w.m, ioas, true, 0, &piece, 1, &(__u64){ iova });
	cmd.flags = (flags & MAP_R ? VFIO_DMA_MAP_FLAG_READ : 0) |
		    (flags & MAP_W ? VFIO_DMA_MAP_FLAG_WRITE : 0);
	cmd.vaddr = (uintptr_t)piece_va(&piece);
	cmd.iova = iova;
	cmd.size = piece.length;
	say("container's map %zu+%#zx, %#zx bytes, flags %u, to %u:%#llx",
	    source - w.source, offset, piece.length, flags, ioas->id, iova);
	finish_map(ioas, want, ioctl(w.fd, VFIO_IOMMU_MAP_DMA, &cmd) ? -errno : 0, iova, iova,
		   flags | IOMMU_IOAS_MAP_FIXED_IOVA, &piece, 1);
	model_put(&w.m, piece.backing);
}

/* The first version of type1, which has no huge pages, cuts mappings at both ends first. */
static long predict_container_unmap(struct ioas *ioas, __u64 iova, size_t length)
{
	int ret = 0;

	if (!ioas->huge_pages)
		ret = model_cut(&w.m, ioas, iova);
	if (!ioas->huge_pages && !ret && iova + length >= iova)
		ret = model_cut(&w.m, ioas, iova + length);
	return ret ?: predict_unmap(ioas, iova, length, false);
}

static void container_unmap(struct ioas *ioas)
{
	struct container c = { .fd = w.fd };
	bool all = one_in(24);
	__u64 iova = 0;
	size_t length = 0;
	long want;

	if (!all)
		some_range(ioas, &iova, &length);
	want = all ? predict_unmap(ioas, 0, UINT64_MAX, true) :
		     predict_container_unmap(ioas, iova, length);
	say("container's unmap %u:%#llx, %#zx bytes", ioas->id, iova, length);
	finish_unmap(ioas, want, __container_unmap(&c, all ? VFIO_DMA_UNMAP_FLAG_ALL : 0, iova,
						   length));
}

void step_container(void)
{
	struct ioas *ioas = some_ioas();

	if (!ioas)
		return;
	vfio_ioas(w.fd, ioas->id);
	if (one_in(2))
		container_map(ioas);
	else
		container_unmap(ioas);
}

