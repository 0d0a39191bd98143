#!/usr/bin/env python3
"""device-programs CGROUP: the numbers of the device programs that are attached to this very cgroup, one per line."""
import ctypes
import os
import platform
import struct
import sys

BPF_PROG_QUERY = 16
BPF_CGROUP_DEVICE = 6
CALLS = {"x86_64": 321, "aarch64": 280, "riscv64": 280, "ppc64le": 361, "s390x": 351}
ROOM = 64

ids = (ctypes.c_uint32 * ROOM)()
directory = os.open(sys.argv[1], os.O_RDONLY | os.O_DIRECTORY)
attributes = ctypes.create_string_buffer(
    struct.pack("=IIIIQI", directory, BPF_CGROUP_DEVICE, 0, 0, ctypes.addressof(ids), ROOM), 128)
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(CALLS[platform.machine()], BPF_PROG_QUERY, attributes, len(attributes)) < 0:
    sys.exit(f"device-programs: {sys.argv[1]}: {os.strerror(ctypes.get_errno())}")
count = struct.unpack_from("=I", attributes.raw, 24)[0]
for number in ids[:count]:
    print(number)
