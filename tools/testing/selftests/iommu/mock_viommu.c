// SPDX-License-Identifier: GPL-2.0
/*
 * vIOMMUs and vDEVICEs: what hangs on what, how a guest's name for a device is used, and
 * what becomes of it when the device goes first.
 */
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "iommufd.h"
#include "kselftest_harness.h"
#include "mock.h"
#include "viommu.h"

#define VIRT_ID 0x99
#define RACE_ROUNDS 300

FIXTURE(viommu) {
	int fd;
	__u32 ioas;
	struct mock_guest guest;
	__u32 dev;
};

FIXTURE_SETUP(viommu)
{
	self->fd = mock_open();
	self->ioas = ioas_alloc(self->fd);
	self->guest = mock_guest(self->fd, self->ioas);
	self->dev = self->guest.dev.idev;
}

FIXTURE_TEARDOWN(viommu)
{
	close(self->fd);
}

TEST_F(viommu, keeps_what_it_is_made_of)
{
	__u32 nested, vdev;

	EXPECT_EQ(-EBUSY, __destroy(self->fd, self->guest.parent));
	ASSERT_EQ(0, __nested_alloc(self->fd, self->dev, self->guest.viommu, 0, 0, &nested));
	EXPECT_EQ(-EBUSY, __destroy(self->fd, self->guest.viommu));
	ASSERT_EQ(0, __destroy(self->fd, nested));
	vdev = vdevice_alloc(self->fd, self->guest.viommu, self->dev, VIRT_ID);
	EXPECT_EQ(-EBUSY, __destroy(self->fd, self->guest.viommu));
	ASSERT_EQ(0, __destroy(self->fd, vdev));
	EXPECT_EQ(0, __destroy(self->fd, self->guest.viommu));
	EXPECT_EQ(0, __destroy(self->fd, self->guest.parent));
}

TEST_F(viommu, alloc_refuses)
{
	struct iommu_viommu_alloc good = {
		.size = sizeof(good),
		.type = IOMMU_VIOMMU_TYPE_SELFTEST,
		.dev_id = self->dev,
		.hwpt_id = self->guest.parent,
	}, cmd;
	__u32 plain;

	must(__hwpt_alloc(self->fd, self->dev, self->ioas, 0, &plain));
#define REFUSED(err, member, value)                                                \
	do {                                                                       \
		cmd = good;                                                        \
		cmd.member = value;                                                \
		EXPECT_EQ(-(err), __iommufd_ioctl(self->fd, IOMMU_VIOMMU_ALLOC, &cmd)); \
	} while (0)
	REFUSED(EOPNOTSUPP, flags, 1);
	REFUSED(EOPNOTSUPP, __reserved, 1);
	REFUSED(EOPNOTSUPP, type, IOMMU_VIOMMU_TYPE_DEFAULT);
	REFUSED(EOPNOTSUPP, type, IOMMU_VIOMMU_TYPE_ARM_SMMUV3);
	REFUSED(ENOENT, dev_id, 0);
	REFUSED(ENOENT, dev_id, self->guest.parent);
	REFUSED(ENOENT, hwpt_id, 0);
	REFUSED(ENOENT, hwpt_id, self->ioas);
	REFUSED(EINVAL, hwpt_id, plain);
	REFUSED(EINVAL, size, 23);
	/* The order of the checks: type, device, kind of vIOMMU, parent */
	good.type = IOMMU_VIOMMU_TYPE_DEFAULT;
	REFUSED(EOPNOTSUPP, dev_id, 0);
	good.type = IOMMU_VIOMMU_TYPE_ARM_SMMUV3;
	REFUSED(ENOENT, dev_id, 0);
	REFUSED(EOPNOTSUPP, hwpt_id, 0);
#undef REFUSED
	/* Nothing of it has stayed. */
	EXPECT_EQ(0, __destroy(self->fd, self->guest.viommu));
	EXPECT_EQ(0, __destroy(self->fd, self->guest.parent));
}

TEST_F(viommu, data_goes_both_ways)
{
	struct iommu_viommu_selftest data = { .in_data = 0xcafe };
	__u32 id;

	ASSERT_EQ(0, __viommu_alloc(self->fd, self->dev, self->guest.parent, &data,
				    sizeof(data), &id));
	EXPECT_EQ(0xcafe, data.out_data);
	EXPECT_EQ(0, __destroy(self->fd, id));
	EXPECT_EQ(-EINVAL, __viommu_alloc(self->fd, self->dev, self->guest.parent, &data,
					  sizeof(data) - 1, &id));
	EXPECT_EQ(-EFAULT, __viommu_alloc(self->fd, self->dev, self->guest.parent, (void *)1,
					  sizeof(data), &id));
}

