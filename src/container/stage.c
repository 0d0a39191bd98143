/* container/stage.c: the words for init's steps. */
#include "container/stage.h"

#include <stddef.h>
#include <sys/mman.h>

const char *const stage_words[STAGES] = {
    [STAGE_UNBORN] = "being cloned",
    [STAGE_BEGIN] = "starting",
    [STAGE_JOIN] = "joining namespaces",
    [STAGE_WAIT_FOR_MAPS] = "waiting for its id maps and limits",
    [STAGE_LIMITS] = "setting resource limits",
    [STAGE_NAMES] = "setting up namespaces",
    [STAGE_ROOTFS] = "building the root filesystem",
    [STAGE_CONSOLE] = "opening the terminal",
    [STAGE_HOOKS_CREATE] = "running createContainer hooks",
    [STAGE_SYSCTL] = "setting kernel parameters",
    [STAGE_SEAL] = "masking paths",
    [STAGE_ENTER] = "entering the root filesystem",
    [STAGE_PROGRAM] = "looking for the program",
    [STAGE_WAIT_FOR_START] = "waiting for start",
    [STAGE_HOOKS_START] = "running startContainer hooks",
    [STAGE_IDENTITY] = "taking the process's user and capabilities",
    [STAGE_SECCOMP] = "loading the seccomp filter",
    [STAGE_EXEC] = "executing the program",
};

struct last_words *last_words_map(void)
{
    void *page = mmap(NULL, sizeof(struct last_words), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? NULL : page;
}
