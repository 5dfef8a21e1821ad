/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What an iommufd with mock devices should contain and answer, thought out naively: lists
 * and arrays, searched from the start, with the rules of the uAPI header in plain words.
 *
 * A function that predicts an answer returns 0 or a positive result, or -errno.
 */
#ifndef IOMMU_TEST_MODEL_H
#define IOMMU_TEST_MODEL_H

#include "iommufd.h"
#include "mock.h"

#define MODEL_PAGES 512		/* of one source */
#define MODEL_PIECES 256	/* of one command */

/* Memory of this process to map. Pages from @nwritable on can only be pinned for reading. */
struct source {
	char *va;
	size_t npages;
	size_t nwritable;
	int fd;		/* of the same memory, or -1 */
};

/* What one IOAS_MAP or IOAS_MAP_FILE refers to: pages are pinned once for each of these. */
struct backing {
	struct backing *next;
	const struct source *source;
	bool file;
	bool writable;
	unsigned int users;
	bool held[MODEL_PAGES];		/* set by model_pins() */
};

/* Bytes of a backing */
struct piece {
	struct backing *backing;
	size_t offset;
	size_t length;
};

/* A mapping */
struct area {
	struct area *next;
	__u64 iova;
	__u32 flags;
	struct piece piece;
};

struct ioas {
	__u32 id;		/* 0: there is none */
	bool huge_pages;
	struct area *areas;	/* by IOVA */
	unsigned int nallowed, nreserved;
	struct iommu_iova_range allowed[2], reserved[2];
};

/* A page table */
struct table {
	__u32 id;		/* 0: there is none */
	struct ioas *ioas;
	bool automatic;
	unsigned int devices;
};

struct access {
	int fd;			/* 0: there is none */
	bool pins;
	struct ioas *ioas;
};

/* What an access has pinned with one command */
struct item {
	struct item *next;
	struct access *access;
	__u32 id;
	__u64 iova;
	__u64 length;
	unsigned int npieces;
	struct piece pieces[];
};

struct model {
	struct ioas ioas[3];
	struct table table[8];
	struct access access[3];
	struct item *items;
	struct backing *backings;
};

/* The mappings of a range, cut to it; -ENOENT if it has a hole. @flags: what all allow. */
int model_gather(struct ioas *ioas, __u64 iova, __u64 length, struct piece *pieces,
		 unsigned int *npieces, __u32 *flags);
/* May these be mapped, and where? @addr counts for the choice of *@iova. */
int model_place(struct model *m, struct ioas *ioas, bool fixed, __u64 addr,
		const struct piece *pieces, unsigned int npieces, __u64 *iova);
void model_map(struct ioas *ioas, __u64 iova, __u32 flags, const struct piece *pieces,
	       unsigned int npieces);
/* Let a mapping begin at an IOVA, if one covers both sides of it. */
int model_cut(struct model *m, struct ioas *ioas, __u64 iova);
/* Bytes unmapped, or -ENOENT. Items of the range go as well. */
long model_unmap(struct model *m, struct ioas *ioas, __u64 start, __u64 last);

__u64 model_alignment(const struct model *m, const struct ioas *ioas);
void model_ranges(const struct model *m, const struct ioas *ioas, struct ranges *out);
bool model_is_reserved(const struct model *m, const struct ioas *ioas, __u64 start,
		       __u64 last);
bool model_is_used(const struct ioas *ioas, __u64 start, __u64 last);

/* May the IOAS have one more page table? */
int model_may_join(struct model *m, struct ioas *ioas);
bool model_has_table(const struct model *m, const struct ioas *ioas);
bool model_is_busy(const struct model *m, const struct ioas *ioas);
bool model_is_aligned(const struct ioas *ioas, __u64 alignment);
int model_set_huge_pages(struct model *m, struct ioas *ioas, bool on);
int model_allow(struct model *m, struct ioas *ioas, unsigned int n,
		const struct iommu_iova_range *ranges);
int model_reserve(struct ioas *ioas, __u64 start, __u64 last);

/* Can these pages be pinned? */
int model_may_pin(const struct piece *pieces, unsigned int npieces);
void model_pin(struct model *m, struct access *access, __u32 id, __u64 iova, __u64 length,
	       const struct piece *pieces, unsigned int npieces);
/* Drop the items of an access that touch the range. */
void model_unpin(struct model *m, struct access *access, __u64 start, __u64 last);
void model_unpin_item(struct model *m, struct item *item);

/* How often each page of @source is pinned. Returns what the process is charged for all. */
size_t model_pins(struct model *m, const struct source *source, unsigned int *pins);

struct backing *model_backing(struct model *m, const struct source *source, bool file,
			      bool writable);
void model_put(struct model *m, struct backing *backing);

/* Everything was closed. */
void model_forget(struct model *m);

static inline char *piece_va(const struct piece *piece)
{
	return piece->backing->source->va + piece->offset;
}

static inline bool touch(__u64 start, __u64 last, __u64 start2, __u64 last2)
{
	return start <= last2 && start2 <= last;
}

static inline bool aligned(__u64 iova, const struct piece *piece, __u64 alignment)
{
	return !((iova | piece->length | piece->offset) % alignment);
}

static inline __u64 area_last(const struct area *area)
{
	return area->iova + area->piece.length - 1;
}

#endif
