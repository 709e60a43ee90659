/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Layout of the tables: tdx-measurement.md, section 1, and snp-measurement.md, section 1. Layout of the variable
 * store: UEFI PI 1.7 volume 3, EFI_FIRMWARE_VOLUME_HEADER, and edk2's VariableFormat.h and
 * WorkingBlockHeader.h.
 */

#include "config.h"

#include "sample-firmware.h"

#include <string.h>

#include "base/guid.h"
#include "base/writer.h"

#define FIRMWARE_SIZE	  0x90000 /* QEMU loads multiples of 64 KiB only */
#define FIRMWARE_END	  G_GUINT64_CONSTANT(0x100000000)
#define RESET_REGION_SIZE 32
#define RESET_VECTOR_SIZE 16

#define GUID_FOOTER	  "96b582de-1fb2-45f7-baea-a366c55a082d"
#define GUID_TDVF	  "e47a6535-984a-4798-865e-4685a7bf8ec2"
#define GUID_SEV_METADATA "dc886566-984a-4798-a75e-5585a7bf67cc"
#define GUID_SEV_HASHES	  "7255371f-3a3b-4b04-927b-1da6efa8d454"
#define GUID_SEV_RESET	  "00f771de-1a7e-4fcb-890e-68c77e2fb44e"
#define GUID_NVDATA_FV	  "fff12b8d-7696-4c8b-a985-2747075b4f50"
#define GUID_AUTH_STORE	  "aaf32c78-947b-439a-a180-2e144ec37792"
#define GUID_WORK_BLOCK	  "9e58292b-7c68-497d-a0ce-6500fd9f1b95"

static void
append_guid(GByteArray *out, const gchar *text)
{
	DstackGuid guid = dstack_guid_from_constant(text, DSTACK_GUID_EFI);

	g_byte_array_append(out, guid.bytes, sizeof(guid.bytes));
}

static void
append_text(GByteArray *out, const gchar *text)
{
	g_byte_array_append(out, (const guint8 *)text, (guint)strlen(text));
}

/* the blank flash that everything is written into */
static GByteArray *
flash_new(guint size)
{
	GByteArray *out = g_byte_array_sized_new(size);

	g_byte_array_set_size(out, size);
	memset(out->data, 0xff, size);
	return out;
}

static void
flash_write(GByteArray *flash, gsize at, const GByteArray *data)
{
	g_assert_cmpuint(at + data->len, <=, flash->len);
	memcpy(flash->data + at, data->data, data->len);
}

static GByteArray *
volume_header(void)
{
	GByteArray *out = g_byte_array_new();

	dstack_append_zero(out, 16);
	append_guid(out, GUID_NVDATA_FV);
	dstack_append_u64le(out, DSTACK_SAMPLE_STORE_SIZE);
	append_text(out, "_FVH");
	dstack_append_u32le(out, 0x0004feff); /* attributes */
	dstack_append_u16le(out, 0x48);	      /* header length */
	dstack_append_u16le(out, 0xb8af);     /* makes the header's 16-bit sum zero */
	dstack_append_u16le(out, 0);
	dstack_append_u16le(out, 0x0200); /* reserved, revision 2 */
	dstack_append_u32le(out, DSTACK_SAMPLE_STORE_SIZE / 0x1000);
	dstack_append_u32le(out, 0x1000);
	dstack_append_zero(out, 8);
	append_guid(out, GUID_AUTH_STORE);
	dstack_append_u32le(out, 0x40000 - 0x48); /* from here to the event log */
	dstack_append_u8(out, 0x5a);		  /* formatted */
	dstack_append_u8(out, 0xfe);		  /* healthy */
	dstack_append_zero(out, 6);
	return out;
}

static GByteArray *
work_block(void)
{
	GByteArray *out = g_byte_array_new();

	append_guid(out, GUID_WORK_BLOCK);
	dstack_append_u32le(out, 0x642caf2c); /* CRC-32 of this header */
	dstack_append_u32le(out, 0xfffffffe); /* valid */
	dstack_append_u64le(out, 0xfe0);      /* write queue */
	return out;
}

/**
 * dstack_sample_variable_store:
 *
 * Returns: (transfer full): the store of a firmware that has not booted yet
 */
GByteArray *
dstack_sample_variable_store(void)
{
	GByteArray *store = flash_new(DSTACK_SAMPLE_STORE_SIZE);
	g_autoptr(GByteArray) header = volume_header();
	g_autoptr(GByteArray) block = work_block();

	flash_write(store, 0, header);
	flash_write(store, 0x41000, block);
	return store;
}

static GByteArray *
tdvf_descriptor(const DstackSampleFirmware *spec)
{
	GByteArray *out = g_byte_array_new();

	append_text(out, "TDVF");
	dstack_append_u32le(out, 16 + spec->n_tdvf * 32);
	dstack_append_u32le(out, 1);
	dstack_append_u32le(out, spec->n_tdvf);
	for (guint i = 0; i < spec->n_tdvf; i++) {
		dstack_append_u32le(out, spec->tdvf[i].data_offset);
		dstack_append_u32le(out, spec->tdvf[i].raw_size);
		dstack_append_u64le(out, spec->tdvf[i].address);
		dstack_append_u64le(out, spec->tdvf[i].memory_size);
		dstack_append_u32le(out, spec->tdvf[i].type);
		dstack_append_u32le(out, spec->tdvf[i].attributes);
	}
	return out;
}

