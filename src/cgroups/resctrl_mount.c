/*
 * cgroups/resctrl_mount.c: finds the mounted resctrl file system.
 *
 * Runs in host side processes.  Should: ask statfs(2) of the usual place.  Must not: read mountinfo before that failed (hosts have
 * tens of thousands of lines).
 */
#include "cgroups/resctrl_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/kernel.h"
#include "base/text.h"
#include "cgroups/cgroups.h"

#define MOUNTINFO_MAX ((size_t)64 * 1024 * 1024)

static int open_if_resctrl(const char *path)
{
    struct statfs st;
    CLEANUP_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    return fstatfs(fd, &st) == 0 && (unsigned long)st.f_type == RDTGROUP_SUPER_MAGIC ? fd_steal(&fd) : -ENODEV;
}

/* mountinfo writes blank, tab, newline and backslash as three octal digits. */
static void decode_octal(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; from++) {
        if (from[0] == '\\' && strspn(from + 1, "01234567") >= 3) {
            *to++ = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
            from += 3;
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
}

char *resctrl_mount_of_line(char *line)
{
    const char *type = strstr(line, " - ");
    if (type == NULL || !text_starts(type + 3, "resctrl "))
        return NULL;
    for (int field = 0; field < 4; field++) {
        line = strchr(line, ' ');
        if (line == NULL)
            return NULL;
        line++;
    }
    line[strcspn(line, " ")] = '\0';
    decode_octal(line);
    return line;
}

/* The specification speaks of a mounted resctrl, wherever; only a host that has it at another place pays for the search. */
static int open_elsewhere(void)
{
    struct arena arena = {0};
    char *text;
    int fd = -ENODEV;
    ssize_t length = file_read_at(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &arena, &text);
    for (char *line = text, *next; length > 0 && fd < 0 && *line != '\0'; line = next) {
        next = line + strcspn(line, "\n");
        if (*next == '\n')
            *next++ = '\0';
        const char *place = resctrl_mount_of_line(line);
        if (place != NULL)
            fd = open_if_resctrl(place);
    }
    arena_done(&arena);
    return fd;
}

int resctrl_find(void)
{
    int fd = open_if_resctrl(RESCTRL_PLACE);
    return fd == -ENODEV || fd == -ENOENT ? open_elsewhere() : fd;
}