TEST_F(viommu, vdevice_alloc_refuses)
{
	struct mock_device other = mock_device(self->fd, self->ioas);
	__u32 viommu = self->guest.viommu, id;

	EXPECT_EQ(-ENOENT, __vdevice_alloc(self->fd, 0, self->dev, VIRT_ID, &id));
	EXPECT_EQ(-ENOENT, __vdevice_alloc(self->fd, self->ioas, self->dev, VIRT_ID, &id));
	EXPECT_EQ(-ENOENT, __vdevice_alloc(self->fd, viommu, 0, VIRT_ID, &id));
	EXPECT_EQ(-ENOENT, __vdevice_alloc(self->fd, viommu, viommu, VIRT_ID, &id));

	vdevice_alloc(self->fd, viommu, self->dev, VIRT_ID);
	EXPECT_EQ(-EEXIST, __vdevice_alloc(self->fd, viommu, self->dev, VIRT_ID, &id));
	EXPECT_EQ(-EEXIST, __vdevice_alloc(self->fd, viommu, self->dev, VIRT_ID + 1, &id));
	EXPECT_EQ(-EEXIST, __vdevice_alloc(self->fd, viommu, other.idev, VIRT_ID, &id));
	EXPECT_EQ(0, __vdevice_alloc(self->fd, viommu, other.idev, ~0ULL, &id));
}

/* A vDEVICE that the driver does not want is as if it had never been asked for. */
TEST_F(viommu, vdevice_that_the_driver_refuses)
{
	__u32 viommu = self->guest.viommu, next, id;

	next = ioas_alloc(self->fd);
	ASSERT_EQ(0, __destroy(self->fd, next));
	EXPECT_EQ(-ENXIO, __vdevice_alloc(self->fd, viommu, self->dev, MOCK_VIRT_ID_REFUSED,
					  &id));
	EXPECT_EQ(next, ioas_alloc(self->fd));
	EXPECT_EQ(-ENXIO, __vdevice_alloc(self->fd, viommu, self->dev, MOCK_VIRT_ID_REFUSED,
					  &id));
	ASSERT_EQ(0, __vdevice_alloc(self->fd, viommu, self->dev, VIRT_ID, &id));
	ASSERT_EQ(0, __destroy(self->fd, id));
	EXPECT_EQ(0, __vdevice_alloc(self->fd, viommu, self->dev, VIRT_ID, &id));
	ASSERT_EQ(0, __destroy(self->fd, id));
	EXPECT_EQ(0, __destroy(self->fd, viommu));
}

TEST_F(viommu, driver_that_can_do_nothing)
{
	const __u32 invalidate = IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST;
	struct iommu_viommu_invalidate_selftest req = { };
	__u32 bare, done, vdev, id;
	int events;

	ASSERT_EQ(0, __viommu_alloc_bare(self->fd, self->dev, self->guest.parent, &bare));
	EXPECT_EQ(-EOPNOTSUPP, __nested_alloc(self->fd, self->dev, bare, 0, 0, &id));
	EXPECT_EQ(-EOPNOTSUPP, __hw_queue_alloc(self->fd, bare, 0, 0, PAGE, &id));
	EXPECT_EQ(-EOPNOTSUPP,
		  __invalidate(self->fd, bare, invalidate, &req, sizeof(req), 1, &done));
	EXPECT_EQ(0, done);
	EXPECT_EQ(-EOPNOTSUPP, __invalidate(self->fd, bare, invalidate, NULL, 0, 0, &done));

	/* What iommufd does by itself it has. */
	vdev = vdevice_alloc(self->fd, bare, self->dev, MOCK_VIRT_ID_REFUSED);
	events = __veventq_alloc(self->fd, bare, IOMMU_VEVENTQ_TYPE_SELFTEST, 1, &id);
	ASSERT_LE(0, events);
	EXPECT_EQ(-EBUSY, __destroy(self->fd, bare));
	close(events);
	EXPECT_EQ(0, __destroy(self->fd, id));
	EXPECT_EQ(0, __destroy(self->fd, vdev));
	EXPECT_EQ(0, __destroy(self->fd, bare));
	EXPECT_EQ(0, __destroy(self->fd, self->guest.viommu));
	EXPECT_EQ(0, __destroy(self->fd, self->guest.parent));
}

