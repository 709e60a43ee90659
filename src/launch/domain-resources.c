/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Memory and processors of a domain. libvirt.md, "From domain XML to vm_config": memory_size is what QEMU
 * gets as -m, and whatever could make it or the ACPI tables change later is refused.
 */
#include "config.h"

#include "base/error.h"
#include "launch/domain-parts.h"
#include "launch/xml.h"

#define VCPUS_MAX	 4096
#define MEMORY_ALIGNMENT (1024 * 1024)

static gboolean
sum_cells(xmlNode *root, guint64 *out, guint *out_n, GError **error)
{
	xmlNode *numa = dstack_xml_find(root, "cpu/numa");
	guint64 sum = 0;
	guint n = 0;

	for (xmlNode *cell = dstack_xml_first(numa, NULL, "cell"); cell != NULL;
	     cell = dstack_xml_next(cell, NULL, "cell")) {
		guint64 size;

		if (!dstack_xml_get_size_attribute(cell, "memory", "cpu/numa/cell memory", &size, error))
			return FALSE;
		if (size % MEMORY_ALIGNMENT != 0)
			return dstack_throw(error, DSTACK_ERROR_REFUSED,
					    "cpu/numa/cell memory: expected whole MiB, because libvirt rounds up each "
					    "cell, found %" G_GUINT64_FORMAT " bytes",
					    size);
		if (!g_uint64_checked_add(&sum, sum, size))
			return dstack_throw(error, DSTACK_ERROR_MALFORMED,
					    "cpu/numa: the cells' memory does not fit in 64 bits");
		n++;
	}
	*out = sum;
	*out_n = n;
	return TRUE;
}

/* where there are cells they are what counts */
static gboolean
read_memory_size(DstackDomain *self, xmlNode *root, GError **error)
{
	xmlNode *memory = dstack_xml_first(root, NULL, "memory");
	guint n_cells;

	if (!sum_cells(root, &self->memory_size, &n_cells, error))
		return FALSE;
	if (n_cells == 0 && memory == NULL)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "memory: expected a <memory> element, found none");
	if (n_cells == 0 && !dstack_xml_get_size(memory, "memory", &self->memory_size, error))
		return FALSE;
	if (self->memory_size == 0)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "memory: expected more than 0 bytes");
	if (self->memory_size % MEMORY_ALIGNMENT != 0)
		return dstack_throw(
		    error, DSTACK_ERROR_REFUSED,
		    "memory: expected whole MiB, because libvirt rounds up to them, found %" G_GUINT64_FORMAT " bytes",
		    self->memory_size);
	return TRUE;
}

static gboolean
ensure_memory_is_fixed(const DstackDomain *self, xmlNode *root, GError **error)
{
	xmlNode *current = dstack_xml_first(root, NULL, "currentMemory");
	guint64 size = self->memory_size;

	if (dstack_xml_first(root, NULL, "maxMemory") != NULL)
		return dstack_throw(error, DSTACK_ERROR_REFUSED,
				    "maxMemory: memory slots change what the guest measures; remove the element");
	if (dstack_xml_find(root, "devices/memory") != NULL)
		return dstack_throw(error, DSTACK_ERROR_REFUSED,
				    "devices/memory: memory devices change what the guest measures; remove them");
	if (current != NULL && !dstack_xml_get_size(current, "currentMemory", &size, error))
		return FALSE;
	if (size != self->memory_size) {
		g_autofree gchar *found = dstack_size_to_string(size);
		g_autofree gchar *expected = dstack_size_to_string(self->memory_size);

		return dstack_throw(error, DSTACK_ERROR_REFUSED,
				    "currentMemory: expected %s, the memory the guest boots with, found %s", expected,
				    found);
	}
	return TRUE;
}

static gboolean
read_cpu(DstackDomain *self, xmlNode *root, GError **error)
{
	g_autofree gchar *count = dstack_xml_dup_text_at(root, "vcpu");
	g_autofree gchar *current = dstack_xml_dup_attribute_at(root, "vcpu", "current");
	guint64 number;

	if (count == NULL || !dstack_number_parse(count, "vcpu", VCPUS_MAX, &number, NULL) || number == 0)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "vcpu: expected 1 to %d, found '%s'", VCPUS_MAX,
				    count != NULL ? count : "");
	if (current != NULL && g_strcmp0(current, count) != 0)
		return dstack_throw(
		    error, DSTACK_ERROR_REFUSED,
		    "vcpu: current='%s' of %s makes QEMU announce hot-pluggable processors, which changes "
		    "the ACPI tables; remove current",
		    current, count);
	self->cpu_count = (guint32)number;
	self->cpu_mode = dstack_xml_dup_attribute_at(root, "cpu", "mode");
	self->cpu_model = dstack_xml_dup_text_at(root, "cpu/model");
	return TRUE;
}

gboolean
dstack_domain_read_resources(DstackDomain *self, xmlNode *root, GError **error)
{
	self->hugepages = dstack_xml_find(root, "memoryBacking/hugepages") != NULL;
	return read_memory_size(self, root, error) && ensure_memory_is_fixed(self, root, error) &&
	       read_cpu(self, root, error);
}
