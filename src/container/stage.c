/* container/stage.c: the words for the steps. */
#include "container/stage.h"

#include <stddef.h>
#include <sys/mman.h>

const char stage_words[STAGES][48] = {
    [STAGE_UNBORN] = "being cloned",
    [STAGE_BEGIN] = "starting",
    [STAGE_JOIN] = "joining namespaces",
    [STAGE_WAIT_FOR_MAPS] = "waiting for its id maps and limits",
    [STAGE_LIMITS] = "setting resource limits",
    [STAGE_NAMES] = "setting up namespaces",
    [STAGE_ROOTFS] = "building the root filesystem",
    [STAGE_CONSOLE] = "opening the terminal",
    [STAGE_WAIT_FOR_CREATOR] = "waiting for the creator",
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

const char step_words[STEPS][56] = {
    [STEP_COMMAND] = "carrying out the command",
    [STEP_PROTECT] = "protecting its own binary",
    [STEP_CHECK] = "reading and checking the configuration",
    [STEP_RECORD] = "recording the container",
    [STEP_CGROUP] = "making the cgroup",
    [STEP_RESCTRL] = "making the resctrl group",
    [STEP_ROOT] = "opening the root filesystem and the mounts' sources",
    [STEP_FILTER] = "preparing the seccomp filter",
    [STEP_CLONE] = "cloning",
    [STEP_EQUIP] = "equipping the process",
    [STEP_NETWORK] = "making the network namespace",
    [STEP_KEEP] = "keeping records while init works",
    [STEP_AWAIT_READY] = "waiting until the process is ready",
    [STEP_SETTLE] = "setting late limits and handing out the process id",
    [STEP_AWAIT_EXEC] = "waiting until the program is executed",
    [STEP_HOOKS] = "running poststart hooks",
    [STEP_AWAIT_NOTICE] = "waiting until the program says that it is ready",
    [STEP_ATTEND] = "attending the program until its end",
    [STEP_STOP] = "ending the container's processes",
    [STEP_REMOVE] = "removing what was made",
    [STEP_UNDO] = "undoing what was made",
};

struct last_words *last_words_map(void)
{
    void *page = mmap(NULL, sizeof(struct last_words), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? NULL : page;
}