static GByteArray *
sev_descriptor(const DstackSampleFirmware *spec)
{
	GByteArray *out = g_byte_array_new();

	append_text(out, "ASEV");
	dstack_append_u32le(out, 16 + spec->n_sev * 12);
	dstack_append_u32le(out, 1);
	dstack_append_u32le(out, spec->n_sev);
	for (guint i = 0; i < spec->n_sev; i++) {
		dstack_append_u32le(out, spec->sev[i].gpa);
		dstack_append_u32le(out, spec->sev[i].size);
		dstack_append_u32le(out, spec->sev[i].type);
	}
	return out;
}

static void
append_entry_u32(GByteArray *table, guint32 value, const gchar *guid)
{
	dstack_append_u32le(table, value);
	dstack_append_u16le(table, 4 + 18);
	append_guid(table, guid);
}

/* the descriptors, then the table whose entries say where they are */
static GByteArray *
metadata(const DstackSampleFirmware *spec)
{
	g_autoptr(GByteArray) tdvf = tdvf_descriptor(spec);
	g_autoptr(GByteArray) sev = sev_descriptor(spec);
	GByteArray *out = g_byte_array_new();
	guint table_size = (spec->n_sev > 0 ? 4 : 1) * 22 + 18;
	guint end = RESET_REGION_SIZE + table_size; /* distance of the table's start from the file's end */

	if (spec->n_sev == 0)
		g_byte_array_set_size(sev, 0);
	g_byte_array_append(out, tdvf->data, tdvf->len);
	g_byte_array_append(out, sev->data, sev->len);
	if (spec->n_sev > 0) {
		append_entry_u32(out, end + sev->len, GUID_SEV_METADATA);
		append_entry_u32(out, spec->hashes_gpa, GUID_SEV_HASHES);
		append_entry_u32(out, spec->reset_eip, GUID_SEV_RESET);
	}
	append_entry_u32(out, end + sev->len + tdvf->len, GUID_TDVF);
	dstack_append_u16le(out, (guint16)table_size);
	append_guid(out, GUID_FOOTER);
	return out;
}

/**
 * dstack_sample_firmware_build:
 * @spec: what it is to hold
 *
 * Returns: (transfer full): the file
 */
GByteArray *
dstack_sample_firmware_build(const DstackSampleFirmware *spec)
{
	static const guint8 halt[] = {0xf4, 0xeb, 0xfd}; /* hlt; jmp to it */
	GByteArray *flash = flash_new(spec->size);
	g_autoptr(GByteArray) tables = metadata(spec);

	if (spec->has_store) {
		g_autoptr(GByteArray) store = dstack_sample_variable_store();

		flash_write(flash, 0, store);
	}
	flash_write(flash, flash->len - RESET_REGION_SIZE - tables->len, tables);
	memcpy(flash->data + flash->len - RESET_VECTOR_SIZE, halt, sizeof(halt));
	return flash;
}

/**
 * dstack_sample_firmware_default:
 *
 * Returns: (transfer full): the sample image's firmware
 */
GByteArray *
dstack_sample_firmware_default(void)
{
	static const guint32 code_size = FIRMWARE_SIZE - DSTACK_SAMPLE_STORE_SIZE;
	const DstackSampleTdvfSection tdvf[] = {
	    {DSTACK_SAMPLE_STORE_SIZE, code_size, FIRMWARE_END - code_size, code_size, 0, 1},
	    {0, DSTACK_SAMPLE_STORE_SIZE, FIRMWARE_END - FIRMWARE_SIZE, DSTACK_SAMPLE_STORE_SIZE, 1, 0},
	    {0, 0, 0x810000, 0x10000, 3, 0},
	    {0, 0, 0x80b000, 0x2000, 3, 0},
	    {0, 0, 0x809000, 0x2000, 2, 0},
	    {0, 0, 0x800000, 0x6000, 3, 0},
	};
	const DstackSampleSevSection sev[] = {
	    {0x800000, 0x9000, 1},    /* SEC_MEMORY */
	    {0x80a000, 0x3000, 1},    /* SEC_MEMORY */
	    {0x80d000, 0x1000, 2},    /* SECRETS */
	    {0x80e000, 0x1000, 3},    /* CPUID */
	    {0x80f000, 0x1000, 0x10}, /* KERNEL_HASHES */
	    {0x810000, 0x10000, 1},   /* SEC_MEMORY */
	};
	const DstackSampleFirmware spec = {
	    .size = FIRMWARE_SIZE,
	    .has_store = TRUE,
	    .tdvf = tdvf,
	    .n_tdvf = G_N_ELEMENTS(tdvf),
	    .sev = sev,
	    .n_sev = G_N_ELEMENTS(sev),
	    .hashes_gpa = 0x80fc00,
	    .reset_eip = 0x80b004,
	};

	return dstack_sample_firmware_build(&spec);
}
