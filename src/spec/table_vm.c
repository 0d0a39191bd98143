/*
 * spec/table_vm.c: /vm, a container in a virtual machine of its own.
 *
 * Read so that a mistake in it is named as anywhere else; spec_check then refuses what is well formed.
 */
#include "spec/tables.h"

static const struct json_member hypervisor_members[] = {
    JSON_FIELD(struct spec_vm, "path", JSON_STRING, hypervisor_path, .flags = JSON_REQUIRED | JSON_ABSOLUTE),
    JSON_TEXTS(struct spec_vm, "parameters", hypervisor_parameters),
};
static const struct json_object hypervisor = {JSON_TABLE(struct spec_vm, hypervisor_members)};

static const struct json_member kernel_members[] = {
    JSON_FIELD(struct spec_vm, "path", JSON_STRING, kernel_path, .flags = JSON_REQUIRED | JSON_ABSOLUTE),
    JSON_TEXTS(struct spec_vm, "parameters", kernel_parameters),
    JSON_FIELD(struct spec_vm, "initrd", JSON_STRING, kernel_initrd, .flags = JSON_ABSOLUTE | JSON_EMPTY_IS_ABSENT),
};
static const struct json_object kernel = {JSON_TABLE(struct spec_vm, kernel_members)};

static const char *const image_formats[] = {"raw", "qcow2", "vdi", "vmdk", "vhd", NULL};
static const struct json_member image_members[] = {
    JSON_FIELD(struct spec_vm, "path", JSON_STRING, image_path, .flags = JSON_REQUIRED | JSON_ABSOLUTE),
    JSON_FIELD(struct spec_vm, "format", JSON_STRING, image_format, .flags = JSON_REQUIRED, .words = image_formats),
};
static const struct json_object image = {JSON_TABLE(struct spec_vm, image_members)};

static const struct json_member memory_range_members[] = {
    JSON_NUMBER(struct spec_vm_memory_range, "firstGFN", JSON_OPTIONAL_U64, first_guest_frame, 0, UINT64_MAX),
    JSON_NUMBER(struct spec_vm_memory_range, "firstMFN", JSON_U64, first_machine_frame, 0, UINT64_MAX,
                .flags = JSON_REQUIRED),
    JSON_NUMBER(struct spec_vm_memory_range, "nrMFNs", JSON_U64, frames, 0, UINT64_MAX, .flags = JSON_REQUIRED),
};
static const struct json_object memory_range = {JSON_TABLE(struct spec_vm_memory_range, memory_range_members)};

static const struct json_member hardware_members[] = {
    JSON_FIELD(struct spec_vm, "deviceTree", JSON_STRING, device_tree, .flags = JSON_EMPTY_IS_ABSENT),
    JSON_NUMBER(struct spec_vm, "vcpus", JSON_OPTIONAL_U64, vcpus, 0, UINT32_MAX),
    JSON_NUMBER(struct spec_vm, "memory", JSON_OPTIONAL_U64, memory, 0, UINT64_MAX),
    JSON_TEXTS(struct spec_vm, "dtdevs", device_tree_nodes),
    JSON_LIST(struct spec_vm, "iomems", memory_ranges, memory_ranges_count, memory_range),
    JSON_NUMBER(struct spec_vm, "irqs", JSON_U32S, irqs, 0, UINT32_MAX, .count = offsetof(struct spec_vm, irqs_count)),
};
static const struct json_object hardware = {JSON_TABLE(struct spec_vm, hardware_members)};

static const struct json_member vm_members[] = {
    JSON_INLINE("hypervisor", hypervisor),
    JSON_INLINE("kernel", kernel, .flags = JSON_REQUIRED),
    JSON_INLINE("image", image),
    JSON_INLINE("hwConfig", hardware),
};
const struct json_object table_vm = {JSON_TABLE(struct spec_vm, vm_members)};