TEST_F(viommu, device_of_two_guests)
{
	__u32 second = viommu_alloc(self->fd, self->dev, self->guest.parent), vdev, id;
	struct mock_device other = mock_device(self->fd, self->ioas);

	vdev = vdevice_alloc(self->fd, self->guest.viommu, self->dev, VIRT_ID);
	EXPECT_EQ(-EEXIST, __vdevice_alloc(self->fd, second, self->dev, VIRT_ID, &id));
	/* Names are each guest's own. */
	EXPECT_EQ(0, __vdevice_alloc(self->fd, second, other.idev, VIRT_ID, &id));
	EXPECT_EQ(0, __destroy(self->fd, id));
	ASSERT_EQ(0, __destroy(self->fd, vdev));
	EXPECT_EQ(0, __vdevice_alloc(self->fd, second, self->dev, VIRT_ID, &id));
}

TEST_F(viommu, nested_alloc_refuses)
{
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.dev_id = self->dev,
		.pt_id = self->guest.viommu,
	};
	__u32 id;

	/* Without data */
	EXPECT_EQ(-EOPNOTSUPP, __iommufd_ioctl(self->fd, IOMMU_HWPT_ALLOC, &cmd));
	EXPECT_EQ(-EOPNOTSUPP, __nested_alloc(self->fd, self->dev, self->guest.viommu,
					      IOMMU_HWPT_ALLOC_NEST_PARENT, 0, &id));
	EXPECT_EQ(-EOPNOTSUPP, __nested_alloc(self->fd, self->dev, self->guest.viommu,
					      IOMMU_HWPT_ALLOC_DIRTY_TRACKING, 0, &id));
	EXPECT_EQ(-ENOENT, __nested_alloc(self->fd, self->dev, self->guest.viommu,
					  IOMMU_HWPT_FAULT_ID_VALID, 0, &id));
	EXPECT_EQ(0, __destroy(self->fd, self->guest.viommu));
}

TEST_F(viommu, only_devices_of_the_guest_attach)
{
	struct mock_device other = mock_device(self->fd, self->ioas);
	__u32 nested, pt, vdev;

	ASSERT_EQ(0, __nested_alloc(self->fd, self->dev, self->guest.viommu, 0, 0, &nested));
	EXPECT_EQ(0, __mock_check_iotlb(self->fd, nested, 0, IOMMU_TEST_IOTLB_DEFAULT));
	pt = nested;
	EXPECT_EQ(-ENOENT, __mock_replace(self->fd, self->guest.dev.stdev, &pt));

	vdev = vdevice_alloc(self->fd, self->guest.viommu, self->dev, VIRT_ID);
	pt = nested;
	EXPECT_EQ(-ENOENT, __mock_replace(self->fd, other.stdev, &pt));
	ASSERT_EQ(0, __mock_replace(self->fd, self->guest.dev.stdev, &pt));
	EXPECT_EQ(nested, pt);
	EXPECT_EQ(-EBUSY, __destroy(self->fd, nested));
	/* The attachment does not keep the name. */
	EXPECT_EQ(0, __destroy(self->fd, vdev));
	pt = self->ioas;
	EXPECT_EQ(0, __mock_replace(self->fd, self->guest.dev.stdev, &pt));
	EXPECT_EQ(0, __destroy(self->fd, nested));
}

static int invalidate(int fd, __u32 viommu, __u32 flags, __u32 virt_id, __u32 entry)
{
	struct iommu_viommu_invalidate_selftest req = {
		.flags = flags,
		.vdev_id = virt_id,
		.cache_id = entry,
	};
	__u32 done;
	int ret = __invalidate(fd, viommu, IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST, &req,
			       sizeof(req), 1, &done);

	return done == !ret ? ret : -EPROTO;
}

TEST_F(viommu, invalidation_reaches_the_device)
{
	struct mock_device other = mock_device(self->fd, self->ioas);
	__u32 viommu = self->guest.viommu, i;

	vdevice_alloc(self->fd, viommu, self->dev, VIRT_ID);
	vdevice_alloc(self->fd, viommu, other.idev, VIRT_ID + 1);
	EXPECT_EQ(0, invalidate(self->fd, viommu, 0, VIRT_ID, 2));
	for (i = 0; i < MOCK_DEV_CACHE_NUM; i++) {
		EXPECT_EQ(0, __mock_check_cache(self->fd, self->dev, i,
						i == 2 ? 0 : IOMMU_TEST_DEV_CACHE_DEFAULT));
		EXPECT_EQ(0, __mock_check_cache(self->fd, other.idev, i,
						IOMMU_TEST_DEV_CACHE_DEFAULT));
	}
	EXPECT_EQ(0, invalidate(self->fd, viommu, IOMMU_TEST_INVALIDATE_FLAG_ALL,
				VIRT_ID + 1, 0));
	for (i = 0; i < MOCK_DEV_CACHE_NUM; i++)
		EXPECT_EQ(0, __mock_check_cache(self->fd, other.idev, i, 0));
}

