/*
 * tests/bench/compile.c: the programs that a configuration asks the kernel to load, compiled as the runtime compiles them.
 *
 *   compile seccomp CONFIG >FILE    struct sock_filter[], for `floor -f`
 *   compile devices CONFIG >FILE    struct bpf_insn[], for `floor -d`
 *
 * What it writes lets the floor load the very same programs without paying for how they are made.
 */
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "cgroups/devices.h"
#include "seccomp/seccomp.h"
#include "spec/read.h"

static int write_out(const void *program, size_t size)
{
    return fwrite(program, 1, size, stdout) == size && fflush(stdout) == 0 ? 0 : 1;
}

static int compile_seccomp(const struct spec *spec, struct arena *arena, struct failure *why)
{
    struct seccomp_filter filter;
    if (seccomp_build(&spec->linux.seccomp, arena, &filter, why) < 0)
        return -1;
    return write_out(filter.program, filter.instructions * sizeof(struct sock_filter));
}

static int compile_devices(const struct spec *spec, struct arena *arena, struct failure *why)
{
    const struct spec_resources *resources = &spec->linux.resources;
    struct devices_program program;
    if (devices_plan(resources->devices, resources->devices_count, arena, &program, why) < 0)
        return -1;
    return write_out(program.instructions, program.count * sizeof(struct bpf_insn));
}

int main(int argc, char **argv)
{
    struct arena arena = {0};
    struct failure why = {0};
    struct spec spec;
    char *text;
    ssize_t length;
    int status = -1;

    if (argc != 3) {
        fprintf(stderr, "usage: compile seccomp|devices CONFIG\n");
        return 2;
    }
    log_set(LOG_TEXT, LOG_ERROR);
    length = file_read_at(AT_FDCWD, argv[2], SPEC_SIZE_LIMIT, &arena, &text);
    if (length < 0) {
        fprintf(stderr, "compile: cannot read %s\n", argv[2]);
        return 1;
    }
    if (spec_parse(text, (size_t)length, &spec, &why) == 0)
        status = strcmp(argv[1], "seccomp") == 0 ? compile_seccomp(&spec, &arena, &why) : compile_devices(&spec, &arena, &why);
    if (status < 0)
        fprintf(stderr, "compile: %s: %s: %s\n", argv[2], why.pointer, why.text);
    spec_done(&spec);
    arena_done(&arena);
    return status != 0;
}