TEST_F(viommu, invalidation_refuses)
{
	struct iommu_viommu_invalidate_selftest reqs[3] = {
		{ .vdev_id = VIRT_ID, .cache_id = 0 },
		{ .vdev_id = VIRT_ID + 1 },
		{ .vdev_id = VIRT_ID, .cache_id = 1 },
	};
	__u32 viommu = self->guest.viommu, done;

	EXPECT_EQ(-EINVAL, invalidate(self->fd, viommu, 0, VIRT_ID, 0));
	vdevice_alloc(self->fd, viommu, self->dev, VIRT_ID);
	EXPECT_EQ(-EOPNOTSUPP, invalidate(self->fd, viommu, 2, VIRT_ID, 0));
	EXPECT_EQ(-EINVAL, invalidate(self->fd, viommu, 0, VIRT_ID, MOCK_DEV_CACHE_NUM));
	EXPECT_EQ(-EINVAL, invalidate(self->fd, self->guest.parent, 0, VIRT_ID, 0));
	EXPECT_EQ(-ENOENT, invalidate(self->fd, 0, 0, VIRT_ID, 0));

	/* No request: is the type known? */
	EXPECT_EQ(0, __invalidate(self->fd, viommu, IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST,
				  NULL, 0, 0, &done));
	EXPECT_EQ(-EINVAL, __invalidate(self->fd, viommu,
					IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST_INVALID, NULL,
					0, 0, &done));
	/* It goes on until the first bad one, and says how far. */
	EXPECT_EQ(-EINVAL, __invalidate(self->fd, viommu,
					IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST, reqs,
					sizeof(reqs[0]), 3, &done));
	EXPECT_EQ(1, done);
	EXPECT_EQ(0, __mock_check_cache(self->fd, self->dev, 0, 0));
	EXPECT_EQ(0, __mock_check_cache(self->fd, self->dev, 1, IOMMU_TEST_DEV_CACHE_DEFAULT));
}

TEST_F(viommu, page_table_of_a_guest_has_no_invalidation_of_its_own)
{
	struct iommu_hwpt_invalidate_selftest req = { };
	__u32 nested, done;

	ASSERT_EQ(0, __nested_alloc(self->fd, self->dev, self->guest.viommu, 0, 0, &nested));
	EXPECT_EQ(-EOPNOTSUPP,
		  __invalidate(self->fd, nested, IOMMU_HWPT_INVALIDATE_DATA_SELFTEST, &req,
			       sizeof(req), 1, &done));
	EXPECT_EQ(0, done);
}

/* User space may still destroy the vDEVICE; that must not hit another object. */
TEST_F(viommu, device_takes_its_vdevice_along)
{
	__u32 vdev = vdevice_alloc(self->fd, self->guest.viommu, self->dev, VIRT_ID), i;
	struct mock_device next;

	EXPECT_EQ(-EBUSY, __destroy(self->fd, self->guest.viommu));
	ASSERT_EQ(0, __destroy(self->fd, self->guest.dev.stdev));
	EXPECT_EQ(-ENOENT, __destroy(self->fd, vdev));
	for (i = 0; i < 8; i++)
		EXPECT_NE(vdev, ioas_alloc(self->fd));
	EXPECT_EQ(-ENOENT, __destroy(self->fd, vdev));

	next = mock_device(self->fd, self->ioas);
	EXPECT_EQ(0, __vdevice_alloc(self->fd, self->guest.viommu, next.idev, VIRT_ID, &vdev));
	EXPECT_EQ(0, __destroy(self->fd, vdev));
	EXPECT_EQ(0, __destroy(self->fd, self->guest.viommu));
}

struct race {
	int fd;
	__u32 viommu;
	__u32 dev;
};

static void *make_and_destroy(void *arg)
{
	struct race *race = arg;
	__u32 vdev;

	while (__vdevice_alloc(race->fd, race->viommu, race->dev, VIRT_ID, &vdev) != -ENOENT)
		__destroy(race->fd, vdev);
	return NULL;
}

/* A device is unplugged while its vDEVICE comes and goes: nothing is left of either. */
TEST_F(viommu, vdevice_races_with_the_device)
{
	struct race race = { .fd = self->fd, .viommu = self->guest.viommu };
	pthread_t thread;
	unsigned int i;

	for (i = 0; i < RACE_ROUNDS; i++) {
		struct mock_device dev = mock_device(self->fd, self->ioas);

		race.dev = dev.idev;
		ASSERT_EQ(0, pthread_create(&thread, NULL, make_and_destroy, &race));
		usleep(i % 50);
		ASSERT_EQ(0, __destroy(self->fd, dev.stdev));
		pthread_join(thread, NULL);
	}
	EXPECT_EQ(0, __destroy(self->fd, self->guest.viommu));
}

TEST_HARNESS_MAIN
